"""The logical flows of a datapath by stage, and which of them a packet meets.

Stages are known from the templates alone, so that all who have the templates and the
flows can walk packets. A stage without flows in a datapath is passed over, unless its
default is to drop.

Flows are looked up by what their templates compare with a single argument, such as the
input port: of ten thousand flows of a template a packet is compared with the few that
it may fit.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from logical_flow.action import Actions
from logical_flow.action.implied import annotate_flow
from logical_flow.evaluate import Packet, Sets, Value, evaluate, read
from logical_flow.expression import And, Comparison, Expression, Relation
from logical_flow.fields import FieldSlice
from logical_flow.holes import VARIABLE_HOLES, Argument, Hole, HoleType
from logical_flow.roles import Role
from logical_flow.template import LogicalFlow, Template

T = TypeVar("T")


class StagePlace(NamedTuple):
    """A stage of a pipeline; they sort in the order in which packets visit them."""

    pipeline: str
    table: int
    name: str
    default: str
    role: Role = Role.OTHER


class Layout:
    """The stages that the given templates belong to."""

    def __init__(self, templates: Iterable[Template]) -> None:
        known: dict[str, StagePlace] = {}
        for t in templates:
            place = StagePlace(t.pipeline, t.table_number, t.stage, t.stage_default, t.role)
            if t.stage not in known or known[t.stage].role is Role.OTHER:
                known[t.stage] = place
        places = known.values()
        self._by_name = {place.name: place for place in places}
        self._by_pipeline: dict[str, list[StagePlace]] = defaultdict(list)
        for place in sorted(places):
            self._by_pipeline[place.pipeline].append(place)

    def named(self, stage: str) -> StagePlace | None:
        return self._by_name.get(stage)

    def from_table(self, pipeline: str, table: int) -> list[StagePlace]:
        """Return the stages of the pipeline from that table on."""
        return [place for place in self._by_pipeline.get(pipeline, ()) if place.table >= table]


@dataclass
class Entry:
    """A flow with its cause in words, where that is known."""

    flow: LogicalFlow
    cause: str = ""
    doubt: str = ""
    """Why it is not known what the flow is where the packet is; empty where it is known."""

    @cached_property
    def priority(self) -> int:
        return self.flow.priority

    @cached_property
    def actions(self) -> Actions:
        return self.flow.actions

    @cached_property
    def course(self) -> Actions:
        """The actions that decide what becomes of a packet: to log or meter it doesn't."""
        return tuple(a for a in self.actions if a.decides)

    @cached_property
    def match(self) -> Expression:
        """The match with everything that it and the actions imply."""
        return annotate_flow(self.flow.match, self.actions)


class Choice(NamedTuple):
    """The flow that a packet meets, if any.

    It is not `certain` when the packet is not known well enough to say whether it
    fits `entry`, which would then be the one. `rivals` are flows of the same priority that
    it fits as well, or may fit, and that do something else with it: a switch follows any of
    them. Flows that do the same are none.
    """

    entry: Entry | None
    certain: bool
    rivals: tuple[Entry, ...] = ()


class Placed(NamedTuple):
    """An entry and its place in the order in which entries were given."""

    place: int
    entry: Entry


class Flows(ABC):
    """The flows of one datapath, wherever they come from."""

    @abstractmethod
    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        """Flows of the stage that the packet may fit, in any order; the others it can't."""

    @abstractmethod
    def has_flows(self, stage: str) -> bool: ...

    def choose(self, stage: str, packet: Packet, sets: Sets) -> Choice:
        """Return the flow of highest priority that the packet fits."""
        ranked = sorted(self.candidates(stage, packet), key=_rank)
        for number, (_, entry) in enumerate(ranked):
            fits = evaluate(entry.match, packet, sets)
            if fits is not False:
                fits = None if entry.doubt else fits
                rest = (placed.entry for placed in ranked[number + 1 :])
                return Choice(entry, fits is True, _rivals(entry, rest, packet, sets))
        return Choice(None, True)

    def next_place(self, layout: Layout, pipeline: str, table: int) -> StagePlace | None:
        """Return the first stage from `table` on that has something to say here."""
        for place in layout.from_table(pipeline, table):
            if place.default == "drop" or self.has_flows(place.name):
                return place
        return None


def _rank(placed: Placed) -> tuple[int, int]:
    return -placed.entry.priority, placed.place


def _rivals(chosen: Entry, rest: Iterable[Entry], packet: Packet, sets: Sets) -> tuple[Entry, ...]:
    """Return an entry for each other course of flows of that priority which may fit."""
    found: dict[Actions, Entry] = {chosen.course: chosen}
    for entry in rest:
        if entry.priority != chosen.priority:
            break
        if entry.course not in found and evaluate(entry.match, packet, sets) is not False:
            found[entry.course] = entry
    return tuple(found.values())[1:]


class FlowTable(Flows):
    """Flows that are given as they are."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._stages: dict[str, dict[Template, Siblings[Placed]]] = defaultdict(dict)
        for place, entry in enumerate(entries):
            template, args = entry.flow
            stage = self._stages[template.stage]
            if template not in stage:
                stage[template] = Siblings(template)
            stage[template].add(args, Placed(place, entry))

    def candidates(self, stage: str, packet: Packet) -> Iterable[Placed]:
        templates = self._stages.get(stage, {}).values()
        return chain.from_iterable(siblings.fitting(packet) for siblings in templates)

    def has_flows(self, stage: str) -> bool:
        return stage in self._stages


class Siblings(Generic[T]):
    """The flows of one template, by the arguments that fields have to be equal to."""

    def __init__(self, template: Template) -> None:
        self._fields: list[FieldSlice] = []
        self._variable: list[T] = []
        """Those with a variable among these arguments: a packet may fit any of them."""
        self._arguments: list[int] = []
        self._holes: list[Hole] = []
        for field, hole in _pinned(template.match):
            self._fields.append(field)
            self._arguments.append(template.arguments.index(hole))
            self._holes.append(hole)
        self._by_values: dict[tuple[Value, ...], list[T]] = defaultdict(list)

    def add(self, args: Sequence[Argument], flow: T) -> None:
        values = [args[number] for number in self._arguments]
        if any(map(_is_variable, self._holes, values)):
            self._variable.append(flow)
            return
        key = tuple([int.from_bytes(v) if isinstance(v, bytes) else v for v in values])
        self._by_values[key].append(flow)

    def fitting(self, packet: Packet) -> Iterable[T]:
        """Return those that the packet may fit; all when it isn't known well enough."""
        values = tuple(read(packet, field) for field in self._fields)
        if None in values:
            return chain(self._variable, *self._by_values.values())
        return chain(self._variable, self._by_values.get(values, ()))


def _is_variable(hole: Hole, value: Argument) -> bool:
    return isinstance(value, str) and hole.type in VARIABLE_HOLES


def _pinned(match: Expression) -> Iterable[tuple[FieldSlice, Hole]]:
    """Fields that the match requires to be equal to one argument, and the argument."""
    for part in match.operands if isinstance(match, And) else (match,):
        if isinstance(part, Comparison) and part.relation is Relation.EQ:
            (constant, *more) = part.constants
            if not more and isinstance(constant, Hole) and constant.type in _EXACT:
                yield part.field, constant


_EXACT = {HoleType.MAC, HoleType.IP4, HoleType.IP6, HoleType.LPORT, HoleType.INT}
