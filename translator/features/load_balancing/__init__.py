"""Load balancers: connections to virtual addresses, spread over backends.

On a switch that has a load balancer all IP packets of its ports are tracked, each in the zone
of its port, and what is known of a connection is translated in the same breath. So an
established connection needs nothing of this feature's stages, and replies get back the
virtual address as their source where they leave through the client's port.

A new connection to a virtual address is given to one of its backends by a group, whose
buckets are the members of the set ``&ID``. The flow of the virtual address names the set, so
that a backend that comes or goes changes the set and nothing else. A virtual address with a
port comes before one without, which takes all other IP packets for the address.

Packets that come from a router are left alone: their clients are elsewhere. What comes from a
provider network for a virtual address is balanced in the zone of the port that leads there.

ACLs see what the client asked for, in new and in established connections: the backend of the
latter stands in registers while they decide, which costs no packet a further recirculation.

A client that gets itself as backend (*hairpin*) would see a packet of its own. So the source
of what it sends becomes the virtual address, in a second connection in the zone of its port;
the answer is for that, and is turned around on the switch. No ACL is asked about that.

============  =============================================================
``reg0[2]``   the connection is to be blocked, once its packet has its backend again
``reg0[5]``   the packet was translated, and shows what its client asked for
``reg0[6]``   the client is its own backend
``reg0[7]``   the client is refused after it got a backend: port and address in registers are
              not the backend's, but those that it asked for
``reg0``      its upper half: the backend's port
``reg1``      the backend's address, which of IPv6 goes on in reg2, reg4, reg7
``reg0[1]``   the connection is let in, and committed once it has its backend
              if it is to get one
============  =============================================================
"""
