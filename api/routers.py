"""Routers whose routes are made once, and serve every application.

FastAPI makes the routes of an included router a second time, for the application that
includes it. That would be a good part of a server's start, and of the way of every request.
"""

from fastapi import APIRouter, Depends, FastAPI

from api.requests import refuse_wrong_parameters


def new_router(tags: list[str] | None = None) -> APIRouter:
    """A router for paths below ``/v1``, which refuses parameters that an operation hasn't."""
    return APIRouter(
        prefix="/v1", tags=list(tags or ()), dependencies=[Depends(refuse_wrong_parameters)]
    )


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """Serve the routes of `router` as they are, without what `app` has for its own."""
    app.router.routes.extend(router.routes)
