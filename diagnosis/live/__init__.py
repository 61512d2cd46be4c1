"""Comparing a walk with the switches: does the network do what its logical flows say?

A walk tells what should become of a packet. Each chassis on its way is asked, through its
agent, two things: where its switch's flows differ from those that the agent wants, and
what its switch would do with the packet.

======================  =========================================================
:mod:`~.legs`           a walk, cut into what each chassis does of it
:mod:`~.asking`         the questions to the agents, and what came back
:mod:`~.findings`       where walk and switches differ, in sentences
:mod:`~.documents`      the answer's schema
======================  =========================================================
"""
