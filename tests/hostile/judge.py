"""Which of the frames that a guest received should never have reached it.

Read without any code of the product, and only where a frame says it beyond doubt: what is too
short or contradicts itself accuses no one, since its receiver would not take it either.
"""

from collections import defaultdict
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from tests.system.frames import ARP, ICMP, ICMPV6, IPV4, IPV6, TCP, UDP, mac_text, parse

_EXTENSIONS = frozenset({0, 43, 60})
_FRAGMENT, _AUTHENTICATION = 44, 51
_MOST_HEADERS = 64


class Packet(NamedTuple):
    """An IP packet as its receiver reads it.

    `offset` is that of a fragment, in bytes; `identity` tells packets apart whose fragments
    belong together, and is None for what is no fragment.
    """

    src: bytes
    protocol: int
    payload: bytes
    offset: int
    identity: tuple[bytes, bytes, int] | None


def read_packet(ethertype: int, data: bytes) -> Packet | None:
    """The packet in a frame, if its receiver would take it for one."""
    if ethertype == IPV4:
        return _read4(data)
    return _read6(data) if ethertype == IPV6 else None


def _read4(data: bytes) -> Packet | None:
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4])
    if header < 20 or not header <= total <= len(data):
        return None
    flags = int.from_bytes(data[6:8])
    offset, more = (flags & 0x1FFF) * 8, bool(flags & 0x2000)
    src, dst = data[12:16], data[16:20]
    identity = (src, dst, int.from_bytes(data[4:6])) if offset or more else None
    return Packet(src, data[9], data[header:total], offset, identity)


def _read6(data: bytes) -> Packet | None:
    if len(data) < 40 or data[0] >> 4 != 6:
        return None
    length = int.from_bytes(data[4:6])
    if 40 + length > len(data):
        return None
    src, dst = data[8:24], data[24:40]
    protocol, payload = data[6], data[40 : 40 + length]
    offset, identity = 0, None
    for _ in range(_MOST_HEADERS):
        if protocol == _FRAGMENT and len(payload) >= 8:
            field = int.from_bytes(payload[2:4])
            if field & 0xFFF9:
                offset, identity = field & 0xFFF8, (src, dst, int.from_bytes(payload[4:8]))
            protocol, payload = payload[0], payload[8:]
            if offset:
                break
        elif protocol in _EXTENSIONS and len(payload) >= (payload[1:2] or b"\0")[0] * 8 + 8:
            protocol, payload = payload[0], payload[(payload[1] + 1) * 8 :]
        elif protocol == _AUTHENTICATION and len(payload) >= (payload[1:2] or b"\0")[0] * 4 + 8:
            protocol, payload = payload[0], payload[(payload[1] + 2) * 4 :]
        else:
            break
    return Packet(src, protocol, payload, offset, identity)


class Judge:
    """Accuses frames that reached one guest.

    `port` is the TCP port that no packet for this guest may have. With `sender`, the MAC that
    port security holds to `addresses` (packed), frames from that MAC may have no others, and
    no frame may come from a MAC outside of `macs`.
    """

    def __init__(
        self,
        name: str,
        *,
        port: int,
        sender: str | None = None,
        addresses: Collection[bytes] = (),
        macs: Collection[str] = (),
    ) -> None:
        self._name = name
        self._port = port.to_bytes(2, "big")
        self._sender = sender
        self._addresses = frozenset(addresses)
        self._macs = frozenset(macs)
        self._parts: dict[tuple[bytes, bytes, int], dict[int, bytes]] = defaultdict(dict)

    def accusation(self, raw: bytes) -> str | None:
        """Why this frame should not have come, if so."""
        frame = parse(raw)
        reason = self._spoofed(frame.src, frame.ethertype, frame.payload)
        packet = read_packet(frame.ethertype, frame.payload)
        if reason is None and packet is not None and self._reaches_port(packet):
            reason = "reaches the forbidden port"
        return None if reason is None else f"{self._name} received what {reason}: {raw.hex()}"

    def _spoofed(self, src: str, ethertype: int, payload: bytes) -> str | None:
        if self._sender is None:
            return None
        if src not in self._macs:
            return f"comes from {src}"
        if src != self._sender:
            return None
        if ethertype == ARP and len(payload) >= 28:
            if mac_text(payload[8:14]) != self._sender:
                return "claims another's MAC by ARP"
            if payload[14:18] not in self._addresses:
                return "claims another's address by ARP"
        packet = read_packet(ethertype, payload)
        if packet is not None and packet.src not in self._addresses:
            return "has another's address as its source"
        return None

    def _reaches_port(self, packet: Packet) -> bool:
        if packet.protocol != TCP and packet.offset == 0:
            return False
        if packet.identity is None:
            return packet.payload[2:4] == self._port and len(packet.payload) >= 20
        parts = self._parts[packet.identity]
        parts[packet.offset] = packet.payload
        # The ports are within the first eight bytes, which fragments cannot divide.
        return packet.protocol == TCP and parts.get(0, b"")[2:4] == self._port


class Outsider:
    """Accuses packets outside that begin something with an address that only the inside has.

    All of those are translated on their way out. Answers and errors are not where no connection is
    known that they would be of: they go to who has asked that address.
    """

    def __init__(self, name: str, inside: Collection[IPv4Network | IPv6Network]) -> None:
        self._name = name
        self._inside = inside

    def accusation(self, raw: bytes) -> str | None:
        """Why this frame should not have come, if so."""
        frame = parse(raw)
        packet = read_packet(frame.ethertype, frame.payload)
        if packet is None or not begins(packet):
            return None
        if any(ip_address(packet.src) in each for each in self._inside):
            return f"{self._name} received an inside address: {raw.hex()}"
        return None


def begins(packet: Packet) -> bool:
    """Whether a packet is the first of a connection: a SYN, an echo request, any datagram."""
    if packet.offset:
        return False
    if packet.protocol == TCP:
        return len(packet.payload) >= 20 and packet.payload[13] & 0x17 == 2
    if packet.protocol in (ICMP, ICMPV6):
        return packet.payload[:1] == (b"\x08" if packet.protocol == ICMP else b"\x80")
    return packet.protocol == UDP


class Stranger:
    """Accuses what has a stranger's MAC or, behind a router, its IP address as its source."""

    def __init__(self, name: str, mac: str, addresses: Collection[bytes]) -> None:
        self._name = name
        self._mac = mac
        self._addresses = frozenset(addresses)

    def accusation(self, raw: bytes) -> str | None:
        """Why this frame should not have come, if so."""
        frame = parse(raw)
        packet = read_packet(frame.ethertype, frame.payload)
        if frame.src == self._mac or (packet is not None and packet.src in self._addresses):
            return f"{self._name} received a stranger's frame: {raw.hex()}"
        return None
