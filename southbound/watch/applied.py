"""Waiting until agents have applied what they were due.

A waiter notes, for each agent that has not got all of some scopes when it starts, the serial
of the update with which it would have; other agents are not asked and answer nothing. So one
that is dead, or slow, holds only waits for what concerns it.
An agent that subscribes to more before it has acknowledged that serial found the need
for it in those rows (a port on a datapath that is new to it), so it is waited for until
it has the rows of the new scopes, too.
"""

import asyncio
from collections.abc import Iterable, Set

from southbound.watch.session import Session


class AppliedWait:
    """One waiter. The server tells it what happens to sessions."""

    def __init__(self, sessions: Iterable[Session], scopes: Set[str] | None = None) -> None:
        """`scopes` are those that count; without them, all do."""
        self._due = {
            session: due for session in sessions if (due := session.due_for(scopes)) is not None
        }
        self._done = asyncio.Event()
        self._check()

    @property
    def waiting_for(self) -> list[str]:
        return sorted(session.chassis for session in self._due)

    async def wait(self) -> None:
        await self._done.wait()

    def subscribed(self, session: Session) -> None:
        if session in self._due:
            self._due[session] = session.due

    def acknowledged(self, session: Session) -> None:
        if session.acknowledged >= self._due.get(session, 0):
            self.gone(session)

    def replaced(self, old: Session, new: Session) -> None:
        """The chassis registered again: it has to apply at least its first update."""
        if self._due.pop(old, None) is not None:
            self._due[new] = max(1, new.due)

    def gone(self, session: Session) -> None:
        self._due.pop(session, None)
        self._check()

    def _check(self) -> None:
        if not self._due:
            self._done.set()
