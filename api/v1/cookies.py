"""From OpenFlow back: what the cookie of a flow in a switch stands for."""

import re
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import JSONResponse

from api.auth import BackendOf, Viewer
from api.errors import BadQueryError
from api.openapi import answer, reference
from api.routers import new_router
from api.v1 import logical_flows
from api.v1.objects import READ_ONE_REFUSALS
from api.v1.trace import CAUSE_EXAMPLE
from controller.answers import Origin
from diagnosis.trace.causes import Causes
from logical_flow.payload import decode_flows
from northbound.errors import FieldProblem, NotFoundError
from northbound.models import Revision
from northbound.transaction import Reader
from southbound.cookies import (
    MAX_COOKIE,
    PhysicalCookie,
    describe_physical,
    parse_physical_cookie,
)

router = new_router()

EXAMPLE = {
    "cookie": "0x2a",
    "kind": "logical",
    "text": "ACL db-silent (to-lport, tier 0, priority 10) of port group databases",
    "datapath": "data",
    "port": None,
    "origin": "acl_flows/data/db-silent",
    "revision": 42,
    "author": "alice",
    "cause": CAUSE_EXAMPLE,
    "flows": [logical_flows.EXAMPLE],
}

_NUMBER = re.compile(r"0[xX](?P<hexadecimal>[0-9a-fA-F]{1,16})|[0-9]{1,20}")


@router.get(
    "/cookies/{cookie}",
    operation_id="explain_cookie",
    summary="Explain the cookie of an OpenFlow flow",
    description="Leads back to the logical flows, the object behind them, and its author.",
    tags=["trace"],
    responses={
        200: answer("What it stands for.", reference("Cookie"), EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def explain_cookie(
    cookie: Annotated[str, Path(description="The number, hexadecimal after `0x`.")],
    backend: BackendOf,
    _caller: Viewer,
) -> Response:
    number = _number(cookie)
    physical = parse_physical_cookie(number)
    origin = await backend.controller.origin(number)
    if origin is None:
        raise NotFoundError("flow_group", hex(number))
    if physical is not None:
        return JSONResponse(_physical(number, physical, origin))
    group = origin.group
    assert group is not None  # noqa: S101 - only physical cookies have none
    templates = backend.tables.templates(await backend.controller.templates())
    names = {group.datapath: origin.datapath}

    def work(reader: Reader) -> Response:
        cause = Causes(reader).of(group.cause_kind, group.cause_id)
        revision = reader.session.get(Revision, group.revision)
        flows = decode_flows(group.payload, templates)
        return JSONResponse(
            {
                "cookie": hex(number),
                "kind": "logical",
                "text": cause.text,
                "datapath": origin.datapath,
                "port": None,
                "origin": origin.derivation,
                "revision": group.revision,
                "author": None if revision is None else revision.author,
                "cause": cause._asdict(),
                "flows": [logical_flows.document(flow, group, names) for flow in flows],
            }
        )

    return await backend.read(work)


def _number(text: str) -> int:
    if found := _NUMBER.fullmatch(text):
        number = int(found["hexadecimal"], 16) if found["hexadecimal"] else int(text)
        if number <= MAX_COOKIE:
            return number
    raise BadQueryError([FieldProblem(("cookie",), "is no number of 64 bits")])


def _physical(number: int, keys: PhysicalCookie, origin: Origin) -> dict[str, Any]:
    """The agents' own flows: what they are there for, by the tunnel keys in the cookie."""
    return {
        "cookie": hex(number),
        "kind": "physical",
        "text": describe_physical(keys, origin.datapath, origin.port),
        "datapath": origin.datapath or None,
        "port": origin.port or None,
        "origin": None,
        "revision": None,
        "author": None,
        "cause": None,
        "flows": [],
    }
