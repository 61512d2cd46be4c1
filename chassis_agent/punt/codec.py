"""Packets as bytes and as values: just the protocols that the agent reads or writes.

Reading takes what tenants sent: every length is checked against the bytes that are there, the
chain of IPv6 extension headers is bounded, and whatever is cut short or contradicts itself raises
MalformedPacketError. Writing fills in lengths and checksums. Addresses are packed bytes.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from chassis_agent.punt.errors import MalformedPacketError

ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_IPV6: Final = 0x86DD

PROTOCOL_ICMP4: Final = 1
PROTOCOL_TCP: Final = 6
PROTOCOL_UDP: Final = 17
PROTOCOL_ICMP6: Final = 58
PROTOCOL_SCTP: Final = 132

_ETHERTYPE_VLANS: Final = (0x8100, 0x88A8)
_MOST_VLANS: Final = 2
_MOST_EXTENSIONS: Final = 8
_IPV6_OPTIONS: Final = frozenset({0, 43, 60, 135, 139, 140})
_IPV6_FRAGMENT: Final = 44
_IPV6_AUTHENTICATION: Final = 51
IPV6_EXTENSIONS: Final = _IPV6_OPTIONS | {_IPV6_FRAGMENT, _IPV6_AUTHENTICATION}
"""The headers that may stand between that of IPv6 and a transport's."""

_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV4_DONT_FRAGMENT: Final = 0x4000
_IPV4_PROTOCOL: Final = 9
_IPV6: Final = struct.Struct("!IHBB16s16s")
_IPV6_NEXT_HEADER: Final = 6
_UDP: Final = struct.Struct("!HHHH")
_TCP: Final = struct.Struct("!HHIIBBHHH")


class Ethernet(NamedTuple):
    """An Ethernet frame; ``vlans`` are the tags as they are, four bytes each."""

    dst: bytes
    src: bytes
    ethertype: int
    payload: bytes
    vlans: bytes = b""

    @property
    def is_for_many(self) -> bool:
        """Whether the destination is a multicast or the broadcast address."""
        return bool(self.dst[0] & 1)


class Arp(NamedTuple):
    """An ARP packet between Ethernet and IPv4: sender's and target's addresses."""

    operation: int
    sha: bytes
    spa: bytes
    tha: bytes
    tpa: bytes


class Ip(NamedTuple):
    """An IP packet of either version, its payload without extension headers.

    ``is_later_fragment`` means that ``payload`` does not start with the transport's header.
    ``protocol_offset`` is where in the packet's bytes the octet is that names the protocol.
    """

    src: bytes
    dst: bytes
    protocol: int
    payload: bytes
    ttl: int = 255
    traffic_class: int = 0
    is_later_fragment: bool = False
    protocol_offset: int = 0

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.src) == 4 else 6


class Tcp(NamedTuple):
    """A TCP header; options are passed over, ``payload_length`` is that of the data."""

    src: int
    dst: int
    seq: int
    ack: int
    flags: int
    payload_length: int = 0
    window: int = 0


TCP_FIN: Final = 0x01
TCP_SYN: Final = 0x02
TCP_RST: Final = 0x04
TCP_ACK: Final = 0x10


class Icmp(NamedTuple):
    """The head of an ICMP message of either version, and all that follows its checksum."""

    kind: int
    code: int
    rest: bytes


class Sctp(NamedTuple):
    """An SCTP header and its chunks."""

    src: int
    dst: int
    verification_tag: int
    chunks: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum.

    >>> hex(checksum(bytes.fromhex("0001f203f4f5f6f7")))
    '0x220d'
    """
    if len(data) % 2:
        data += b"\0"
    # A sum of words with end-around carry is the remainder of all of them as one number, but that
    # it is 0 only where each of them is: several times faster than adding them up.
    number = int.from_bytes(data)
    total = number % 0xFFFF or (0xFFFF if number else 0)
    return 0xFFFF - total


# ---- Ethernet and ARP


def read_ethernet(frame: bytes) -> Ethernet:
    """The frame's addresses, tags and payload, which may end with padding."""
    _require(len(frame) >= 14, "a frame is cut short")
    offset = 12
    for _ in range(_MOST_VLANS):
        if int.from_bytes(frame[offset : offset + 2], "big") not in _ETHERTYPE_VLANS:
            break
        offset += 4
    _require(len(frame) >= offset + 2, "a VLAN tag is cut short")
    (ethertype,) = struct.unpack_from("!H", frame, offset)
    return Ethernet(frame[:6], frame[6:12], ethertype, frame[offset + 2 :], frame[12:offset])


