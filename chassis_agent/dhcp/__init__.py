"""A DHCP server without a memory: what a client is answered follows from its port's flow.

``message4`` and ``message6`` read what clients send and write what they are answered, ``server4``
and ``server6`` decide what that is. Nothing is leased that could run out: an address belongs to its
port, so no state has to be kept, and every chassis answers alike. Clients are tenants: all that is
read is bounded.
"""
