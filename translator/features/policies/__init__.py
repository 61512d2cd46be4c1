"""Routing policies: what a router does with packets whatever its routes say.

Policies are asked once a route was found, the highest priority first. One that allows leaves the
packet its way, one that reroutes gives it another next hop, one that drops ends it. One that jumps
has the policies of another chain asked, in the same stage; the number of the chain is in a
register, which is 0 for the main one. Jumps lead in no circle, so that they end.

A policy with several next hops chooses among them by a hash of the packet, as a group of routes
does (:mod:`translator.features.routing`).

A policy whose match asks for transport fields is for whole packets; of fragments, in which no
switch sees any, one that drops takes those that it may be about, too.

=================  ==========================================================
``reg8[0..15]``    the policy that spreads the packet over its next hops
``reg8[16..31]``   the next hop that was chosen
``reg9[13]``       a policy has chosen among several next hops
``reg9[16..31]``   the chain of policies that is asked
``pkt.mark``       the mark that a policy gives packets
=================  ==========================================================
"""
