"""Every refusal as a problem document, RFC 9457. This is the one place that makes them.

The rest of the API raises; :func:`problem_for` says what an exception means to
the caller. Each kind of problem has a `type`, a path that explains it when it is
fetched, and a `title`; `detail` speaks of this occurrence. A problem about
fields lists them in `errors`, with a JSON pointer into the body (or the name of
the parameter) and the reason. Where the fault is inside a text, such as an ACL's
match, `position` counts the characters before it and `caret` shows it::

    ip4.src == 10.0.0.0/33 && tcp
               ^
"""

from collections.abc import Sequence
from functools import singledispatch
from typing import Any, NamedTuple

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from northbound import errors as intent
from southbound import errors as realised

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"

log = structlog.get_logger(__name__)


class Kind(NamedTuple):
    """A kind of problem: `slug` ends its type, `meaning` is for the documentation."""

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return TYPE_PREFIX + self.slug


INVALID = Kind(
    "invalid",
    422,
    "A field is wrong",
    "`errors` names each field that is wrong, or that there is none of that name, and why.",
)
UNREADABLE = Kind(
    "unreadable", 400, "The body cannot be read", "The body is not the text of a JSON document."
)
BAD_PRECONDITION = Kind(
    "bad-precondition",
    400,
    "If-Match holds no entity tag",
    "Send the `ETag` of the object as it was read, or `*`.",
)
UNAUTHENTICATED = Kind(
    "unauthenticated",
    401,
    "A token is needed",
    "Send `Authorization: Bearer <token>` with a token that is neither expired nor revoked.",
)
FORBIDDEN = Kind(
    "forbidden",
    403,
    "The token does not allow this",
    "Ask with a token of a higher role, or where yours is for one project, with one for all.",
)
NOT_FOUND = Kind(
    "not-found", 404, "There is no such object", "No object has that id or unique name."
)
NO_SUCH_PATH = Kind("no-such-path", 404, "There is no such path", "See `/docs` for all paths.")
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed", 405, "The path does not take this method", "See `Allow`."
)
TAKEN = Kind(
    "taken",
    409,
    "Already taken",
    "A name or an address belongs to another object, which `referents` names.",
)
REFERENCED = Kind(
    "referenced",
    409,
    "Still referenced",
    "The objects in `referrers` need this one: change or delete them first.",
)
CONNECTED = Kind(
    "connected", 409, "The chassis is connected", "Stop its agent before it is forgotten."
)
EXHAUSTED = Kind(
    "exhausted", 409, "Nothing left to give out", "A subnet or a range of keys is used up."
)
CHANGED = Kind(
    "changed",
    412,
    "Changed in the meantime",
    "The object is not the one that `If-Match` names; read it again.",
)
TOO_LARGE = Kind(
    "too-large",
    413,
    "More than one request may ask for",
    "`detail` names the bound. Send less at once: fewer bytes, values, operations or members.",
)
UNSUPPORTED_MEDIA = Kind(
    "unsupported-media",
    415,
    "The media type is not taken",
    "Send the body in one of the media types that the operation lists.",
)
INTERNAL = Kind(
    "internal", 500, "A fault of the server", "The server's log has the details; nothing is kept."
)
UNAVAILABLE = Kind(
    "unavailable",
    503,
    "The database cannot serve now",
    "Nothing was written. Where `Retry-After` is given, trying again may help.",
)
BUSY = Kind(
    "busy",
    503,
    "Too many questions at once",
    "A few traces and explanations are worked on at once, and some more wait. Ask again after "
    "`Retry-After` seconds.",
)
NOT_REACHED = Kind(
    "not-reached",
    504,
    "Committed, but not yet everywhere",
    "The change is in force as `revision`; only the wait for it ended. "
    "Do not repeat the request: ask `/v1/status` for how far the revision has come.",
)
NO_SPACE = Kind(
    "no-space", 507, "The database has no space left", "Nothing was written; make room."
)

KINDS = {kind.slug: kind for kind in vars().copy().values() if isinstance(kind, Kind)}


class FieldError(BaseModel):
    """What is wrong with one field of the body, or with one parameter."""

    model_config = ConfigDict(extra="forbid")

    pointer: str | None = Field(
        default=None, description="JSON pointer into the body, as a URI fragment."
    )
    parameter: str | None = Field(
        default=None, description="Name of the path, query or header parameter."
    )
    reason: str
    position: int | None = Field(
        default=None, description="Characters before the fault within a text value."
    )
    caret: str | None = Field(
        default=None, description="The text value, and below it a caret at the fault."
    )


class ReferentInfo(BaseModel):
    """An object that stands in the way."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    kind: str
    id: str
    name: str
    project: str
    """Empty for a token, which is no project's."""
    document: str | None = None
    """The document that owns the object, if one does."""


