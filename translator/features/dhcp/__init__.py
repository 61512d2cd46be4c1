"""DHCP: clients get their port's addresses and what is declared with them, on their chassis.

A port's flow holds all that its client is told, so that the agent answers without asking anyone.
The stage comes before the ACLs of a switch: what a client says to the network's own server isn't
theirs to judge, as little as the answer, which carries ``flags[1]``. What isn't said to that
server, such as a unicast to another one, goes on to the ACLs like any other packet.
"""
