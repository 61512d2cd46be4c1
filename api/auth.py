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
to it. Such a request has to address the server as this host: otherwise any web
page could send a browser of this host here, under a name of the page's own.
The name of the caller is the author of the revisions that it makes.
"""

from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.backend import Backend
from api.errors import ForbiddenError, UnauthenticatedError
from northbound.tokens import authenticate as find_token

ORDER = ("viewer", "operator", "admin")
"""The roles of the API, each including those before it."""

bearer = HTTPBearer(
    auto_error=False,
    description="A token of `treadle token create`. A loopback-bound server asks for none.",
)


class Caller(NamedTuple):
    """Whoever makes a request."""

    name: str
    role: str


LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
LOCAL = Caller("local", "admin")


def get_backend(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


async def authenticate(
    backend: Annotated[Backend, Depends(get_backend)],
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
        return LOCAL
    token = await backend.read(lambda reader: find_token(reader, credentials.credentials))
    if token is None:
        raise UnauthenticatedError("the token is unknown, expired or revoked")
    return Caller(token.name, token.role)


class Require:
    """A dependency that lets callers through whose role is `role` or includes it."""

    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self, caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if caller.role not in ORDER or ORDER.index(caller.role) < ORDER.index(self.role):
            raise ForbiddenError(caller.role, self.role)
        return caller


BackendOf = Annotated[Backend, Depends(get_backend)]
Viewer = Annotated[Caller, Depends(Require("viewer"))]
Operator = Annotated[Caller, Depends(Require("operator"))]
Admin = Annotated[Caller, Depends(Require("admin"))]
