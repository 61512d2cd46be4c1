"""Ethernet frames as bytes, for tests: built and read without any code of the product.

Addresses are text, payloads bytes; checksums are filled in.
"""

import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

BROADCAST = "ff:ff:ff:ff:ff:ff"
ARP = 0x0806
IPV4 = 0x0800
IPV6 = 0x86DD
RARP = 0x8035
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
RS, RA, NS, NA = 133, 134, 135, 136
SYN, RST, ACK = 0x02, 0x04, 0x10
INIT, INIT_ACK, ABORT = 1, 2, 6
"""Kinds of chunks of SCTP."""


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def mac_text(raw: bytes) -> str:
    return raw.hex(":")


def ip(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(dst: str, src: str, ethertype: int, payload: bytes) -> bytes:
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def vlan(dst: str, src: str, tag: int, ethertype: int, payload: bytes) -> bytes:
    return mac(dst) + mac(src) + struct.pack("!HHH", 0x8100, tag, ethertype) + payload


def arp(op: int, sha: str, spa: str, tha: str, tpa: str) -> bytes:
    """The payload of an ARP frame; `op` 1 asks, 2 answers."""
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, op) + mac(sha) + ip(spa) + mac(tha) + ip(tpa)


def arp_request(src_mac: str, spa: str, tpa: str, *, sha: str | None = None) -> bytes:
    payload = arp(1, sha or src_mac, spa, "00:00:00:00:00:00", tpa)
    return ethernet(BROADCAST, src_mac, ARP, payload)


def ipv4(src: str, dst: str, protocol: int, payload: bytes, ttl: int = 64) -> bytes:
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, ttl, protocol, 0)
    header += ip(src) + ip(dst)
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def fragments4(
    src: str, dst: str, protocol: int, payload: bytes, *, first: int, identification: int = 1
) -> tuple[bytes, bytes]:
    """An IPv4 packet in two fragments, of which the first has `first` bytes, a multiple of 8."""
    made = []
    for part, offset in ((payload[:first], 0), (payload[first:], first)):
        flags = offset // 8 | (0 if offset else 0x2000)
        packet = ipv4(src, dst, protocol, part)
        header = packet[:4] + struct.pack("!HH", identification, flags) + packet[8:10] + b"\0\0"
        header += packet[12:20]
        made.append(header[:10] + struct.pack("!H", checksum(header)) + header[12:] + part)
    return made[0], made[1]


def fragments6(
    src: str, dst: str, protocol: int, payload: bytes, *, first: int, identification: int = 1
) -> tuple[bytes, bytes]:
    """An IPv6 packet in two fragments, of which the first has `first` bytes, a multiple of 8.

    `payload` may begin with extension headers, of which `protocol` is the first one's number.
    """
    made = []
    for part, offset in ((payload[:first], 0), (payload[first:], first)):
        header = struct.pack("!BBHI", protocol, 0, offset | (0 if offset else 1), identification)
        made.append(ipv6(src, dst, 44, header + part))
    return made[0], made[1]


def ipv6(src: str, dst: str, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    return (
        struct.pack("!IHBB", 0x60000000, len(payload), protocol, hops) + ip(src) + ip(dst) + payload
    )


def _pseudo_header(src: str, dst: str, protocol: int, length: int) -> bytes:
    if ":" in src:
        return ip(src) + ip(dst) + struct.pack("!IHBB", length, 0, 0, protocol)
    return ip(src) + ip(dst) + struct.pack("!BBH", 0, protocol, length)


def _with_checksum(src: str, dst: str, protocol: int, segment: bytes, offset: int) -> bytes:
    total = checksum(_pseudo_header(src, dst, protocol, len(segment)) + segment)
    return segment[:offset] + struct.pack("!H", total or 0xFFFF) + segment[offset + 2 :]


def udp(src: str, dst: str, sport: int, dport: int, data: bytes = b"") -> bytes:
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return _with_checksum(src, dst, UDP, segment, 6)


def tcp(
    src: str,
    dst: str,
    sport: int,
    dport: int,
    flags: int = SYN,
    seq: int = 1,
    data: bytes = b"",
) -> bytes:
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 5 << 4, flags, 65535, 0, 0) + data
    return _with_checksum(src, dst, TCP, segment, 16)


def sctp_init(sport: int, dport: int, tag: int) -> bytes:
    """An INIT chunk whose initiate tag is `tag`; without checksum, which no switch looks at."""
    return _sctp_beginning(INIT, sport, dport, tag)


def sctp_init_ack(sport: int, dport: int, tag: int) -> bytes:
    """An INIT ACK chunk, without what a real one asks to be told again."""
    return _sctp_beginning(INIT_ACK, sport, dport, tag)


def _sctp_beginning(kind: int, sport: int, dport: int, tag: int) -> bytes:
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20, tag, 65536, 1, 1, 1)
    return struct.pack("!HHII", sport, dport, 0, 0) + chunk


def is_chunk(kind: int) -> Callable[["Frame"], bool]:
    """Return what tells whether a frame begins with that kind of chunk of SCTP."""
    return lambda frame: frame.protocol == SCTP and frame.l4[12] == kind


def icmp4(kind: int, body: bytes, code: int = 0) -> bytes:
    message = struct.pack("!BBH", kind, code, 0) + body
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def icmp_echo(identifier: int = 1, sequence: int = 1, data: bytes = b"treadle") -> bytes:
    return icmp4(8, struct.pack("!HH", identifier, sequence) + data)


