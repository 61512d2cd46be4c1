"""DHCPv4 messages as bytes and as values (RFC 2131, RFC 2132).

Reading takes what tenants sent: every length is checked, options that were split are put together
(RFC 3396), and what contradicts itself raises MalformedPacketError. Writing keeps to the room
that a client has, and uses the header's fields for options where it must (option overload).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from chassis_agent.punt.errors import MalformedPacketError
from logical_flow.dhcp_options import DhcpOption

BOOT_REQUEST: Final = 1
BOOT_REPLY: Final = 2
ETHERNET: Final = 1
MAC_LENGTH: Final = 6
BROADCAST_FLAG: Final = 0x8000

SMALLEST_LIMIT: Final = 576
"""The longest IP datagram that every client takes."""
LARGEST_LIMIT: Final = 1500
"""The longest that is sent, whatever a client says that it takes."""

_HEADER: Final = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE: Final = bytes((99, 130, 83, 99))
_IP_AND_UDP: Final = 28
_SHORTEST: Final = 300
"""What BOOTP's messages always have, and some clients insist on (RFC 1542 section 2.1)."""
_SNAME_SIZE, _FILE_SIZE = 64, 128
_LONGEST_PART: Final = 255
_OVERLOAD_ROOM: Final = 3


class Code(IntEnum):
    """The options that a server has to understand (RFC 2132)."""

    PAD = 0
    SUBNET_MASK = 1
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_ID = 54
    PARAMETER_REQUEST_LIST = 55
    MESSAGE = 56
    MAXIMUM_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    CLIENT_ID = 61
    TFTP_SERVER_NAME = 66
    BOOT_FILE_NAME = 67
    USER_CLASS = 77
    RAPID_COMMIT = 80
    CLIENT_ARCHITECTURE = 93
    ETHERBOOT = 175
    END = 255


class MessageType(IntEnum):
    """The kinds of messages (RFC 2132 section 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Request4(NamedTuple):
    """What a client sent, as far as a server reads it; addresses are packed."""

    xid: int
    secs: int
    flags: int
    ciaddr: bytes
    giaddr: bytes
    chaddr: bytes
    options: Mapping[int, bytes]

    @property
    def message_type(self) -> int | None:
        """Its kind; None for what isn't DHCP but BOOTP."""
        value = self.options.get(Code.MESSAGE_TYPE, b"")
        return value[0] if len(value) == 1 else None

    def address(self, code: Code) -> bytes | None:
        """The IPv4 address that an option has, if it has one."""
        value = self.options.get(code, b"")
        return value if len(value) == 4 else None

    @property
    def limit(self) -> int:
        """The longest IP datagram that the client takes, in bytes."""
        value = self.options.get(Code.MAXIMUM_SIZE, b"")
        said = int.from_bytes(value) if len(value) == 2 else SMALLEST_LIMIT
        return min(max(said, SMALLEST_LIMIT), LARGEST_LIMIT)


class Reply4(NamedTuple):
    """What a server answers. `boot_file` and `boot_server` go into the header's fields of them."""

    message_type: MessageType
    ciaddr: bytes = bytes(4)
    yiaddr: bytes = bytes(4)
    siaddr: bytes = bytes(4)
    options: Sequence[DhcpOption] = ()
    boot_file: bytes = b""
    boot_server: bytes = b""


def read_request(data: bytes) -> Request4:
    """Read a client's message; raises MalformedPacketError for anything else."""
    if len(data) < _HEADER.size:
        raise MalformedPacketError("a DHCP message is cut short")
    (op, hardware, length, _hops, xid, secs, flags, ciaddr, _yiaddr, _siaddr, giaddr) = (
        *_HEADER.unpack_from(data)[:11],
    )
    chaddr, sname, file, cookie = _HEADER.unpack_from(data)[11:]
    if (op, hardware, length) != (BOOT_REQUEST, ETHERNET, MAC_LENGTH):
        raise MalformedPacketError("not a request of a client on Ethernet")
    if cookie != _COOKIE:
        raise MalformedPacketError("a BOOTP message without DHCP's options")
    options = _joined(_parts(data[_HEADER.size :]))
    overload = options.get(Code.OVERLOAD, b"\0")[:1]
    fields = [field for bit, field in ((1, file), (2, sname)) if overload[:1] and overload[0] & bit]
    if fields:
        parts = [part for area in (data[_HEADER.size :], *fields) for part in _parts(area)]
        options = _joined(parts)
    return Request4(xid, secs, flags, ciaddr, giaddr, chaddr[:MAC_LENGTH], options)


def write_reply(request: Request4, reply: Reply4) -> bytes:
    """Return the answer's bytes; options that there is no room for are left out, the last first.

    The first options are those that the client has to get.
    """
    area, file, sname = _laid_out(reply, request.limit - _IP_AND_UDP - _HEADER.size)
    head = _HEADER.pack(
        BOOT_REPLY,
        ETHERNET,
        MAC_LENGTH,
        0,
        request.xid,
        0,
        request.flags,
        reply.ciaddr,
        reply.yiaddr,
        reply.siaddr,
        bytes(4),
        request.chaddr,
        sname,
        file,
        _COOKIE,
    )
    return (head + area).ljust(_SHORTEST, b"\0")


def _laid_out(reply: Reply4, room: int) -> tuple[bytes, bytes, bytes]:
    """Return the options' area, and the header's fields for a file and a server."""
    type_part = bytes((Code.MESSAGE_TYPE, 1, reply.message_type))
    encoded = [type_part, *(_encoded(option) for option in reply.options)]
    whole = b"".join(encoded)
    if len(whole) < room:
        file = reply.boot_file if len(reply.boot_file) < _FILE_SIZE else b""
        sname = reply.boot_server if len(reply.boot_server) < _SNAME_SIZE else b""
        return whole + bytes((Code.END,)), file, sname
    rooms = [room - _OVERLOAD_ROOM - 1, _FILE_SIZE - 1, _SNAME_SIZE - 1]
    areas = [b"", b"", b""]
    for part in encoded:
        for place, left in enumerate(rooms):
            if len(part) <= left:
                areas[place] += part
                rooms[place] -= len(part)
                break
    end = bytes((Code.END,))
    used = (1 if areas[1] else 0) | (2 if areas[2] else 0)
    if used:
        areas[0] += bytes((Code.OVERLOAD, 1, used))
    return areas[0] + end, areas[1] and areas[1] + end, areas[2] and areas[2] + end


def _encoded(option: DhcpOption) -> bytes:
    """Return an option's bytes, in several parts where its value is long (RFC 3396)."""
    code, value = option
    if len(value) <= _LONGEST_PART:
        return bytes((code, len(value))) + value
    parts = [value[start : start + _LONGEST_PART] for start in range(0, len(value), _LONGEST_PART)]
    return b"".join(bytes((code, len(part))) + part for part in parts)


def _parts(area: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of what is in an area of options, up to its end."""
    offset = 0
    while offset < len(area):
        code = area[offset]
        offset += 1
        if code == Code.PAD:
            continue
        if code == Code.END:
            return
        if offset >= len(area) or offset + 1 + area[offset] > len(area):
            raise MalformedPacketError("a DHCP option is cut short")
        length = area[offset]
        yield code, area[offset + 1 : offset + 1 + length]
        offset += 1 + length


def _joined(parts: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
    """Return the options, those that came in several parts as one."""
    found: dict[int, list[bytes]] = {}
    for code, value in parts:
        found.setdefault(code, []).append(value)
    return {code: b"".join(values) for code, values in found.items()}
