"""The logical flows of the network, as people read them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.auth import BackendOf, Viewer
from api.backend import Backend
from api.errors import BadQueryError
from api.kinds import EXAMPLE_ID, KINDS
from api.openapi import answer, page_of
from api.requests import PageOf
from api.routers import new_router
from api.v1.listing import cursor_values
from api.v1.objects import READ_ONE_REFUSALS
from api.v1.realised import find_datapath, find_port
from controller.answers import FlowFilter
from diagnosis.trace.stored_flows import Templates
from logical_flow.action import format_actions
from logical_flow.holes import HoleType
from logical_flow.payload import decode_flows
from logical_flow.template import LogicalFlow
from northbound.errors import FieldProblem, NotFoundError
from northbound.paging import PageRequest, encode_cursor
from northbound.transaction import Reader
from southbound import rows
from translator.pipeline import PIPELINES

router = new_router()

Pipeline = Literal["ls_in", "ls_out", "lr_in", "lr_out"]
STAGES = frozenset(stage.name for pipeline in PIPELINES for stage in pipeline.stages)

EXAMPLE = {
    "datapath": "web",
    "datapath_id": "5b0e3f2c-7d7e-4a57-8a44-0d6f6a1f3c55",
    "pipeline": "ls_in",
    "table": 27,
    "stage": "ls_in_l2_lkup",
    "priority": 50,
    "match": "eth.dst == 0a:00:00:00:00:01",
    "actions": 'outport = "web-1"; output;',
    "text": "table=27(ls_in_l2_lkup), priority=50, match=(eth.dst == 0a:00:00:00:00:01), "
    'action=(outport = "web-1"; output;)',
    "group": "0x2a",
    "cause": {"kind": "logical_switch_port", "id": EXAMPLE_ID},
    "revision": 42,
}

_GROUPS = 1000
"""How many flow groups are asked for at once, and read in a thread, until a page is full."""

Wanted = Callable[[LogicalFlow], bool]


class _Found(NamedTuple):
    """A flow, its place in its group, and the group."""

    flow: LogicalFlow
    place: int
    group: rows.FlowGroup


@router.get(
    "/logical-flows",
    operation_id="list_logical_flows",
    summary="List logical flows",
    description="In the order of flow groups. All filters that are given have to hold.",
    tags=["logical flows"],
    responses={
        200: answer(
            "A page of the list.",
            page_of("LogicalFlow"),
            {"items": [EXAMPLE], "next_cursor": None},
        ),
        **READ_ONE_REFUSALS,
    },
)
async def list_logical_flows(
    backend: BackendOf,
    _caller: Viewer,
    page: PageOf,
    datapath: Annotated[
        str | None, Query(description="Only those of this switch or router, by id or name.")
    ] = None,
    stage: Annotated[
        str | None, Query(description="Only those of this stage, `ls_in_l2_lkup`.")
    ] = None,
    pipeline: Annotated[
        Pipeline | None, Query(description="Only those of this pipeline, `ls_in`.")
    ] = None,
    port: Annotated[
        str | None, Query(description="Only those that name this port, by id or name.")
    ] = None,
    cause: Annotated[
        str | None,
        Query(
            description="Only those that are there for this object: its kind and its id or name.",
            examples=["logical_switch_port/web-1"],
        ),
    ] = None,
) -> Response:
    if stage is not None and stage not in STAGES:
        raise BadQueryError([FieldProblem(("stage",), "there is no stage of that name")])
    after = cursor_values(page, int, int)
    datapath_id = None if datapath is None else (await find_datapath(backend, datapath)).id
    named = None if port is None else (await find_port(backend, port)).row
    if named is not None and datapath_id is None:
        datapath_id = named.datapath  # flows name the ports of their own datapath
    which = FlowFilter(datapath_id, None if cause is None else await _cause(backend, cause))
    templates = backend.tables.templates(await backend.controller.templates())
    wanted = _wanted(stage, pipeline, None if named is None else named.name)
    found: list[_Found] = []
    names: dict[str, str] = {}
    first = 0 if after is None else after[0]
    while len(found) <= page.limit:
        some, some_names = await backend.controller.flow_groups(which, first=first, limit=_GROUPS)
        if not some:
            break
        names |= some_names
        found += await run_in_threadpool(_some_flows, some, templates, wanted, after)
        first = some[-1].id + 1
    return JSONResponse(await run_in_threadpool(_page, found, page, names))


def _some_flows(
    groups: Sequence[rows.FlowGroup],
    templates: Templates,
    wanted: Wanted,
    after: Sequence[int] | None,
) -> list[_Found]:
    return list(_after(_flows(groups, templates, wanted), after))


def _wanted(stage: str | None, pipeline: str | None, port: str | None) -> Wanted:
    def wanted(flow: LogicalFlow) -> bool:
        template = flow.template
        return (
            (stage is None or template.stage == stage)
            and (pipeline is None or template.pipeline == pipeline)
            and (port is None or names_port(flow, port))
        )

    return wanted


def names_port(flow: LogicalFlow, port: str) -> bool:
    """Whether the flow's match or actions name the port `port`."""
    return any(
        value == port and hole.type is HoleType.LPORT
        for hole, value in zip(flow.template.arguments, flow.args, strict=True)
    )


async def _cause(backend: Backend, text: str) -> tuple[str, str]:
    """The kind and id that `text` (``kind/id-or-name``) stands for."""
    name, separator, ref = text.partition("/")
    kind = KINDS.get(name)
    if not separator or kind is None:
        reason = f"has to be KIND/ID or KIND/NAME, KIND one of {', '.join(KINDS)}"
        raise BadQueryError([FieldProblem(("cause",), reason)])
    service = kind.service

    def work(reader: Reader) -> str:
        found: str = service.get(reader, ref).id
        return found

    try:
        return name, await backend.read(work)
    except NotFoundError:
        # Flows may outlive their object for the moment that translation takes.
        which = FlowFilter(cause=(name, ref))
        if not (await backend.controller.flow_groups(which, limit=1)).groups:
            raise
        return name, ref


def _flows(
    groups: Iterable[rows.FlowGroup], templates: Templates, wanted: Wanted
) -> Iterator[_Found]:
    for group in groups:
        for place, flow in enumerate(decode_flows(group.payload, templates)):
            if wanted(flow):
                yield _Found(flow, place, group)


def _after(flows: Iterator[_Found], after: Sequence[int] | None) -> Iterator[_Found]:
    if after is None:
        return flows
    last = tuple(after)
    return (found for found in flows if (found.group.id, found.place) > last)


def _page(found: list[_Found], page: PageRequest, names: dict[str, str]) -> dict[str, Any]:
    following = None
    if len(found) > page.limit:
        found = found[: page.limit]
        following = encode_cursor([found[-1].group.id, found[-1].place])
    return {
        "items": [document(each.flow, each.group, names) for each in found],
        "next_cursor": following,
    }


def document(flow: LogicalFlow, group: rows.FlowGroup, names: dict[str, str]) -> dict[str, Any]:
    """A flow of `group` as the API shows it; `names` are those of datapaths by id."""
    template = flow.template
    return {
        "datapath": names.get(group.datapath, group.datapath),
        "datapath_id": group.datapath,
        "pipeline": template.pipeline,
        "table": template.table_number,
        "stage": template.stage,
        "priority": flow.priority,
        "match": str(flow.match),
        "actions": format_actions(flow.actions),
        "text": str(flow),
        "group": hex(group.id),
        "cause": {"kind": group.cause_kind, "id": group.cause_id},
        "revision": group.revision,
    }
