"""Constants of the logical-flow language: what a field is compared with or set to."""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from logical_flow.holes import Hole, HoleType


class Form(StrEnum):
    """How an integer was written, and is written again."""

    DECIMAL = "decimal"
    HEXADECIMAL = "hexadecimal"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ETHERNET = "ethernet"


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer, perhaps masked; bits outside the mask are 0."""

    value: int
    mask: int | None = None
    form: Form = Form.DECIMAL

    def __str__(self) -> str:
        text = _format_value(self.value, self.form)
        if self.mask is None:
            return text
        return f"{text}/{_format_mask(self.mask, self.form)}"


@dataclass(frozen=True, slots=True)
class String:
    """The name of a port or of a multicast group."""

    value: str

    def __str__(self) -> str:
        return quote(self.value)


@dataclass(frozen=True, slots=True)
class SetReference:
    """The members, whatever they are now, of an address set (``$``) or a port group (``@``)."""

    sigil: Literal["$", "@"]
    name: str

    def __str__(self) -> str:
        return f"{self.sigil}{self.name}"


@dataclass(frozen=True, slots=True)
class Variable:
    """What each chassis knows for itself; `name` has its sigil, `type` is that of its hole."""

    name: str
    type: HoleType

    def __str__(self) -> str:
        return self.name


Constant = Integer | String | SetReference | Variable | Hole


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r"}
_ESCAPES["\t"] = "\\t"


def quote(text: str) -> str:
    """`text` as a string constant: the syntax is JSON's.

    >>> print(quote('a "b"'))
    "a \\"b\\""
    """
    escaped = (
        _ESCAPES.get(character) or (character if character >= " " else f"\\u{ord(character):04x}")
        for character in text
    )
    return f'"{"".join(escaped)}"'


def _format_value(value: int, form: Form) -> str:
    match form:
        case Form.DECIMAL:
            return str(value)
        case Form.HEXADECIMAL:
            return f"{value:#x}"
        case Form.IPV4:
            return str(ipaddress.IPv4Address(value))
        case Form.IPV6:
            return str(ipaddress.IPv6Address(value))
        case Form.ETHERNET:
            return value.to_bytes(6).hex(":")


def _format_mask(mask: int, form: Form) -> str:
    """Address masks that are prefixes are written as their length."""
    width = {Form.IPV4: 32, Form.IPV6: 128}.get(form)
    if width is not None:
        inverse = mask ^ ((1 << width) - 1)
        if inverse & (inverse + 1) == 0:
            return str(mask.bit_count())
    return _format_value(mask, form)
