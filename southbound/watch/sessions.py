"""The sessions of all chassis: who watches what, whose lease runs, who waits for whom.

A session whose connection is gone stays for the lease: the chassis counts as alive, its
claims stand, and what it has not applied is still missing. When it registers again in
time, a new session takes the old one's place.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from southbound.watch.applied import AppliedWait
from southbound.watch.session import Session


class Sessions:
    """At most one session a chassis. `lapsed` is called when a chassis' lease runs out."""

    def __init__(self, *, lease: float, lapsed: Callable[[str], None]) -> None:
        self._lease = lease
        self._lapsed = lapsed
        self._sessions: dict[str, Session] = {}
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._watchers: dict[str, set[Session]] = {}
        self._waits: set[AppliedWait] = set()

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def get(self, chassis: str) -> Session | None:
        return self._sessions.get(chassis)

    def is_connected(self, chassis: str) -> bool:
        return chassis in self._sessions and chassis not in self._leases

    def open(self, session: Session) -> None:
        """A chassis registered; its earlier session, if it has one, ends here."""
        self._stop_lease(session.chassis)
        old = self._sessions.get(session.chassis)
        self._sessions[session.chassis] = session
        if old is not None:
            self._unwatch(old, old.scopes)
            for wait in list(self._waits):
                wait.replaced(old, session)
        self._watch(session, session.scopes)

    def disconnected(self, session: Session) -> None:
        """The connection is gone; from now on the lease runs."""
        if self._sessions.get(session.chassis) is session:
            self.start_lease(session.chassis)

    def start_lease(self, chassis: str) -> None:
        self._stop_lease(chassis)
        loop = asyncio.get_running_loop()
        self._leases[chassis] = loop.call_later(self._lease, self._lapse, chassis)

    def close(self) -> None:
        for chassis in list(self._leases):
            self._stop_lease(chassis)

    def subscribe(self, session: Session, scopes: Iterable[str]) -> None:
        self._watch(session, session.subscribe(scopes))
        for wait in self._waits:
            wait.subscribed(session)

    def unsubscribe(self, session: Session, scopes: Iterable[str]) -> None:
        self._unwatch(session, session.unsubscribe(scopes))

    def acknowledge(self, session: Session, serial: int) -> None:
        session.acknowledge(serial)
        for wait in list(self._waits):
            wait.acknowledged(session)

    def changed(self, scopes: Collection[str]) -> None:
        """Rows changed: whoever watches one of the scopes has news."""
        for scope in scopes:
            for session in self._watchers.get(scope, ()):
                session.changed(scope)

    @contextmanager
    def waiting(self) -> Iterator[AppliedWait]:
        wait = AppliedWait(self)
        self._waits.add(wait)
        try:
            yield wait
        finally:
            self._waits.discard(wait)

    def _lapse(self, chassis: str) -> None:
        del self._leases[chassis]
        session = self._sessions.pop(chassis, None)
        if session is not None:
            self._unwatch(session, session.scopes)
            for wait in list(self._waits):
                wait.gone(session)
        self._lapsed(chassis)

    def _stop_lease(self, chassis: str) -> None:
        lease = self._leases.pop(chassis, None)
        if lease is not None:
            lease.cancel()

    def _watch(self, session: Session, scopes: Iterable[str]) -> None:
        for scope in scopes:
            self._watchers.setdefault(scope, set()).add(session)

    def _unwatch(self, session: Session, scopes: Iterable[str]) -> None:
        for scope in scopes:
            watchers = self._watchers[scope]
            watchers.discard(session)
            if not watchers:
                del self._watchers[scope]
