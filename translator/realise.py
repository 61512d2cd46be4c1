"""From the engine's delta to southbound rows.

A flow group's *origin* names the derivation, its key and the datapath, and never
changes. The southbound turns it into the short id that is the OpenFlow cookie.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from incremental import Delta, Engine
from logical_flow.payload import encode_flows
from logical_flow.template import Template as FlowTemplate
from southbound.rows import (
    Announcement,
    BackendCheck,
    BfdSession,
    ChassisVariable,
    Datapath,
    DnsName,
    FlowGroup,
    PortBinding,
    RouterAdvertisement,
    Row,
    RowId,
    SetMember,
    Stage,
    Template,
    Translation,
    VirtualAddress,
)
from translator.derivations import sets
from translator.derivations.result import Flows
from translator.graph import FLOWS, ROWS
from translator.pipeline import PIPELINES

INTENT: tuple[type[Row], ...] = (
    Stage,
    Template,
    Datapath,
    PortBinding,
    SetMember,
    FlowGroup,
    RouterAdvertisement,
    DnsName,
    Announcement,
    BfdSession,
    VirtualAddress,
    BackendCheck,
    Translation,
    ChassisVariable,
)
"""The rows that the translator writes."""


class GroupIds(Protocol):
    """What gives flow groups their numbers."""

    def id_of(self, origin: str) -> int: ...


class Realised(NamedTuple):
    """What to write southbound; the puts by the row's id, so that a later one wins."""

    puts: dict[RowId, Row]
    deletes: set[RowId]

    def then(self, later: "Realised") -> "Realised":
        """Both changes as one."""
        puts = {key: row for key, row in self.puts.items() if key not in later.deletes}
        return Realised(
            puts={**puts, **later.puts}, deletes=(self.deletes - later.puts.keys()) | later.deletes
        )


NOTHING = Realised({}, set())


def realise(delta: Delta, groups: GroupIds, revision: int) -> Realised:
    """The rows that a batch changed, in the order in which agents need them."""
    puts: dict[RowId, Row] = {}
    deletes: set[RowId] = set()
    # Most batches change few of what there may be: the others cost no call.
    changed = delta.outputs
    for source in ROWS:
        if source not in changed:
            continue
        for before, after in changed[source].values():
            if after is None:
                deletes.add(before.row_id)
            else:
                puts[after.row_id] = after
    for (name, member), (_, after) in delta.of(sets.set_members).items():
        row = SetMember(name, member)
        if after is None:
            deletes.add(row.row_id)
        else:
            puts[row.row_id] = row
    for source in FLOWS:
        if source not in changed:
            continue
        for key, (before, after) in changed[source].items():
            old = None if before is None else _group(source.__name__, key, before, groups, 0)
            new = None if after is None else _group(source.__name__, key, after, groups, revision)
            if new is not None:
                puts[new.row_id] = new
            if old is not None and (new is None or new.id != old.id):
                deletes.add(old.row_id)
    return Realised(puts, deletes - puts.keys())


def all_rows(engine: Engine, groups: GroupIds, revision: int) -> Iterator[Row]:
    """All rows that there shall be, as of the engine's state."""
    yield from stage_rows()
    yield from template_rows()
    for source in ROWS:
        yield from engine.rows(source).values()
    for name, member in engine.rows(sets.set_members):
        yield SetMember(name, member)
    for source in FLOWS:
        for key, flows in engine.rows(source).items():
            group = _group(source.__name__, key, flows, groups, revision)
            if group is not None:
                yield group


def stage_rows() -> Iterator[Stage]:
    """Every stage of the pipelines, with its place."""
    for pipeline in PIPELINES:
        for place, stage in enumerate(pipeline.stages):
            yield Stage(
                stage.name, pipeline.name, place, stage.default, stage.failure, stage.role.value
            )


def template_rows() -> Iterator[Template]:
    """Every template of the pipelines, for agents to compile."""
    for pipeline in PIPELINES:
        for template in pipeline.templates:
            yield template_row(template)


def template_row(template: FlowTemplate) -> Template:
    return Template(**template.as_text()._asdict())


def diff_rows(
    stored: Iterable[Row], wanted: Iterable[Row]
) -> Iterator[tuple[RowId, Row | None, Row | None]]:
    """Return the rows in which two translations differ.

    Facts and the revisions of flow groups are left out.
    """
    one = {row.row_id: _intent_of(row) for row in stored}
    other = {row.row_id: _intent_of(row) for row in wanted}
    for row_id in sorted(one.keys() | other.keys()):
        if one.get(row_id) != other.get(row_id):
            yield row_id, one.get(row_id), other.get(row_id)


def _intent_of(row: Row) -> Row:
    if isinstance(row, PortBinding):
        return row.without_facts()
    if isinstance(row, FlowGroup):
        return msgspec.structs.replace(row, revision=0)
    return row


def origin_of(derivation: str, key: object, datapath: str) -> str:
    """
    >>> origin_of("acl_flows", ("s", "a"), "s")
    'acl_flows/s/a@s'
    """
    parts = "/".join(map(str, key)) if isinstance(key, tuple) else key
    return f"{derivation}/{parts}@{datapath}"


def _group(
    derivation: str, key: object, flows: Flows, groups: GroupIds, revision: int
) -> FlowGroup | None:
    """The group of these flows; there is none without flows."""
    if not flows.flows:
        return None
    return FlowGroup(
        id=groups.id_of(origin_of(derivation, key, flows.datapath)),
        datapath=flows.datapath,
        cause_kind=flows.cause_kind,
        cause_id=flows.cause_id,
        revision=revision,
        payload=encode_flows(flows.flows),
    )
