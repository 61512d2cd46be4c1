"""DHCPv6 messages as bytes and as values (RFC 8415).

Reading takes what tenants sent: every length is checked, and the number of options and of identity
associations is bounded. What contradicts itself raises MalformedPacketError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from chassis_agent.punt.errors import MalformedPacketError
from logical_flow.dhcp_options import DhcpOption

MOST_OPTIONS: Final = 128
"""The most options that a message may have, and as many that one of them may hold."""
MOST_ASSOCIATIONS: Final = 16

_HEAD: Final = struct.Struct("!HH")
_ASSOCIATION: Final = struct.Struct("!III")
_ADDRESS: Final = struct.Struct("!16sII")


class Code(IntEnum):
    """The options that a server has to understand (RFC 8415 section 21, RFC 4704, RFC 5970)."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_TA = 4
    IA_ADDRESS = 5
    OPTION_REQUEST = 6
    STATUS = 13
    RAPID_COMMIT = 14
    IA_PD = 25
    CLIENT_FQDN = 39
    BOOT_FILE_URL = 59
    CLIENT_ARCHITECTURE = 61


class MessageType(IntEnum):
    """The kinds of messages (RFC 8415 section 7.3)."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11


class Status(IntEnum):
    """What came of a request (RFC 8415 section 21.13)."""

    SUCCESS = 0
    NO_ADDRESSES = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    NO_PREFIXES = 6


class Association(NamedTuple):
    """An identity association: what kind it is of, its number, the addresses that are in it."""

    code: int
    iaid: int
    addresses: tuple[bytes, ...]


class Request6(NamedTuple):
    """What a client sent, as far as a server reads it."""

    message_type: int
    xid: bytes
    options: Sequence[DhcpOption]
    associations: Sequence[Association]

    def value(self, code: Code) -> bytes | None:
        """The value of the first option of a kind, None where there is none."""
        return next((value for each, value in self.options if each == code), None)

    @property
    def requested(self) -> tuple[int, ...]:
        """The codes of the options that the client asks for."""
        value = self.value(Code.OPTION_REQUEST) or b""
        return tuple(number for (number,) in struct.iter_unpack("!H", value[: len(value) & ~1]))


def read_request(data: bytes) -> Request6:
    """Read a client's message; raises MalformedPacketError for anything else."""
    if len(data) < 4:
        raise MalformedPacketError("a DHCPv6 message is cut short")
    options = tuple(_options(data[4:]))
    found = [option for option in options if option.code in (Code.IA_NA, Code.IA_TA, Code.IA_PD)]
    if len(found) > MOST_ASSOCIATIONS:
        raise MalformedPacketError("a DHCPv6 message has too many identity associations")
    return Request6(data[0], data[1:4], options, tuple(map(_association, found)))


def write_reply(
    message_type: MessageType, request: Request6, options: Iterable[DhcpOption]
) -> bytes:
    """Return an answer's bytes."""
    return bytes((message_type,)) + request.xid + encoded(options)


def encoded(options: Iterable[DhcpOption]) -> bytes:
    """Return options as they are in messages and in other options."""
    return b"".join(_HEAD.pack(code, len(value)) + value for code, value in options)


def association(
    of: Association, times: tuple[int, int], options: Iterable[DhcpOption]
) -> DhcpOption:
    """Return the answer for an identity association; `times` are T1 and T2, in seconds."""
    head = of.iaid.to_bytes(4) if of.code == Code.IA_TA else _ASSOCIATION.pack(of.iaid, *times)
    return DhcpOption(of.code, head + encoded(options))


def address(ip: bytes, preferred: int, valid: int) -> DhcpOption:
    """Return an address with its lifetimes in seconds."""
    return DhcpOption(Code.IA_ADDRESS, _ADDRESS.pack(ip, preferred, valid))


def status(code: Status, message: str = "") -> DhcpOption:
    """Return what came of a request, with words for people."""
    return DhcpOption(Code.STATUS, code.to_bytes(2) + message.encode())


def _association(option: DhcpOption) -> Association:
    code, value = option
    size = 4 if code == Code.IA_TA else _ASSOCIATION.size
    if len(value) < size:
        raise MalformedPacketError("an identity association is cut short")
    addresses = []
    for inner, content in _options(value[size:]):
        if inner == Code.IA_ADDRESS:
            if len(content) < _ADDRESS.size:
                raise MalformedPacketError("an address of an identity association is cut short")
            addresses.append(content[:16])
    return Association(code, int.from_bytes(value[:4]), tuple(addresses))


def _options(area: bytes) -> Iterator[DhcpOption]:
    offset = number = 0
    while offset < len(area):
        number += 1
        if number > MOST_OPTIONS:
            raise MalformedPacketError("a DHCPv6 message has too many options")
        if len(area) - offset < _HEAD.size:
            raise MalformedPacketError("a DHCPv6 option is cut short")
        code, length = _HEAD.unpack_from(area, offset)
        offset += _HEAD.size
        if length > len(area) - offset:
            raise MalformedPacketError("a DHCPv6 option is cut short")
        yield DhcpOption(code, area[offset : offset + length])
        offset += length
