"""List, show, create, change, delete, and tags: the same for every resource, over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.neutron.attributes import UNSET
from api.neutron.context import Authenticator, Context
from api.neutron.errors import (
    BadRequestError,
    NeutronError,
    NotAuthorizedError,
    neutron_error_for,
    response_for,
)
from api.neutron.query import ListQuery, page, page_links, read_query
from api.neutron.resource import Resource, Service, View, now
from api.neutron.tags import checked_tag, checked_tags, require_tag
from api.requests import json_body
from northbound.transaction import Reader, Transaction

log = structlog.get_logger(__name__)

MAXIMUM_BULK = 1000
"""How many objects one request may create."""

_FEW = 100
"""Objects of a list that are rendered where they are."""

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def answered(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose refusals are Neutron's, and whose faults are logged once."""

    @wraps(endpoint)
    async def guarded(request: Request) -> Response:
        request_id = f"req-{uuid4()}"
        try:
            _refuse_nul(request)
            response = await endpoint(request)
        except ClientDisconnect:
            raise
        except Exception as error:
            refusal = neutron_error_for(error)
            if refusal is None:
                log.error(
                    "request failed", path=request.url.path, request=request_id, exc_info=error
                )
                message = "Request Failed: internal server error while processing your request."
                refusal = NeutronError(500, "HTTPInternalServerError", message)
            response = response_for(refusal)
        response.headers["X-Openstack-Request-Id"] = request_id
        return response

    return guarded


