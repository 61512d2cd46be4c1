"""The logical flows of a datapath by stage, and which of them a packet meets.

Stages are known from the templates alone, so that whoever has the templates and the
flows can walk packets. A stage without flows in a datapath is passed over, unless its
default is to drop.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from logical_flow.action import Actions
from logical_flow.annotate import annotate_flow
from logical_flow.evaluate import Packet, Sets, evaluate
from logical_flow.expression import Expression
from logical_flow.template import LogicalFlow, Template


class StagePlace(NamedTuple):
    """A stage of a pipeline; they sort in the order in which packets visit them."""

    pipeline: str
    table: int
    name: str
    default: str


class Layout:
    """The stages that the given templates belong to."""

    def __init__(self, templates: Iterable[Template]) -> None:
        places = {
            StagePlace(t.pipeline, t.table_number, t.stage, t.stage_default) for t in templates
        }
        self._by_name = {place.name: place for place in places}
        self._by_pipeline: dict[str, list[StagePlace]] = defaultdict(list)
        for place in sorted(places):
            self._by_pipeline[place.pipeline].append(place)

    def named(self, stage: str) -> StagePlace | None:
        return self._by_name.get(stage)

    def from_table(self, pipeline: str, table: int) -> list[StagePlace]:
        """The stages of the pipeline from that table on."""
        return [place for place in self._by_pipeline.get(pipeline, ()) if place.table >= table]


@dataclass
class Entry:
    """A flow with its cause in words, where that is known."""

    flow: LogicalFlow
    cause: str = ""

    @cached_property
    def priority(self) -> int:
        return self.flow.priority

    @cached_property
    def actions(self) -> Actions:
        return self.flow.actions

    @cached_property
    def match(self) -> Expression:
        """The match with everything that it and the actions imply."""
        return annotate_flow(self.flow.match, self.actions)


class Choice(NamedTuple):
    """The flow that a packet meets, if any.

    It is not `certain` when the packet is not known well enough to say whether it
    fits `entry`, which would then be the one.
    """

    entry: Entry | None
    certain: bool


class FlowTable:
    """The flows of one datapath."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._stages: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._stages[entry.flow.template.stage].append(entry)
        for stage in self._stages.values():
            stage.sort(key=lambda entry: -entry.priority)

    def choose(self, stage: str, packet: Packet, sets: Sets) -> Choice:
        """The flow of highest priority that the packet fits."""
        for entry in self._stages.get(stage, ()):
            fits = evaluate(entry.match, packet, sets)
            if fits is not False:
                return Choice(entry, fits is True)
        return Choice(None, True)

    def next_place(self, layout: Layout, pipeline: str, table: int) -> StagePlace | None:
        """The first stage from `table` on that has something to say here."""
        for place in layout.from_table(pipeline, table):
            if place.name in self._stages or place.default == "drop":
                return place
        return None
