"""ACLs: what may pass from and to the ports of a switch, by rules and by connections.

An ACL is a flow in the stage of its tier: it decides on a verdict and jumps to
the stage ``acl_action``, or passes on to the next tier. Among ACLs of one priority those
that drop or reject come first, so that each priority takes two of the stage.

An ACL whose match asks for transport fields has a second flow for fragments, in which
no switch sees any (:mod:`logical_flow.fragments`). What it can't say of a fragment counts
against the packet: an ACL that allows doesn't take it, one of any other action drops it.

Connection state comes in
before and after: ``acl_state`` settles what state alone decides (replies, related
and invalid packets), so that only packets in a connection's request direction and
untracked ones are looked at by ACLs, each time anew. ``acl_action`` then brings the
connection in line with the verdict:

- let through: a new connection is committed, a blocked one unblocked;
- dropped or rejected: an established one is marked ``ct_mark.blocked``, which also
  stops its replies. What can't be refused, ARP for one, is dropped all the same.

``ct_mark.egress`` says that the connection was committed by the egress pipeline.

A switch is *stateful* in both directions as soon as one ACL of action
``allow-related`` applies to it. Only then are packets tracked, and then ``allow``
and the default are stateful too.

A switch compares some fields (``ip.proto``) with one value at a time. Where an ACL of the
switch tests one negatively, ``acl_copy`` puts them into registers, of which single bits can be
compared (:mod:`logical_flow.copies`).

=============  ==============================================================
``reg5``       EtherType, protocol and TTL, where an ACL negates such
``reg6``       ICMP type and code or ARP operation, DSCP and ECN, likewise
``reg0[13]``   the verdict carries a label, in ``reg3``
``reg8[17]``   verdict: the packet goes no further
``reg8[18]``   verdict: its sender is told so, as far as senders of such packets are
``flags[1]``   the network itself made the packet: ACLs do not look at it
``flags[2]``   the connection let the packet in: ACLs towards a router do not look at it
=============  ==============================================================
"""