def icmp6(src: str, dst: str, kind: int, body: bytes, code: int = 0) -> bytes:
    return _with_checksum(src, dst, ICMPV6, struct.pack("!BBH", kind, code, 0) + body, 2)


def solicited_node(target: str) -> str:
    """The multicast group that a neighbour solicitation for `target` goes to (RFC 4291)."""
    return str(ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + ip(target)[-3:]))


def multicast_mac(group: str) -> str:
    return mac_text(b"\x33\x33" + ip(group)[-4:])


def neighbour_solicitation(src_mac: str, src: str, target: str) -> bytes:
    """A whole frame; `src` ``::`` makes it duplicate address detection, without an option."""
    group = solicited_node(target)
    body = b"\0\0\0\0" + ip(target)
    if src != "::":
        body += b"\x01\x01" + mac(src_mac)
    packet = ipv6(src, group, ICMPV6, icmp6(src, group, NS, body), hops=255)
    return ethernet(multicast_mac(group), src_mac, IPV6, packet)


def who_has(src_mac: str, src: str, target: str) -> bytes:
    """A whole frame that asks who has an address, of either family."""
    ask = neighbour_solicitation if ":" in target else arp_request
    return ask(src_mac, src, target)


def neighbour_advertisement(src_mac: str, src: str, dst_mac: str, dst: str, lladdr: str) -> bytes:
    """A solicited one that claims `src` for `lladdr`."""
    body = b"\x60\0\0\0" + ip(src) + b"\x02\x01" + mac(lladdr)
    packet = ipv6(src, dst, ICMPV6, icmp6(src, dst, NA, body), hops=255)
    return ethernet(dst_mac, src_mac, IPV6, packet)


class Frame(NamedTuple):
    """A received frame, read as far as it is understood; absent parts are empty."""

    raw: bytes
    dst: str
    src: str
    ethertype: int
    payload: bytes

    @property
    def ip_src(self) -> str:
        if self.ethertype == IPV4:
            return socket.inet_ntop(socket.AF_INET, self.payload[12:16])
        if self.ethertype == IPV6:
            return socket.inet_ntop(socket.AF_INET6, self.payload[8:24])
        return ""

    @property
    def ip_dst(self) -> str:
        if self.ethertype == IPV4:
            return socket.inet_ntop(socket.AF_INET, self.payload[16:20])
        if self.ethertype == IPV6:
            return socket.inet_ntop(socket.AF_INET6, self.payload[24:40])
        return ""

    @property
    def protocol(self) -> int:
        if self.ethertype == IPV4:
            return self.payload[9]
        return self.payload[6] if self.ethertype == IPV6 else -1

    @property
    def ttl(self) -> int:
        return self.payload[8 if self.ethertype == IPV4 else 7]

    @property
    def l4(self) -> bytes:
        """What follows the IP header."""
        if self.ethertype == IPV4:
            return self.payload[(self.payload[0] & 15) * 4 :]
        return self.payload[40:] if self.ethertype == IPV6 else b""

    @property
    def icmp_type(self) -> int:
        return self.l4[0] if self.protocol in (ICMP, ICMPV6) else -1

    @property
    def icmp_code(self) -> int:
        return self.l4[1] if self.protocol in (ICMP, ICMPV6) else -1

    @property
    def dport(self) -> int:
        if self.protocol not in (TCP, UDP):
            return -1
        return int.from_bytes(self.l4[2:4])

    @property
    def tcp_flags(self) -> int:
        return self.l4[13] if self.protocol == TCP else 0

    @property
    def ends(self) -> tuple[str, int, str, int]:
        """Who sent a packet of TCP, UDP or SCTP to whom: address and port of each."""
        return (
            self.ip_src,
            int.from_bytes(self.l4[:2]),
            self.ip_dst,
            int.from_bytes(self.l4[2:4]),
        )

    @property
    def arp_op(self) -> int:
        return int.from_bytes(self.payload[6:8]) if self.ethertype == ARP else 0

    @property
    def told(self) -> str:
        """The address that an ARP answer or a neighbour advertisement says somebody has."""
        if self.icmp_type == NA:
            return socket.inet_ntop(socket.AF_INET6, self.l4[8:24])
        return self.arp_spa if self.arp_op == 2 else ""

    @property
    def arp_sha(self) -> str:
        return mac_text(self.payload[8:14])

    @property
    def arp_spa(self) -> str:
        return socket.inet_ntop(socket.AF_INET, self.payload[14:18])


def parse(raw: bytes) -> Frame:
    return Frame(raw, mac_text(raw[0:6]), mac_text(raw[6:12]), int.from_bytes(raw[12:14]), raw[14:])


def is_gratuitous(ip_: str, mac_: str) -> Callable[[Frame], bool]:
    """Whether a frame says that an IP address is at a MAC address without having been asked."""

    def wanted(frame: Frame) -> bool:
        if frame.src != mac_:
            return False
        if ":" in ip_:
            return frame.icmp_type == NA and frame.ip_src == ip_ and ip(ip_) in frame.l4
        return frame.ethertype == ARP and arp(1, mac_, ip_, "00:00:00:00:00:00", ip_) in frame.raw

    return wanted
