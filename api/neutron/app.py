"""The Neutron API as an ASGI application."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.backend import Backend
from api.neutron.agents import agent_routes
from api.neutron.context import Authenticator
from api.neutron.errors import NeutronError
from api.neutron.extensions import shown_extensions
from api.neutron.operations import Operations, answered
from api.neutron.quota_routes import quota_routes
from api.neutron.quotas import Quotas
from api.neutron.resource import Resource, Service
from api.neutron.resources import Resources
from api.neutron.settings import NeutronLimits


def create_neutron_app(
    backend: Backend,
    authenticate: Authenticator,
    limits: NeutronLimits | None = None,
    more_routes: Sequence[Route] = (),
) -> Starlette:
    """Return the application over `backend`; `authenticate` finds out who asks.

    `more_routes` are served beside the API, such as those by which callers log in.
    """
    limits = limits or NeutronLimits()
    resources = Resources.make(limits)
    quotas = Quotas(limits)
    service = Service(backend, limits, quotas)
    routes = [*more_routes, *_discovery(resources.all, limits, authenticate)]
    routes += quota_routes(backend, quotas, authenticate)
    routes += agent_routes(backend, authenticate)
    for resource in resources.all:
        routes += Operations(resource, service, authenticate).routes()
    routes.append(Route("/{path:path}", answered(_nothing_here), methods=_METHODS))
    # Paths with line breaks match no pattern at all.
    app = Starlette(routes=routes, exception_handlers={404: _no_such_path})
    app.state.backend = backend
    app.router.redirect_slashes = False
    return app


_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


async def _nothing_here(request: Request) -> Response:  # noqa: ARG001
    raise NeutronError(404, "HTTPNotFound", "The resource could not be found.")


async def _no_such_path(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return await answered(_nothing_here)(request)


def _discovery(
    resources: tuple[Resource[Any], ...], limits: NeutronLimits, authenticate: Authenticator
) -> list[Route]:
    """Return the routes by which clients find out what there is."""
    extensions = shown_extensions(limits.hidden_extensions)

    async def versions(request: Request) -> Response:
        href = str(request.base_url) + "v2.0/"
        links = [{"rel": "self", "href": href}]
        return JSONResponse({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})

    async def collections(request: Request) -> Response:
        base = str(request.base_url) + "v2.0/"
        found = [
            {
                "name": resource.name,
                "collection": resource.collection,
                "links": [{"rel": "self", "href": base + resource.path}],
            }
            for resource in resources
        ]
        return JSONResponse({"resources": found})

    async def list_extensions(request: Request) -> Response:
        await authenticate(request)
        return JSONResponse({"extensions": list(extensions.values())})

    async def show_extension(request: Request) -> Response:
        await authenticate(request)
        alias = request.path_params["alias"]
        if alias not in extensions:
            message = f"Extension with alias {alias} does not exist"
            raise NeutronError(404, "ExtensionNotFound", message)
        return JSONResponse({"extension": extensions[alias]})

    paths = {
        "/": versions,
        "/v2.0": collections,
        "/v2.0/": collections,
        "/v2.0/extensions": list_extensions,
        "/v2.0/extensions/{alias}": show_extension,
    }
    return [Route(path, answered(endpoint), methods=["GET"]) for path, endpoint in paths.items()]
