"""Create, list, read, change and delete: the same operations for every kind of object.

:func:`add_collection` gives a kind its path, :func:`add_contents` the collections
under an object (the ports of a switch). The work is the services'; here is what
makes it HTTP.
"""

from collections.abc import Callable, Mapping, Sized
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api import problems
from api.auth import BackendOf, ProjectOperator, ProjectViewer, ScopeOf
from api.backend import Backend
from api.errors import BadQueryError
from api.kinds import Content, Kind
from api.openapi import answer, body, content_schema_name, page_of, patch_body, reference
from api.problems import refusals
from api.requests import (
    SMALL,
    IfVersion,
    JsonObject,
    MergePatch,
    Options,
    PageOf,
    WriteOptions,
    entity_tag,
)
from api.waiting import wait_for
from northbound.errors import InvalidError
from northbound.paging import PageRequest
from northbound.projects import Scope
from northbound.services import LABEL_FILTER
from northbound.specs import Spec
from northbound.transaction import Reader, Transaction

REVISION_HEADER = "Treadle-Revision"

Ref = Annotated[str, Path(min_length=1, max_length=255, description="Id or unique name.")]
Cascade = Annotated[bool, Query(description="Delete what the object contains, too.")]

_ALWAYS = (problems.INVALID, problems.UNAUTHENTICATED, problems.FORBIDDEN, problems.UNAVAILABLE)
READ_REFUSALS = refusals(*_ALWAYS)
READ_ONE_REFUSALS = refusals(*_ALWAYS, problems.NOT_FOUND)
WRITE_REFUSALS = refusals(
    *_ALWAYS,
    problems.UNREADABLE,
    problems.BAD_PRECONDITION,
    problems.NOT_FOUND,
    problems.TAKEN,
    problems.REFERENCED,
    problems.EXHAUSTED,
    problems.CHANGED,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_MEDIA,
    problems.NOT_REACHED,
    problems.NO_SPACE,
)


def add_collection(router: APIRouter, kind: Kind) -> None:
    """The operations on all objects of `kind`, and on each."""
    collection = f"/{kind.path}"
    member = f"/{kind.path}/{{ref}}"
    schema = reference(kind.view_name)
    tags: list[str | Enum] = [kind.plural]
    refers = any(each.refers for each in kind.service.filters.values())

    @router.get(
        collection,
        operation_id=f"list_{kind.plural.replace(' ', '_').lower()}",
        summary=f"List {kind.plural}",
        tags=tags,
        responses={200: _page(kind), **(READ_ONE_REFUSALS if refers else READ_REFUSALS)},
        openapi_extra={"parameters": _filter_parameters(kind)},
    )
    async def list_all(
        request: Request, backend: BackendOf, _caller: ProjectViewer, scope: ScopeOf, page: PageOf
    ) -> Response:
        return await _list(backend, kind, scope, page, _filters(request))

    @router.post(
        collection,
        operation_id=f"create_{kind.name}",
        summary=f"Create {kind.a_title}",
        tags=tags,
        status_code=201,
        responses={201: _object("Created.", kind, "Location"), **WRITE_REFUSALS},
        openapi_extra={
            "requestBody": body(reference(kind.service.spec.__name__), dict(kind.example))
        },
    )
    async def create(
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        values: JsonObject,
        options: Options,
    ) -> Response:
        spec = await read_spec(kind, values)

        def work(tx: Transaction) -> Any:
            return kind.service.create(tx, spec)

        return await write_one(backend, kind, work, caller.name, scope, options, created=True)

    @router.get(
        member,
        operation_id=f"get_{kind.name}",
        summary=f"Read {kind.a_title}",
        tags=tags,
        responses={
            200: answer(f"The {kind.title}.", schema, kind.view_example, ("ETag",)),
            **READ_ONE_REFUSALS,
        },
    )
    async def read(
        ref: Ref, backend: BackendOf, _caller: ProjectViewer, scope: ScopeOf
    ) -> Response:
        def work(reader: Reader) -> dict[str, Any]:
            return kind.service.view(reader, kind.service.get(reader, ref))

        view = await backend.read(work, scope)
        return JSONResponse(view, headers={"ETag": entity_tag(view["version"])})

    @router.patch(
        member,
        operation_id=f"update_{kind.name}",
        summary=f"Change {kind.a_title}",
        description="Lays a JSON merge patch (RFC 7396) over the object.",
        tags=tags,
        responses={200: _object("Changed.", kind), **WRITE_REFUSALS},
        openapi_extra={"requestBody": patch_body(kind)},
    )
    async def update(
        ref: Ref,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        patch: MergePatch,
        if_version: IfVersion,
        options: Options,
    ) -> Response:
        def work(tx: Transaction) -> Any:
            return kind.service.update(tx, ref, patch, if_version=if_version)

        return await write_one(backend, kind, work, caller.name, scope, options)

    @router.put(
        member,
        operation_id=f"replace_{kind.name}",
        summary=f"Replace {kind.a_title}",
        description="Fields that the body leaves out get their defaults.",
        tags=tags,
        responses={200: _object("Replaced.", kind), **WRITE_REFUSALS},
        openapi_extra={
            "requestBody": body(reference(kind.service.spec.__name__), dict(kind.example))
        },
    )
    async def replace(
        ref: Ref,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        values: JsonObject,
        if_version: IfVersion,
        options: Options,
    ) -> Response:
        spec = await read_spec(kind, values)

        def work(tx: Transaction) -> Any:
            return kind.service.replace(tx, ref, spec, if_version=if_version)

        return await write_one(backend, kind, work, caller.name, scope, options)

    @router.delete(
        member,
        operation_id=f"delete_{kind.name}",
        summary=f"Delete {kind.a_title}",
        tags=tags,
        status_code=204,
        responses={204: {"description": "Deleted."}, **WRITE_REFUSALS},
    )
    async def delete(
        ref: Ref,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        if_version: IfVersion,
        options: Options,
        cascade: Cascade = False,
    ) -> Response:
        def work(tx: Transaction) -> None:
            kind.service.delete(tx, ref, cascade=cascade, if_version=if_version)

        written = await backend.write(
            work, author=caller.name, comment=options.comment, scope=scope
        )
        await wait_for(backend, written.revision, options.wait, options.timeout, scope)
        return Response(status_code=204, headers={REVISION_HEADER: str(written.revision)})


