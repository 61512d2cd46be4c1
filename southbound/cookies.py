"""Cookies of OpenFlow flows: what each stands for.

The cookie of a logical flow is the id of its flow group. Flows that realise no logical
flow, but the places of ports, are the agents' own: their cookies have the highest bit
set and the tunnel keys of datapath and port below it, 0 where there is none.
"""

import re
from typing import Final, NamedTuple

PHYSICAL_COOKIE: Final = 1 << 63
"""Marks cookies that are no flow group's: the keys of datapath and port follow below it."""

MAX_COOKIE: Final = (1 << 64) - 1

FIRST_GROUP_KEY: Final = 0x8000
"""Port keys from here on are multicast groups."""

_NUMBER: Final = r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}"
_COOKIE: Final = re.compile(rf"(?:^|\bcookie=)({_NUMBER})\b")
_TABLE: Final = re.compile(r"\btable=([0-9]+)\b")
_PRIORITY: Final = re.compile(r"\bpriority=([0-9]+)\b")


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


def describe_physical(keys: PhysicalCookie, datapath: str, port: str) -> str:
    """What flows of the agents' own are there for; names are empty where nothing has the key."""
    if not keys.datapath_key:
        return "what comes in through tunnels"
    if not datapath:
        return f"of a datapath that is gone, tunnel key {keys.datapath_key}"
    if port:
        return f"the way to and from port {port} of {datapath}"
    if keys.port_key >= FIRST_GROUP_KEY:
        return f"copies for a multicast group of {datapath}, key {keys.port_key:#x}"
    if keys.port_key:
        return f"of a port of {datapath} that is gone, tunnel key {keys.port_key}"
    return f"defaults of the stages of {datapath}"


class FlowReference(NamedTuple):
    """A flow as people name it: its cookie, and its place as far as it is told."""

    cookie: int
    table: int | None = None
    priority: int | None = None


def parse_flow_reference(text: str) -> FlowReference | None:
    """The flow in a line of ``ovs-ofctl dump-flows``, or a cookie alone; None if it is neither.

    >>> parse_flow_reference(" cookie=0x2a, duration=8s, table=8, n_bytes=0, priority=100,ip")
    FlowReference(cookie=42, table=8, priority=100)
    >>> parse_flow_reference("0x2a")
    FlowReference(cookie=42, table=None, priority=None)
    """
    cookie = _COOKIE.search(text.strip())
    number = -1 if cookie is None else int(cookie[1], 16 if cookie[1][:2].lower() == "0x" else 10)
    if not 0 <= number <= MAX_COOKIE:
        return None
    match = text.partition("actions=")[0]
    table, priority = _TABLE.search(match), _PRIORITY.search(match)
    return FlowReference(number, *(int(found[1]) if found else None for found in (table, priority)))
