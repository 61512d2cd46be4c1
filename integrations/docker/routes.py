"""Docker's calls by name, and what each error says to Docker.

Every call is a POST to ``/NAME`` with a JSON body (libnetwork's protocol for remote drivers,
version 1). Docker shows ``Err`` to its user; drivers of addresses are documented to say ``Error``,
so an answer has both. A name that isn't known is answered 404, by which Docker knows that a driver
is older than itself.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from integrations.client import (
    AnswerError,
    ClientError,
    NotReachedError,
    RefusedError,
    UnreachableError,
)
from integrations.deadline import TimeLimitError
from integrations.docker.endpoints import EndpointDriver
from integrations.docker.errors import DriverError
from integrations.docker.fields import Fields, parse_body
from integrations.docker.ipam import IpamDriver
from integrations.docker.networks import NetworkDriver
from integrations.docker.session import Session, Sessions
from integrations.host.errors import HostError

STATUS = "Treadle.Status"
_LOGGED = 2000
"""Octets of a call that the log shows."""
Handler = Callable[[Session, Fields], dict[str, Any]]
_LOG = logging.getLogger(__name__)
_OWN_TROUBLE = (TimeLimitError, UnreachableError, AnswerError, NotReachedError, HostError)


class Answer(NamedTuple):
    """What is answered to a call."""

    status: int
    body: dict[str, Any]


class Locks:
    """A lock for each name that is in use: calls about one thing come one after the other."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, name: str, seconds: float) -> Iterator[None]:
        """Hold the lock of a name; raise ``TimeLimitError`` if others do for so long."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = lock, users + 1
        acquired = lock.acquire(timeout=seconds)
        try:
            if not acquired:
                raise TimeLimitError("another call about the same takes too long")
            yield
        finally:
            if acquired:
                lock.release()
            with self._guard:
                lock, users = self._locks[name]
                if users == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, users - 1


class Routes:
    """Answers calls. `degraded` is what doesn't work now, and why."""

    def __init__(
        self,
        sessions: Sessions,
        ipam: IpamDriver,
        networks: NetworkDriver,
        endpoints: EndpointDriver,
    ) -> None:
        self._sessions = sessions
        self._locks = Locks()
        self._guard = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.degraded: dict[str, str] = {}
        self.handlers: Mapping[str, Handler] = {
            "Plugin.Activate": _activate,
            "NetworkDriver.GetCapabilities": networks.capabilities,
            "NetworkDriver.GwAllocCheck": networks.check_gateways,
            "NetworkDriver.AllocateNetwork": networks.allocate,
            "NetworkDriver.FreeNetwork": networks.free,
            "NetworkDriver.CreateNetwork": networks.create,
            "NetworkDriver.DeleteNetwork": networks.delete,
            "NetworkDriver.CreateEndpoint": endpoints.create,
            "NetworkDriver.EndpointOperInfo": endpoints.operational_info,
            "NetworkDriver.DeleteEndpoint": endpoints.delete,
            "NetworkDriver.Join": endpoints.join,
            "NetworkDriver.Leave": endpoints.leave,
            "NetworkDriver.ProgramExternalConnectivity": endpoints.nothing,
            "NetworkDriver.RevokeExternalConnectivity": endpoints.nothing,
            "NetworkDriver.DiscoverNew": endpoints.nothing,
            "NetworkDriver.DiscoverDelete": endpoints.nothing,
            "IpamDriver.GetCapabilities": ipam.capabilities,
            "IpamDriver.GetDefaultAddressSpaces": ipam.address_spaces,
            "IpamDriver.RequestPool": ipam.request_pool,
            "IpamDriver.ReleasePool": ipam.release_pool,
            "IpamDriver.RequestAddress": ipam.request_address,
            "IpamDriver.ReleaseAddress": ipam.release_address,
            STATUS: self._status,
        }

    def answer(self, name: str, octets: bytes) -> Answer:
        """Do what a call says; never raises."""
        handler = self.handlers.get(name)
        if handler is None:
            return _error(404, f"there is no call {name[:100]!r} here")
        self._count(f"calls of {name}")
        _LOG.debug("%s %s", name, octets[:_LOGGED])
        try:
            call = parse_body(octets)
            about = call.text("EndpointID") or call.text("NetworkID") or call.text("PoolID")
            with self._sessions.open() as session, self._held(about, session):
                body = handler(session, call)
        except Exception as error:
            return self._refusal(name, error)
        if name not in (STATUS, "Plugin.Activate"):
            self.recovered("calls")
        _LOG.debug("%s: %s", name, body)
        return Answer(200, body)

    @contextmanager
    def _held(self, about: str, session: Session) -> Iterator[None]:
        if not about:
            yield
            return
        with self._locks.hold(about, session.deadline.left()):
            yield

    def _refusal(self, name: str, error: Exception) -> Answer:
        text = str(error) or type(error).__name__
        if isinstance(error, DriverError):
            self._count(f"refusals of {name}")
            _LOG.info("%s: refused: %s", name, text)
            return _error(error.status, text)
        if isinstance(error, RefusedError) and not isinstance(error, NotReachedError):
            self._count(f"refusals of {name}")
            _LOG.info("%s: refused by Treadle: %s", name, text)
            return _error(409 if error.status < 500 else 503, f"Treadle: {text}")
        self._count(f"failures of {name}")
        self.failed("calls", f"{name}: {text}")
        if isinstance(error, _OWN_TROUBLE):
            _LOG.error("%s: %s", name, text)
            return _error(503, text)
        if isinstance(error, ClientError):
            _LOG.error("%s: %s", name, text)
            return _error(500, text)
        _LOG.exception("%s: a fault of the driver's own", name)
        return _error(500, f"a fault of the driver's own, see its log: {text}")

    def _count(self, what: str) -> None:
        with self._guard:
            self.counts[what] += 1

    def count_removed(self, kind: str) -> None:
        """Count something that Docker had left behind."""
        self._count(f"removed {kind}s")

    def failed(self, what: str, reason: str) -> None:
        """Have the status show that something doesn't work."""
        with self._guard:
            self.degraded[what] = reason

    def recovered(self, what: str) -> None:
        with self._guard:
            self.degraded.pop(what, None)

    def _status(self, _session: Session, _call: Fields) -> dict[str, Any]:
        with self._guard:
            return {"degraded": dict(self.degraded), "counts": dict(sorted(self.counts.items()))}


def _activate(_session: Session, _call: Fields) -> dict[str, Any]:
    return {"Implements": ["NetworkDriver", "IpamDriver"]}


def _error(status: int, text: str) -> Answer:
    return Answer(status, {"Err": text, "Error": text})
