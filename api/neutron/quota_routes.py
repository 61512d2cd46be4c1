"""The routes of quotas: ``/v2.0/quotas`` and ``/v2.0/quotas/{project}``.

A project sees its own; only admins see those of others, and change any.
"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.backend import Backend
from api.neutron.context import Authenticator, Context
from api.neutron.errors import BadRequestError, InvalidInputError, NotAuthorizedError
from api.neutron.operations import Endpoint, answered
from api.neutron.quotas import Quotas
from api.neutron.settings import QUOTAS, UNLIMITED
from api.neutron.values import boolean, integer
from api.requests import json_body
from northbound.transaction import Reader, Transaction

LARGEST: Final = 2**31 - 1

_LIMIT = integer(UNLIMITED, LARGEST)
_LONGEST_PROJECT: Final = 255


def quota_routes(backend: Backend, quotas: Quotas, authenticate: Authenticator) -> list[Route]:
    """Return the routes."""
    served = _QuotaRoutes(backend, quotas, authenticate)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "", served.index),
        ("GET", "/tenant", served.tenant),
        ("GET", "/project", served.project),
        ("GET", "/{project}", served.show),
        ("PUT", "/{project}", served.update),
        ("DELETE", "/{project}", served.delete),
        ("GET", "/{project}/default", served.defaults),
        ("GET", "/{project}/details", served.details),
        ("GET", "/{project}/details.json", served.details),
    ]
    return [
        Route(f"/v2.0/quotas{path}", answered(endpoint), methods=[method])
        for method, path, endpoint in table
    ]


class _QuotaRoutes:
    """The endpoints."""

    def __init__(self, backend: Backend, quotas: Quotas, authenticate: Authenticator) -> None:
        self._backend = backend
        self._quotas = quotas
        self._authenticate = authenticate

    async def index(self, request: Request) -> Response:
        context = await self._authenticate(request)
        context.require("get_quota", admin=True)

        def work(reader: Reader) -> list[dict[str, Any]]:
            return [
                {**quotas, "project_id": project, "tenant_id": project}
                for project, quotas in self._quotas.of_all(reader).items()
            ]

        return JSONResponse({"quotas": await self._backend.read(work, context.scope)})

    async def tenant(self, request: Request) -> Response:
        context = await self._authenticate(request)
        return JSONResponse({"tenant": {"tenant_id": context.project}})

    async def project(self, request: Request) -> Response:
        context = await self._authenticate(request)
        return JSONResponse({"project": {"project_id": context.project}})

    async def show(self, request: Request) -> Response:
        context, project = await self._reader(request)
        quota = await self._backend.read(
            lambda reader: self._quotas.of(reader, project), context.scope
        )
        return JSONResponse({"quota": quota})

    async def defaults(self, request: Request) -> Response:
        await self._reader(request)
        return JSONResponse({"quota": self._quotas.defaults})

    async def details(self, request: Request) -> Response:
        context, project = await self._reader(request)

        def work(reader: Reader) -> dict[str, dict[str, int]]:
            return {
                name: {
                    "limit": limit,
                    "used": self._quotas.used(reader, project, name),
                    "reserved": 0,
                }
                for name, limit in self._quotas.of(reader, project).items()
            }

        return JSONResponse({"quota": await self._backend.read(work, context.scope)})

    async def update(self, request: Request) -> Response:
        context = await self._authenticate(request)
        context.require("update_quota", admin=True)
        project = _project(request)
        limits, forced = _read_limits(await json_body(request), project)

        def work(tx: Transaction) -> dict[str, int]:
            self._quotas.set(tx, project, limits, forced=forced)
            return self._quotas.of(tx, project)

        written = await self._backend.write(
            work, author=context.user, comment="", scope=context.scope
        )
        self._quotas.forget()
        return JSONResponse({"quota": written.result})

    async def delete(self, request: Request) -> Response:
        context = await self._authenticate(request)
        context.require("delete_quota", admin=True)
        project = _project(request)
        await self._backend.write(
            lambda tx: self._quotas.reset(tx, project),
            author=context.user,
            comment="",
            scope=context.scope,
        )
        self._quotas.forget()
        return Response(status_code=204)

    async def _reader(self, request: Request) -> tuple[Context, str]:
        """Return who asks and for which project, or raise NotAuthorizedError."""
        context = await self._authenticate(request)
        project = _project(request)
        if not context.is_admin and project != context.project:
            raise NotAuthorizedError("get_quota")
        return context, project


def _project(request: Request) -> str:
    project: str = request.path_params["project"]
    if len(project) > _LONGEST_PROJECT or "\0" in project:
        raise BadRequestError("a project's name has 255 characters at most, and no NUL")
    return project


def _read_limits(body: Mapping[str, Any], project: str) -> tuple[dict[str, int], bool]:
    """Return the limits that a request sets, and whether less than is used may be one."""
    said = body.get("quota")
    if len(body) != 1 or not isinstance(said, dict):
        raise BadRequestError("Resource body required: an object 'quota'")
    given = dict(said)
    for name in ("project_id", "tenant_id"):
        if given.pop(name, project) != project:
            raise BadRequestError(f"'{name}' is not the project of the path")
    options = {name: given.pop(name) for name in ("force", "check_limit") if name in given}
    unknown = sorted(str(name)[:100] for name in given if name not in QUOTAS)
    if unknown:
        raise BadRequestError(f"Unrecognized attribute(s) '{', '.join(unknown[:10])}'")
    limits: dict[str, int] = {}
    for name, value in given.items():
        limits[name] = _converted(name, _LIMIT, value)
    flags = {name: _converted(name, boolean, value) for name, value in options.items()}
    return limits, bool(flags.get("force")) and not flags.get("check_limit")


def _converted(name: str, convert: Any, value: Any) -> Any:
    try:
        return convert(value)
    except ValueError as error:
        raise InvalidInputError(name, str(error)) from None