def add_contents(router: APIRouter, content: Content) -> None:
    """The collection of those objects that belong to one other object."""
    kind, parent = content.kind, content.parent
    path = f"/{parent.path}/{{ref}}/{content.path}"
    tags: list[str | Enum] = [parent.plural]

    @router.get(
        path,
        operation_id=f"list_{content.path.replace('-', '_')}_of_{parent.name}",
        summary=f"List the {kind.plural} of {parent.a_title}",
        tags=tags,
        responses={200: _page(kind), **READ_ONE_REFUSALS},
        openapi_extra={"parameters": _filter_parameters(kind, without=content.field)},
    )
    async def list_contents(
        ref: Ref,
        request: Request,
        backend: BackendOf,
        _caller: ProjectViewer,
        scope: ScopeOf,
        page: PageOf,
    ) -> Response:
        filters = {**_filters(request), content.field: ref}
        # Here it says whose the owner is.
        filters.pop("project", None)
        return await _list(backend, kind, scope, page, filters)

    @router.post(
        path,
        operation_id=f"create_{kind.name}_in_{parent.name}",
        summary=f"Create {kind.a_title} in {parent.a_title}",
        tags=tags,
        status_code=201,
        responses={201: _object("Created.", kind, "Location"), **WRITE_REFUSALS},
        openapi_extra={
            "requestBody": body(
                reference(content_schema_name(kind, content.field)), content.example
            )
        },
    )
    async def create_content(
        ref: Ref,
        backend: BackendOf,
        caller: ProjectOperator,
        scope: ScopeOf,
        values: JsonObject,
        options: Options,
    ) -> Response:
        spec = await read_spec(kind, {**values, content.field: ref})

        def work(tx: Transaction) -> Any:
            owner = parent.service.get(tx, ref)
            named = values.get(content.field, ref)
            if named not in (ref, owner.id, getattr(owner, "name", ref)):
                raise InvalidError.of(
                    content.field, reason="is not the one of the path", value=named
                )
            # By its id: what is made in it may be of another project, where names differ.
            placed = spec.model_copy(update={content.field: owner.id})
            return kind.service.create(tx, placed)

        return await write_one(backend, kind, work, caller.name, scope, options, created=True)


async def read_spec(kind: Kind, values: Mapping[str, Any]) -> Spec:
    """`values` as a spec of `kind`, before the writer is needed for it; or InvalidError."""
    if sum(len(value) for value in values.values() if isinstance(value, Sized)) <= SMALL:
        small: Spec = kind.service.read_spec(values)
        return small
    spec: Spec = await run_in_threadpool(kind.service.read_spec, values)
    return spec


async def write_one(
    backend: Backend,
    kind: Kind,
    work: Callable[[Transaction], Any],
    author: str,
    scope: Scope,
    options: WriteOptions,
    *,
    created: bool = False,
) -> Response:
    """Do `work` in a transaction of its own and answer with the object that it returns."""

    def run(tx: Transaction) -> dict[str, Any]:
        row = work(tx)
        tx.flush()
        return kind.service.view(tx, row)

    written = await backend.write(run, author=author, comment=options.comment, scope=scope)
    await wait_for(backend, written.revision, options.wait, options.timeout, scope)
    view = written.result
    headers = {
        "ETag": entity_tag(view["version"]),
        REVISION_HEADER: str(written.revision),
    }
    if created:
        headers["Location"] = f"/v1/{kind.path}/{view['id']}"
    return JSONResponse(view, status_code=201 if created else 200, headers=headers)


async def _list(
    backend: Backend, kind: Kind, scope: Scope, page: PageRequest, filters: Mapping[str, str]
) -> Response:
    def work(reader: Reader) -> Response:
        found = kind.service.page(reader, filters, page)
        items = kind.service.views(reader, found.items)
        return JSONResponse({"items": items, "next_cursor": found.next})

    try:
        return await backend.read(work, scope)
    except InvalidError as error:
        raise BadQueryError(error.problems) from error


def _filters(request: Request) -> dict[str, str]:
    return {
        name: value
        for name, value in request.query_params.items()
        if name not in ("limit", "cursor")
    }


def _filter_parameters(kind: Kind, *, without: str = "") -> list[dict[str, Any]]:
    parameters = []
    for name, each in kind.service.filters.items():
        if name not in (without, "project"):  # which all operations take, see api.auth
            schema = {"type": "string"} | ({"enum": list(each.choices)} if each.choices else {})
            parameters.append(_filter(name, f"Only those whose `{name}` is this.", schema))
    text = "Only those whose label `NAME` has this value."
    parameters.append(_filter(f"{LABEL_FILTER}NAME", text, {"type": "string"}))
    return parameters


def _filter(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _page(kind: Kind) -> dict[str, Any]:
    example = {"items": [kind.view_example], "next_cursor": None}
    return answer("A page of the list.", page_of(kind.view_name), example)


def _object(description: str, kind: Kind, *headers: str) -> dict[str, Any]:
    return answer(
        description,
        reference(kind.view_name),
        kind.view_example,
        ("ETag", REVISION_HEADER, *headers),
    )
