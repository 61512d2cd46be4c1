"""A topology in Treadle, and what becomes of a packet there.

The document goes through northbound and translator into rows of realised state, where
the code of traces finds it. With `undo` the flows are changed on their way there.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from controller.views import view_of
from diagnosis.trace.network import FlowTables, ports_by_name, take_snapshot
from logical_flow import connections
from logical_flow.action.selection import decode_members, encode_members
from logical_flow.connections import State, Tracked, Translation
from logical_flow.endpoints import Part, endpoints_of, rewritten
from logical_flow.evaluate import Packet, Value, read
from logical_flow.fields import FieldSlice, field_slice
from logical_flow.holes import HoleType
from logical_flow.packet import packet_from_match
from logical_flow.payload import decode_flows, encode_flows
from logical_flow.template import LogicalFlow, Template
from logical_flow.walk import MAX_DEPTH, walk
from northbound.database import Database
from southbound.groups import GroupIds
from southbound.rows import FlowGroup, Row
from southbound.state import RealisedState
from southbound.store import Store
from tests.differential.network.outcome import Outcome, any_of, delivery
from tests.differential.network.probe import Probe
from tests.differential.network.routes import ways_to_choose
from tests.differential.network.topologies import Document
from tests.translated import Translated
from translator.pipeline import PIPELINES
from translator.realise import all_rows, template_row

Undo = Callable[[Sequence[LogicalFlow]], Sequence[LogicalFlow]]
"""What the flows of a group would be if the two systems did not differ."""

LEFT_OVER = FieldSlice(field_slice("reg8").symbol, 31, 1)
"""Set where flows that were changed want no new lookup of a packet's connection."""
_CALLS_A_LEVEL = 10
"""More calls than a walk makes from one copy or crossing of a packet to the next."""
_REVISION = 1
_STATES = {
    "new": State.NEW,
    "est": State.EST,
    "rpl": State.EST | State.RPL,
    "inv": State.INV,
}
_TEMPLATES = {t.id: t for pipeline in PIPELINES for t in pipeline.templates}


class _Tracker:
    """Says the same of every packet; where it is left over, only if it was said before."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._said = State(0)

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        if not read(packet, LEFT_OVER):
            self._said = self._state
        return Tracked(self._said)

    def commit(self, zone: str, packet: Packet, mark: Value, label: Value) -> None:
        """What is said does not depend on what is committed."""

    def translate(
        self, zone: str, packet: Packet, translation: Translation | None
    ) -> connections.Translated:
        """As in ovn-trace: what isn't told what to become stays as it is."""
        tracked = self.look_up(zone, packet)
        if translation is None:
            return connections.Translated(tracked)
        side, original = translation.side, endpoints_of(packet)
        parts: dict[str, Part] = {side: translation.addresses.first}
        if translation.ports is not None:
            parts[f"{side}_port"] = translation.ports.first
        if tracked.state is not None:
            done = State.SNAT if side == "source" else State.DNAT
            tracked = tracked._replace(state=tracked.state | done, original=original)
        return connections.Translated(tracked, rewritten(packet, original._replace(**parts)))


class Treadle:
    """The network of a document, translated."""

    def __init__(self, database: Database, document: Document) -> None:
        engine = Translated.in_database(database, document).engine
        self._rows = list(all_rows(engine, GroupIds(), _REVISION))
        self._store = Store(database.engine)
        self._ways = ways_to_choose(document)
        self._realised = [(self._state(rows), FlowTables()) for rows in self._rows_by_way()]

    def outcome(self, probe: Probe) -> Outcome:
        return any_of(_outcome(*each, probe, MAX_DEPTH) for each in self._realised)

    def outcome_without(self, undo: Undo, probe: Probe, max_depth: int = MAX_DEPTH) -> Outcome:
        """What would become of the packet with the flows that `undo` makes of ours."""
        states = [self._state(rows) for rows in self._rows_by_way(undo)]
        with _stack_for(max_depth):
            return any_of(_outcome(state, FlowTables(), probe, max_depth) for state in states)

    def _rows_by_way(self, undo: Undo = list) -> Iterator[Iterable[Row]]:
        """The rows, changed by `undo`, for each way that a hash may choose, as if it always did."""
        if self._ways > 1:
            for way in range(self._ways):
                yield _changed(self._rows, _choosing(way, undo))
        else:
            yield self._rows if undo is list else _changed(self._rows, undo)

    def _state(self, rows: Iterable[Row]) -> RealisedState:
        state = RealisedState(self._store)
        state.feed.change(rows, [])
        return state


@contextmanager
def _stack_for(max_depth: int) -> Iterator[None]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(usual + max_depth * _CALLS_A_LEVEL)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _outcome(state: RealisedState, tables: FlowTables, probe: Probe, max_depth: int) -> Outcome:
    packet = packet_from_match(probe.packet)
    view = view_of(state, [str(packet["inport"])], {})
    entry = ports_by_name(view)[str(packet["inport"])]
    snapshot = take_snapshot(view, entry.datapath)
    network = tables.network(snapshot, _Tracker(State.TRK | _STATES[probe.state]))
    walked = walk(network, packet, max_depth)
    return Outcome(delivery(each.port, each.packet) for each in walked.deliveries)


def _choosing(way: int, undo: Undo) -> Undo:
    """Leave flows only one of their members, where they have several."""

    def choose(flow: LogicalFlow) -> LogicalFlow:
        arguments = [
            encode_members([decode_members(argument)[way]])
            if hole.type is HoleType.WEIGHTS
            else argument
            for hole, argument in zip(flow.template.arguments, flow.args, strict=True)
        ]
        return LogicalFlow(flow.template, tuple(arguments))

    return lambda flows: [choose(flow) for flow in undo(flows)]


def _changed(rows: Iterable[Row], undo: Undo) -> Iterator[Row]:
    """The rows with other flows, and the templates of those."""
    templates: dict[int, Template] = {}
    for row in rows:
        if isinstance(row, FlowGroup):
            flows = undo(decode_flows(row.payload, _TEMPLATES))
            templates |= {flow.template.id: flow.template for flow in flows}
            yield msgspec.structs.replace(row, payload=encode_flows(flows))
        else:
            yield row
    yield from map(template_row, templates.values())