class Problem(BaseModel):
    """A problem document, RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = Field(default=None, description="The path that was asked.")
    errors: list[FieldError] | None = None
    referents: list[ReferentInfo] | None = None
    referrers: list[ReferentInfo] | None = None
    revision: int | None = Field(
        default=None, description="The revision that was committed nevertheless."
    )
    waiting_for: list[str] | None = Field(
        default=None,
        description="The chassis that have not applied it, or the ports that are not up.",
    )


class Refusal(NamedTuple):
    """A problem and the headers that go with it."""

    problem: Problem
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


def _refusal(
    kind: Kind, detail: object, headers: dict[str, str] | None = None, **more: Any
) -> Refusal:
    problem = Problem(
        type=kind.type, title=kind.title, status=kind.status, detail=str(detail), **more
    )
    return Refusal(problem, headers or {})


@singledispatch
def problem_for(error: Exception) -> Refusal:
    """What `error` means to the caller. An unforeseen one says nothing about itself."""
    return _refusal(INTERNAL, f"An unexpected {type(error).__name__}; it is in the server's log.")


@problem_for.register
def _(error: intent.InvalidError) -> Refusal:
    return _refusal(
        INVALID,
        _summary([problem.dotted for problem in error.problems]),
        errors=[_field_error(problem) for problem in error.problems],
    )


@problem_for.register
def _(error: intent.NotFoundError) -> Refusal:
    return _refusal(NOT_FOUND, error, errors=_place(error))


@problem_for.register
def _(error: intent.ConflictError) -> Refusal:
    return _refusal(
        TAKEN,
        error,
        errors=[_field_error(intent.FieldProblem((*error.path, error.field), str(error)))],
        referents=_referents([error.holder] if error.holder else []),
    )


@problem_for.register
def _(error: intent.ReferencedError) -> Refusal:
    return _refusal(REFERENCED, error, errors=_place(error), referrers=_referents(error.referrers))


@problem_for.register
def _(error: intent.VersionMismatchError) -> Refusal:
    return _refusal(CHANGED, error, errors=_place(error))


@problem_for.register
def _(error: intent.LimitError) -> Refusal:
    return _refusal(TOO_LARGE, error, errors=_place(error))


@problem_for.register
def _(error: intent.ExhaustedError) -> Refusal:
    return _refusal(EXHAUSTED, error, errors=_place(error))


@problem_for.register
def _(error: intent.DatabaseError) -> Refusal:
    return _refusal(UNAVAILABLE, error)


@problem_for.register
def _(error: intent.DatabaseBusyError) -> Refusal:
    return _refusal(UNAVAILABLE, error, headers={"Retry-After": "1"})


@problem_for.register
def _(error: intent.DatabaseFullError) -> Refusal:
    return _refusal(NO_SPACE, error)


@problem_for.register
def _(error: realised.NotAllowedError) -> Refusal:
    return _refusal(CONNECTED, error)


@problem_for.register
def _(error: realised.StoreError) -> Refusal:
    return _refusal(UNAVAILABLE, error)


@problem_for.register
def _(error: errors.UnauthenticatedError) -> Refusal:
    return _refusal(UNAUTHENTICATED, error, headers={"WWW-Authenticate": 'Bearer realm="treadle"'})


@problem_for.register
def _(error: intent.SharedError) -> Refusal:
    return _refusal(FORBIDDEN, error, errors=_place(error))


@problem_for.register(errors.ForbiddenError)
@problem_for.register(errors.ForbiddenProjectError)
def _(error: errors.ApiError) -> Refusal:
    return _refusal(FORBIDDEN, error)


@problem_for.register
def _(error: errors.BadQueryError) -> Refusal:
    fields = [FieldError(parameter=fault.dotted, reason=fault.reason) for fault in error.problems]
    return _refusal(INVALID, _summary([fault.dotted for fault in error.problems]), errors=fields)


@problem_for.register
def _(error: errors.BadPreconditionError) -> Refusal:
    field = FieldError(parameter="If-Match", reason=str(error))
    return _refusal(BAD_PRECONDITION, error, errors=[field])


@problem_for.register
def _(error: errors.UnreadableBodyError) -> Refusal:
    return _refusal(UNREADABLE, error)


@problem_for.register
def _(error: errors.UnsupportedMediaError) -> Refusal:
    return _refusal(UNSUPPORTED_MEDIA, error, headers={"Accept": ", ".join(error.accepted)})


@problem_for.register(errors.BodyTooLargeError)
@problem_for.register(errors.TooComplexError)
def _(error: errors.BodyTooLargeError | errors.TooComplexError) -> Refusal:
    return _refusal(TOO_LARGE, error)


@problem_for.register
def _(error: errors.TooManyQuestionsError) -> Refusal:
    return _refusal(BUSY, error, headers={"Retry-After": "1"})


@problem_for.register
def _(error: errors.WaitTimeoutError) -> Refusal:
    return _refusal(
        NOT_REACHED, error, revision=error.revision, waiting_for=list(error.waiting_for)
    )


@problem_for.register
def _(error: RequestValidationError) -> Refusal:
    """Of path, query and header parameters: bodies are checked by the services."""
    fields = [_parameter_error(fault) for fault in error.errors()]
    return _refusal(INVALID, _summary([str(field.parameter) for field in fields]), errors=fields)


@problem_for.register
def _(error: HTTPException) -> Refusal:
    headers = dict(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED.status:
        allowed = headers.get("Allow", "others")
        return _refusal(METHOD_NOT_ALLOWED, f"The path takes {allowed}.", headers)
    if error.status_code == NO_SUCH_PATH.status:
        return _refusal(NO_SUCH_PATH, "Nothing is served under this path.", headers)
    kind = Kind("unreadable", error.status_code, UNREADABLE.title, "")
    return _refusal(kind, error.detail, headers)


def _summary(names: Sequence[str]) -> str:
    """
    >>> _summary(["match", "priority"])
    'wrong: match, priority'
    """
    return "wrong: " + ", ".join(name or "the body" for name in names)


def _field_error(problem: intent.FieldProblem) -> FieldError:
    return FieldError(
        pointer=f"#{problem.pointer}",
        reason=problem.reason,
        position=problem.position,
        caret=problem.excerpt,
    )


def _place(error: intent.RequestError) -> list[FieldError] | None:
    """Where in a larger request the refused part is, if it is part of one."""
    if not error.path:
        return None
    return [_field_error(intent.FieldProblem(error.path, str(error)))]


def _parameter_error(fault: dict[str, Any]) -> FieldError:
    """One of pydantic's faults, whose ``loc`` is where the parameter was, and its name."""
    return FieldError(parameter=str(fault["loc"][-1]), reason=fault["msg"])


