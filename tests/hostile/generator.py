"""Hostile frames from a seed: malformed, fragmented, spoofed, wrapped, and almost right.

A frame starts as one that a guest might send, in one of the shapes of ``_SHAPES``, between
addresses of which some are the sender's and some are not; many are then damaged.
The same seed gives the same frames.
"""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tests.system.frames import (
    ARP,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    RARP,
    SCTP,
    TCP,
    UDP,
    arp,
    checksum,
    ethernet,
    icmp4,
    icmp6,
    ip,
    ipv4,
    ipv6,
    mac,
    multicast_mac,
    sctp_init,
    solicited_node,
    tcp,
    udp,
)

LONGEST: Final = 1442
"""Bytes of a frame's payload that fit the MTU of a guest."""

FORBIDDEN_PORT: Final = 22
_PORTS: Final = (53, 67, 68, 80, 546, 547, 3784, 4789, 6081, 0, 65535)

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _NO_NEXT, _OPTIONS = 0, 43, 44, 51, 59, 60

_ANYTHING_MACS: Final = (
    "ff:ff:ff:ff:ff:ff",
    "00:00:00:00:00:00",
    "01:00:5e:00:00:01",
    "01:80:c2:00:00:00",
    "01:80:c2:00:00:0e",
    "33:33:00:00:00:01",
    "33:33:ff:00:00:01",
    "0a:66:66:66:66:66",
)
_ANYTHING_4: Final = (
    "0.0.0.0",
    "127.0.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "169.254.1.1",
    "8.8.8.8",
)
_ANYTHING_6: Final = (
    "::",
    "::1",
    "fe80::1",
    "ff02::1",
    "ff02::2",
    "ff05::1:3",
    "::ffff:8.8.8.8",
    "2001:db8::1",
)


class Ends(NamedTuple):
    """The addresses of one end, or those by which it is reached: behind a router, its MAC."""

    mac: str
    ip4: str
    ip6: str


class World(NamedTuple):
    """The addresses that frames are about: the sender's own, and all others that there are."""

    own: Ends
    others: Sequence[Ends]


