"""Whole frames from packets in the language of matches, as a workload would send them.

Whatever the fields leave open (lengths, checksums, payloads) is filled in so that a
switch takes the frame for a valid one. Frames that are to be invalid for connection
tracking are so in the way that it looks for: a TCP connection can't begin with SYN and
ACK, and other checksums are wrong.
"""

import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

from chassis_agent.punt.codec import ND_SOLICITATION, crc32c
from logical_flow.evaluate import Packet
from logical_flow.packet import (
    ETH_ARP,
    ETH_IP4,
    ETH_IP6,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
)
from tests.system import frames

ECHO = {PROTO_ICMP4: ("icmp4.type", 8, 0), PROTO_ICMP6: ("icmp6.type", 128, 129)}
"""The field that says so, the type of a request, and that of its reply."""

_TRANSPORT = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}
_CHECKSUM_AT = {PROTO_TCP: 16, PROTO_UDP: 6, PROTO_SCTP: 8, PROTO_ICMP4: 2, PROTO_ICMP6: 2}
_ERRORS = {PROTO_ICMP4: (3, 4, 5, 11, 12), PROTO_ICMP6: (1, 2, 3, 4)}
_VLAN_TAG, _VLAN_ID = 0x8100, 0xFFF
_PAYLOAD = b"from one lab or the other"
_SCTP_INIT = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65536, 1, 1, 1)

Fields = Mapping[str, int]


def craft(packet: Packet, *, tcp_flags: int = frames.SYN, valid: bool = True) -> bytes:
    """The frame with these fields."""
    fields = {name: value for name, value in packet.items() if isinstance(value, int)}
    if not valid:
        tcp_flags = frames.SYN | frames.ACK
    kind = fields["eth.type"]
    header = fields["eth.dst"].to_bytes(6) + fields["eth.src"].to_bytes(6)
    if tci := fields.get("vlan.tci", 0):
        header += struct.pack("!HH", _VLAN_TAG, tci & _VLAN_ID)
    body = _arp(fields) if kind == ETH_ARP else _ip(fields, tcp_flags, valid=valid)
    return header + struct.pack("!H", kind) + body


def reply_to(packet: Packet) -> Packet | None:
    """What answers a packet in its connection; None if nothing does."""
    reply = dict(packet)
    protocol = packet.get("ip.proto")
    pairs = ["eth", "ip4" if packet.get("eth.type") == ETH_IP4 else "ip6"]
    if protocol in _TRANSPORT:
        pairs.append(_TRANSPORT[protocol])
    elif protocol in ECHO:
        name, request, answer = ECHO[protocol]
        if packet[name] != request:
            return None
        reply[name] = answer
    else:
        return None
    for name in pairs:
        reply[f"{name}.src"], reply[f"{name}.dst"] = packet[f"{name}.dst"], packet[f"{name}.src"]
    return {**reply, "ip.ttl": 64}


def _arp(fields: Fields) -> bytes:
    return (
        struct.pack("!HHBBH", 1, ETH_IP4, 6, 4, fields["arp.op"])
        + fields["arp.sha"].to_bytes(6)
        + fields["arp.spa"].to_bytes(4)
        + fields["arp.tha"].to_bytes(6)
        + fields["arp.tpa"].to_bytes(4)
    )


def _ip(fields: Fields, tcp_flags: int, *, valid: bool) -> bytes:
    source, target = _addresses(fields)
    protocol = fields.get("ip.proto", 0)
    payload = _payload(fields, source, target, tcp_flags)
    if not valid and protocol in _CHECKSUM_AT and protocol != PROTO_TCP:
        at = _CHECKSUM_AT[protocol]
        payload = payload[:at] + bytes((payload[at] ^ 0xFF,)) + payload[at + 1 :]
    make = frames.ipv4 if fields["eth.type"] == ETH_IP4 else frames.ipv6
    return make(source, target, protocol, payload, fields.get("ip.ttl", 0))


def _addresses(fields: Fields) -> tuple[str, str]:
    if fields["eth.type"] == ETH_IP4:
        return str(IPv4Address(fields["ip4.src"])), str(IPv4Address(fields["ip4.dst"]))
    assert fields["eth.type"] == ETH_IP6
    return str(IPv6Address(fields["ip6.src"])), str(IPv6Address(fields["ip6.dst"]))


def _payload(fields: Fields, source: str, target: str, tcp_flags: int) -> bytes:
    protocol = fields.get("ip.proto", 0)
    if protocol == PROTO_ICMP4:
        body = _icmp_body(fields, protocol, source, target)
        return frames.icmp4(fields["icmp4.type"], body, fields["icmp4.code"])
    if protocol == PROTO_ICMP6:
        body = _icmp_body(fields, protocol, source, target)
        return frames.icmp6(source, target, fields["icmp6.type"], body, fields["icmp6.code"])
    if protocol not in _TRANSPORT:
        return _PAYLOAD
    name = _TRANSPORT[protocol]
    ports = fields[f"{name}.src"], fields[f"{name}.dst"]
    if protocol == PROTO_TCP:
        return frames.tcp(source, target, *ports, tcp_flags)
    if protocol == PROTO_UDP:
        return frames.udp(source, target, *ports, _PAYLOAD)
    return _sctp(*ports)


def _sctp(source: int, target: int) -> bytes:
    """The packet that asks for an association; the checksum is little-endian (RFC 9260)."""
    header = struct.pack("!HHI", source, target, 0)
    checksum = crc32c(header + bytes(4) + _SCTP_INIT)
    return header + struct.pack("<I", checksum) + _SCTP_INIT


def _icmp_body(fields: Fields, protocol: int, source: str, target: str) -> bytes:
    name = "icmp4" if protocol == PROTO_ICMP4 else "icmp6"
    kind = fields[f"{name}.type"]
    if protocol == PROTO_ICMP6 and kind in (ND_SOLICITATION, ND_SOLICITATION + 1):
        solicitation = kind == ND_SOLICITATION
        flags = 0 if solicitation else 0x60000000
        option, link = (1, "nd.sll") if solicitation else (2, "nd.tll")
        body = struct.pack("!I", flags) + fields.get("nd.target", 0).to_bytes(16)
        return body + bytes((option, 1)) + fields[link].to_bytes(6) if link in fields else body
    if kind in _ERRORS[protocol]:
        lost = frames.udp(target, source, 1000, 80, _PAYLOAD)
        make = frames.ipv4 if protocol == PROTO_ICMP4 else frames.ipv6
        return bytes(4) + make(target, source, PROTO_UDP, lost, 64)
    return struct.pack("!HH", 1, 1) + _PAYLOAD
