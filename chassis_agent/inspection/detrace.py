"""From a flow in the switch to what it is there for, by the rows that the agent has. Pure.

A cookie is a flow group's id, or one of the agents' own, with tunnel keys in it. The table
and the priority of the flow, where they are known, tell which of the group's logical flows
it comes from. Works without the server: who made the object is all that only that knows.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chassis_agent.compile import TemplateShelf
from chassis_agent.derivations.templates import shelf_of
from logical_flow.payload import decode_packed
from logical_flow.template import LogicalFlow
from southbound.cookies import (
    FlowReference,
    PhysicalCookie,
    describe_physical,
    parse_physical_cookie,
)
from southbound.rows import Datapath, FlowGroup, PortBinding

Rows = Callable[[Any], Mapping[Any, Any]]
"""The rows of a table, or the results of a derivation, by key."""


IsBehind = Callable[[FlowGroup, LogicalFlow], bool]


class Origin(NamedTuple):
    """Why a flow exists. `flows` are empty for the agents' own, whose `text` says all."""

    cookie: int
    kind: str
    text: str
    datapath: str = ""
    port: str = ""
    flows: tuple[str, ...] = ()
    cause_kind: str = ""
    cause_id: str = ""
    revision: int | None = None


def origin(
    flow: FlowReference, rows: Rows, is_behind: IsBehind = lambda _group, _flow: True
) -> Origin | None:
    """None for a cookie that stands for nothing this agent knows.

    `is_behind` chooses among the logical flows that table and priority leave.
    """
    keys = parse_physical_cookie(flow.cookie)
    if keys is not None:
        return _physical(flow.cookie, keys, rows)
    group: FlowGroup | None = rows(FlowGroup).get(flow.cookie)
    if group is None:
        return None
    datapath = rows(Datapath).get(group.datapath)
    return Origin(
        flow.cookie,
        "logical",
        f"{group.cause_kind.replace('_', ' ')} {group.cause_id}",
        datapath=group.datapath if datapath is None else datapath.name,
        flows=tuple(
            str(logical)
            for logical in _logical_flows(group, flow, shelf_of(rows))
            if is_behind(group, logical)
        ),
        cause_kind=group.cause_kind,
        cause_id=group.cause_id,
        revision=group.revision,
    )


def _logical_flows(
    group: FlowGroup, flow: FlowReference, shelf: TemplateShelf
) -> list[LogicalFlow]:
    """Those of the group that this agent understands."""
    return [
        logical
        for packed in decode_packed(group.payload)
        if packed and packed[0] in shelf
        for logical in (LogicalFlow(shelf[int(packed[0])].template, packed[1:]),)
        if flow.table in (None, _table(logical, shelf))
        and flow.priority in (None, logical.priority)
    ]


def _table(flow: LogicalFlow, shelf: TemplateShelf) -> int:
    return shelf.book.table(flow.template.stage)


def _physical(cookie: int, keys: PhysicalCookie, rows: Rows) -> Origin:
    datapath: Datapath | None = next(
        (row for row in rows(Datapath).values() if row.tunnel_key == keys.datapath_key), None
    )
    port: PortBinding | None = next(
        (
            row
            for row in rows(PortBinding).values()
            if datapath and row.datapath == datapath.id and row.tunnel_key == keys.port_key
        ),
        None,
    )
    names = (datapath.name if datapath else "", port.name if port else "")
    return Origin(cookie, "physical", describe_physical(keys, *names), *names)
