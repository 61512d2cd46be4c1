"""Ends connections that the ACLs no longer let in, at once and in both directions.

A packet in a connection's request direction meets the ACLs anyway, each time. A reply does not:
it passes because its connection once was let in, and goes on passing while no request packet
comes. So when the ACLs of a port change, the agent itself asks them about each connection in the
port's conntrack zone, and marks those that are now denied with ``ct_mark.blocked``, which is just
what a request packet would have done.

Removing such a connection from conntrack would not do: its next reply packet would come up as a
new connection of its own, in the other direction, and the ACLs of that one may well allow it.

``conntrack`` reads connections, ``verdict`` decides, ``remark`` makes the packets that change a
mark; all of them are pure. ``revoker`` does it.
"""
