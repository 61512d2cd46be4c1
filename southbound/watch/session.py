"""What one chassis watches, how far it has been sent, and how far it has applied.

A session holds no rows and no queue. It knows the scopes that have news for the agent,
and the agent's position; what to send is looked up when the connection can take it. An
agent that is slow thus costs the server as much as one that is quick, and when it reads
on it gets the difference to the present.

An agent *wishes* for scopes and *watches* those of them that it may
(:mod:`southbound.watch.access`). A wish stands until it is taken back: the scope is sent
when it becomes allowed, and taken away when it no longer is. To the agent a scope that
isn't for it has no rows, which is all that it is told.

What it may watch follows from its claims, which it states a moment after it connected.
Until then a wish that isn't allowed is *open*, and while one is, nothing is sent: an agent
that resumes with rows which only its claims give it a right to shall not lose them.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import NamedTuple

from southbound import wire
from southbound.errors import ProtocolError
from southbound.feed import Feed
from southbound.tolerant import Skipped
from southbound.tunnels import TunnelReport
from southbound.watch.parts import PartCache


class Watched(NamedTuple):
    """Scopes that a session watches from now on, and those that it no longer does."""

    more: Collection[str]
    fewer: Collection[str] = ()


class Session:
    """One registered agent; outlives its connection by the lease."""

    def __init__(
        self, chassis: str, feed: Feed, parts: PartCache, allows: Callable[[str], bool]
    ) -> None:
        """`allows` says whether the chassis may watch a scope, as things are now."""
        self.chassis = chassis
        self.counters: dict[str, int] = {}
        self.denied = 0
        """How many writes were not the agent's to make."""
        self.tunnels: TunnelReport | None = None
        """What the agent said of its tunnels; None if it said nothing, as older ones do."""
        self.conditions: Mapping[str, str] = {}
        """Why the agent is degraded, as it says."""
        self.is_open = True
        """Whether the agent skips what it doesn't know: see :mod:`southbound.vocabulary`."""
        self.skipped = Skipped()
        """What the agent said that this server doesn't know."""
        self.lacks: tuple[str, ...] = ()
        """What this server may send that the agent doesn't know."""
        self.heard_at: float | None = None
        """When it was last heard of, in seconds since the epoch."""
        self.sent = 0
        """Serial of the update composed last."""
        self.acknowledged = 0
        self.applied_revision = 0
        self.news = asyncio.Event()
        """Set while there is something to send, no wish is open, and no message half heard."""
        self._feed = feed
        self._parts = parts
        self._allows = allows
        self._heard = 0
        self._is_hearing = False
        self._position = 0
        self._sent_revision = 0
        self._wishes: set[str] = set()
        self._scopes: set[str] = set()
        self._open: set[str] | None = set()
        self._dirty: dict[str, None] = {}
        self._sent_at: dict[str, int] = {}
        self._behind: set[str] = set()

    @property
    def wishes(self) -> Set[str]:
        return self._wishes

    @property
    def scopes(self) -> Set[str]:
        """The scopes watched: wished for and allowed."""
        return self._scopes

    @property
    def due(self) -> int:
        """The serial that has to be acknowledged for the agent to be where we are now."""
        return self.sent + 1 if self._dirty or self._open else self.sent

    @property
    def settled(self) -> bool:
        return self.acknowledged >= self.due

    def due_for(self, scopes: Set[str] | None) -> int | None:
        """The serial that has to be acknowledged for these scopes to be as they are now.

        None if they are so already, or are not watched. Without `scopes` all are meant.
        """
        if scopes is None:
            return None if self.settled else self.due
        if self._dirty.keys() & scopes or (self._open and self._open & scopes):
            return self.sent + 1
        return max((self._sent_at[scope] for scope in self._sent_at.keys() & scopes), default=None)

    @property
    def unapplied(self) -> Collection[str]:
        """The scopes of which the agent has not acknowledged what we have now."""
        return self._dirty.keys() | self._sent_at.keys() | (self._open or set())

    def resume(self, position: int | None, scopes: Iterable[str]) -> None:
        """Before anything was sent: the agent has these scopes as of `position`.

        None is a position that means nothing to us: it is sent everything anew.
        """
        if position is not None:
            self._position = position
        more = self._wish(scopes)
        if position is not None:
            self._behind.difference_update(more)

    @contextmanager
    def hearing(self, *, counts: bool = True) -> Iterator[None]:
        """While one message of the agent is taken, perhaps in steps, nothing is sent.

        Those that subscribe and unsubscribe count as heard when all of them is taken.
        """
        self._is_hearing = True
        self._note_news()
        try:
            yield
        finally:
            self._is_hearing = False
            self._heard += counts
            self._note_news()

    def subscribe(self, scopes: Iterable[str]) -> Collection[str]:
        """Wish for more scopes; returns those that are watched for it."""
        return self._wish(scopes)

    def unsubscribe(self, scopes: Iterable[str]) -> Collection[str]:
        """Take wishes back; returns the scopes that were watched for them."""
        gone = []
        for scope in scopes:
            if scope not in self._wishes:
                continue
            self._wishes.discard(scope)
            if scope in self._scopes:
                self._scopes.discard(scope)
                gone.append(scope)
            if self._open is not None:
                self._open.discard(scope)
            self._behind.discard(scope)
            self._dirty.pop(scope, None)
            self._sent_at.pop(scope, None)
        self._note_news()
        return gone

    def claims_stated(self) -> Watched:
        """The agent has said which ports it has: no wish is open from now on."""
        still_open, self._open = self._open, None
        if not still_open:
            self._note_news()
            return Watched(())
        for scope in still_open:
            self.changed(scope)
        return self.review(still_open)

    def review(self, scopes: Iterable[str]) -> Watched:
        """Ask anew which of these scopes are allowed, as far as they are wished for."""
        more, fewer = [], []
        for scope in scopes:
            if scope not in self._wishes:
                continue
            allowed = self._allows(scope)
            if allowed and scope not in self._scopes:
                more.append(scope)
                self._watch(scope)
            elif not allowed and scope in self._scopes:
                fewer.append(scope)
                self._scopes.discard(scope)
                self._behind.discard(scope)
                self.changed(scope)
        return Watched(more, fewer)

    def changed(self, scope: str) -> None:
        """One of the session's scopes has news."""
        self._dirty[scope] = None
        self._note_news()

    def compose(self, revision: int) -> list[bytes]:
        """The pieces of the update from where the agent is to the present."""
        parts = []
        for scope in self._dirty:
            if scope not in self._scopes:
                parts.append(wire.encode(wire.Part(scope, full=True)))
                continue
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

    def _wish(self, scopes: Iterable[str]) -> list[str]:
        """Returns the scopes that are watched for it."""
        more = []
        for scope in scopes:
            if scope in self._wishes:
                continue
            self._wishes.add(scope)
            if self._allows(scope):
                more.append(scope)
                self._watch(scope)
            elif self._open is not None:
                self._open.add(scope)
            else:
                self._dirty[scope] = None
        self._note_news()
        return more

    def _watch(self, scope: str) -> None:
        """Of what the agent has of it, if anything, nothing is known."""
        self._scopes.add(scope)
        self._behind.add(scope)
        if self._open is not None:
            self._open.discard(scope)
        self.changed(scope)

    def _note_news(self) -> None:
        if self._dirty and not self._open and not self._is_hearing:
            self.news.set()
        else:
            self.news.clear()
