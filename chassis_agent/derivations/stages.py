"""Which stages of a datapath hold flows, and so are visited: see architecture, section 8."""

from collections.abc import Iterator
from typing import NamedTuple

from chassis_agent.compile import StageKey, UsedStages, templates_of
from chassis_agent.derivations.templates import EVERYTHING, compiled_templates, stage_book
from chassis_agent.desired.flow import Flow
from incremental import Read
from southbound.cookies import physical_cookie
from southbound.rows import Datapath, FlowGroup


class GroupStages(NamedTuple):
    """The stages in which a flow group has flows, on this chassis or on others."""

    datapath: str
    stages: frozenset[StageKey]
    has_acls: bool


def group_stages(read: Read, key: int) -> GroupStages | None:
    group = read(FlowGroup, key)
    if group is None:
        return None
    return GroupStages(group.datapath, *compiled_templates(read).shape(templates_of(group)))


def stages_with_flows(_key: int, group: GroupStages) -> Iterator[tuple[str, StageKey]]:
    for stage in group.stages:
        yield group.datapath, stage


def used_stages(read: Read, datapath: str) -> UsedStages | None:
    """The stages that packets of a datapath visit."""
    row = read(Datapath, datapath)
    book = read(stage_book, (EVERYTHING, EVERYTHING))
    if row is None or book is None:
        return None
    return book.used(row.kind, read.members(stages_with_flows, datapath))


def default_flows(read: Read, datapath: str) -> tuple[Flow, ...]:
    """What becomes of packets that no flow of a visited stage takes."""
    row = read(Datapath, datapath)
    stages = read(used_stages, datapath)
    book = read(stage_book, (EVERYTHING, EVERYTHING))
    if row is None or stages is None or book is None:
        return ()
    cookie = physical_cookie(row.tunnel_key)
    return tuple(stages.default_flows(book, row.tunnel_key, cookie=cookie))
