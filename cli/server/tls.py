"""The listeners' TLS: read at the start, and again when the server is told to.

That is a listener's certificate with its key and, where clients may show certificates, the
authorities that they are checked against and the list of those that were revoked.

A certificate lives for weeks, a server longer. What is read again serves the connections
that come from then on; those that are there go on. A certificate that cannot be used is
never put into force: at the start the server ends with the reason, later it keeps the one
that it has.
"""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import structlog

from cli.server.errors import CertificateError
from cli.server.settings import AgentListener, Listener

log = structlog.get_logger(__name__)

RELOAD_SIGNAL = signal.SIGHUP


class Clients(NamedTuple):
    """Which certificates clients may show, or have to."""

    authorities: Path
    revoked: Path | None = None
    required: bool = False


class Certificate:
    """A listener's certificate with its private key, in force in `context`."""

    def __init__(
        self, certificate: Path, private_key: Path, clients: Clients | None = None
    ) -> None:
        """Raises :class:`CertificateError` if they cannot be read or don't go together."""
        self._certificate = certificate
        self._private_key = private_key
        self._clients = clients
        self._revoked = self._read_revoked()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load_into(self.context)

    @classmethod
    def of(cls, listener: Listener) -> Self | None:
        """That of a listener that speaks TLS."""
        if listener.certificate is None or listener.private_key is None:
            return None
        clients = None
        if isinstance(listener, AgentListener) and listener.client_ca is not None:
            required = listener.client_certificates == "required"
            clients = Clients(listener.client_ca, listener.client_crl, required)
        return cls(listener.certificate, listener.private_key, clients)

    def reload(self) -> bool:
        """Put into force what the files hold now; whether other clients are revoked now.

        Raises :class:`CertificateError`, with the former certificate still in force.
        """
        # Tried apart: a key that doesn't fit is noticed only with half of it loaded.
        self._load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        before, now = self._revoked, self._read_revoked()
        self._load_into(self.context)
        self._revoked = now
        return before != now

    def _read_revoked(self) -> bytes:
        if self._clients is None or self._clients.revoked is None:
            return b""
        try:
            return self._clients.revoked.read_bytes()
        except OSError as error:
            raise CertificateError(f"{self._clients.revoked} cannot be used: {error}") from error

    def _load_into(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._certificate, self._private_key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{self._certificate} cannot be used: {error}") from error
        if self._clients is not None:
            _check_clients(context, self._clients)

    def __str__(self) -> str:
        return str(self._certificate)


def _check_clients(context: ssl.SSLContext, clients: Clients) -> None:
    """Have clients' certificates checked, each time that they connect.

    A resumed session would bring along what was checked when it began: there is none without
    tickets in TLS 1.3. Of lists that were read before and now the latest is in force.
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED if clients.required else ssl.CERT_OPTIONAL
    if clients.revoked is not None:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for path in filter(None, (clients.authorities, clients.revoked)):
        try:
            context.load_verify_locations(path)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{path} cannot be used: {error}") from error


@contextlib.contextmanager
def reloading(
    certificates: Iterable[Certificate | None],
    revoked_changed: Callable[[], None],
    reload_others: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Read `certificates` again whenever the process gets a hangup signal.

    `revoked_changed` is called when other clients' certificates are revoked than before, and
    `reload_others` each time, for files that aren't certificates.
    """
    held = [certificate for certificate in certificates if certificate is not None]

    def reload() -> None:
        for certificate in held:
            try:
                if certificate.reload():
                    revoked_changed()
            except CertificateError as error:
                log.error("certificate not reloaded, the former stays in force", reason=str(error))
            else:
                log.info("certificate reloaded", certificate=str(certificate))
        reload_others()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(RELOAD_SIGNAL, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(RELOAD_SIGNAL)
