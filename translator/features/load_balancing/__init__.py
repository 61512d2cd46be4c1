"""Load balancers: connections to virtual addresses, spread over backends.

On a switch that has a load balancer all IP packets of its ports are tracked, each in the zone
of its port, and what is known of a connection is translated in the same breath. So an
established connection needs nothing of this feature's stages, and replies get back the
virtual address as their source where they leave through the client's port.

A new connection to a virtual address is given to one of its backends by a group, whose
buckets are the members of the set ``&ID``. The flow of the virtual address names the set, so
that a backend that comes or goes changes the set and nothing else. A virtual address with a
port comes before one without, which takes all other IP packets for the address.

Packets that come from a router are left alone: their clients are elsewhere.

============  =============================================================
``reg0[1]``   the connection is let in, and committed once it has its backend
              if it is to get one
============  =============================================================
"""
