"""What the server asks of an agent about its switch, and what the agent answers.

:class:`Compare` asks where the flows in the switch differ from those that the agent
wants, on some datapaths. :class:`TracePort` and :class:`TraceTunnel` ask what the switch
would do with a packet: from the interface of a logical port of that chassis, or out of
the tunnel from another. :class:`CountHits` asks what ACLs have decided there. Nothing is changed
by asking.

A packet is its headers, by the names of the language of matches, each value as bytes in
network order: the integers of MessagePack end at 64 bits.

Lists are cut where they would make an answer too long for the connection that rows
travel on; `more` counts what is left out.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from logical_flow.evaluate import Packet
from logical_flow.fields import fields

Connection: TypeAlias = Literal["new", "established", "reply"]
"""What a trace assumes of the packet's connection, in every zone."""

MAX_DIFFERENCES: Final = 100
MAX_STEPS: Final = 1000
MAX_OUTPUTS: Final = 10_000
MAX_HITS: Final = 10_000
MAX_TEXT: Final = 2000
"""Characters of one flow in an answer."""

_HEADERS: Final = frozenset(
    ("eth", "vlan", "ip", "ip4", "ip6", "arp", "icmp4", "icmp6", "nd", "tcp", "udp", "sctp")
)


class Compare(msgspec.Struct, frozen=True, array_like=True, tag="compare"):
    """Where do the flows of these datapaths, by id, differ from what is wanted?"""

    datapaths: tuple[str, ...]


class TracePort(msgspec.Struct, frozen=True, array_like=True, tag="trace-port"):
    """What becomes of a packet that enters through the interface of `inport`?"""

    inport: str
    headers: dict[str, bytes]
    connection: Connection = "new"
    blocked: bool = False
    """Whether an ACL has stopped the connection."""


class TraceTunnel(msgspec.Struct, frozen=True, array_like=True, tag="trace-tunnel"):
    """What becomes of a packet that `sender` sent on the way to `outport`, or to a group?"""

    sender: str
    datapath: str
    inport: str
    outport: str
    headers: dict[str, bytes]
    connection: Connection = "new"
    blocked: bool = False


class CountHits(msgspec.Struct, frozen=True, array_like=True, tag="count-hits"):
    """How many packets have these flow groups, of ACLs, decided? By ids, at most `MAX_HITS`."""

    groups: tuple[int, ...]


Question: TypeAlias = Compare | TracePort | TraceTunnel | CountHits


class Difference(msgspec.Struct, frozen=True, array_like=True):
    """A flow that is not as wanted. `wanted` and `found` are its text, empty for none.

    `cookie` is that of the flow that is wanted, or else of the one found. What it stands
    for is told as far as the agent knows it: by `logical_flows` and the object behind
    them, or for the agent's own flows by `place`.
    """

    kind: Literal["missing", "extra", "altered"]
    table: str
    datapath: str
    wanted: str
    found: str
    cookie: int
    logical_flows: tuple[str, ...] = ()
    cause_kind: str = ""
    cause_id: str = ""
    place: str = ""


class Comparison(msgspec.Struct, frozen=True, array_like=True, tag="comparison"):
    """How the switch stands. `revision` is the one that the wanted flows realise.

    Without `in_sync` the switch is on its way to that, and so may differ.
    """

    revision: int
    in_sync: bool
    differences: tuple[Difference, ...]
    more: int = 0


class Step(msgspec.Struct, frozen=True, array_like=True):
    """A flow that the packet met, or a table in which it met none (`priority` -1)."""

    table: str
    priority: int
    match: str
    cookie: int


class Output(msgspec.Struct, frozen=True, array_like=True):
    """Where a copy of the packet leaves: a logical port here, or the tunnel to a chassis.

    Neither is set if it is an interface of the bridge that is none of these: `interface`
    says which, by its OpenFlow number.
    """

    port: str = ""
    chassis: str = ""
    interface: str = ""


class Traced(msgspec.Struct, frozen=True, array_like=True, tag="traced"):
    """What the switch would do. `punted` says that the agent is handed a copy.

    `unknown` says why there may be further copies, `failure` which limit of the switch
    made it drop copies; both are empty for none.
    """

    steps: tuple[Step, ...]
    outputs: tuple[Output, ...]
    punted: bool
    more: int = 0
    unknown: str = ""
    failure: str = ""


class GroupHits(msgspec.Struct, frozen=True, array_like=True):
    """What the ACL of a flow group has decided on a chassis, since its switch has it.

    `age` is for how many seconds it has decided nothing more, as far as the agent has looked;
    negative where it has seen it decide nothing.
    """

    group: int
    packets: int
    bytes: int
    age: float = -1.0


class HitsCounted(msgspec.Struct, frozen=True, array_like=True, tag="hits-counted"):
    """The counters asked for, as far as the switch has them: all packets until the question."""

    hits: tuple[GroupHits, ...]


Result: TypeAlias = Comparison | Traced | HitsCounted


def headers_of(packet: Packet) -> dict[str, bytes]:
    """The headers of a packet on a walk: what of it is on the wire, and known.

    >>> headers_of({"eth.type": 0x800, "reg0": 5, "inport": "web-1", "ip.ttl": None})
    {'eth.type': b'\\x08\\x00'}
    """
    return {
        field.name: value.to_bytes((field.width + 7) // 8)
        for field in fields()
        if field.name.partition(".")[0] in _HEADERS
        and isinstance(value := packet.get(field.name), int)
    }


def header_values(headers: Mapping[str, bytes]) -> dict[str, int]:
    """The values of headers as they travelled."""
    return {name: int.from_bytes(value) for name, value in headers.items()}
