"""Declarative documents: the network becomes what one text says.

The document owns what it creates. Applying it again changes only what differs,
and deletes what it owned and no longer names; a second time nothing is written.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.auth import BackendOf, ProjectOperator, ScopeOf, get_backend
from api.kinds import EXAMPLE_ID
from api.openapi import answer, body, reference
from api.requests import JSON, Options, body_text, json_body, media_type
from api.routers import new_router
from api.v1.objects import REVISION_HEADER, WRITE_REFUSALS
from api.waiting import wait_for
from api.yaml_text import parse_mapping
from northbound.apply import ApplyResult, apply
from northbound.documents import read_document
from northbound.errors import Referent
from northbound.names import DEFAULT_PROJECT
from northbound.transaction import Transaction

router = new_router()

YAML = "application/yaml"

EXAMPLE = {
    "document": "shop",
    "logical_switches": {
        "shop": {
            "subnet4": "10.0.1.0/24",
            "ports": {"shop-1": {"addresses": ["dynamic"]}},
        }
    },
}
RESULT_EXAMPLE = {
    "document": "shop",
    "revision": 42,
    "changed": True,
    "dry_run": False,
    "created": [
        {"kind": "logical_switch", "id": EXAMPLE_ID, "name": "shop", "project": DEFAULT_PROJECT}
    ],
    "updated": [],
    "deleted": [],
}


async def _document(request: Request) -> Mapping[Any, Any]:
    if media_type(request) == JSON:
        return await json_body(request)
    text = await body_text(request, (JSON, YAML))
    limit = get_backend(request).limits.value_limit
    return await run_in_threadpool(parse_mapping, text, limit)


DocumentOf = Annotated[Mapping[Any, Any], Depends(_document)]


@router.post(
    "/apply",
    operation_id="apply_document",
    summary="Make the network what a document says",
    description=(
        "The document, JSON or YAML, owns what it creates: applied again, it changes what "
        "differs and deletes what it no longer names, in one transaction. Applied a second "
        "time it writes nothing."
    ),
    tags=["transactions"],
    responses={
        200: answer(
            "The network is as the document says.",
            reference("ApplyResult"),
            RESULT_EXAMPLE,
            (REVISION_HEADER,),
        ),
        **WRITE_REFUSALS,
    },
    openapi_extra={"requestBody": body(reference("Document"), EXAMPLE, (JSON, YAML))},
)
async def apply_document(
    backend: BackendOf,
    caller: ProjectOperator,
    scope: ScopeOf,
    document: DocumentOf,
    options: Options,
    dry_run: Annotated[
        bool, Query(description="Only tell what would be done; nothing is written.")
    ] = False,
    adopt: Annotated[
        bool, Query(description="Let the document own objects that it names and nobody owns.")
    ] = False,
) -> Response:
    read = await run_in_threadpool(read_document, document)

    def work(tx: Transaction) -> ApplyResult:
        return apply(tx, read, adopt=adopt)

    written = await backend.write(
        work, author=caller.name, comment=options.comment, dry_run=dry_run, scope=scope
    )
    if not dry_run:
        await wait_for(backend, written.revision, options.wait, options.timeout, scope)
    done = written.result
    return JSONResponse(
        {
            "document": done.document,
            "revision": written.revision,
            "changed": written.changed,
            "dry_run": dry_run,
            "created": [_reference(referent) for referent in done.created],
            "updated": [_reference(referent) for referent in done.changed],
            "deleted": [_reference(referent) for referent in done.deleted],
        },
        headers={REVISION_HEADER: str(written.revision)},
    )


def _reference(referent: Referent) -> dict[str, Any]:
    """An object of the document, which is told once for all of them."""
    told = referent._asdict()
    del told["document"]
    return told
