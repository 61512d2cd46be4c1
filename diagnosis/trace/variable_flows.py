"""The flows of a datapath with what variables are on the chassis where the packet is.

What a flow is that names variables, in its match or by a set, each chassis knows for itself. A
stage for which that matters is passed on the chassis of the port at which the packet came in, or
of the gateway that the flow is for. Where that isn't known, it is not known either whether a
packet fits the flow; but a packet that would fit it on no chassis doesn't.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.backends import BACKENDS_SIGIL
from logical_flow.errors import UnresolvedError
from logical_flow.evaluate import Packet, Sets, evaluate
from logical_flow.flow_table import Entry, Flows, Placed
from logical_flow.holes import Argument, HoleType
from logical_flow.template import LogicalFlow, Resident
from logical_flow.variables import (
    ValueOf,
    expand_member,
    fill_variables,
    has_variable,
    variables_of,
)
from southbound.rows import PortBinding, VirtualAddress

_SETS = (HoleType.SET, HoleType.BACKENDS)
_PORTS = "@"
_NO_SETS = Sets()
_ELSEWHERE = " on "


class Whereabouts(NamedTuple):
    """The chassis where a packet is; empty where it isn't known, and `why`."""

    chassis: str
    why: str = ""


class Variables:
    """What variables are on each chassis, and the sets that have them as members.

    `sets` are all sets: what those with variables are on a chassis is added to them, under names of
    its own, when it is asked for.
    """

    def __init__(
        self,
        values: Mapping[str, Mapping[str, str]],
        sets: dict[str, list[str]],
        fronts: Mapping[str, VirtualAddress],
        ports: Mapping[str, PortBinding],
    ) -> None:
        self.chassis = tuple(sorted(values))
        self._values = values
        self._sets = sets
        self._fronts = fronts
        self._ports = ports
        self._varying = {
            name
            for name, members in sets.items()
            if not name.startswith(_PORTS) and any(map(has_variable, members))
        }

    def value_of(self, chassis: str, name: str) -> str | None:
        """Return what a variable is on a chassis; None where it isn't set."""
        return self._values.get(chassis, {}).get(name)

    def sets_in(self, flow: LogicalFlow) -> tuple[str, ...]:
        """Return the sets that a flow names and that are something else on each chassis."""
        if not self._varying:
            return ()
        arguments = zip(flow.template.arguments, flow.args, strict=True)
        return tuple(
            argument
            for hole, argument in arguments
            if hole.type in _SETS and isinstance(argument, str) and argument in self._varying
        )

    def set_on(self, chassis: str, name: str) -> str:
        """Return the name of what a set is on a chassis."""
        own = f"{name}{_ELSEWHERE}{chassis}"
        if own not in self._sets:
            self._sets[own] = list(dict.fromkeys(self._members_on(chassis, name)))
        return own

    def lacking(self, chassis: str, name: str) -> dict[str, str]:
        """Return the members of a set that are nothing on a chassis, each with the reason."""
        reasons: dict[str, str] = {}
        for member in self._sets.get(name, ()):
            try:
                self._expanded(chassis, name, member)
            except UnresolvedError as error:
                reasons[member] = str(error)
        return reasons

    def whereabouts(self, flow: LogicalFlow, packet: Packet) -> Whereabouts:
        """Return the chassis on which a packet may meet a flow."""
        only = flow.template.only
        name = flow.named_args[only.hole] if isinstance(only, Resident) else packet.get("inport")
        port = self._ports.get(name) if isinstance(name, str) else None
        if port is None:
            return Whereabouts("", "it is not known where the packet came in")
        if port.chassis:
            return Whereabouts(port.chassis)
        shown = port.distributed_port or port.name
        if port.kind.leads_outside:
            return Whereabouts("", f"any chassis may take in what comes at port {shown}")
        return Whereabouts("", f"port {shown} is on no chassis")

    def _members_on(self, chassis: str, name: str) -> Iterator[str]:
        for member in self._sets[name]:
            try:
                yield from self._expanded(chassis, name, member)
            except UnresolvedError:
                continue

    def _expanded(self, chassis: str, name: str, member: str) -> tuple[str, ...]:
        if not has_variable(member):
            return (member,)
        value_of: ValueOf = partial(self.value_of, chassis)
        if not name.startswith(BACKENDS_SIGIL):
            return expand_member(member, value_of)
        front = self._fronts.get(name)
        if front is None:
            return ()
        return expand_member(member, value_of, front.version, has_port=front.has_port)


class VariableFlows(Flows):
    """The flows of `below`, with values in place of variables."""

    def __init__(self, below: Flows, variables: Variables) -> None:
        self._below = below
        self._variables = variables
        self._plain: set[int] = set()
        """Places of flows that are the same everywhere."""
        self._known: dict[tuple[int, str], Placed | None] = {}

    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        for placed in self._below.candidates(stage, packet):
            if placed.place in self._plain:
                yield placed
                continue
            here = self._here(placed, packet)
            if here is not None:
                yield here

    def has_flows(self, stage: str) -> bool:
        return self._below.has_flows(stage)

    def _here(self, placed: Placed, packet: Packet) -> Placed | None:
        """Return what a flow is where the packet is; None if it isn't there."""
        flow = placed.entry.flow
        names = variables_of(flow.template.arguments, flow.args)
        sets = self._variables.sets_in(flow)
        if not names and not sets:
            self._plain.add(placed.place)
            return placed
        where = self._variables.whereabouts(flow, packet)
        if where.chassis:
            return self._on(placed, where.chassis)
        if names and not any(
            self._may_fit(placed, each, packet) for each in self._variables.chassis
        ):
            return None
        what = f"^{names[0]}" if names else "what its variables are"
        doubt = f"{what} differs by chassis, and {where.why}"
        return placed._replace(entry=_changed(placed.entry, flow.args, doubt))

    def _on(self, placed: Placed, chassis: str) -> Placed | None:
        key = (placed.place, chassis)
        if key not in self._known:
            arguments = self._arguments(placed.entry.flow, chassis)
            entry = None if arguments is None else _changed(placed.entry, arguments)
            self._known[key] = None if entry is None else placed._replace(entry=entry)
        return self._known[key]

    def _arguments(self, flow: LogicalFlow, chassis: str) -> tuple[Argument, ...] | None:
        """Return the arguments of a flow on a chassis; None if it isn't there."""
        value_of = partial(self._variables.value_of, chassis)
        try:
            filled = fill_variables(flow.template.arguments, flow.args, value_of)
        except UnresolvedError:
            return None
        own = {
            name: self._variables.set_on(chassis, name) for name in self._variables.sets_in(flow)
        }
        return tuple(own.get(each, each) if isinstance(each, str) else each for each in filled)

    def _may_fit(self, placed: Placed, chassis: str, packet: Packet) -> bool:
        here = self._on(placed, chassis)
        return here is not None and evaluate(here.entry.match, packet, _NO_SETS) is not False


def _changed(entry: Entry, arguments: tuple[Argument, ...], doubt: str = "") -> Entry:
    """Return an entry with other arguments; what was worked out of the old ones is not kept."""
    flow = LogicalFlow(entry.flow.template, arguments)
    if isinstance(entry, StoredEntry):
        return StoredEntry(flow, entry.cause, doubt, group=entry.group)
    return replace(entry, flow=flow, doubt=doubt)
