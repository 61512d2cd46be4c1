"""New packets made of punted ones: what ``arp {…}``, ``icmp4 {…}``, ``reject {…}`` start from.

Pure functions from a frame to a frame, whose remaining fields the nested actions then set. They
answer None where nothing may be sent: a refusal is never refused in turn, nor is anything that
was sent to many or comes from nobody (RFC 1122 section 3.2.2, RFC 4443 section 2.4, RFC 9293
section 3.5.2). Malformed packets raise MalformedPacketError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

from chassis_agent.punt import codec
from chassis_agent.punt.codec import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV6,
    PROTOCOL_ICMP4,
    PROTOCOL_ICMP6,
    PROTOCOL_SCTP,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    TCP_ACK,
    TCP_FIN,
    TCP_RST,
    TCP_SYN,
    Arp,
    Ethernet,
    Icmp,
    Ip,
    Sctp,
    Tcp,
)
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.quotations import requote_destination, requote_source, whole_error
from logical_flow.addresses import ALL_NODES, multicast_mac, solicited_node

_UNREACHABLE4: Final = 3
_HOST_UNREACHABLE4: Final = 1
_PORT_UNREACHABLE4: Final = 3
_UNREACHABLE6: Final = 1
_PROHIBITED6: Final = 1
_PORT_UNREACHABLE6: Final = 4

_PARAMETER_PROBLEM6: Final = 4
_UNKNOWN_HEADER6: Final = 1

_ICMP4_ERRORS: Final = frozenset({3, 4, 5, 11, 12})
_ICMP6_FIRST_INFORMATION: Final = 128
_ICMP6_REDIRECT: Final = 137

_LONGEST_ERROR4: Final = 576
_LONGEST_ERROR6: Final = 1280
_IPV4_AND_ICMP: Final = 28
_IPV6_AND_ICMP: Final = 48

_SCTP_INIT: Final = 1
_SCTP_ABORT: Final = 6
_SCTP_SHUTDOWN_COMPLETE: Final = 14
_ABORT_REFLECTED_TAG: Final = 1


def reply_to(opcode: Opcode, data: bytes) -> bytes | None:
    """The packet that an opcode makes of a punted one, if it makes any."""
    made = _MAKERS[opcode](codec.read_ethernet(data))
    return None if made is None else codec.write_ethernet(made)


def arp_request(frame: Ethernet) -> Ethernet:
    """Ask for the IPv4 packet's destination in the name of its source."""
    packet = codec.read_ip(frame)
    if packet.version != 4:
        raise MalformedPacketError("only IPv4 packets ask by ARP")
    arp = Arp(1, frame.src, packet.src, bytes(6), packet.dst)
    return frame._replace(ethertype=ETHERTYPE_ARP, payload=codec.write_arp(arp))


def neighbour_solicitation(frame: Ethernet) -> Ethernet:
    """Ask for the IPv6 packet's destination in the name of its source.

    Of an IPv4 packet, which an IPv6 next hop is to carry on, it is not known yet who asks
    for whom: the actions that run on the solicitation say it.
    """
    packet = codec.read_ip(frame)
    src, target = (packet.src, packet.dst) if packet.version == 6 else (bytes(16), bytes(16))
    group = solicited_node(target)
    icmp = codec.solicitation(target, frame.src)
    made = _with_icmp(frame._replace(ethertype=ETHERTYPE_IPV6), src, group, icmp)
    return made._replace(dst=multicast_mac(group))


def neighbour_advertisement(frame: Ethernet, *, router: bool = False) -> Ethernet:
    """Answer a solicitation in the name of whom the frame was sent to."""
    packet = codec.read_ip(frame)
    asked = codec.read_neighbour(codec.read_icmp(packet))
    if packet.protocol != PROTOCOL_ICMP6 or asked.kind != codec.ND_SOLICITATION:
        raise MalformedPacketError("only a solicitation is answered by an advertisement")
    is_probe = not any(packet.src)
    to = ALL_NODES if is_probe else packet.src
    icmp = codec.advertisement(asked.target, frame.dst, router=router, solicited=not is_probe)
    made = _with_icmp(frame, asked.target, to, icmp)
    return made._replace(dst=frame.src, src=frame.dst)


