"""The logical flows of the network, as people read them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
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
from diagnosis.trace.network import parse_templates
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
    realised = backend.realised
    if stage is not None and stage not in STAGES:
        raise BadQueryError([FieldProblem(("stage",), "there is no stage of that name")])
    after = cursor_values(page, int, int)
    datapath_id = None if datapath is None else find_datapath(realised, datapath).id
    named = None if port is None else find_port(realised, port)
    if named is not None and datapath_id is None:
        datapath_id = named.datapath  # flows name the ports of their own datapath
    groups = realised.flow_groups(
        datapath=datapath_id, cause=None if cause is None else await _cause(backend, cause)
    )
    chosen = sorted((g for g in groups if after is None or g.id >= after[0]), key=lambda g: g.id)
    names = {row.id: row.name for row in realised.rows(rows.Datapath).values()}
    texts = list(realised.rows(rows.Template).values())
    wanted = _wanted(stage, pipeline, None if named is None else named.name)

    def work() -> Response:
        found = _after(_flows(chosen, parse_templates(texts), wanted), after)
        return JSONResponse(_page(found, page, names))

    return await run_in_threadpool(work)


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
        if next(backend.realised.flow_groups(cause=(name, ref)), None) is None:
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


def _page(flows: Iterator[_Found], page: PageRequest, names: dict[str, str]) -> dict[str, Any]:
    found = list(islice(flows, page.limit + 1))
    following = None
    if len(found) > page.limit:
        found.pop()
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
