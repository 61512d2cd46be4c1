"""What was changed, when, and by whom."""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Viewer
from api.backend import Backend
from api.errors import BadQueryError, Milestone, WaitTimeoutError
from api.kinds import EXAMPLE_ID
from api.openapi import answer, page_of, reference
from api.problems import refusals
from api.requests import MAXIMUM_WAIT, PageOf
from api.routers import new_router
from api.v1.objects import READ_ONE_REFUSALS, READ_REFUSALS
from api.waiting import wait_for
from northbound.errors import InvalidError, NotFoundError
from northbound.projects import EVERYTHING
from northbound.services import revisions
from northbound.services.revisions import RevisionEntry
from northbound.transaction import Reader, RowChange

router = new_router()

_FURTHEST = 1000
"""How many revisions ahead of the last one can be waited for."""

EXAMPLE = {
    "id": 42,
    "created_at": "2026-11-23T12:00:00+00:00",
    "author": "alice",
    "comment": "open the shop",
}
CHANGE_EXAMPLE = {
    "table": "logical_router",
    "object_id": EXAMPLE_ID,
    "before": None,
    "after": {"id": EXAMPLE_ID, "name": "edge", "enabled": True, "tunnel_key": 2},
}


@router.get(
    "/revisions",
    operation_id="list_revisions",
    summary="List revisions, the newest first",
    tags=["revisions"],
    responses={
        200: answer(
            "A page of the list.", page_of("Revision"), {"items": [EXAMPLE], "next_cursor": None}
        ),
        **READ_REFUSALS,
    },
)
async def list_revisions(
    backend: BackendOf,
    _caller: Viewer,
    page: PageOf,
    author: Annotated[str | None, Query(description="Only those by this author.")] = None,
    kind: Annotated[
        str | None, Query(description="Only those that touched an object of this kind.")
    ] = None,
    object_id: Annotated[
        str | None,
        Query(
            alias="object",
            description="Only those that touched this object: by its id, or by the name that it "
            "has now. A name that no object has is refused; deleted ones are found by their ids.",
        ),
    ] = None,
) -> Response:
    given = {"author": author, "kind": kind, "object": object_id}
    filters = {name: value for name, value in given.items() if value is not None}

    def work(reader: Reader) -> Response:
        found = revisions.page(reader, filters, page)
        items = [_revision(entry) for entry in found.items]
        return JSONResponse({"items": items, "next_cursor": found.next})

    try:
        return await backend.read(work)
    except InvalidError as error:
        raise BadQueryError(error.problems) from error


@router.get(
    "/revisions/{revision}",
    operation_id="get_revision",
    summary="Read a revision and what it did",
    description="With `wait`, responds once the revision is in force that far down. It may be "
    "one that is still to come: a client that waits for the next one learns of every change. "
    "Revision 0 is the empty network.",
    tags=["revisions"],
    responses={
        200: answer(
            "The revision.",
            reference("RevisionWithChanges"),
            {**EXAMPLE, "changes": [CHANGE_EXAMPLE]},
        ),
        **READ_ONE_REFUSALS,
        **refusals(problems.NOT_REACHED),
    },
)
async def get_revision(
    revision: Annotated[int, Path(ge=0, lt=1 << 63)],
    backend: BackendOf,
    _caller: Viewer,
    wait: Annotated[
        Milestone | None, Query(description="As for changes: `translated`, `chassis` or `up`.")
    ] = None,
    timeout: Annotated[  # noqa: ASYNC109 - part of the interface
        float, Query(gt=0, le=MAXIMUM_WAIT, description="Seconds to wait at most.")
    ] = 30.0,
) -> Response:
    def work(reader: Reader) -> Response:
        entry = revisions.get(reader, revision)
        kept = entry.changes
        changes = None if kept is None else [_change(change) for change in kept]
        return JSONResponse({**_revision(entry), "changes": changes})

    if wait is not None:
        await _wait(backend, revision, wait, timeout)
    return await backend.read(work)


async def _wait(backend: Backend, revision: int, wait: Milestone, timeout: float) -> None:  # noqa: ASYNC109
    if revision > await backend.committed_revision() + _FURTHEST:
        raise NotFoundError("revision", str(revision))
    try:
        await wait_for(backend, revision, wait, timeout, EVERYTHING)
    except WaitTimeoutError as error:
        if revision > await backend.committed_revision():
            raise WaitTimeoutError(revision, wait, timeout, committed=False) from error
        raise


def _revision(entry: RevisionEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "created_at": None if entry.created_at is None else entry.created_at.isoformat(),
        "author": entry.author,
        "comment": entry.comment,
    }


def _change(change: RowChange) -> dict[str, Any]:
    return {
        "table": change.table,
        "object_id": change.object_id,
        "before": change.before,
        "after": change.after,
    }
