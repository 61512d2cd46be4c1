"""What operations take from a request besides the path: body, preconditions, options.

Bodies are taken as plain JSON: what may be in them is for the specs of
:mod:`northbound.specs` to say, once for all the ways in which intent arrives.
Those that are large are parsed in a thread, so that others are answered meanwhile.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.auth import get_backend
from api.errors import (
    BadPreconditionError,
    BadQueryError,
    BodyTooLargeError,
    Milestone,
    UnreadableBodyError,
    UnsupportedMediaError,
)
from api.json_text import parse_object
from northbound.errors import FieldProblem
from northbound.paging import DEFAULT_LIMIT, MAXIMUM_LIMIT, PageRequest
from northbound.services import LABEL_FILTER

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
MAXIMUM_WAIT = 600.0
SMALL = 4096
"""Characters, or values, that are worked on at once: to hand them to a thread costs more."""

_ENTITY_TAG = re.compile(r'"([0-9]{1,18})"')


async def refuse_wrong_parameters(request: Request) -> None:
    """Refuse query parameters that the operation doesn't have: a typo must not go unnoticed.

    And NUL, in any parameter: no object has it in its name, and PostgreSQL takes none.
    """
    texts = {**request.path_params, **request.query_params}
    nul = [name for name, text in texts.items() if "\0" in name + str(text)]
    if nul:
        raise BadQueryError([FieldProblem((name,), "must not have NUL in it") for name in nul])
    route = request.scope["route"]
    if not isinstance(route, APIRoute):
        return
    if not request.query_params:
        return
    known = set(_query_parameters(route.dependant))
    known |= {parameter["name"] for parameter in (route.openapi_extra or {}).get("parameters", ())}
    labels = any(name.startswith(LABEL_FILTER) for name in known)
    unknown = [
        name
        for name in request.query_params
        if name not in known and not (labels and name.startswith(LABEL_FILTER))
    ]
    if unknown:
        there = f"there are {', '.join(sorted(known))}" if known else "there are none"
        raise BadQueryError(
            [FieldProblem((name,), f"no such parameter; {there}") for name in unknown]
        )


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def media_type(request: Request) -> str:
    """That of the body, without its parameters; "" if none is given."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def body_text(request: Request, accepted: tuple[str, ...]) -> str:
    """The body as text, if its media type is one of `accepted` and it is not too large."""
    sent = media_type(request)
    if sent not in accepted:
        raise UnsupportedMediaError(sent, accepted)
    limit = get_backend(request).limits.body_limit
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError(limit)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableBodyError(f"not UTF-8: {error.reason} at byte {error.start}") from error


async def json_body(request: Request, accepted: tuple[str, ...] = (JSON,)) -> dict[str, Any]:
    """The body as a JSON object, within the limits of the server."""
    text = await body_text(request, accepted)
    limit = get_backend(request).limits.value_limit
    if len(text) <= SMALL:
        return parse_object(text, limit)
    return await run_in_threadpool(parse_object, text, limit)


async def _json_object(request: Request) -> dict[str, Any]:
    return await json_body(request)


async def _merge_patch(request: Request) -> dict[str, Any]:
    return await json_body(request, (MERGE_PATCH, JSON))


async def _version(
    if_match: Annotated[
        str | None,
        Header(
            description="The `ETag` of the object as you read it: the operation is refused "
            "if it has changed since.",
            json_schema_extra={"pattern": r'^\s*(\*|"[0-9]{1,18}")\s*$'},
        ),
    ] = None,
) -> int | None:
    """The version that the caller expects; None for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _ENTITY_TAG.fullmatch(if_match.strip())
    if tag is None:
        raise BadPreconditionError(if_match)
    return int(tag[1])


def entity_tag(version: int) -> str:
    return f'"{version}"'


@dataclass(frozen=True)
class WriteOptions:
    """How a change is made: with what comment, and what its response waits for."""

    comment: str
    wait: Milestone | None
    timeout: float


async def _write_options(
    comment: Annotated[
        str, Query(max_length=1000, description="Why: kept with the revision.")
    ] = "",
    wait: Annotated[
        Milestone | None,
        Query(
            description="Respond only once the change is `translated` to logical flows, or "
            "applied by every `chassis` concerned, or once besides the ports that it made or "
            "changed are `up`, as far as chassis have them. Without it, once it is committed."
        ),
    ] = None,
    timeout: Annotated[  # noqa: ASYNC109 - a field of what is returned
        float, Query(gt=0, le=MAXIMUM_WAIT, description="Seconds to wait at most.")
    ] = 30.0,
) -> WriteOptions:
    return WriteOptions(comment, wait, timeout)


async def _page_request(
    limit: Annotated[
        int, Query(ge=1, le=MAXIMUM_LIMIT, description="How many items a page holds at most.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(
            min_length=1,
            description="`next_cursor` of the page before; without it, the first page.",
        ),
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


JsonObject = Annotated[dict[str, Any], Depends(_json_object)]
MergePatch = Annotated[dict[str, Any], Depends(_merge_patch)]
IfVersion = Annotated[int | None, Depends(_version)]
Options = Annotated[WriteOptions, Depends(_write_options)]
PageOf = Annotated[PageRequest, Depends(_page_request)]
