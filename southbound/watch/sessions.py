"""The sessions of all chassis: who watches what, whose lease runs, who waits for whom.

A session whose connection is gone stays for the lease: the chassis counts as alive, its
claims stand, and what it has not applied is still missing. When it registers again in
time, a new session takes the old one's place.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from contextlib import contextmanager

from southbound.reach import ReachChanges
from southbound.rows import datapath_scope, port_scope, set_scope
from southbound.tunnels import TunnelReport
from southbound.watch.applied import AppliedWait
from southbound.watch.session import Session, Watched

_PORT = port_scope("")
_REACHED = (datapath_scope(""), set_scope(""))


class Sessions:
    """At most one session a chassis. `lapsed` is called when a chassis' lease runs out."""

    def __init__(self, *, lease: float, lapsed: Callable[[str], None]) -> None:
        self._lease = lease
        self._lapsed = lapsed
        self._sessions: dict[str, Session] = {}
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._watchers: dict[str, set[Session]] = {}
        self._wishers: dict[str, set[Session]] = {}
        """Those whose wish for the scope is not allowed, or still open."""
        self._waits: set[AppliedWait] = set()
        self._tunnels_told = asyncio.Event()

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
            self._forget(old)
            for wait in list(self._waits):
                wait.replaced(old, session)
        _enter(self._watchers, session, session.scopes)
        _enter(self._wishers, session, session.wishes - session.scopes)

    def disconnected(self, session: Session) -> None:
        """The connection is gone; from now on the lease runs."""
        if self._sessions.get(session.chassis) is session:
            self.start_lease(session.chassis)

    def forget(self, chassis: str) -> None:
        """The chassis is no more: nothing of it is waited for."""
        self._stop_lease(chassis)
        session = self._sessions.pop(chassis, None)
        if session is not None:
            self._forget(session)
            for wait in list(self._waits):
                wait.gone(session)

    def start_lease(self, chassis: str) -> None:
        self._stop_lease(chassis)
        loop = asyncio.get_running_loop()
        self._leases[chassis] = loop.call_later(self._lease, self._lapse, chassis)

    def close(self) -> None:
        for chassis in list(self._leases):
            self._stop_lease(chassis)

    def subscribe(self, session: Session, scopes: Collection[str]) -> None:
        watched = session.subscribe(scopes)
        _enter(self._watchers, session, watched)
        _enter(self._wishers, session, session.wishes & set(scopes) - session.scopes)
        self._tell_waits(session)

    def unsubscribe(self, session: Session, scopes: Collection[str]) -> None:
        watched = session.unsubscribe(scopes)
        _leave(self._watchers, session, watched)
        _leave(self._wishers, session, set(scopes).difference(watched))

    def claims_stated(self, session: Session) -> None:
        """The agent has said which ports it has: what it wishes for beyond is not for it."""
        self._note(session, session.claims_stated())

    def review(self, session: Session, scopes: Iterable[str]) -> None:
        """What the chassis may watch of these scopes may be something else than before."""
        self._note(session, session.review(scopes))

    def reach_changed(self, changes: ReachChanges) -> None:
        """Chassis reach other datapaths, or sets are named by other datapaths."""
        for change in changes.reach:
            for session in filter(None, map(self._sessions.get, change.chassis)):
                if change.sets is None or len(change.datapaths) > len(session.wishes):
                    concerned = [scope for scope in session.wishes if scope.startswith(_REACHED)]
                else:
                    concerned = [
                        *map(datapath_scope, change.datapaths),
                        *map(set_scope, change.sets),
                    ]
                self.review(session, concerned)
        for scope in map(set_scope, changes.sets):
            self._review_all(scope)

    def acknowledge(self, session: Session, serial: int) -> None:
        session.acknowledge(serial)
        for wait in list(self._waits):
            wait.acknowledged(session)

    def changed(self, scopes: Collection[str]) -> None:
        """Rows changed: there is news for the sessions that watch one of the scopes.

        Who may have a port, and so who may watch it, is a fact of its row.
        """
        for scope in scopes:
            if scope.startswith(_PORT):
                self._review_all(scope)
            for session in self._watchers.get(scope, ()):
                session.changed(scope)

    def watching(self, datapath: str) -> list[str]:
        """Return the chassis that watch a datapath, connected or not, by name."""
        return sorted(each.chassis for each in self._watchers.get(datapath_scope(datapath), ()))

    def tell_tunnels(self, session: Session, report: TunnelReport) -> None:
        """An agent said how its tunnels are."""
        session.tunnels = report
        told, self._tunnels_told = self._tunnels_told, asyncio.Event()
        told.set()

    async def wait_probed(self, chassis: Collection[str]) -> None:
        """Until the tunnels in use between these chassis were probed, as far as agents say."""
        while any(
            session.tunnels is not None and session.tunnels.pending.intersection(chassis)
            for session in filter(None, map(self._sessions.get, chassis))
            if self.is_connected(session.chassis)
        ):
            await self._tunnels_told.wait()

    @contextmanager
    def waiting(
        self, scopes: Set[str] | None = None, chassis: Collection[str] | None = None
    ) -> Iterator[AppliedWait]:
        """A wait for these scopes on these chassis; for all, without them."""
        sessions = [each for each in self if chassis is None or each.chassis in chassis]
        wait = AppliedWait(sessions, scopes)
        self._waits.add(wait)
        try:
            yield wait
        finally:
            self._waits.discard(wait)

    def _lapse(self, chassis: str) -> None:
        self.forget(chassis)
        self._lapsed(chassis)

    def _stop_lease(self, chassis: str) -> None:
        lease = self._leases.pop(chassis, None)
        if lease is not None:
            lease.cancel()

    def _review_all(self, scope: str) -> None:
        """Everyone who wishes for the scope may watch it now, or may no longer."""
        for index in (self._watchers, self._wishers):
            for session in list(index.get(scope, ())):
                self.review(session, (scope,))

    def _note(self, session: Session, watched: Watched) -> None:
        _leave(self._wishers, session, watched.more)
        _enter(self._watchers, session, watched.more)
        _leave(self._watchers, session, watched.fewer)
        _enter(self._wishers, session, watched.fewer)
        if watched.more or watched.fewer:
            self._tell_waits(session)

    def _tell_waits(self, session: Session) -> None:
        for wait in self._waits:
            wait.subscribed(session)

    def _forget(self, session: Session) -> None:
        _leave(self._watchers, session, session.scopes)
        _leave(self._wishers, session, session.wishes - session.scopes)


def _enter(index: dict[str, set[Session]], session: Session, scopes: Iterable[str]) -> None:
    for scope in scopes:
        index.setdefault(scope, set()).add(session)


def _leave(index: dict[str, set[Session]], session: Session, scopes: Iterable[str]) -> None:
    for scope in scopes:
        sessions = index.get(scope)
        if sessions is not None:
            sessions.discard(session)
            if not sessions:
                del index[scope]