class Operations:
    """The endpoints of one resource."""

    def __init__(
        self, resource: Resource[Any], service: Service, authenticate: Authenticator
    ) -> None:
        self._resource = resource
        self._service = service
        self._authenticate = authenticate

    def routes(self) -> list[Route]:
        """Return the routes of the collection, of each member, of actions and of tags."""
        resource = self._resource
        collection, member = f"/v2.0/{resource.path}", f"/v2.0/{resource.path}/{{id}}"
        table: list[tuple[str, str, str, Endpoint]] = [
            ("list", "GET", collection, self.index),
            ("create", "POST", collection, self.create),
            ("show", "GET", member, self.show),
            ("update", "PUT", member, self.update),
            ("delete", "DELETE", member, self.delete),
        ]
        routes = [
            _route(path, method, endpoint)
            for name, method, path, endpoint in table
            if name in resource.operations
        ]
        routes += [
            _route(f"{member}/{name}", "PUT", self._action(name)) for name in resource.actions
        ]
        if resource.tags_column is not None:
            tags = f"{member}/tags"
            routes += [
                _route(tags, "GET", self.list_tags),
                _route(tags, "POST", self.add_tags),
                _route(tags, "PUT", self.replace_tags),
                _route(tags, "DELETE", self.remove_tags),
                _route(f"{tags}/{{tag:path}}", "GET", self.has_tag),
                _route(f"{tags}/{{tag:path}}", "PUT", self.add_tag),
                _route(f"{tags}/{{tag:path}}", "DELETE", self.remove_tag),
            ]
        return routes

    async def index(self, request: Request) -> Response:
        context = await self._authenticate(request)
        resource = self._resource
        asked = read_query(resource.attributes, request.query_params, resource.filters)
        await resource.prepare(self._service, context)

        def work(reader: Reader) -> list[View]:
            return resource.list_views(reader, context, asked)

        views: list[View] = []
        if resource.attributes.are_for(context, asked.filters):
            views = await self._service.backend.read(work, context.scope)
        await resource.complete(self._service, context, views)
        if len(views) <= _FEW:
            return self._list(request, context, asked, views)
        # What is large is rendered in a thread, where it holds up no one else.
        return await run_in_threadpool(self._list, request, context, asked, views)

    def _list(
        self, request: Request, context: Context, asked: ListQuery, views: list[View]
    ) -> Response:
        """Return the answer with those of `views` that are asked for."""
        found, more = page([view for view in views if asked.matches(view)], asked)
        collection = self._resource.collection
        body: dict[str, Any] = {collection: [self._shown(context, view, asked) for view in found]}
        url = str(request.url.replace(query=""))
        links = page_links(url, request.query_params, found, asked, more)
        if links:
            body[f"{collection}_links"] = links
        return JSONResponse(body)

    async def show(self, request: Request) -> Response:
        context = await self._authenticate(request)
        parameters = request.query_params.multi_items()
        for name, _ in parameters:
            if name != "fields":
                raise BadRequestError(f"['{name[:100]}'] is invalid attribute for filtering")
        asked = read_query(self._resource.attributes, request.query_params)
        object_id = request.path_params["id"]

        def work(reader: Reader) -> View:
            return self._resource.view(reader, context, object_id)

        view = await self._service.backend.read(work, context.scope)
        await self._resource.complete(self._service, context, [view])
        return JSONResponse({self._resource.name: self._shown(context, view, asked)})

    async def create(self, request: Request) -> Response:
        context = await self._authenticate(request)
        resource = self._resource
        context.require(f"create_{resource.name}")
        body = await json_body(request)
        bodies, bulk = self._bodies(body)
        values = [resource.attributes.read_new(context, each) for each in bodies]
        resource.check_together(values)

        def work(tx: Transaction) -> list[View]:
            projects = [each.get("project_id", context.project) for each in values]
            self._service.quotas.check(tx, resource.name, projects)
            ids = [self._create(tx, context, each) for each in values]
            tx.flush()
            return resource.views_by_id(tx, context, ids)

        views = await self._write(context, work)
        await resource.complete(self._service, context, views)
        shown = [resource.attributes.shown(context, view) for view in views]
        answer = {resource.collection: shown} if bulk else {resource.name: shown[0]}
        return JSONResponse(answer, 201)

    def _create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        object_id = self._resource.create(tx, context, values)
        if values.get("tags"):
            row = self._resource.find(tx, context, object_id)
            self._resource.annex(tx, row).tags = list(values["tags"])
        return object_id

    async def update(self, request: Request) -> Response:
        context = await self._authenticate(request)
        resource = self._resource
        object_id = request.path_params["id"]
        context.require(f"update_{resource.name}")
        expected = _expected_revision(request)
        body = self._member(await json_body(request))
        changes = resource.attributes.read_changes(context, body)

        def work(tx: Transaction) -> View:
            row = self._own(tx, context, object_id, "update")
            before = resource.views(tx, context, [row])[0]
            resource.check_revision(before, expected)
            resource.update(tx, context, row, changes)
            return self._changed(tx, context, before)

        view = await self._write(context, work)
        await resource.complete(self._service, context, [view])
        return JSONResponse({resource.name: resource.attributes.shown(context, view)})

    async def delete(self, request: Request) -> Response:
        context = await self._authenticate(request)
        resource = self._resource
        object_id = request.path_params["id"]
        context.require(f"delete_{resource.name}")
        expected = _expected_revision(request)

        def work(tx: Transaction) -> None:
            row = self._own(tx, context, object_id, "delete")
            if expected is not None:
                resource.check_revision(resource.views(tx, context, [row])[0], expected)
            resource.delete(tx, context, row)

        await self._write(context, work)
        return Response(status_code=204)

    def _action(self, name: str) -> Endpoint:
        act = self._resource.actions[name]

        async def endpoint(request: Request) -> Response:
            context = await self._authenticate(request)
            context.require(name)
            body = await json_body(request)
            object_id = request.path_params["id"]

            def work(tx: Transaction) -> View:
                row = self._own(tx, context, object_id, name)
                return act(tx, context, row, body)

            return JSONResponse(await self._write(context, work))

        return endpoint

    # --- tags

    async def list_tags(self, request: Request) -> Response:
        return JSONResponse({"tags": await self._tags(request)})

    async def has_tag(self, request: Request) -> Response:
        tag = request.path_params["tag"]
        require_tag(await self._tags(request), tag)
        return Response(status_code=204)

    async def add_tag(self, request: Request) -> Response:
        context = await self._authenticate(request)
        tag = checked_tag(request.path_params["tag"])
        await self._retag(request, context, lambda tags: [*tags, tag])
        return Response(status_code=201)

    async def remove_tag(self, request: Request) -> Response:
        context = await self._authenticate(request)
        tag = request.path_params["tag"]

        def remove(tags: list[str]) -> list[str]:
            require_tag(tags, tag)
            return [each for each in tags if each != tag]

        await self._retag(request, context, remove)
        return Response(status_code=204)

    async def replace_tags(self, request: Request) -> Response:
        context = await self._authenticate(request)
        wanted = checked_tags(await json_body(request))
        return JSONResponse({"tags": await self._retag(request, context, lambda _: wanted)})

    async def add_tags(self, request: Request) -> Response:
        context = await self._authenticate(request)
        added = checked_tags(await json_body(request))
        tags = await self._retag(request, context, lambda tags: [*tags, *added])
        return JSONResponse({"tags": tags})

    async def remove_tags(self, request: Request) -> Response:
        context = await self._authenticate(request)
        await self._retag(request, context, lambda _: [])
        return Response(status_code=204)

    async def _tags(self, request: Request) -> list[str]:
        context = await self._authenticate(request)
        object_id = request.path_params["id"]

        def work(reader: Reader) -> list[str]:
            tags: list[str] = self._resource.view(reader, context, object_id)["tags"]
            return tags

        return await self._service.backend.read(work, context.scope)

    async def _retag(
        self, request: Request, context: Context, change: Callable[[list[str]], list[str]]
    ) -> list[str]:
        """Let `change` say what tags an object has, given those that it had."""
        resource = self._resource
        object_id = request.path_params["id"]
        context.require(f"update_{resource.collection}_tags")

        def work(tx: Transaction) -> list[str]:
            row = self._own(tx, context, object_id, "update")
            before = resource.views(tx, context, [row])[0]
            annex = resource.annex(tx, row)
            tags = checked_tags({"tags": list(dict.fromkeys(change(list(before["tags"]))))})
            annex.tags = tags
            self._changed(tx, context, before)
            return tags

        return await self._write(context, work)

    # ---

    def _own(self, tx: Transaction, context: Context, object_id: str, verb: str) -> Any:
        """Return the row that the caller may change, or raise.

        Raises ResourceNotFoundError, or NotAuthorizedError for what the caller only sees.
        """
        row = self._resource.find(tx, context, object_id)
        if not self._resource.may_change(context, row, verb):
            raise NotAuthorizedError(f"{verb}_{self._resource.name}")
        return row

    def _changed(self, tx: Transaction, context: Context, before: View) -> View:
        """Return the view of an object that was changed, and note the time if it was."""
        tx.flush()
        row = self._resource.find(tx, context, before["id"])
        view = self._resource.views(tx, context, [row])[0]
        if view != before and "updated_at" in view:
            annex = self._resource.annex(tx, row)
            annex.updated_at = now()
            view |= {"updated_at": annex.updated_at, "revision_number": tx.revision}
        return view

    async def _write(self, context: Context, work: Callable[[Transaction], T]) -> T:
        written = await self._service.backend.write(
            work, author=context.user, comment="", scope=context.scope
        )
        return written.result

    def _shown(self, context: Context, view: View, asked: ListQuery) -> View:
        return asked.show(self._resource.attributes.shown(context, view))

    def _member(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        name = self._resource.name
        said = body.get(name, UNSET)
        if not isinstance(said, dict) or len(body) != 1:
            raise BadRequestError(f"Resource body required: an object {name!r}")
        return said

    def _bodies(self, body: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
        """Return the objects that a body has, and whether it may have several."""
        several = body.get(self._resource.collection)
        if several is None or len(body) != 1:
            return [self._member(body)], False
        if not isinstance(several, list) or not several:
            raise BadRequestError("Resources required")
        if len(several) > MAXIMUM_BULK:
            raise BadRequestError(f"One request may create {MAXIMUM_BULK} objects")
        # Some clients wrap each member once more.
        name = self._resource.name
        members = [each.get(name, each) if isinstance(each, dict) else each for each in several]
        if not all(isinstance(each, dict) for each in members):
            raise BadRequestError(f"Each of {self._resource.collection} has to be an object")
        return members, True


def _refuse_nul(request: Request) -> None:
    """Refuse NUL in paths and queries: no object has it anywhere, and PostgreSQL takes none."""
    pairs = [*request.path_params.items(), *request.query_params.multi_items()]
    if any("\0" in name + str(value) for name, value in pairs):
        raise BadRequestError("Neither the path nor the query may have NUL in it")


def _route(path: str, method: str, endpoint: Endpoint) -> Route:
    return Route(path, answered(endpoint), methods=[method])


def _expected_revision(request: Request) -> int | None:
    """Return the revision of ``If-Match: revision_number=N``, if it is there."""
    said = request.headers.get("If-Match")
    if said is None:
        return None
    name, _, number = said.strip().partition("=")
    if name != "revision_number" or not number.isascii() or not number.isdigit():
        raise BadRequestError("Invalid input for If-Match: it has to be revision_number=N")
    return int(number[:18])