def icmp_error(frame: Ethernet) -> Ethernet | None:
    """Say that the destination is unreachable, quoting the packet; addresses stay as they are."""
    packet = codec.read_ip(frame)
    if _may_not_be_refused(frame, packet):
        return None
    quoted = codec.ip_datagram(frame)
    if packet.version == 4:
        rest = bytes(4) + quoted[: _LONGEST_ERROR4 - _IPV4_AND_ICMP]
        icmp = Icmp(_UNREACHABLE4, _HOST_UNREACHABLE4, rest)
    else:
        rest = bytes(4) + quoted[: _LONGEST_ERROR6 - _IPV6_AND_ICMP]
        icmp = Icmp(_UNREACHABLE6, _PROHIBITED6, rest)
    return _with_icmp(frame, packet.src, packet.dst, icmp)


def unknown_header(frame: Ethernet) -> Ethernet | None:
    """Say that an IPv6 packet's protocol is not spoken, pointing at the octet that names it.

    RFC 4443 section 3.4, RFC 8200 section 4; addresses stay as they are.
    """
    packet = codec.read_ip(frame)
    if packet.version != 6:
        raise MalformedPacketError("only IPv6 packets have next headers")
    if _may_not_be_refused(frame, packet):
        return None
    quoted = codec.ip_datagram(frame)[: _LONGEST_ERROR6 - _IPV6_AND_ICMP]
    rest = struct.pack("!I", packet.protocol_offset) + quoted
    icmp = Icmp(_PARAMETER_PROBLEM6, _UNKNOWN_HEADER6, rest)
    return _with_icmp(frame, packet.src, packet.dst, icmp)


def tcp_reset(frame: Ethernet) -> Ethernet | None:
    """Reset the connection, ports exchanged; addresses stay as they are."""
    packet = codec.read_ip(frame)
    if packet.protocol != PROTOCOL_TCP or _may_not_be_refused(frame, packet):
        return None
    tcp = codec.read_tcp(packet)
    if tcp.flags & TCP_RST:
        return None
    if tcp.flags & TCP_ACK:
        made = Tcp(tcp.dst, tcp.src, tcp.ack, 0, TCP_RST)
    else:
        occupied = tcp.payload_length + bool(tcp.flags & TCP_SYN) + bool(tcp.flags & TCP_FIN)
        ack = (tcp.seq + occupied) & 0xFFFFFFFF
        made = Tcp(tcp.dst, tcp.src, 0, ack, TCP_RST | TCP_ACK)
    segment = codec.write_tcp(made, packet.src, packet.dst)
    return _with_ip(frame, Ip(packet.src, packet.dst, PROTOCOL_TCP, segment))


def sctp_abort(frame: Ethernet) -> Ethernet | None:
    """Abort the association, ports exchanged; addresses stay as they are."""
    packet = codec.read_ip(frame)
    if packet.protocol != PROTOCOL_SCTP or _may_not_be_refused(frame, packet):
        return None
    sctp = codec.read_sctp(packet)
    first_chunk = sctp.chunks[0]
    if first_chunk in (_SCTP_ABORT, _SCTP_SHUTDOWN_COMPLETE):
        return None
    tag, flags = sctp.verification_tag, _ABORT_REFLECTED_TAG
    if first_chunk == _SCTP_INIT and len(sctp.chunks) >= 8:
        tag, flags = int.from_bytes(sctp.chunks[4:8], "big"), 0
    chunk = struct.pack("!BBH", _SCTP_ABORT, flags, 4)
    made = Sctp(sctp.dst, sctp.src, tag, chunk)
    return _with_ip(frame, Ip(packet.src, packet.dst, PROTOCOL_SCTP, codec.write_sctp(made)))