def write_ethernet(frame: Ethernet) -> bytes:
    """The frame's bytes, not padded."""
    return frame.dst + frame.src + frame.vlans + struct.pack("!H", frame.ethertype) + frame.payload


def read_arp(data: bytes) -> Arp:
    """An ARP packet; only Ethernet and IPv4 addresses make sense here."""
    _require(len(data) >= _ARP.size, "an ARP packet is cut short")
    hardware, protocol, hlen, plen, operation, *addresses = _ARP.unpack_from(data)
    kinds = (hardware, protocol, hlen, plen)
    _require(kinds == (1, ETHERTYPE_IPV4, 6, 4), "an ARP packet has other kinds of addresses")
    return Arp(operation, *addresses)


def write_arp(arp: Arp) -> bytes:
    """The bytes of an ARP packet."""
    return _ARP.pack(1, ETHERTYPE_IPV4, 6, 4, *arp)


# ---- IP


def read_ip(frame: Ethernet) -> Ip:
    """The IP packet in a frame, without Ethernet's padding."""
    if frame.ethertype == ETHERTYPE_IPV4:
        return _read_ipv4(frame.payload)
    _require(frame.ethertype == ETHERTYPE_IPV6, "a frame does not hold an IP packet")
    return _read_ipv6(frame.payload)


def write_ip(packet: Ip) -> bytes:
    """The bytes of an IP packet without options, not fragmented and not to be.

    The identification of IPv4 is 0, which only who may not be fragmented can share with
    others (RFC 6864 section 4.1).
    """
    if packet.version == 4:
        head = _IPV4.pack(
            0x45,
            packet.traffic_class,
            _IPV4.size + len(packet.payload),
            0,
            _IPV4_DONT_FRAGMENT,
            packet.ttl,
            packet.protocol,
            0,
            packet.src,
            packet.dst,
        )
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + packet.payload
    first = 6 << 28 | packet.traffic_class << 20
    length, protocol = len(packet.payload), packet.protocol
    head = _IPV6.pack(first, length, protocol, packet.ttl, packet.src, packet.dst)
    return head + packet.payload


def ip_datagram(frame: Ethernet) -> bytes:
    """The bytes of the frame's IP packet from its header on, without Ethernet's padding."""
    data = frame.payload
    if frame.ethertype == ETHERTYPE_IPV4:
        _require(len(data) >= _IPV4.size, "an IPv4 header is cut short")
        return data[: int.from_bytes(data[2:4], "big")]
    _require(len(data) >= _IPV6.size, "an IPv6 header is cut short")
    return data[: _IPV6.size + int.from_bytes(data[4:6], "big")]


def _read_ipv4(data: bytes) -> Ip:
    _require(len(data) >= _IPV4.size, "an IPv4 header is cut short")
    first, tos, total, _id, fragment, ttl, protocol, _sum, src, dst = _IPV4.unpack_from(data)
    header = (first & 0xF) * 4
    _require(first >> 4 == 4 and header >= _IPV4.size, "an IPv4 header is malformed")
    _require(header <= total <= len(data), "an IPv4 packet has an impossible length")
    is_later = bool(fragment & 0x1FFF)
    payload = data[header:total]
    return Ip(src, dst, protocol, payload, ttl, tos, is_later, _IPV4_PROTOCOL)


