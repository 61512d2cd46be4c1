"""Actions of logical flows: their tree and their canonical text.

An action list is a tuple of the classes below. Actions with braces hold a list of
their own, which runs on another packet: a copy, or a packet that the action makes
from the current one.

Trees are immutable and compare by value.
:func:`logical_flow.action_parser.parse_actions` makes them from text, and
:func:`format_actions` gives text that parses to an equal tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from logical_flow.constants import Constant, Integer, quote
from logical_flow.fields import FieldSlice
from logical_flow.holes import Hole

Family = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class Next:
    """Go on at the next stage, or at the stage named `stage` further down the pipeline.

    A named stage that has no flows in the datapath is passed over like any other.
    """

    stage: str | None = None

    def __str__(self) -> str:
        return "next;" if self.stage is None else f"next({self.stage});"


@dataclass(frozen=True, slots=True)
class Output:
    """Hand the packet to the egress pipeline, or at its end to the port itself."""

    def __str__(self) -> str:
        return "output;"


@dataclass(frozen=True, slots=True)
class Drop:
    """Do nothing; the only action of its list."""

    def __str__(self) -> str:
        return "drop;"


@dataclass(frozen=True, slots=True)
class Assign:
    """``field = constant;``; a masked constant sets only the bits in its mask."""

    target: FieldSlice
    value: Constant

    def __str__(self) -> str:
        return f"{self.target} = {self.value};"


@dataclass(frozen=True, slots=True)
class Move:
    """``field = other_field;``"""

    target: FieldSlice
    source: FieldSlice

    def __str__(self) -> str:
        return f"{self.target} = {self.source};"


@dataclass(frozen=True, slots=True)
class Exchange:
    """``field <-> other_field;``"""

    left: FieldSlice
    right: FieldSlice

    def __str__(self) -> str:
        return f"{self.left} <-> {self.right};"


@dataclass(frozen=True, slots=True)
class DecrementTtl:
    """``ip.ttl--;``: the packet ends here if that leaves nothing."""

    def __str__(self) -> str:
        return "ip.ttl--;"


@dataclass(frozen=True, slots=True)
class CtNext:
    """Look the packet up in the connection tracker and go on at the next stage.

    The zone is the logical port's on a switch and the datapath's on a router.
    """

    def __str__(self) -> str:
        return "ct_next;"


@dataclass(frozen=True, slots=True)
class CtCommit:
    """Commit the packet's connection; `actions` set its ``ct_mark`` and ``ct_label``."""

    actions: "tuple[Assign | Move, ...]" = ()

    def __str__(self) -> str:
        return f"ct_commit {{ {format_actions(self.actions)} }};" if self.actions else "ct_commit;"


@dataclass(frozen=True, slots=True)
class CtClear:
    """Forget what the connection tracker said."""

    def __str__(self) -> str:
        return "ct_clear;"


@dataclass(frozen=True, slots=True)
class Clone:
    """Run `actions` on a copy of the packet."""

    actions: "tuple[Action, ...]"

    def __str__(self) -> str:
        return f"clone {{ {format_actions(self.actions)} }};"


class PacketKind(StrEnum):
    """The packets that actions make from the current one; values are the actions' names."""

    ARP = "arp"
    ND_NS = "nd_ns"
    ND_NA = "nd_na"
    ND_NA_ROUTER = "nd_na_router"
    ICMP4 = "icmp4"
    ICMP6 = "icmp6"
    ICMP6_UNKNOWN_HEADER = "icmp6_unknown_header"
    TCP_RESET = "tcp_reset"
    SCTP_ABORT = "sctp_abort"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Generate:
    """Make a packet of `kind` from the current one and run `actions` on it."""

    kind: PacketKind
    actions: "tuple[Action, ...]"

    def __str__(self) -> str:
        return f"{self.kind} {{ {format_actions(self.actions)} }};"


_NEIGHBOUR_SUFFIX: dict[Family, str] = {4: "arp", 6: "nd"}


@dataclass(frozen=True, slots=True)
class GetNeighbour:
    """``get_arp(P, A);`` or ``get_nd``: set ``eth.dst`` to A's address behind P, or to 0."""

    family: Family
    port: FieldSlice
    address: FieldSlice

    def __str__(self) -> str:
        return f"get_{_NEIGHBOUR_SUFFIX[self.family]}({self.port}, {self.address});"


@dataclass(frozen=True, slots=True)
class PutNeighbour:
    """``put_arp(P, A, E);`` or ``put_nd``: learn that A behind P has Ethernet address E."""

    family: Family
    port: FieldSlice
    address: FieldSlice
    mac: FieldSlice

    def __str__(self) -> str:
        suffix = _NEIGHBOUR_SUFFIX[self.family]
        return f"put_{suffix}({self.port}, {self.address}, {self.mac});"


