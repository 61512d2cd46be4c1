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
from logical_flow.roles import KEEPING_OUT, Role, role_of, role_of_name
from southbound import rows

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
    """What is known of a stage: see :class:`southbound.rows.Stage`."""

    key: StageKey
    name: str
    default: str
    failure: str
    role: Role


@dataclass(frozen=True)
class StageBook:
    """Every stage of every pipeline."""

    stages: Mapping[StageKey, Stage]
    _by_name: Mapping[str, Stage] = field(repr=False)
    _tables: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, templates: Iterable[rows.Template], stages: Iterable[rows.Stage] = ()
    ) -> "StageBook":
        """The stages that the server tells, and those that only templates name.

        Servers that tell no stages have the place of each in its templates, and don't tell what
        becomes of flows that can't be made: what a stage is called says whether it is closed.
        """
        by_name = {row.name: _stage(row) for row in stages}
        for row in templates:
            if row.stage not in by_name:
                key = StageKey(row.pipeline, row.table_number)
                default, role = row.stage_default, role_of_name(row.stage)
                failure = "drop" if role in KEEPING_OUT else default
                by_name[row.stage] = Stage(key, row.stage, default, failure, role)
        return cls({stage.key: stage for stage in by_name.values()}, by_name)

    def get(self, name: str) -> Stage | None:
        """The stage called `name`, if it is known; stage names begin with their pipeline's."""
        return self._by_name.get(name)

    def named(self, name: str) -> StageKey:
        """The place of the stage called `name`; raises :class:`BadTemplateError`."""
        try:
            return self._by_name[name].key
        except KeyError:
            raise BadTemplateError(f"there is no stage {name}") from None

    def table(self, name: str) -> int:
        """The OpenFlow table of the stage called `name`; raises :class:`BadTemplateError`."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = self.named(name).table
        return table

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


def _stage(row: rows.Stage) -> Stage:
    return Stage(
        StageKey(row.pipeline, row.place), row.name, row.default, row.failure, role_of(row.role)
    )
