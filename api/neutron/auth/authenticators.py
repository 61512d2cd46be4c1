"""The ways in which requests to the Neutron API say who asks."""

import base64
import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from api.backend import Backend
from api.neutron.auth.identity import Bearer, Identity
from api.neutron.auth.slowing import Slowing
from api.neutron.context import ADMIN, LOCAL, MEMBER, READER, Context
from api.neutron.errors import NotAuthorizedError, UnauthenticatedError
from northbound import tokens
from northbound.names import DEFAULT_PROJECT

READING: Final = ("GET", "HEAD", "OPTIONS")
LONGEST_CREDENTIALS: Final = 8192
"""Characters of an ``Authorization`` header."""

_ROLES: Final[Mapping[str, frozenset[str]]] = {
    "admin": frozenset({ADMIN, MEMBER, READER}),
    "operator": frozenset({MEMBER, READER}),
    "viewer": frozenset({READER}),
}
"""What Treadle's roles are in a project. Operators of all projects are admins here."""


async def trust_local(request: Request) -> Context:
    """Take every caller for an admin, on a server that only its own host can reach.

    As in the REST API (:mod:`api.auth`) the request has to address the server as this host, and
    not come from a web page of elsewhere: else any page that is open here could have its
    browser change the network.
    """
    if not _is_this_host(request.url.hostname or ""):
        raise UnauthenticatedError(
            "", "without credentials only requests to localhost are answered"
        )
    if request.method not in READING:
        for origin in request.headers.getlist("origin"):
            if urlsplit(origin).netloc != request.headers.get("host"):
                reason = f"web pages of {origin[:200]} may not change anything"
                raise UnauthenticatedError("", reason)
    return LOCAL


class ApiTokens:
    """Treadle's own tokens, in ``X-Auth-Token``: what keystoneauth's ``admin_token`` sends."""

    def __init__(self, backend: Backend, slowing: Slowing) -> None:
        self._backend = backend
        self._slowing = slowing

    async def __call__(self, request: Request) -> Context:
        """Return the caller, or raise UnauthenticatedError; NotAuthorizedError for a chassis."""
        secret = request.headers.get("X-Auth-Token")
        if not secret:
            raise UnauthenticatedError("Treadle", "send X-Auth-Token with a token of Treadle")
        token = await self._backend.read(lambda reader: tokens.authenticate(reader, secret))
        if token is None:
            await self._slowing.slow_down(request)
            raise UnauthenticatedError("Treadle", "the token is unknown, expired or revoked")
        if token.role not in _ROLES:
            raise NotAuthorizedError(f"a token of role {token.role}")
        if token.project is None and token.role == "operator":
            return Context(token.name, DEFAULT_PROJECT, _ROLES["admin"])
        is_for_all = token.project is None
        project = token.project or DEFAULT_PROJECT
        return Context(token.name, project, _ROLES[token.role], sees_everything=is_for_all)


class BasicLogin:
    """User name and password with each request, of users in the directory's file."""

    def __init__(self, identity: Identity, slowing: Slowing) -> None:
        self._identity = identity
        self._slowing = slowing

    async def __call__(self, request: Request) -> Context:
        """Return the caller, or raise UnauthenticatedError; NotAuthorizedError without project."""
        challenge = 'Basic realm="Treadle", charset="UTF-8"'
        shown = _basic_credentials(request.headers.get("Authorization", ""))
        if shown is None:
            raise UnauthenticatedError(challenge)
        bearer = await self._identity.log_in(*shown)
        if bearer is None:
            await self._slowing.slow_down(request)
            raise UnauthenticatedError(challenge)
        return _context(bearer)


class IdentityTokens:
    """Tokens that the identity service has issued."""

    def __init__(self, identity: Identity, slowing: Slowing) -> None:
        self._identity = identity
        self._slowing = slowing

    async def __call__(self, request: Request) -> Context:
        """Return the caller, or raise UnauthenticatedError; NotAuthorizedError without project."""
        challenge = f'Keystone uri="{request.base_url}identity"'
        token = request.headers.get("X-Auth-Token")
        if not token:
            raise UnauthenticatedError(challenge)
        bearer = self._identity.read(token)
        if bearer is None:
            await self._slowing.slow_down(request)
            raise UnauthenticatedError(challenge)
        return _context(bearer)


def _context(bearer: Bearer) -> Context:
    if bearer.project is None:
        raise NotAuthorizedError("a token that is for no project")
    return Context(bearer.user.name, bearer.project.id, bearer.roles)


def _basic_credentials(header: str) -> tuple[str, str] | None:
    """Return user name and password of an ``Authorization`` header (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > LONGEST_CREDENTIALS:
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon else None


def _is_this_host(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
