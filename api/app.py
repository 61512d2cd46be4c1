"""The application: all operations over one backend."""

from typing import Any

from fastapi import Depends, FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api import metrics, openapi, problems
from api.backend import Backend
from api.problems import KINDS, refusals
from api.reference import POLICY, reference_page
from api.requests import refuse_wrong_parameters
from api.routers import add_routes, find_by_resource
from api.v1 import ROUTERS
from api.version import __version__

DESCRIPTION = """\
Logical switches, routers and ACLs, realised in Open vSwitch on every chassis.

Objects are addressed by id or unique name. Lists come in pages (`limit`, `cursor`).
`PATCH` takes a JSON merge patch (RFC 7396). Every change is one revision; its number is in
the header `Treadle-Revision`, and `?wait=chassis` answers only once the change is in force.
Every refusal is a problem document (RFC 9457).
"""


def create_app(backend: Backend) -> FastAPI:
    """The API over `backend`, as an ASGI application."""
    app = FastAPI(
        title="Treadle",
        version=__version__,
        description=DESCRIPTION,
        dependencies=[Depends(refuse_wrong_parameters)],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.backend = backend
    problems.install(app)
    metrics.install(app, backend)
    _add_server_operations(app, backend)
    for router in ROUTERS:
        add_routes(app, router)
    find_by_resource(app)
    openapi.describe(app)
    return app


def _add_server_operations(app: FastAPI, backend: Backend) -> None:
    @app.get(
        "/healthz",
        operation_id="get_health",
        summary="Whether the server can serve",
        tags=["server"],
        responses={
            200: {
                "description": "It can.",
                "content": {"application/json": {"example": {"status": "ok"}}},
            },
            **refusals(problems.UNAVAILABLE),
        },
    )
    async def health() -> dict[str, str]:
        await backend.committed_revision()
        return {"status": "ok"}

    @app.get("/docs", include_in_schema=False)
    async def reference() -> HTMLResponse:
        page = await run_in_threadpool(reference_page, app.openapi())
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    @app.get(
        problems.TYPE_PREFIX + "{slug}",
        operation_id="explain_problem",
        summary="What a type of problem means",
        tags=["server"],
        responses={
            200: {
                "description": "The explanation.",
                "content": {"application/json": {"example": _explanation(problems.TAKEN)}},
            },
            **refusals(problems.NO_SUCH_PATH, problems.INVALID),
        },
    )
    async def explain(slug: str) -> Response:
        kind = KINDS.get(slug)
        if kind is None:
            raise HTTPException(problems.NO_SUCH_PATH.status)
        return JSONResponse(_explanation(kind))


def _explanation(kind: problems.Kind) -> dict[str, Any]:
    return {
        "type": kind.type,
        "status": kind.status,
        "title": kind.title,
        "meaning": kind.meaning,
    }
