"""Who asks, and what that role may do.

A request carries ``Authorization: Bearer <token>``. Roles include each other:

===========  ================================================================
viewer       reads everything
operator     and changes logical networks
admin        and makes and revokes tokens
chassis      none of it: its tokens are for the agents' own connection
===========  ================================================================

A server that only its own host can reach may do without tokens. A request
without one is then the user ``local``, who is an admin; one with a token is held
to it. Such a request has to address the server as this host, and must not come from
a web page of elsewhere: otherwise any page that is open on this host could have its
browser change the network. Reading is left to browsers, which keep the answer from the page.
The name of the caller is the author of the revisions that it makes. A token may be for one
project: then only that project is there for its bearer, and what others share with it.

Wrong tokens are answered ever later. What waits ends when its token is revoked or expires.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, NamedTuple, ParamSpec
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.backend import Backend
from api.errors import (
    ForbiddenError,
    ForbiddenProjectError,
    UnauthenticatedError,
)
from northbound.projects import Scope
from northbound.specs.base import OBJECT_NAME
from northbound.tokens import Token
from northbound.tokens import authenticate as find_token

P = ParamSpec("P")

ORDER = ("viewer", "operator", "admin")
"""The roles of the API, each including those before it."""

bearer = HTTPBearer(
    auto_error=False,
    description="A token of `treadle token create`. A loopback-bound server asks for none.",
)


class Caller(NamedTuple):
    """The one who makes a request; `project` is the only one that its token is for."""

    name: str
    role: str
    project: str | None = None

    def scope(self, project: str | None = None) -> Scope:
        """Return what the caller sees, or raise ForbiddenProjectError.

        `project` is the one that the request names: of callers for all projects it says where
        names are looked up, and other callers may name only their own.
        """
        if self.project is None:
            return Scope(project)
        if project not in (None, self.project):
            raise ForbiddenProjectError(self.project)
        return Scope(self.project, confined=True)


LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
LOCAL = Caller("local", "admin")
READING = ("GET", "HEAD", "OPTIONS")

_shown: ContextVar[tuple[Backend, Token] | None] = ContextVar("shown", default=None)
"""The token of the request that is being served, if it has one."""


def get_backend(request: Request) -> Backend:
    """Return what the application of `request` stands on."""
    backend: Backend = request.app.state.backend
    return backend


async def _backend(request: Request) -> Backend:
    # Dependencies that aren't async each cost a turn of a thread.
    return get_backend(request)


async def authenticate(
    backend: Annotated[Backend, Depends(_backend)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    request: Request,
) -> Caller:
    """The caller, or :class:`UnauthenticatedError`."""
    if credentials is None:
        if backend.authentication or "Authorization" in request.headers:
            raise UnauthenticatedError("send Authorization: Bearer and a token")
        if request.url.hostname not in LOOPBACK_HOSTS:
            raise UnauthenticatedError(
                f"without a token only requests to {' or '.join(LOOPBACK_HOSTS)} are answered"
            )
        _refuse_foreign_pages(request)
        return LOCAL
    token = await backend.read(lambda reader: find_token(reader, credentials.credentials))
    if token is None:
        peer = request.client.host if request.client else ""
        await asyncio.sleep(backend.attempts.failed(peer, time.monotonic()))
        raise UnauthenticatedError("the token is unknown, expired or revoked")
    _shown.set((backend, token))
    return Caller(token.name, token.role, token.project)


def _refuse_foreign_pages(request: Request) -> None:
    """Browsers say from which page a request comes that changes something."""
    if request.method in READING:
        return
    for origin in request.headers.getlist("origin"):
        if urlsplit(origin).netloc != request.headers.get("host"):
            raise UnauthenticatedError(
                f"without a token web pages of {origin[:200]} may not change anything"
            )


def while_token_holds(wait: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Ends `wait` with :class:`UnauthenticatedError` when the caller's token ends."""

    @wraps(wait)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        shown = _shown.get()
        if shown is None:
            await wait(*args, **kwargs)
            return
        backend, token = shown
        waiting = asyncio.ensure_future(wait(*args, **kwargs))
        ended = asyncio.ensure_future(backend.token_watch.ended(token))
        try:
            await asyncio.wait((waiting, ended), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise UnauthenticatedError(f"{ended.result()} while its bearer waited")
            waiting.result()
        finally:
            waiting.cancel()
            ended.cancel()
            await asyncio.gather(waiting, ended, return_exceptions=True)

    return guarded


class Require:
    """A dependency that lets callers through whose role is `role` or includes it.

    Callers with a token of one project only get to operations that say so, as `in_project`:
    these show and change nothing but what is the project's, or shared with it.
    """

    def __init__(self, role: str, *, in_project: bool = False) -> None:
        self.role = role
        self.in_project = in_project

    async def __call__(self, caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if caller.role not in ORDER or ORDER.index(caller.role) < ORDER.index(self.role):
            raise ForbiddenError(caller.role, self.role)
        if caller.project is not None and not self.in_project:
            raise ForbiddenProjectError(caller.project)
        return caller


async def _scope(
    caller: Annotated[Caller, Depends(authenticate)],
    project: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=255,
            pattern=OBJECT_NAME,
            description="The project in which names are looked up, and of new objects that say "
            "none: by default the token's, or `default`.",
        ),
    ] = None,
) -> Scope:
    """What the caller sees of intent; see :class:`Require` for who may ask."""
    return caller.scope(project)


ScopeOf = Annotated[Scope, Depends(_scope)]
BackendOf = Annotated[Backend, Depends(_backend)]
ProjectViewer = Annotated[Caller, Depends(Require("viewer", in_project=True))]
ProjectOperator = Annotated[Caller, Depends(Require("operator", in_project=True))]
Viewer = Annotated[Caller, Depends(Require("viewer"))]
Operator = Annotated[Caller, Depends(Require("operator"))]
Admin = Annotated[Caller, Depends(Require("admin"))]
