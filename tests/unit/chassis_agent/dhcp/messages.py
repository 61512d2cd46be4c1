"""DHCP messages as clients send them, made by hand."""

from collections.abc import Iterable

from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Ip

MAC = bytes.fromhex("0a0000000001")
SERVER = bytes((10, 0, 0, 1))
ADDRESS = bytes((10, 0, 0, 5))
OTHER = bytes((10, 0, 0, 6))
EVERYBODY = b"\xff" * 4
COOKIE = bytes((99, 130, 83, 99))

Options = Iterable[tuple[int, bytes]]


def encoded(options: Options, end: bytes = b"\xff") -> bytes:
    return b"".join(bytes((code, len(value))) + value for code, value in options) + end


def message4(
    kind: int | None,
    options: Options = (),
    *,
    ciaddr: bytes = bytes(4),
    giaddr: bytes = bytes(4),
    chaddr: bytes = MAC,
    flags: int = 0,
    sname: bytes = b"",
    file: bytes = b"",
) -> bytes:
    """A client's message; without a `kind` one of BOOTP."""
    head = bytes((1, 1, 6, 0)) + b"\x12\x34\x56\x78" + bytes(2) + flags.to_bytes(2)
    head += ciaddr + bytes(8) + giaddr + chaddr.ljust(16, b"\0")
    head += sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    first = [] if kind is None else [(53, bytes((kind,)))]
    return head + COOKIE + encoded([*first, *options])


def frame4(payload: bytes, *, src: bytes = bytes(4), dst: bytes = EVERYBODY) -> bytes:
    """The frame in which a client sends a message."""
    datagram = codec.write_udp(68, 67, payload, src, dst)
    packet = codec.write_ip(Ip(src, dst, codec.PROTOCOL_UDP, datagram))
    return codec.write_ethernet(Ethernet(b"\xff" * 6, MAC, codec.ETHERTYPE_IPV4, packet))


DUID = bytes((0, 3, 0, 1, 2, 0, 0, 0, 0, 1))
SERVERS6 = bytes.fromhex("ff020000000000000000000000010002")
CLIENT6 = bytes.fromhex("fe80000000000000080000fffe000001")


def encoded6(options: Options) -> bytes:
    return b"".join(c.to_bytes(2) + len(value).to_bytes(2) + value for c, value in options)


def message6(kind: int, options: Options = ()) -> bytes:
    """A client's message of DHCPv6."""
    return bytes((kind,)) + b"xid" + encoded6(options)


def frame6(payload: bytes) -> bytes:
    """The frame in which a client of DHCPv6 sends a message."""
    datagram = codec.write_udp(546, 547, payload, CLIENT6, SERVERS6)
    packet = codec.write_ip(Ip(CLIENT6, SERVERS6, codec.PROTOCOL_UDP, datagram, 1))
    group = bytes.fromhex("333300010002")
    return codec.write_ethernet(Ethernet(group, MAC, codec.ETHERTYPE_IPV6, packet))
