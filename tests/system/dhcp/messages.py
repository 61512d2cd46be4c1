"""DHCP messages as clients send them, in frames, and what servers answer."""

from collections.abc import Sequence

from tests.system.frames import (
    BROADCAST,
    IPV4,
    IPV6,
    UDP,
    Frame,
    ethernet,
    ip,
    ipv4,
    ipv6,
    mac,
    udp,
)

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
SUBNET_MASK, ROUTERS, REQUESTED_ADDRESS, LEASE_TIME, MESSAGE_TYPE, SERVER_ID = 1, 3, 50, 51, 53, 54
RENEWAL_TIME, REBINDING_TIME = 58, 59

SOLICIT, ADVERTISE, REQUEST6, CONFIRM, RENEW, REBIND, REPLY, RELEASE6, DECLINE6 = range(1, 10)
SERVERS6 = "ff02::1:2"

Option = tuple[int, bytes]

_OPTIONS_AT = 240


def client4(
    source: str,
    kind: int,
    *options: Option,
    chaddr: str = "",
    xid: bytes = b"ours",
    ciaddr: str = "0.0.0.0",
    to: tuple[str, str] = (BROADCAST, "255.255.255.255"),
) -> bytes:
    """A client's message from a MAC address; `to` are MAC and IP address of whom it is for."""
    hardware = mac(chaddr or source).ljust(16, b"\0")
    head = bytes((1, 1, 6, 0)) + xid + bytes(4) + ip(ciaddr) + bytes(12) + hardware + bytes(192)
    encoded = bytes((MESSAGE_TYPE, 1, kind))
    encoded += b"".join(bytes((code, len(value))) + value for code, value in options)
    message = head + bytes((99, 130, 83, 99)) + encoded + b"\xff"
    datagram = udp(ciaddr, to[1], 68, 67, message)
    return ethernet(to[0], source, IPV4, ipv4(ciaddr, to[1], UDP, datagram))


def is_dhcp4(frame: Frame) -> bool:
    return frame.dport in (67, 68)


def xid4(frame: Frame) -> bytes:
    return frame.l4[12:16]


def your_address(frame: Frame) -> bytes:
    """The address that a server's message gives to its client (yiaddr)."""
    return frame.l4[24:28]


def options4(frame: Frame) -> dict[int, bytes]:
    """The options of a message, each of which comes once."""
    area, found = frame.l4[8 + _OPTIONS_AT :], {}
    while area and area[0] != 0xFF:
        code, length = area[0], area[1]
        found[code] = area[2 : 2 + length]
        area = area[2 + length :]
    return found


def kinds4(frames: Sequence[Frame]) -> list[int]:
    """Of which kinds messages are."""
    return [options4(frame)[MESSAGE_TYPE][0] for frame in frames]


def client6(source: str, src: str, kind: int, *options: Option, xid: bytes = b"xid") -> bytes:
    """A client's message from a MAC address and a link-local one, to all servers."""
    encoded = b"".join(code.to_bytes(2) + len(value).to_bytes(2) + value for code, value in options)
    datagram = udp(src, SERVERS6, 546, 547, bytes((kind,)) + xid + encoded)
    return ethernet("33:33:00:01:00:02", source, IPV6, ipv6(src, SERVERS6, UDP, datagram, hops=1))


def is_dhcp6(frame: Frame) -> bool:
    return frame.dport == 546


def kinds6(frames: Sequence[Frame]) -> list[int]:
    """Of which kinds messages are."""
    return [frame.l4[8] for frame in frames]


def options6(frame: Frame) -> dict[int, bytes]:
    """The options of a message, the first of each kind."""
    area = frame.l4[12:]
    found: dict[int, bytes] = {}
    while area:
        code, length = int.from_bytes(area[:2]), int.from_bytes(area[2:4])
        found.setdefault(code, area[4 : 4 + length])
        area = area[4 + length :]
    return found
