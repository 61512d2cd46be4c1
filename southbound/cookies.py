"""Cookies of OpenFlow flows: what each stands for.

The cookie of a logical flow is the id of its flow group. Flows that realise no logical
flow, but the places of ports, are the agents' own: their cookies have the highest bit
set and the tunnel keys of datapath and port below it, 0 where there is none.
"""

from typing import Final, NamedTuple

PHYSICAL_COOKIE: Final = 1 << 63
"""Marks cookies that are no flow group's: the keys of datapath and port follow below it."""

MAX_COOKIE: Final = (1 << 64) - 1


class PhysicalCookie(NamedTuple):
    """The tunnel keys in a cookie of the agents' own."""

    datapath_key: int
    port_key: int


def physical_cookie(datapath_key: int, port_key: int = 0) -> int:
    return PHYSICAL_COOKIE | datapath_key << 16 | port_key


def parse_physical_cookie(cookie: int) -> PhysicalCookie | None:
    """The keys in `cookie`, or None for that of a flow group.

    >>> parse_physical_cookie(physical_cookie(7, 3)), parse_physical_cookie(42)
    (PhysicalCookie(datapath_key=7, port_key=3), None)
    """
    if not cookie & PHYSICAL_COOKIE:
        return None
    return PhysicalCookie(cookie >> 16 & 0xFFFFFF, cookie & 0xFFFF)
