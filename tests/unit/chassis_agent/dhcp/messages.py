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
