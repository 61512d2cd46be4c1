"""DHCP options as the argument of an action: codes and values, as bytes and as text.

What a flow says of an answer travels as bytes: for each option its code and length, 16 bits
each as in DHCPv6 (RFC 8415 section 21.1), then the value. Codes of DHCPv4 are one octet. Those
from :data:`FIRST_OWN_CODE` on are no options: they say something else about the answer, and
:class:`OwnCode` has them.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from logical_flow.errors import TemplateError

LONGEST: Final = 4096
"""The most bytes that all options of an answer may have together, codes and lengths included."""

FIRST_OWN_CODE: Final = 0xFF00
"""Neither DHCPv4 nor, so far, DHCPv6 has options of such codes."""

_HEAD: Final = struct.Struct("!HH")


class OwnCode(IntEnum):
    """What is said about an answer besides its options."""

    NEXT_SERVER = 0xFF01
    """The IPv4 address for the header's field ``siaddr``: where the boot file is."""
    BOOT_FILE_FOR_IPXE = 0xFF02
    """The boot file of clients that are iPXE already, which send option 175 or say so."""
    BOOT_FILE_FOR_ARCHITECTURE = 0xFF03
    """The boot file of clients of one architecture (RFC 4578): its number, 16 bits, then the
    name. There may be several."""
    STATELESS = 0xFF04
    """Of DHCPv6, without a value: no addresses are given out."""
    LIFETIMES = 0xFF05
    """Of DHCPv6: preferred and valid lifetime, T1 and T2, in seconds, 32 bits each."""


class DhcpOption(NamedTuple):
    """One option of an answer."""

    code: int
    value: bytes


def encode_options(options: Iterable[DhcpOption]) -> bytes:
    """Return the options as bytes, in their order; raises TemplateError where they don't fit."""
    encoded = b""
    for code, value in options:
        if not 0 <= code <= 0xFFFF or len(value) > LONGEST:
            raise TemplateError(f"{code} with {len(value)} bytes is no DHCP option")
        encoded += _HEAD.pack(code, len(value)) + value
    if len(encoded) > LONGEST:
        raise TemplateError(f"DHCP options of {len(encoded)} bytes are longer than {LONGEST}")
    return encoded


def decode_options(data: bytes) -> tuple[DhcpOption, ...]:
    """Return the options that `data` has; raises TemplateError for bytes that are none."""
    options: list[DhcpOption] = []
    offset = 0
    while offset < len(data):
        if len(data) - offset < _HEAD.size:
            raise TemplateError("DHCP options are cut short")
        code, length = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size
        value = data[offset : offset + length]
        if len(value) != length:
            raise TemplateError("DHCP options are cut short")
        options.append(DhcpOption(code, value))
        offset += length
    return tuple(options)


def format_options(options: Iterable[DhcpOption]) -> str:
    """Return the options as text: codes, and values in hexadecimal digits.

    >>> format_options([DhcpOption(1, b"\\xff\\xff\\xff\\0"), DhcpOption(80, b"")])
    '1=ffffff00 80='
    """
    return " ".join(f"{code}={value.hex()}" for code, value in options)


def parse_options(text: str) -> tuple[DhcpOption, ...]:
    """Return the options that `format_options` made a text of; raises TemplateError."""
    options: list[DhcpOption] = []
    for word in text.split():
        code, _, digits = word.partition("=")
        try:
            options.append(DhcpOption(int(code), bytes.fromhex(digits)))
        except ValueError:
            raise TemplateError(f"`{word}' is no DHCP option") from None
    encode_options(options)
    return tuple(options)
