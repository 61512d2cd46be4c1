"""Who may connect, and as which chassis.

A connection shows its credentials in the handshake: a bearer token, or over TLS a client
certificate. A *gate* turns them into an :class:`Identity` before anything else of the
connection is read, so strangers send no message. The identity says as which chassis the
agent may register, and tells when it is no longer good, which ends the connection.

A web page that is open on a host can make its browser connect to where that host listens,
but not without saying where the page is from: a connection with an ``Origin`` is refused
unless it is one that is allowed.
"""

import asyncio
import http
import ssl
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple, Protocol, TypeAlias

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import MultipleValuesError
from websockets.http11 import Request, Response

from southbound.errors import CannotTellError, NotAllowedError
from southbound.rows import Chassis

log = structlog.get_logger(__name__)


class ClientCertificate(NamedTuple):
    """A certificate that was verified: the names that it is for, and until when it is good."""

    names: frozenset[str]
    expires_at: float
    """Seconds since the epoch."""


class Credentials(NamedTuple):
    """What a connection shows; `token` is "" where it shows none, `peer` is its address."""

    token: str
    certificate: ClientCertificate | None
    peer: str


class Identity(Protocol):
    """What credentials are good for."""

    def check(self, chassis: Chassis) -> None:
        """Whether its bearer may register as this chassis; raises NotAllowedError."""
        ...

    async def ended(self) -> str:
        """Wait until it is no longer good; returns why."""
        ...


Gate: TypeAlias = Callable[[Credentials], Awaitable[Identity]]
"""Finds the identity of credentials; raises NotAllowedError with the reason where there is none,
CannotTellError where that can't be found out."""


class Anyone:
    """An identity that is good for every chassis, for ever: of who is trusted anyway."""

    def check(self, chassis: Chassis) -> None:
        """Any chassis will do."""

    async def ended(self) -> str:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets the event")


async def open_gate(_credentials: Credentials) -> Identity:
    """Lets everyone in. For listeners that only trusted programs can reach."""
    return Anyone()


class AgentSocket(ServerConnection):
    """A connection with the identity that its handshake has shown."""

    identity: Identity


class Doorkeeper:
    """Decides about handshakes, for :func:`websockets.asyncio.server.serve`."""

    def __init__(self, gate: Gate, origins: Collection[str]) -> None:
        """`origins` are those of web pages that may connect, such as ``https://host:port``."""
        self._gate = gate
        self._origins = frozenset(origins)

    async def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the connection in; a response refuses it."""
        if not isinstance(connection, AgentSocket):
            raise TypeError("the server has to make an AgentSocket of each connection")
        try:
            self._check_origin(request)
            credentials = credentials_of(connection, request)
        except NotAllowedError as error:
            log.warning("handshake refused", peer=_peer(connection), reason=str(error))
            return _refusal(connection, http.HTTPStatus.FORBIDDEN, str(error))
        try:
            connection.identity = await self._gate(credentials)
        except NotAllowedError as error:
            log.warning("agent without valid credentials", peer=credentials.peer, reason=str(error))
            return _refusal(connection, http.HTTPStatus.UNAUTHORIZED, str(error))
        except CannotTellError as error:
            log.error("credentials not checked", peer=credentials.peer, reason=str(error))
            return _refusal(connection, http.HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return None

    def _check_origin(self, request: Request) -> None:
        for origin in request.headers.get_all("Origin"):
            if origin not in self._origins:
                raise NotAllowedError(
                    f"web pages of {origin[:200]!r} may not connect (server.agents.origins)"
                )


def credentials_of(connection: ServerConnection, request: Request) -> Credentials:
    """What a handshake shows; raises NotAllowedError where it shows two tokens."""
    try:
        value = request.headers.get("Authorization", "")
    except MultipleValuesError:
        raise NotAllowedError("several Authorization headers") from None
    scheme, _, token = value.partition(" ")
    tls = connection.transport.get_extra_info("ssl_object")
    return Credentials(
        token.strip() if scheme.lower() == "bearer" else "",
        None if tls is None else certificate_of(tls.getpeercert()),
        _peer(connection),
    )


def certificate_of(found: dict[str, Any] | None) -> ClientCertificate | None:
    """The certificate as :meth:`ssl.SSLSocket.getpeercert` gives it; None if none was verified.

    Its names are its subject's common name and its alternative DNS names.
    """
    if not found:
        return None
    subject = (pair for attributes in found.get("subject", ()) for pair in attributes)
    names = [value for kind, value in subject if kind == "commonName"]
    names += [value for kind, value in found.get("subjectAltName", ()) if kind == "DNS"]
    return ClientCertificate(frozenset(names), ssl.cert_time_to_seconds(found["notAfter"]))


def _peer(connection: ServerConnection) -> str:
    return str(connection.remote_address[0])


def _refusal(connection: ServerConnection, status: http.HTTPStatus, reason: str) -> Response:
    return connection.respond(status, f"{reason}\n")