class Generator:
    """An endless source of hostile frames of one sender."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._target = world.own
        self._dice = random.Random(seed)

    def frame(self) -> bytes:
        """The next frame, of at most the guest's MTU."""
        self._target = self._dice.choice(self._world.others)
        made = self._dice.choice(_SHAPES)(self)
        if self._dice.random() < 0.3:
            made = self._damaged(made)
        return made[: LONGEST + 14]

    # ---- choices: mostly what makes sense together, else another's, else what nobody should have

    def _choice(self, likely: str, others: Sequence[str], anything: Sequence[str]) -> str:
        weights = (8, 1, 1)
        return self._dice.choices(
            (likely, self._dice.choice(others), self._dice.choice(anything)), weights
        )[0]

    def _src_mac(self) -> str:
        macs = [ends.mac for ends in self._world.others]
        return self._choice(self._world.own.mac, macs, _ANYTHING_MACS)

    def _dst_mac(self) -> str:
        macs = [ends.mac for ends in self._world.others]
        return self._choice(self._target.mac, macs, _ANYTHING_MACS)

    def _addresses(self, version: int) -> tuple[str, str]:
        """Source and destination."""
        own, target, others = self._world.own, self._target, self._world.others
        if version == 4:
            known = [ends.ip4 for ends in others]
            return (
                self._choice(own.ip4, known, _ANYTHING_4),
                self._choice(target.ip4, known, _ANYTHING_4),
            )
        known = [ends.ip6 for ends in others]
        return (
            self._choice(own.ip6, known, _ANYTHING_6),
            self._choice(target.ip6, known, _ANYTHING_6),
        )

    def _bytes(self, most: int) -> bytes:
        return self._dice.randbytes(self._dice.choice((0, 1, 4, 7, 8, most // 2, most)))

    def _port(self) -> int:
        return self._dice.choice((FORBIDDEN_PORT, self._dice.choice(_PORTS)))

    def _transport(self, src: str, dst: str) -> tuple[int, bytes]:
        """A protocol and what follows the IP header."""
        four = ":" not in src
        kind = self._dice.choice((*("tcp",) * 5, "udp", "udp", "icmp", "sctp", "nested", "other"))
        if kind == "tcp":
            flags = self._dice.choice((0x02, 0x10, 0x12, 0x04, 0x01, 0x00, 0x3F))
            return TCP, tcp(src, dst, self._port(), self._port(), flags) + self._bytes(64)
        if kind == "udp":
            return UDP, udp(src, dst, self._port(), self._port(), self._bytes(512))
        if kind == "sctp":
            return SCTP, sctp_init(self._port(), self._port(), self._dice.getrandbits(32))
        if kind == "nested":
            return self._quoting(src, dst)
        if kind == "icmp" and four:
            return ICMP, icmp4(self._dice.randrange(20), self._bytes(64), self._dice.randrange(16))
        if kind == "icmp":
            number = self._dice.choice((1, 2, 3, 4, 128, 129, 130, 133, 134, 135, 136, 137, 143))
            return ICMPV6, icmp6(src, dst, number, self._bytes(64), self._dice.randrange(8))
        return self._dice.choice((2, 4, 41, 46, 47, 50, 59, 89, 103, 112, 255)), self._bytes(128)

    def _quoting(self, src: str, dst: str) -> tuple[int, bytes]:
        """An ICMP error about a packet that was never sent."""
        quoted = tcp(dst, src, FORBIDDEN_PORT, self._port())
        if ":" in src:
            inner = ipv6(dst, src, TCP, quoted)
            return ICMPV6, icmp6(src, dst, self._dice.choice((1, 2, 3, 4)), bytes(4) + inner)
        return ICMP, icmp4(
            self._dice.choice((3, 4, 5, 11, 12)), bytes(4) + ipv4(dst, src, TCP, quoted)
        )

    # ---- shapes

    def _noise(self) -> bytes:
        return self._dice.randbytes(self._dice.randrange(14, LONGEST))

    def _odd_ethertype(self) -> bytes:
        ethertype = self._dice.choice(
            (0x0000, 0x0026, 0x0600, 0x0842, 0x8847, 0x888E, 0x88CC, 0x88F7)
        )
        return ethernet(self._dst_mac(), self._src_mac(), ethertype, self._bytes(200))

    def _tagged(self) -> bytes:
        inner = self._plain_ip()
        tags = b""
        for _ in range(self._dice.randrange(1, 4)):
            kind = self._dice.choice((0x8100, 0x88A8, 0x9100))
            tags += struct.pack("!HH", kind, self._dice.randrange(0x10000))
        return inner[:12] + tags + inner[12:]

    def _arp(self) -> bytes:
        src, dst = self._addresses(4)
        payload = arp(
            self._dice.choice((1, 1, 2, 2, 0, 3, 9, 65535)),
            self._src_mac(),
            src,
            self._dst_mac(),
            dst,
        )
        if self._dice.random() < 0.2:
            at = self._dice.randrange(8)
            payload = payload[:at] + self._dice.randbytes(1) + payload[at + 1 :]
        kind = self._dice.choice((ARP, ARP, ARP, RARP))
        return ethernet(self._dst_mac(), self._src_mac(), kind, payload)

    def _discovery(self) -> bytes:
        """Neighbour and router discovery with options of impossible lengths among others."""
        src, dst = self._addresses(6)
        if self._dice.random() < 0.5:
            dst = solicited_node(dst)
        target = self._choice(self._target.ip6, [self._world.own.ip6], _ANYTHING_6)
        options = b""
        for _ in range(self._dice.randrange(4)):
            length = self._dice.choice((0, 1, 1, 1, 2, 31, 255))
            options += struct.pack("!BB", self._dice.choice((1, 2, 3, 5, 25, 254)), length)
            options += mac(self._src_mac()) + self._bytes(24)
        body = self._dice.randbytes(4) + ip(target) + options
        kind = self._dice.choice((133, 134, 135, 135, 136, 136, 137))
        hops = self._dice.choice((255, 255, 255, 64, 1, 0))
        packet = ipv6(src, dst, ICMPV6, icmp6(src, dst, kind, body), hops)
        to = multicast_mac(dst) if dst.startswith("ff") else self._dst_mac()
        return ethernet(to, self._src_mac(), IPV6, packet)

    def _plain_ip(self) -> bytes:
        version = self._dice.choice((4, 6))
        src, dst = self._addresses(version)
        protocol, payload = self._transport(src, dst)
        ttl = self._dice.choice((64, 64, 255, 2, 1, 0))
        if version == 4:
            return self._sent(IPV4, ipv4(src, dst, protocol, payload, ttl))
        return self._sent(IPV6, ipv6(src, dst, protocol, payload, ttl))

    def _sent(self, ethertype: int, packet: bytes) -> bytes:
        return ethernet(self._dst_mac(), self._src_mac(), ethertype, packet)

    def _with_options(self) -> bytes:
        """IPv4 with options: source routes, record route, timestamps, and nonsense."""
        src, dst = self._addresses(4)
        protocol, payload = self._transport(src, dst)
        words = self._dice.randrange(1, 11)
        kind = self._dice.choice((0, 1, 7, 68, 131, 137, 148, 255))
        length = self._dice.choice((words * 4, 3, 0, 1, 255))
        options = (struct.pack("!BBB", kind, length, 4) + self._dice.randbytes(40))[: words * 4]
        header = struct.pack(
            "!BBHHHBBH", 0x45 + words, 0, 20 + len(options) + len(payload), 1, 0, 64, protocol, 0
        )
        header += ip(src) + ip(dst) + options
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
        return self._sent(IPV4, header + payload)

    def _fragment4(self) -> bytes:
        src, dst = self._addresses(4)
        protocol, payload = self._transport(src, dst)
        offset = self._dice.choice((0, 0, 0, 0, 0, 1, 2, 185, 8191))
        flags = self._dice.choice((0x2000, 0x2000, 0x2000, 0x0000, 0x6000, 0x8000))
        part = payload[: self._dice.choice((0, 1, 4, 8, 16, 24, len(payload)))]
        header = struct.pack(
            "!BBHHHBBH",
            0x45,
            0,
            20 + len(part),
            self._dice.randrange(4),
            flags | offset,
            64,
            protocol,
            0,
        )
        header += ip(src) + ip(dst)
        return self._sent(
            IPV4, header[:10] + struct.pack("!H", checksum(header)) + header[12:] + part
        )

    def _extended6(self) -> bytes:
        """IPv6 behind extension headers: fragments, routing, options, authentication, chains."""
        src, dst = self._addresses(6)
        protocol, payload = self._transport(src, dst)
        for _ in range(self._dice.choice((1, 1, 1, 2, 3, 9, 30))):
            kind = self._dice.choice(
                (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _FRAGMENT, _FRAGMENT, _AUTHENTICATION, _OPTIONS)
            )
            payload = self._extension(kind, protocol) + payload
            protocol = kind
        if self._dice.random() < 0.1:
            protocol = _NO_NEXT
        return self._sent(IPV6, ipv6(src, dst, protocol, payload[: LONGEST - 40]))

    def _extension(self, kind: int, following: int) -> bytes:
        if kind == _FRAGMENT:
            offset = self._dice.choice((0, 0, 0, 1, 2, 8191)) << 3 | self._dice.randrange(2)
            return struct.pack("!BBHI", following, 0, offset, self._dice.randrange(4))
        if kind == _AUTHENTICATION:
            words = self._dice.choice((1, 4, 0, 255))
            return struct.pack("!BBHIII", following, words, 0, 1, 1, 0)
        length = self._dice.choice((0, 0, 0, 1, 255))
        room = 8 * (length + 1) if length < 2 else 8
        return struct.pack("!BB", following, length) + self._dice.randbytes(room - 2)

    def _service(self) -> bytes:
        """What only a router or a DHCP server may say, and what a client asks."""
        src, dst = self._addresses(4)
        sport, dport = self._dice.choice(((67, 68), (68, 67)))
        kind = 2 if sport == 67 else 1
        message = struct.pack("!BBBB", kind, 1, 6, 0) + self._dice.randbytes(232)
        message += bytes.fromhex("63825363") + self._bytes(60)
        return self._sent(IPV4, ipv4(src, dst, UDP, udp(src, dst, sport, dport, message)))

    def _wrapped(self) -> bytes:
        """Geneve in a tenant's packet: to whom it is sent it is only UDP."""
        inner = self._plain_ip()
        src, dst = self._addresses(4)
        message = geneve(self._dice.randrange(1, 8), self._dice.getrandbits(31), inner)
        return self._sent(IPV4, ipv4(src, dst, UDP, udp(src, dst, 6081, 6081, message)))

    # ---- damage

    def _damaged(self, frame: bytes) -> bytes:
        kind = self._dice.randrange(4)
        if kind == 0:
            return frame[: self._dice.randrange(14, max(len(frame), 15))]
        if kind == 1:
            return frame + self._dice.randbytes(self._dice.randrange(1, 64))
        changed = bytearray(frame)
        for _ in range(self._dice.choice((1, 1, 2, 8))):
            changed[self._dice.randrange(12, len(changed))] = self._dice.randrange(256)
        return bytes(changed)


_SHAPES: Final[tuple[Callable[[Generator], bytes], ...]] = (
    Generator._noise,
    Generator._odd_ethertype,
    Generator._tagged,
    Generator._arp,
    Generator._arp,
    Generator._discovery,
    Generator._discovery,
    Generator._plain_ip,
    Generator._plain_ip,
    Generator._plain_ip,
    Generator._with_options,
    Generator._fragment4,
    Generator._fragment4,
    Generator._extended6,
    Generator._extended6,
    Generator._service,
    Generator._wrapped,
)


def geneve(vni: int, option: int, inner: bytes) -> bytes:
    """A Geneve header with the option that hypervisors use among themselves, and a frame.

    `option` is the logical input port (15 bits) and the output port (16 bits).
    """
    header = struct.pack("!BBHI", 2, 0, 0x6558, vni << 8)
    return header + struct.pack("!HBBI", 0x0102, 0x80, 1, option) + inner


def damaged_geneve(message: bytes, dice: random.Random) -> bytes:
    """The message with some bytes of its headers changed, or cut short."""
    changed = bytearray(message)
    for _ in range(dice.randrange(3)):
        changed[dice.randrange(16)] = dice.randrange(256)
    return bytes(changed[: dice.choice((len(changed), len(changed), dice.randrange(len(changed))))])
