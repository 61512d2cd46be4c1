"""What one chassis watches, how far it has been sent, and how far it has applied.

A session holds no rows and no queue. It knows the scopes that have news for the agent,
and the agent's position; what to send is looked up when the connection can take it. An
agent that is slow thus costs the server as much as one that is quick, and when it reads
on it gets the difference to the present.
"""

import asyncio
from collections.abc import Collection, Iterable

from southbound import wire
from southbound.errors import ProtocolError
from southbound.feed import Feed
from southbound.tunnels import TunnelReport
from southbound.watch.parts import PartCache


class Session:
    """One registered agent; outlives its connection by the lease."""

    def __init__(self, chassis: str, feed: Feed, parts: PartCache) -> None:
        self.chassis = chassis
        self.counters: dict[str, int] = {}
        self.tunnels: TunnelReport | None = None
        """What the agent said of its tunnels; None if it said nothing, as older ones do."""
        self.sent = 0
        """Serial of the update composed last."""
        self.acknowledged = 0
        self.applied_revision = 0
        self.news = asyncio.Event()
        """Set while there is something to send."""
        self._feed = feed
        self._parts = parts
        self._heard = 0
        self._position = 0
        self._sent_revision = 0
        self._scopes: set[str] = set()
        self._dirty: dict[str, None] = {}
        self._sent_at: dict[str, int] = {}
        self._behind: set[str] = set()

    @property
    def scopes(self) -> Collection[str]:
        return self._scopes

    @property
    def due(self) -> int:
        """The serial that has to be acknowledged for the agent to be where we are now."""
        return self.sent + 1 if self._dirty else self.sent

    @property
    def settled(self) -> bool:
        return self.acknowledged >= self.due

    @property
    def unapplied(self) -> Collection[str]:
        """The scopes of which the agent has not acknowledged what we have now."""
        return self._dirty.keys() | self._sent_at.keys()

    def resume(self, position: int | None, scopes: Iterable[str]) -> None:
        """Before anything was sent: the agent has these scopes as of `position`.

        None is a position that means nothing to us: it is sent everything anew.
        """
        self._scopes.update(scopes)
        if position is None:
            self._behind.update(self._scopes)
        else:
            self._position = position
        self._mark(self._scopes)

    def subscribe(self, scopes: Iterable[str]) -> Collection[str]:
        """Watch more scopes; returns those that are new."""
        self._heard += 1
        new = [scope for scope in scopes if scope not in self._scopes]
        self._scopes.update(new)
        self._behind.update(new)
        self._mark(new)
        return new

    def unsubscribe(self, scopes: Iterable[str]) -> Collection[str]:
        self._heard += 1
        gone = [scope for scope in scopes if scope in self._scopes]
        for scope in gone:
            self._scopes.discard(scope)
            self._behind.discard(scope)
            self._dirty.pop(scope, None)
            self._sent_at.pop(scope, None)
        if not self._dirty:
            self.news.clear()
        return gone

    def changed(self, scope: str) -> None:
        """One of the session's scopes has news."""
        self._dirty[scope] = None
        self.news.set()

    def compose(self, revision: int) -> list[bytes]:
        """The pieces of the update from where the agent is to the present."""
        parts = []
        for scope in self._dirty:
            part = None
            if scope not in self._behind:
                part = self._parts.difference(scope, self._position)
            parts.append(self._parts.full(scope) if part is None else part)
        self.sent += 1
        self._sent_at.update(dict.fromkeys(self._dirty, self.sent))
        self._dirty = {}
        self._behind.clear()
        self.news.clear()
        self._position = self._feed.position
        self._sent_revision = revision
        return wire.frame(self.sent, self._heard, self._position, revision, parts)

    def acknowledge(self, serial: int) -> None:
        if serial > self.sent:
            raise ProtocolError(f"update {serial} was never sent")
        self.acknowledged = max(self.acknowledged, serial)
        if self.acknowledged == self.sent:
            self.applied_revision = self._sent_revision
            self._sent_at.clear()
        else:
            self._sent_at = {scope: at for scope, at in self._sent_at.items() if at > serial}

    def _mark(self, scopes: Iterable[str]) -> None:
        for scope in scopes:
            self.changed(scope)
