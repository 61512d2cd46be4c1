"""Explanations: whether one end reaches another, and if not, what to change.

A trace is one packet. To reach somebody takes more: the sender has to find its next hop,
the request has to arrive, the reply has to find its way back, and both ends have to be
plugged in somewhere alive.

======================  =========================================================
:mod:`~.question`       who is asked about, and what they speak
:mod:`~.scene`          what is looked at: flows, ports, chassis, intent
:mod:`~.packets`        the packets that are walked: questions, answers, replies
:mod:`~.path`           the checks one after the other, as packets would need them
:mod:`~.checks`         what a check found; what is true of ports and chassis
:mod:`~.carried`        whether chassis carry a packet that flows pass on
:mod:`~.reasons`        from where a packet ended to the object behind it
:mod:`~.solicitations`  what the network doesn't answer: DHCP, router solicitations
:mod:`~.names`          DNS queries: which record answers, or why they are passed on
:mod:`~.remedies`       the smallest change for each kind of obstacle
:mod:`~.workloads`      how frames of workloads get to their ports
:mod:`~.worlds`         what is taken for granted that nobody has said
:mod:`~.variants`       one question in several worlds
:mod:`~.client_ports`   which ports of a client to try
:mod:`~.looking`        one look at the network, as it is or would be
:mod:`~.proposing`      tries remedies until the packets pass
:mod:`~.nat`            NATs whose router translates nothing
:mod:`~.gateways`       gateways of which no chassis is in charge
:mod:`~.witnesses`      what a change takes from others
:mod:`~.tried`          what came of trying
:mod:`~.budget`         how much may be walked
:mod:`~.result`         the answer as a document
======================  =========================================================

What is there is read, never changed.
"""
