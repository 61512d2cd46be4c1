"""Routers whose routes are made once, and found by the resource that a path begins with.

FastAPI makes the routes of an included router a second time, for the application that
includes it, and compares a request with each route until one matches. That would be a good part
of a server's start, and of the way of every request: there are more routes with each kind.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api.requests import refuse_wrong_parameters

_DEPTH = 3
"""How much of a path, split at its slashes, tells the resource: nothing, the version, the name."""


def new_router(tags: list[str] | None = None) -> APIRouter:
    """A router for paths below ``/v1``, which refuses parameters that an operation hasn't."""
    return APIRouter(
        prefix="/v1", tags=list(tags or ()), dependencies=[Depends(refuse_wrong_parameters)]
    )


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """Serve the routes of `router` as they are, without what `app` has for its own."""
    app.router.routes.extend(router.routes)


def find_by_resource(app: FastAPI) -> None:
    """Compare a request only with the routes of what its path begins with. All are there now."""
    app.router.middleware_stack = _ByResource(app.router)


class _ByResource:
    """The routes of a router, by the beginning of their paths, each part in its order."""

    def __init__(self, router: APIRouter) -> None:
        self._all = router
        routes = [(_beginning(getattr(route, "path", "")), route) for route in router.routes]
        parts: dict[tuple[str, ...], list[BaseRoute]] = {
            beginning: [] for beginning, _ in routes if not any(map(_is_open, beginning))
        }
        for beginning, route in routes:
            if beginning in parts:
                parts[beginning].append(route)
                continue
            for resource, some in parts.items():
                if _fits(beginning, resource):
                    some.append(route)
        self._parts = {
            resource: APIRouter(routes=some, redirect_slashes=False)
            for resource, some in parts.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        resource = _beginning(scope.get("path", ""))
        await self._parts.get(resource, self._all).app(scope, receive, send)


def _beginning(path: str) -> tuple[str, ...]:
    return tuple(path.split("/", _DEPTH)[:_DEPTH])


def _is_open(part: str) -> bool:
    """Tell whether a part of a route's path is a parameter."""
    return "{" in part


def _fits(beginning: Sequence[str], resource: Sequence[str]) -> bool:
    """Tell whether a route may be one of a resource."""
    return len(beginning) == len(resource) and all(
        own == other or _is_open(own) for own, other in zip(beginning, resource, strict=True)
    )
