"""The identity service over HTTP: those routes of Keystone's v3 API that clients need.

They are under ``/identity``, beside the Neutron API and on its port: one address and one
certificate for both. A client's ``auth_url`` is ``http://HOST:9696/identity``. Addresses in the
catalog are those by which the request came, unless `public_url` says another.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.errors import ApiError
from api.json_text import parse_object
from api.neutron.auth.directory import DOMAIN_ID, DOMAIN_NAME, Directory, Project, User
from api.neutron.auth.identity import Bearer, Identity, IdentityError, WrongCredentialsError
from api.neutron.auth.slowing import Slowing
from api.neutron.context import ADMIN
from northbound.errors import InvalidError

log = structlog.get_logger(__name__)

PREFIX: Final = "/identity"
LARGEST_BODY: Final = 65_536
"""Bytes of a request, which comes before anyone is known."""
MOST_VALUES: Final = 500
"""JSON values in one."""

_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}
_VALIDATING: Final = (ADMIN, "service")
"""Roles whose bearers may look at the tokens of others."""
_NAMESPACE: Final = uuid.UUID("5b2e7a0c-8f3e-4f43-9d3c-0b5a8f3f9f51")

Endpoint = Callable[[Request], Awaitable[Response]]


def identity_error_body(status: int, message: str) -> dict[str, Any]:
    """Return the body of a refusal, as Keystone has it."""
    error = {"code": status, "message": message, "title": _TITLES.get(status, "Error")}
    return {"error": error}


def identity_routes(identity: Identity, slowing: Slowing, public_url: str | None) -> list[Route]:
    """Return the routes of the service."""
    served = _IdentityService(identity, slowing, public_url)
    table: dict[str, dict[str, Endpoint]] = {
        "": {"GET": served.versions},
        "/": {"GET": served.versions},
        "/v3": {"GET": served.version},
        "/v3/": {"GET": served.version},
        "/v3/auth/tokens": {
            "POST": served.create_token,
            "GET": served.show_token,
            "DELETE": served.delete_token,
        },
        "/v3/auth/catalog": {"GET": served.catalog},
        "/v3/auth/projects": {"GET": served.own_projects},
        "/v3/projects": {"GET": served.list_projects},
        "/v3/projects/{id}": {"GET": served.show_project},
        "/v3/users": {"GET": served.list_users},
        "/v3/users/{id}": {"GET": served.show_user},
        "/v3/users/{id}/projects": {"GET": served.projects_of_user},
        "/v3/roles": {"GET": served.list_roles},
        "/v3/roles/{id}": {"GET": served.show_role},
        "/v3/domains": {"GET": served.list_domains},
        "/v3/domains/{id}": {"GET": served.show_domain},
    }
    return [
        Route(PREFIX + path, _answered(endpoint), methods=[method])
        for path, endpoints in table.items()
        for method, endpoint in endpoints.items()
    ]


def _answered(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose refusals are Keystone's, and whose faults are logged once."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        headers = {}
        try:
            return await endpoint(request)
        except ClientDisconnect:
            raise
        except IdentityError as error:
            status, message = error.status, error.message
        except (ApiError, InvalidError) as error:
            status, message = 400, str(error)
        except Exception as error:
            log.error("request failed", path=request.url.path, exc_info=error)
            status, message = 500, "An unexpected error prevented the server from answering."
        if status == 401:
            headers["WWW-Authenticate"] = f'Keystone uri="{request.base_url}identity"'
        return JSONResponse(identity_error_body(status, message), status, headers)

    return guarded


class _IdentityService:
    """The endpoints."""

    def __init__(self, identity: Identity, slowing: Slowing, public_url: str | None) -> None:
        self._identity = identity
        self._slowing = slowing
        self._public_url = public_url

    # --- what there is

    async def versions(self, request: Request) -> Response:
        body = {"versions": {"values": [self._version(request)]}}
        return JSONResponse(body, 300, {"Location": f"{self._base(request)}{PREFIX}/v3/"})

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": self._version(request)})

    def _version(self, request: Request) -> dict[str, Any]:
        href = f"{self._base(request)}{PREFIX}/v3/"
        media_type = "application/vnd.openstack.identity-v3+json"
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": href}],
            "media-types": [{"base": "application/json", "type": media_type}],
        }

    # --- tokens

    async def create_token(self, request: Request) -> Response:
        body = await _body(request)
        try:
            token, bearer = await self._identity.authenticate(body)
        except WrongCredentialsError:
            await self._slowing.slow_down(request)
            raise
        return self._token(request, token, bearer, 201)

    async def show_token(self, request: Request) -> Response:
        _, token, subject = await self._subject(request)
        return self._token(request, token, subject, 200)

    async def delete_token(self, request: Request) -> Response:
        _, _, subject = await self._subject(request)
        self._identity.revoke(subject)
        return Response(status_code=204)

    async def _subject(self, request: Request) -> tuple[Bearer, str, Bearer]:
        """Return who asks, the token that it asks about, and whose that is."""
        caller = await self._caller(request)
        token = request.headers.get("X-Subject-Token", "")
        subject = self._identity.read(token)
        if subject is None:
            raise IdentityError(404, "Could not find token.")
        if caller.user.id != subject.user.id and not caller.roles.intersection(_VALIDATING):
            raise _forbidden("identity:validate_token")
        return caller, token, subject

    def _token(self, request: Request, token: str, bearer: Bearer, status: int) -> Response:
        grant, user = bearer.grant, bearer.user
        shown: dict[str, Any] = {
            "methods": list(grant.methods),
            "user": {**_named(user), "password_expires_at": None},
            "audit_ids": [grant.audit_id],
            "issued_at": _time(grant.issued_at),
            "expires_at": _time(grant.expires_at),
        }
        if bearer.project is not None:
            shown["project"] = _named(bearer.project)
            shown["is_domain"] = False
            shown["roles"] = [{"id": role, "name": role} for role in sorted(bearer.roles)]
            if "nocatalog" not in request.query_params:
                shown["catalog"] = self._catalog(request)
        if bearer.credential is not None:
            shown["application_credential"] = {
                "id": bearer.credential.id,
                "name": bearer.credential.name,
                "restricted": True,
            }
        headers = {"X-Subject-Token": token, "Vary": "X-Auth-Token", "Cache-Control": "no-store"}
        return JSONResponse({"token": shown}, status, headers)

    async def catalog(self, request: Request) -> Response:
        await self._caller(request)
        url = f"{self._base(request)}{PREFIX}/v3/auth/catalog"
        return JSONResponse({"catalog": self._catalog(request), "links": {"self": url}})

    def _catalog(self, request: Request) -> list[dict[str, Any]]:
        """Return where clients find this service, the Neutron API, and those of the file."""
        directory, base = self._identity.directory, self._base(request)
        entries = [
            ("identity", "keystone", f"{base}{PREFIX}"),
            ("network", "neutron", base),
            *((each.type, each.name or each.type, each.url) for each in directory.services),
        ]
        return [
            {
                "type": type_,
                "name": name,
                "id": uuid.uuid5(_NAMESPACE, type_).hex,
                "endpoints": [
                    {
                        "id": uuid.uuid5(_NAMESPACE, f"{type_} {interface}").hex,
                        "interface": interface,
                        "region": directory.region,
                        "region_id": directory.region,
                        "url": url,
                    }
                    for interface in ("public", "internal", "admin")
                ],
            }
            for type_, name, url in entries
        ]

    # --- who there is

    async def own_projects(self, request: Request) -> Response:
        caller = await self._caller(request)
        projects = self._identity.directory.projects_of(caller.user)
        return self._list(request, "projects", map(_project, projects))

    async def list_projects(self, request: Request) -> Response:
        directory = (await self._admin(request, "identity:list_projects")).directory
        return self._list(request, "projects", map(_project, directory.projects.values()))

    async def show_project(self, request: Request) -> Response:
        caller = await self._caller(request)
        directory, object_id = self._identity.directory, request.path_params["id"]
        if object_id not in {each.id for each in directory.projects_of(caller.user)}:
            await self._admin(request, "identity:get_project")
        project = directory.project(id=object_id)
        return _one("project", object_id, None if project is None else _project(project))

    async def list_users(self, request: Request) -> Response:
        directory = (await self._admin(request, "identity:list_users")).directory
        return self._list(request, "users", (_user(directory, u) for u in directory.users.values()))

    async def show_user(self, request: Request) -> Response:
        directory, user = await self._user(request, "identity:get_user")
        object_id = request.path_params["id"]
        return _one("user", object_id, None if user is None else _user(directory, user))

    async def projects_of_user(self, request: Request) -> Response:
        directory, user = await self._user(request, "identity:list_user_projects")
        if user is None:
            raise _not_found("user", request.path_params["id"])
        return self._list(request, "projects", map(_project, directory.projects_of(user)))

    async def list_roles(self, request: Request) -> Response:
        directory = (await self._admin(request, "identity:list_roles")).directory
        return self._list(request, "roles", map(_role, directory.role_names()))

    async def show_role(self, request: Request) -> Response:
        directory = (await self._admin(request, "identity:get_role")).directory
        name = request.path_params["id"]
        return _one("role", name, _role(name) if name in directory.role_names() else None)

    async def list_domains(self, request: Request) -> Response:
        await self._caller(request)
        return self._list(request, "domains", [_DOMAIN])

    async def show_domain(self, request: Request) -> Response:
        await self._caller(request)
        name = request.path_params["id"]
        return _one("domain", name, _DOMAIN if name == DOMAIN_ID else None)

    async def _user(self, request: Request, rule: str) -> tuple[Directory, User | None]:
        """Return the user of the path: callers may ask for themselves, admins for all."""
        caller = await self._caller(request)
        directory, object_id = self._identity.directory, request.path_params["id"]
        if object_id != caller.user.id:
            await self._admin(request, rule)
        return directory, directory.user(id=object_id)

    def _list(
        self, request: Request, collection: str, members: Iterable[Mapping[str, Any]]
    ) -> Response:
        """Return a list of those that the query's filters let through."""
        filters = {
            name: value
            for name, value in request.query_params.items()
            if name in ("name", "domain_id")
        }
        shown = [
            each
            for each in members
            if all(each.get(name) == value for name, value in filters.items())
        ]
        links = {"self": self._base(request) + request.url.path, "next": None, "previous": None}
        return JSONResponse({collection: shown, "links": links})

    # ---

    async def _caller(self, request: Request) -> Bearer:
        """Return whose token the request shows, or raise."""
        bearer = self._identity.read(request.headers.get("X-Auth-Token", ""))
        if bearer is None:
            await self._slowing.slow_down(request)
            raise WrongCredentialsError
        return bearer

    async def _admin(self, request: Request, rule: str) -> Identity:
        if ADMIN not in (await self._caller(request)).roles:
            raise _forbidden(rule)
        return self._identity

    def _base(self, request: Request) -> str:
        return (self._public_url or str(request.base_url)).rstrip("/")


