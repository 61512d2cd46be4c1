"""The listeners' certificates: loaded at the start, and again when the server is told to.

A certificate lives for weeks, a server longer. What is read again serves the connections
that come from then on; those that are there go on. A certificate that cannot be used is
never put into force: at the start the server ends with the reason, later it keeps the one
that it has.
"""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import structlog

from cli.server.errors import CertificateError
from cli.server.settings import Listener

log = structlog.get_logger(__name__)

RELOAD_SIGNAL = signal.SIGHUP


class Certificate:
    """A listener's certificate with its private key, in force in `context`."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        """Raises :class:`CertificateError` if they cannot be read or don't go together."""
        self._certificate = certificate
        self._private_key = private_key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._load_into(self.context)

    @classmethod
    def of(cls, listener: Listener) -> Self | None:
        """That of a listener that speaks TLS."""
        if listener.certificate is None or listener.private_key is None:
            return None
        return cls(listener.certificate, listener.private_key)

    def reload(self) -> None:
        """Put into force what the files hold now.

        Raises :class:`CertificateError`, with the former certificate still in force.
        """
        # Tried apart: a key that doesn't fit is noticed only with half of it loaded.
        self._load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self._load_into(self.context)

    def _load_into(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._certificate, self._private_key)
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(f"{self._certificate} cannot be used: {error}") from error

    def __str__(self) -> str:
        return str(self._certificate)


@contextlib.contextmanager
def reloading(certificates: Iterable[Certificate | None]) -> Iterator[None]:
    """Read `certificates` again whenever the process gets a hangup signal."""
    held = [certificate for certificate in certificates if certificate is not None]

    def reload() -> None:
        for certificate in held:
            try:
                certificate.reload()
            except CertificateError as error:
                log.error("certificate not reloaded, the former stays in force", reason=str(error))
            else:
                log.info("certificate reloaded", certificate=str(certificate))

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(RELOAD_SIGNAL, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(RELOAD_SIGNAL)
