"""Tokens of a real Keystone, checked by OpenStack's own keystonemiddleware.

It is an optional extra (``treadle[keystone]``), and configured as every service of OpenStack is: a
file with a section ``[keystone_authtoken]``. It is WSGI and blocks while it asks Keystone, so
requests are shown to it in threads; what it finds out it puts into headers, which no caller can
set.
"""

import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from api.neutron.auth.slowing import Slowing
from api.neutron.context import Context
from api.neutron.errors import NeutronError, NotAuthorizedError, UnauthenticatedError
from northbound.specs.base import OBJECT_NAME

AT_ONCE: Final = 8
"""How many tokens are checked at a time."""

LONGEST_PROJECT: Final = 255
"""Characters."""

_PROJECT: Final = re.compile(OBJECT_NAME)
_OURS: Final = "treadle.caller"
"""Where in the environment the application within leaves what it was told."""


class MiddlewareError(Exception):
    """keystonemiddleware isn't there, or its file can't be used."""


class _Answer(NamedTuple):
    """What the middleware did: the headers of identity, or the status that it refused with."""

    status: int
    identity: Mapping[str, str]
    challenge: str


class KeystoneMiddleware:
    """Belongs to one event loop."""

    def __init__(self, file: Path, slowing: Slowing) -> None:
        """Set up the middleware with a file; raises MiddlewareError."""
        if not file.is_file():
            raise MiddlewareError(f"{file}: there is no such file")
        try:
            from keystonemiddleware.auth_token import AuthProtocol
        except ImportError as error:
            raise MiddlewareError(
                f"keystonemiddleware is needed (the extra 'keystone' of the package): {error}"
            ) from error
        options = {"oslo_config_project": "treadle", "oslo_config_file": str(file)}
        try:
            self._middleware = AuthProtocol(_within, options)
        except Exception as error:  # it has no hierarchy of its own for this
            raise MiddlewareError(f"{file}: {error}") from error
        self._limiter = CapacityLimiter(AT_ONCE)
        self._slowing = slowing

    async def __call__(self, request: Request) -> Context:
        """Return the caller, or raise UnauthenticatedError; NeutronError if Keystone is away."""
        answer = await to_thread.run_sync(self._ask, _environment(request), limiter=self._limiter)
        if answer.status == 401:
            await self._slowing.slow_down(request)
            raise UnauthenticatedError(answer.challenge or "Keystone")
        if answer.status != 200:
            message = "Keystone can't be asked whose token that is."
            raise NeutronError(503, "ServiceUnavailable", message)
        return _context(answer.identity)

    def _ask(self, environment: dict[str, Any]) -> _Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            started.append((status, headers))

        for _ in self._middleware(environment, start):
            pass
        status, headers = started[-1]
        challenge = next((v for name, v in headers if name.lower() == "www-authenticate"), "")
        identity = environment.get(_OURS, {})
        return _Answer(int(status.split()[0]), identity, challenge)


def _within(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Be the application behind the middleware: note what it has found out."""
    environment[_OURS] = {
        name: environment.get(f"HTTP_X_{name}", "")
        for name in ("IDENTITY_STATUS", "USER_NAME", "USER_ID", "PROJECT_ID", "ROLES")
    }
    start("200 OK", [])
    return ()


def _context(identity: Mapping[str, str]) -> Context:
    if identity.get("IDENTITY_STATUS") != "Confirmed":
        raise UnauthenticatedError("Keystone")
    project = identity["PROJECT_ID"]
    if not project:
        raise NotAuthorizedError("a token that is for no project")
    if len(project) > LONGEST_PROJECT or not _PROJECT.fullmatch(project):
        raise NotAuthorizedError("a project whose id can't be that of one of Treadle's")
    roles = frozenset(filter(None, (role.strip() for role in identity["ROLES"].split(","))))
    return Context(identity["USER_NAME"] or identity["USER_ID"], project, roles)


def _environment(request: Request) -> dict[str, Any]:
    """Return the WSGI environment of a request, as far as tokens go (PEP 3333)."""
    environment: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.url.path,
        "QUERY_STRING": "",
        "SERVER_NAME": request.url.hostname or "localhost",
        "SERVER_PORT": str(request.url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.client.host if request.client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for header, name in (
        ("X-Auth-Token", "HTTP_X_AUTH_TOKEN"),
        ("X-Service-Token", "HTTP_X_SERVICE_TOKEN"),
        ("OpenStack-Identity-Access-Rules", "HTTP_OPENSTACK_IDENTITY_ACCESS_RULES"),
    ):
        if header in request.headers:
            environment[name] = request.headers[header]
    return environment