_DOMAIN: Final[Mapping[str, Any]] = {
    "id": DOMAIN_ID,
    "name": DOMAIN_NAME,
    "description": "",
    "enabled": True,
}


def _named(named: User | Project) -> dict[str, Any]:
    domain = {"id": DOMAIN_ID, "name": DOMAIN_NAME}
    return {"domain": domain, "id": named.id, "name": named.name}


def _project(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "domain_id": DOMAIN_ID,
        "parent_id": DOMAIN_ID,
        "is_domain": False,
        "enabled": True,
        "tags": [],
        "options": {},
    }


def _user(directory: Directory, user: User) -> dict[str, Any]:
    home = directory.home(user)
    shown = {
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN_ID,
        "enabled": True,
        "password_expires_at": None,
        "options": {},
    }
    return shown if home is None else {**shown, "default_project_id": home.id}


def _role(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "domain_id": None, "description": None, "options": {}}


def _one(name: str, object_id: str, found: Mapping[str, Any] | None) -> Response:
    if found is None:
        raise _not_found(name, object_id)
    return JSONResponse({name: found})


def _not_found(name: str, object_id: str) -> IdentityError:
    return IdentityError(404, f"Could not find {name}: {object_id[:255]}.")


def _forbidden(rule: str) -> IdentityError:
    return IdentityError(403, f"You are not authorized to perform the requested action: {rule}.")


async def _body(request: Request) -> Mapping[str, Any]:
    """Return the JSON object that a request brings, which is small."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise IdentityError(413, f"The request has more than {LARGEST_BODY} bytes.")
    try:
        return parse_object(body.decode(), MOST_VALUES)
    except UnicodeDecodeError:
        raise IdentityError(400, "The request is not UTF-8.") from None


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