def _read_ipv6(data: bytes) -> Ip:
    _require(len(data) >= _IPV6.size, "an IPv6 header is cut short")
    first, length, protocol, ttl, src, dst = _IPV6.unpack_from(data)
    _require(first >> 28 == 6, "an IPv6 header is malformed")
    _require(_IPV6.size + length <= len(data), "an IPv6 packet has an impossible length")
    payload, is_later = data[_IPV6.size : _IPV6.size + length], False
    named_at, header_at = _IPV6_NEXT_HEADER, _IPV6.size
    for _ in range(_MOST_EXTENSIONS):
        if protocol in _IPV6_OPTIONS:
            _require(len(payload) >= 8, "an IPv6 extension header is cut short")
            size = (payload[1] + 1) * 8
        elif protocol == _IPV6_AUTHENTICATION:
            _require(len(payload) >= 8, "an IPv6 extension header is cut short")
            size = (payload[1] + 2) * 4
        elif protocol == _IPV6_FRAGMENT:
            _require(len(payload) >= 8, "an IPv6 fragment header is cut short")
            size = 8
            is_later = bool(int.from_bytes(payload[2:4], "big") >> 3)
        else:
            break
        _require(size <= len(payload), "an IPv6 extension header is cut short")
        protocol, payload = payload[0], payload[size:]
        named_at, header_at = header_at, header_at + size
        if is_later:
            break
    return Ip(src, dst, protocol, payload, ttl, first >> 20 & 0xFF, is_later, named_at)


# ---- transport


def read_tcp(packet: Ip) -> Tcp:
    """The TCP header in an IP packet."""
    data = packet.payload
    _require(len(data) >= _TCP.size, "a TCP header is cut short")
    src, dst, seq, ack, offset, flags, window, _sum, _urgent = _TCP.unpack_from(data)
    header = (offset >> 4) * 4
    _require(_TCP.size <= header <= len(data), "a TCP header has an impossible length")
    return Tcp(src, dst, seq, ack, flags, len(data) - header, window)


def write_tcp(tcp: Tcp, src: bytes, dst: bytes) -> bytes:
    """A TCP segment without options or data, between two IP addresses."""
    data = _TCP.pack(tcp.src, tcp.dst, tcp.seq, tcp.ack, 5 << 4, tcp.flags, tcp.window, 0, 0)
    return _checksummed(data, 16, _pseudo_header(src, dst, PROTOCOL_TCP, len(data)))


class Udp(NamedTuple):
    """A UDP datagram's ports and what is in it, without what follows its length."""

    src: int
    dst: int
    payload: bytes


def read_udp(packet: Ip) -> Udp:
    """The UDP datagram in an IP packet; its checksum isn't looked at."""
    _require(packet.protocol == PROTOCOL_UDP and not packet.is_later_fragment, "not UDP")
    data = packet.payload
    _require(len(data) >= _UDP.size, "a UDP header is cut short")
    src, dst, length, _sum = _UDP.unpack_from(data)
    _require(_UDP.size <= length <= len(data), "a UDP datagram has an impossible length")
    return Udp(src, dst, data[_UDP.size : length])


def write_udp(src_port: int, dst_port: int, payload: bytes, src: bytes, dst: bytes) -> bytes:
    """A UDP datagram between two IP addresses."""
    data = struct.pack("!HHHH", src_port, dst_port, 8 + len(payload), 0) + payload
    summed = _checksummed(data, 6, _pseudo_header(src, dst, PROTOCOL_UDP, len(data)))
    return summed if summed[6:8] != b"\0\0" else summed[:6] + b"\xff\xff" + summed[8:]


def read_icmp(packet: Ip) -> Icmp:
    """The ICMP message in an IP packet of either version."""
    data = packet.payload
    _require(len(data) >= 8, "an ICMP message is cut short")
    return Icmp(data[0], data[1], data[4:])


def write_icmp(icmp: Icmp, src: bytes, dst: bytes) -> bytes:
    """An ICMP message between two IP addresses, whose version is ICMP's."""
    data = struct.pack("!BBH", icmp.kind, icmp.code, 0) + icmp.rest
    pseudo = b"" if len(src) == 4 else _pseudo_header(src, dst, PROTOCOL_ICMP6, len(data))
    return _checksummed(data, 2, pseudo)