@dataclass(frozen=True, slots=True)
class LookupNeighbour:
    """``R = lookup_arp(P, A, E);`` or ``lookup_nd``: whether that is what is known."""

    result: FieldSlice
    family: Family
    port: FieldSlice
    address: FieldSlice
    mac: FieldSlice

    def __str__(self) -> str:
        suffix = _NEIGHBOUR_SUFFIX[self.family]
        return f"{self.result} = lookup_{suffix}({self.port}, {self.address}, {self.mac});"


@dataclass(frozen=True, slots=True)
class GetFdb:
    """``outport = get_fdb(E);``: the port behind which E was learned, or the empty name."""

    result: FieldSlice
    mac: FieldSlice

    def __str__(self) -> str:
        return f"{self.result} = get_fdb({self.mac});"


@dataclass(frozen=True, slots=True)
class PutFdb:
    """``put_fdb(P, E);``: learn that E is behind P."""

    port: FieldSlice
    mac: FieldSlice

    def __str__(self) -> str:
        return f"put_fdb({self.port}, {self.mac});"


@dataclass(frozen=True, slots=True)
class LookupFdb:
    """``R = lookup_fdb(P, E);``: whether E is known to be behind P."""

    result: FieldSlice
    port: FieldSlice
    mac: FieldSlice

    def __str__(self) -> str:
        return f"{self.result} = lookup_fdb({self.port}, {self.mac});"


SEVERITIES = ("alert", "warning", "notice", "info", "debug")
"""From the most serious to the least; a hole takes the index."""

VERDICTS = ("allow", "drop", "reject", "pass")
"""What an ACL can decide; a hole takes the index."""


@dataclass(frozen=True, slots=True)
class Log:
    """``log(name="…", severity=info, verdict=drop, meter="…");``, each part optional.

    As holes, `name` is UTF-8 in ``bytes``, `severity` and `verdict` are the ``int``
    index in :data:`SEVERITIES` and :data:`VERDICTS`.
    """

    name: str | Hole | None = None
    severity: str | Hole | None = None
    verdict: str | Hole | None = None
    meter: str | Hole | None = None

    def __str__(self) -> str:
        parts = [
            f"{key}={quote(value) if isinstance(value, str) else value}"
            for key, value in (("name", self.name), ("meter", self.meter))
            if value is not None
        ]
        parts[1 if self.name is not None else 0 : 0] = [
            f"{key}={value}"
            for key, value in (("severity", self.severity), ("verdict", self.verdict))
            if value is not None
        ]
        return f"log({', '.join(parts)});"


@dataclass(frozen=True, slots=True)
class SetMeter:
    """``set_meter(rate);`` or ``set_meter(rate, burst);``, in kbit/s and kbit."""

    rate: Integer | Hole
    burst: Integer | Hole | None = None

    def __str__(self) -> str:
        arguments = f"{self.rate}" if self.burst is None else f"{self.rate}, {self.burst}"
        return f"set_meter({arguments});"


Action = (
    Next
    | Output
    | Drop
    | Assign
    | Move
    | Exchange
    | DecrementTtl
    | CtNext
    | CtCommit
    | CtClear
    | Clone
    | Generate
    | GetNeighbour
    | PutNeighbour
    | LookupNeighbour
    | GetFdb
    | PutFdb
    | LookupFdb
    | Log
    | SetMeter
)
Actions = tuple[Action, ...]


def format_actions(actions: "tuple[Action, ...]") -> str:
    """The canonical text of an action list; the empty list is ``drop;``."""
    return " ".join(map(str, actions)) or "drop;"


def every_action(actions: "tuple[Action, ...]") -> Iterator[Action]:
    """All actions, nested ones after the action that holds them."""
    for action in actions:
        yield action
        if isinstance(action, CtCommit | Clone | Generate):
            yield from every_action(action.actions)


def slices(action: Action) -> tuple[FieldSlice, ...]:
    """The fields that the action itself reads or writes, nested actions left out.

    Their prerequisites are implicit in the flow's match.
    """
    return tuple(
        value
        for name in type(action).__slots__
        if isinstance(value := getattr(action, name), FieldSlice)
    )


def holes(actions: "tuple[Action, ...]") -> tuple[Hole, ...]:
    """The holes of the actions in the order in which they first appear."""
    return tuple(
        dict.fromkeys(
            value
            for action in every_action(actions)
            for name in type(action).__slots__
            if isinstance(value := getattr(action, name), Hole)
        )
    )
