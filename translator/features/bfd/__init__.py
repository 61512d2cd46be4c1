"""BFD (RFC 5880, RFC 5881) between router ports and their next hops.

The agent of the chassis that is in charge of a router port runs its sessions. What the neighbour
sends is handed to it; what it sends itself enters the router by the port and leaves by it again,
neither routed nor translated: with a hop less it would be refused at the other end. Routes and
policies that go by a session have flows only where it is known to be up.
"""
