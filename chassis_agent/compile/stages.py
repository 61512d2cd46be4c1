"""Sparse pipelines: which stages of a datapath are visited, and in which order.

A stage in which a datapath has no flow, and whose default is to go on, is not
visited at all: `next;` leads to the next stage that is *used*. A stage is used
if the datapath has a flow in it or if its default is to drop.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.compile.errors import BadTemplateError
from southbound.rows import Template


class StageKey(NamedTuple):
    """A stage by its pipeline and its number in it; sorts in pipeline order."""

    pipeline: str
    number: int

    @property
    def table(self) -> int:
        return tables.stage_table(self.pipeline, self.number)


class Stage(NamedTuple):
    key: StageKey
    name: str
    default: str


@dataclass(frozen=True)
class StageBook:
    """Every stage of every pipeline that some template names."""

    stages: Mapping[StageKey, Stage]
    _numbers: Mapping[tuple[str, str], int] = field(repr=False)

    @classmethod
    def of(cls, templates: Iterable[Template]) -> "StageBook":
        stages: dict[StageKey, Stage] = {}
        for row in templates:
            key = StageKey(row.pipeline, row.table_number)
            stages[key] = Stage(key, row.stage, row.stage_default)
        numbers = {(key.pipeline, stage.name): key.number for key, stage in stages.items()}
        return cls(stages, numbers)

    def number(self, pipeline: str, name: str) -> int:
        """The number of the stage called `name`."""
        try:
            return self._numbers[pipeline, name]
        except KeyError:
            raise BadTemplateError(f"pipeline {pipeline} has no stage {name}") from None

    def used(self, kind: str, with_flows: Iterable[StageKey]) -> "UsedStages":
        """The stages that a datapath of `kind` visits, given where it has flows."""
        dropping = (
            key
            for key, stage in self.stages.items()
            if stage.default == "drop" and key.pipeline.startswith(f"{kind}_")
        )
        return UsedStages(kind, tuple(sorted({*with_flows, *dropping})))

    def names(self) -> dict[int, str]:
        """Stage names by OpenFlow table, `ls_in_acl|lr_in_policy` where two share it."""
        found: dict[int, list[str]] = {}
        for key, stage in sorted(self.stages.items()):
            found.setdefault(key.table, []).append(stage.name)
        return {table: "|".join(names) for table, names in found.items()}


@dataclass(frozen=True)
class UsedStages:
    """The stages that a datapath visits. Equal ones lead to equal flows."""

    kind: str
    stages: tuple[StageKey, ...]

    def at_or_after(self, pipeline: str, number: int) -> int:
        """The table of the first used stage from `number` on."""
        for key in self.stages:
            if key.pipeline == pipeline and key.number >= number:
                return key.table
        return tables.NOWHERE

    def after(self, pipeline: str, number: int) -> int:
        """The table that `next;` in stage `number` leads to."""
        return self.at_or_after(pipeline, number + 1)

    @property
    def first_ingress(self) -> int:
        return self.at_or_after(f"{self.kind}_in", 0)

    @property
    def first_egress(self) -> int:
        return self.at_or_after(f"{self.kind}_out", 0)
