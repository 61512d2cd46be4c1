"""Sparse pipelines: which stages of a datapath are visited, and in which order.

A stage in which a datapath has no flow, and whose default is to go on, is not
visited at all: `next;` leads to the next stage that is *used*. A stage is used
if the datapath has a flow in it or if its default is to drop.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow.actions import apply_actions, resubmit
from chassis_agent.physical.registers import MatchShape, on
from southbound.rows import Template

_OF_DATAPATH = MatchShape(on(0))


class StageKey(NamedTuple):
    """A stage by its pipeline and its number in it; sorts in pipeline order."""

    pipeline: str
    number: int

    @property
    def table(self) -> int:
        return tables.stage_table(self.pipeline, self.number)

    @property
    def kind(self) -> str:
        """The kind of datapath that the pipeline is of: `ls` or `lr`."""
        return self.pipeline[:2]


class Stage(NamedTuple):
    key: StageKey
    name: str
    default: str


@dataclass(frozen=True)
class StageBook:
    """Every stage of every pipeline that some template names."""

    stages: Mapping[StageKey, Stage]
    _by_name: Mapping[str, StageKey] = field(repr=False)

    @classmethod
    def of(cls, templates: Iterable[Template]) -> "StageBook":
        stages: dict[StageKey, Stage] = {}
        for row in templates:
            key = StageKey(row.pipeline, row.table_number)
            stages[key] = Stage(key, row.stage, row.stage_default)
        return cls(stages, {stage.name: key for key, stage in stages.items()})

    def named(self, name: str) -> StageKey:
        """The stage called `name`; stage names begin with their pipeline's."""
        try:
            return self._by_name[name]
        except KeyError:
            raise BadTemplateError(f"no template stands in a stage {name}") from None

    def used(self, kind: str, with_flows: Iterable[StageKey]) -> "UsedStages":
        """The stages that a datapath of `kind` visits, given where it has flows."""
        dropping = (
            key
            for key, stage in self.stages.items()
            if stage.default == "drop" and key.kind == kind
        )
        return UsedStages(kind, tuple(sorted({*with_flows, *dropping})))

    def names(self) -> dict[tuple[str, int], str]:
        """Stage names by kind of datapath and OpenFlow table."""
        return {(key.kind, key.table): stage.name for key, stage in self.stages.items()}


@dataclass(frozen=True)
class UsedStages:
    """The stages that a datapath visits. Equal ones lead to equal flows."""

    kind: str
    stages: tuple[StageKey, ...]
    _found: dict[StageKey, int] = field(default_factory=dict, repr=False, compare=False)

    def at_or_after(self, stage: StageKey) -> int:
        """The table of the first used stage from `stage` on, in its pipeline."""
        table = self._found.get(stage)
        if table is None:
            table = self._found[stage] = self._find(stage)
        return table

    def after(self, stage: StageKey) -> int:
        """The table that `next;` leads to from `stage`."""
        return self.at_or_after(StageKey(stage.pipeline, stage.number + 1))

    @property
    def first_ingress(self) -> int:
        return self.at_or_after(StageKey(f"{self.kind}_in", 0))

    @property
    def first_egress(self) -> int:
        return self.at_or_after(StageKey(f"{self.kind}_out", 0))

    def default_flows(self, book: "StageBook", datapath_key: int, *, cookie: int) -> list[Flow]:
        """What happens in used stages to packets that no flow takes: they go on."""
        everything = _OF_DATAPATH.fill(metadata=datapath_key)
        return [
            Flow(key.table, 0, everything, apply_actions(resubmit(self.after(key))), cookie)
            for key in self.stages
            if book.stages[key].default == "next"
        ]

    def _find(self, stage: StageKey) -> int:
        position = bisect_left(self.stages, stage)
        if position < len(self.stages) and self.stages[position].pipeline == stage.pipeline:
            return self.stages[position].table
        return tables.NOWHERE
