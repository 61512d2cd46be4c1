"""Tells provider networks where addresses are, when they have come to this chassis.

`frames`      what is said: gratuitous ARP, neighbour advertisements, RARP
`schedule`    when it is said, and how often
`sender`      says it

What is said where is derived from rows (:mod:`chassis_agent.derivations.announcements`): each
chassis speaks for what is on it, and of gateways only the one that is in charge.
"""
