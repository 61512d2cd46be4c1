"""Traces: what becomes of a packet, by the logical flows that are stored or would be.

=======================  =========================================================
:mod:`~.words`           reads short descriptions of packets
:mod:`~.addressing`      makes packets of them
:mod:`~.nested`          follows frames with VLAN tags into nested ports
:mod:`~.network`         what packets are walked through
:mod:`~.backends`        which backends answer those that check them
:mod:`~.stored_flows`    makes stored flows ready for walks
:mod:`~.proposal`        shows the network as a change would make it
:mod:`~.causes`          knows the objects behind flows
:mod:`~.legs`            cuts a walk at the tunnels
:mod:`~.liveness`        whether chassis host the ports
:mod:`~.hindrances`      whether chassis carry the packets
:mod:`~.endings`         how a walk ended, and by which flow
:mod:`~.routes`          tells where a router leads
:mod:`~.result`          tells what happened
=======================  =========================================================
"""
