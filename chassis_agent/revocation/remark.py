"""The packets with which the agent changes a connection's mark.

A packet in the connection's original direction goes through ``ct(commit, …)`` in its zone and no
further. A connection that is there takes the mark from it; Open vSwitch's own datapath even from a
TCP segment that it finds invalid. Where that did not help, as with the kernel's, the connection is
forgotten first, and the packet makes it anew.
"""

from __future__ import annotations

import struct
from typing import Final

from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages, oxm
from chassis_agent.openflow.messages import CtTuple
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Icmp, Ip, Sctp, Tcp
from chassis_agent.revocation.conntrack import BLOCKED, TrackedConnection

_NOWHERE: Final = bytes.fromhex("020000000001")
_FROM_THE_AGENT: Final = oxm.match([Term(FIELDS["in_port"], act.CONTROLLER)])
_CT_MARK, _CT_LABEL = FIELDS["ct_mark"], FIELDS["ct_label"]
_WITH_PORTS: Final = frozenset({codec.PROTOCOL_TCP, codec.PROTOCOL_UDP, codec.PROTOCOL_SCTP})
_SCTP_INIT: Final = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 1500, 1, 1, 1)


def block_in_place(zone: int, connection: TrackedConnection) -> bytes:
    """Return the packet-out that blocks a connection as it is."""
    return _commit(zone, connection, act.set_field(_CT_MARK, BLOCKED, BLOCKED))


def block_anew(zone: int, connection: TrackedConnection) -> list[bytes]:
    """Return the messages that forget a connection and make it anew, blocked.

    Its label stays. It is translated as before, or its replies would no longer be known as such.
    """
    marks = _translation(connection) + act.set_field(_CT_MARK, connection.mark | BLOCKED)
    if connection.label:
        marks += act.set_field(_CT_LABEL, connection.label)
    return [*forget(zone, connection), _commit(zone, connection, marks)]


def forget(zone: int, connection: TrackedConnection) -> list[bytes]:
    """Return the message that removes one connection; none for ICMPv6.

    Open vSwitch 3.1's own datapath aborts when it is told to forget an ICMPv6 connection, as it
    looks for the answer's type among those of ICMPv4. Trackers find nothing invalid in pings, so
    there is no need.
    """
    if connection.original.protocol == codec.PROTOCOL_ICMP6:
        return []
    return [messages.ct_flush(zone, connection.original)]


def request_packet(original: CtTuple) -> bytes:
    """Return a frame in the original direction of a connection, with correct checksums."""
    src, dst = original.source.packed, original.destination.packed
    ports = original.source_port, original.destination_port
    match original.protocol:
        case codec.PROTOCOL_TCP:
            payload = codec.write_tcp(Tcp(*ports, 1, 1, codec.TCP_ACK), src, dst)
        case codec.PROTOCOL_UDP:
            payload = codec.write_udp(*ports, b"", src, dst)
        case codec.PROTOCOL_SCTP:
            payload = codec.write_sctp(Sctp(*ports, 0, _SCTP_INIT))
        case codec.PROTOCOL_ICMP4 | codec.PROTOCOL_ICMP6:
            rest = struct.pack("!HH", original.icmp_id, 0)
            payload = codec.write_icmp(Icmp(*ports, rest), src, dst)
        case _:
            payload = b""
    is_ip4 = original.source.version == 4
    ethertype = codec.ETHERTYPE_IPV4 if is_ip4 else codec.ETHERTYPE_IPV6
    packet = codec.write_ip(Ip(src, dst, original.protocol, payload))
    return codec.write_ethernet(Ethernet(_NOWHERE, _NOWHERE, ethertype, packet))


def _translation(connection: TrackedConnection) -> bytes:
    """Return the ``nat`` that translates a new connection as this one is translated."""
    to = connection.translated
    if to is None:
        return b""
    has_ports = to.protocol in _WITH_PORTS
    if connection.has_new_source:
        port = to.source_port if has_ports else None
        return act.nat(source=True, first=to.source, port_min=port)
    port = to.destination_port if has_ports else None
    return act.nat(destination=True, first=to.destination, port_min=port)


def _commit(zone: int, connection: TrackedConnection, marks: bytes) -> bytes:
    commit = act.ct(zone=zone, commit=True, nested=marks)
    return messages.packet_out(request_packet(connection.original), commit, _FROM_THE_AGENT)