def rejection(frame: Ethernet) -> Ethernet | None:
    """Refuse a packet in the way that its protocol has for that, sent back to its sender."""
    packet = codec.read_ip(frame)
    if packet.protocol == PROTOCOL_TCP:
        refusal = tcp_reset(frame)
    elif packet.protocol == PROTOCOL_SCTP:
        refusal = sctp_abort(frame)
    else:
        refusal = _unreachable_for(frame, packet)
    return None if refusal is None else returned(refusal)


def _unreachable_for(frame: Ethernet, packet: Ip) -> Ethernet | None:
    """An ICMP error that says "port" of UDP."""
    error = icmp_error(frame)
    if error is None or packet.protocol != PROTOCOL_UDP:
        return error
    made = codec.read_ip(error)
    code = _PORT_UNREACHABLE4 if packet.version == 4 else _PORT_UNREACHABLE6
    icmp = codec.read_icmp(made)._replace(code=code)
    return _with_icmp(error, made.src, made.dst, icmp)


def returned(frame: Ethernet) -> Ethernet:
    """The frame with Ethernet and IP addresses exchanged; no checksum minds."""
    packet = codec.read_ip(frame)
    back = packet._replace(src=packet.dst, dst=packet.src)
    return _with_ip(frame, back)._replace(dst=frame.src, src=frame.dst)


def _may_not_be_refused(frame: Ethernet, packet: Ip) -> bool:
    """Whether a packet was sent to many, comes from nobody or many, or is an error itself."""
    if frame.is_for_many or packet.is_later_fragment:
        return True
    if any(_is_group(address) for address in (packet.src, packet.dst)) or not any(packet.src):
        return True
    if packet.protocol == PROTOCOL_ICMP4 and packet.version == 4:
        return codec.read_icmp(packet).kind in _ICMP4_ERRORS
    if packet.protocol == PROTOCOL_ICMP6 and packet.version == 6:
        kind = codec.read_icmp(packet).kind
        return kind < _ICMP6_FIRST_INFORMATION or kind == _ICMP6_REDIRECT
    return False


def _is_group(address: bytes) -> bool:
    """Multicast addresses, and IPv4's broadcast address and reserved range."""
    return address[0] >= 224 if len(address) == 4 else address[0] == 0xFF


def _with_icmp(frame: Ethernet, src: bytes, dst: bytes, icmp: Icmp) -> Ethernet:
    protocol = PROTOCOL_ICMP4 if len(src) == 4 else PROTOCOL_ICMP6
    return _with_ip(frame, Ip(src, dst, protocol, codec.write_icmp(icmp, src, dst)))


def _with_ip(frame: Ethernet, packet: Ip) -> Ethernet:
    return frame._replace(payload=codec.write_ip(packet))


_MAKERS: Final[Mapping[Opcode, Callable[[Ethernet], Ethernet | None]]] = {
    Opcode.ARP: arp_request,
    Opcode.ND_NS: neighbour_solicitation,
    Opcode.ND_NA: neighbour_advertisement,
    Opcode.ND_NA_ROUTER: lambda frame: neighbour_advertisement(frame, router=True),
    Opcode.ICMP4: icmp_error,
    Opcode.ICMP6: icmp_error,
    Opcode.ICMP6_UNKNOWN_HEADER: unknown_header,
    Opcode.TCP_RESET: tcp_reset,
    Opcode.SCTP_ABORT: sctp_abort,
    Opcode.REJECT: rejection,
    Opcode.WHOLE_ERROR: whole_error,
    Opcode.REQUOTE_SOURCE: requote_source,
    Opcode.REQUOTE_DESTINATION: requote_destination,
}
REPLIES: Final = frozenset(_MAKERS)
"""The opcodes that make a packet of another one."""