def _referents(referents: Sequence[intent.Referent]) -> list[ReferentInfo]:
    return [ReferentInfo(**each._asdict()) for each in referents]


async def respond(request: Request, error: Exception) -> Response:
    """The exception handler of the application."""
    if isinstance(error, HTTPException) and error.status_code == METHOD_NOT_ALLOWED.status:
        error = HTTPException(error.status_code, headers={"Allow": ", ".join(_methods(request))})
    refusal = problem_for(error)
    refusal.problem.instance = request.url.path
    if refusal.problem.status == INTERNAL.status:
        log.error("request failed", path=request.url.path, exc_info=error)
    return Response(
        refusal.problem.model_dump_json(exclude_none=True),
        status_code=refusal.problem.status,
        headers=refusal.headers,
        media_type=MEDIA_TYPE,
    )


def _methods(request: Request) -> list[str]:
    """All that the path takes; the framework names only what its first route takes."""
    methods: set[str] = set()
    for template, operations in request.app.openapi()["paths"].items():
        pattern, _, _ = compile_path(template)
        if pattern.match(request.url.path):
            methods.update(method.upper() for method in operations)
    return sorted(methods)


class _Faults:
    """Middleware for what no one foresaw: logged once, and answered once if that still goes.

    A handler of the framework for all exceptions would raise them again, for the HTTP
    server to log them a second time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def note(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except ClientDisconnect:
            log.info("client went before its request was complete", path=scope["path"])
        except Exception as error:
            if scope["type"] != "http" or began:
                raise
            response = await respond(Request(scope), error)
            await response(scope, receive, send)


def install(app: FastAPI) -> None:
    """Make every exception of `app` a problem document."""
    for kind in (
        intent.NorthboundError,
        realised.SouthboundError,
        errors.ApiError,
        RequestValidationError,
        HTTPException,
    ):
        app.add_exception_handler(kind, respond)
    app.add_middleware(_Faults)


def refusals(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for the problems that an operation may answer with."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        media = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        entry = responses.setdefault(
            kind.status, {"description": "", "content": {MEDIA_TYPE: media}}
        )
        entry["description"] = f"{entry['description']} {kind.title}.".lstrip()
        example = {"$ref": f"#/components/examples/{kind.slug}"}
        entry["content"][MEDIA_TYPE]["examples"][kind.slug] = example
    return responses


def examples() -> dict[str, Any]:
    """The examples that :func:`refusals` refers to."""
    return {
        kind.slug: {
            "summary": kind.title,
            "value": _refusal(kind, kind.meaning).problem.model_dump(exclude_none=True),
        }
        for kind in KINDS.values()
    }