def read_sctp(packet: Ip) -> Sctp:
    """The SCTP header in an IP packet, and at least the head of a chunk."""
    data = packet.payload
    _require(len(data) >= 16, "an SCTP packet is cut short")
    src, dst, tag = struct.unpack_from("!HHI", data)
    return Sctp(src, dst, tag, data[12:])


def write_sctp(sctp: Sctp) -> bytes:
    """An SCTP packet, with its CRC-32C."""
    head = struct.pack("!HHI", sctp.src, sctp.dst, sctp.verification_tag)
    crc = crc32c(head + bytes(4) + sctp.chunks)
    return head + struct.pack("<I", crc) + sctp.chunks


def crc32c(data: bytes) -> int:
    """SCTP's checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _crc32c_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC32C: Final = tuple(_crc32c_entry(byte) for byte in range(256))


# ---- neighbour discovery


ROUTER_SOLICITATION: Final = 133
ROUTER_ADVERTISEMENT: Final = 134
ND_SOLICITATION: Final = 135
ND_ADVERTISEMENT: Final = 136

_SOURCE_LINK_ADDRESS: Final = 1
_TARGET_LINK_ADDRESS: Final = 2
_ADVERTISEMENT_ROUTER: Final = 1 << 31
_ADVERTISEMENT_SOLICITED: Final = 1 << 30
_ADVERTISEMENT_OVERRIDE: Final = 1 << 29


class Neighbour(NamedTuple):
    """A neighbour solicitation or advertisement: its target, and an option's link address."""

    kind: int
    target: bytes
    link_address: bytes | None = None


def read_neighbour(icmp: Icmp) -> Neighbour:
    """A solicitation or advertisement; the link address is that of the option it is to have."""
    _require(icmp.kind in (ND_SOLICITATION, ND_ADVERTISEMENT), "not a neighbour's message")
    _require(len(icmp.rest) >= 20, "a neighbour's message is cut short")
    wanted = _SOURCE_LINK_ADDRESS if icmp.kind == ND_SOLICITATION else _TARGET_LINK_ADDRESS
    link_address, options = None, icmp.rest[20:]
    while options:
        size = options[1] * 8 if len(options) > 1 else 0
        _require(0 < size <= len(options), "a neighbour's option has an impossible length")
        if options[0] == wanted and link_address is None:
            link_address = options[2:8]
        options = options[size:]
    return Neighbour(icmp.kind, icmp.rest[4:20], link_address)


def solicitation(target: bytes, link_address: bytes) -> Icmp:
    """Ask who has ``target``, saying what the asker's own address is."""
    option = bytes((_SOURCE_LINK_ADDRESS, 1)) + link_address
    return Icmp(ND_SOLICITATION, 0, bytes(4) + target + option)


def advertisement(target: bytes, link_address: bytes, *, router: bool, solicited: bool) -> Icmp:
    """Say that ``target`` is at ``link_address``."""
    flags = _ADVERTISEMENT_OVERRIDE
    flags |= _ADVERTISEMENT_ROUTER * router | _ADVERTISEMENT_SOLICITED * solicited
    option = bytes((_TARGET_LINK_ADDRESS, 1)) + link_address
    return Icmp(ND_ADVERTISEMENT, 0, struct.pack("!I", flags) + target + option)


# ---- details


def _pseudo_header(src: bytes, dst: bytes, protocol: int, length: int) -> bytes:
    if len(src) == 4:
        return src + dst + struct.pack("!xBH", protocol, length)
    return src + dst + struct.pack("!I3xB", length, protocol)


def _checksummed(data: bytes, place: int, pseudo_header: bytes) -> bytes:
    summed = checksum(pseudo_header + data)
    return data[:place] + struct.pack("!H", summed) + data[place + 2 :]


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise MalformedPacketError(complaint)
