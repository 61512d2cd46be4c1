"""Holes: the typed gaps of a template, and the values that fill them.

In text a hole is written ``{name:type}``. Values are plain and travel as they
are; the agent splices the bytes of an address into a match without looking at
them.

==========  =========================================  =======================
type        value                                      fits
==========  =========================================  =======================
mac         6 bytes                                    48-bit fields
ip4         4 bytes                                    32-bit fields
ip6         16 bytes                                   128-bit fields
cidr4       8 bytes: value, mask                       32-bit fields, in matches
cidr6       32 bytes: value, mask                      128-bit fields, in matches
lport       name of a logical port                     inport, outport
mcgroup     name of a multicast group                  outport
datapath    id of a datapath                           (reserved)
int         integer                                    integer fields, priorities
bytes       bytes                                      the name in ``log``, fields of ``ct_lb``
set         ``$name`` or ``@name``                     integer fields; inport, outport
weights     4 bytes each: number, weight               the members of ``select``
watched     20 bytes each: number, weight, the     the members of ``select``
            id of a BFD session or zeros
backends    ``&name``                                  the set of ``ct_lb``
expr        canonical text of a match                  a whole operand of a match
group       name of an OpenFlow group                  (reserved)
meter       name of a meter                            the meter in ``log``
==========  =========================================  =======================

In place of an address or an integer (``ip4``, ``ip6``, ``int``) stands where each chassis knows
that for itself the name of a variable, ``^NODE``: :mod:`logical_flow.variables`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

Argument = bytes | str | int


class HoleType(StrEnum):
    """What kind of value fills a hole."""

    MAC = "mac"
    IP4 = "ip4"
    IP6 = "ip6"
    CIDR4 = "cidr4"
    CIDR6 = "cidr6"
    LPORT = "lport"
    DATAPATH = "datapath"
    MCGROUP = "mcgroup"
    INT = "int"
    BYTES = "bytes"
    SET = "set"
    WEIGHTS = "weights"
    WATCHED = "watched"
    BACKENDS = "backends"
    EXPR = "expr"
    GROUP = "group"
    METER = "meter"

    @property
    def width(self) -> int | None:
        """The only field width that the hole fits, or None where that isn't fixed."""
        return _WIDTHS.get(self)

    @property
    def python_type(self) -> type[bytes] | type[str] | type[int]:
        if self in _LENGTHS or self in (HoleType.BYTES, HoleType.WEIGHTS, HoleType.WATCHED):
            return bytes
        return int if self is HoleType.INT else str

    @property
    def is_masked(self) -> bool:
        return self in (HoleType.CIDR4, HoleType.CIDR6)

    def accepts(self, value: object) -> bool:
        """Whether `value` is a well-formed argument for a hole of this type."""
        match value:
            case bytes() if self is HoleType.WEIGHTS:
                return len(value) > 0 and len(value) % 4 == 0
            case bytes() if self is HoleType.WATCHED:
                return len(value) > 0 and len(value) % 20 == 0
            case bytes():
                return self is HoleType.BYTES or _LENGTHS.get(self) == len(value)
            case str() if self in VARIABLE_HOLES:
                return is_variable(value)
            case str():
                sigils = _SIGILS.get(self)
                well_formed = sigils is None or (value[:1] in sigils and len(value) > 1)
                return self.python_type is str and well_formed
            case _:
                return self is HoleType.INT and type(value) is int


VARIABLE_HOLES = frozenset({HoleType.IP4, HoleType.IP6, HoleType.INT})
"""The types of holes that the name of a variable may fill, as text."""

VARIABLE_SIGIL = "^"
VARIABLE_PATTERN = re.compile(r"\^[A-Za-z0-9_.][A-Za-z0-9_.\-]{0,199}", re.ASCII)


def is_variable(text: str) -> bool:
    """Tell whether a text is the name of a variable of chassis, with its sigil.

    >>> is_variable("^NODE_4.a"), is_variable("^"), is_variable("NODE"), is_variable("^a:80")
    (True, False, False, False)
    """
    return VARIABLE_PATTERN.fullmatch(text) is not None


_SIGILS = {HoleType.SET: ("$", "@"), HoleType.BACKENDS: ("&",)}
_WIDTHS = {
    HoleType.MAC: 48,
    HoleType.IP4: 32,
    HoleType.IP6: 128,
    HoleType.CIDR4: 32,
    HoleType.CIDR6: 128,
}
_LENGTHS = {
    HoleType.MAC: 6,
    HoleType.IP4: 4,
    HoleType.IP6: 16,
    HoleType.CIDR4: 8,
    HoleType.CIDR6: 32,
}

HOLE_PATTERN = re.compile(
    r"\{(?P<name>[a-z_][a-z0-9_]*):(?P<type>" + "|".join(HoleType) + r")\}", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Hole:
    """A gap in a match, in actions or in a priority, to be filled by an argument."""

    name: str
    type: HoleType

    def __str__(self) -> str:
        return f"{{{self.name}:{self.type}}}"
