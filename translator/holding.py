"""Letting translation stand still for a while, at the wish of another part of the server.

The holder may be slow, or gone: a hold ends by itself. While it is *used*, something is
worked out under it, it stays until that is done.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Holds:
    """Numbered holds of a lock, of which there is one at a time. Belongs to one event loop."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._numbers = 0
        self._current: int | None = None
        self._is_used = False
        self._ending: asyncio.TimerHandle | None = None

    async def take(self, seconds: float) -> int:
        """Wait for the lock and hold it, for so long at most; return the hold's number."""
        await self._lock.acquire()
        self._numbers += 1
        self._current = number = self._numbers
        loop = asyncio.get_running_loop()
        self._ending = loop.call_later(seconds, self.release, number)
        return number

    @contextmanager
    def used(self, number: int) -> Iterator[bool]:
        """Keep the hold while the block lasts; yields false if it is over already."""
        if number != self._current or self._is_used:
            yield False
            return
        self._is_used = True
        try:
            yield True
        finally:
            self._is_used = False
            if self._current != number:
                self._lock.release()

    def release(self, number: int) -> None:
        """End the hold, or let it end as soon as it is not used any more."""
        if number != self._current:
            return
        self._current = None
        if self._ending is not None:
            self._ending.cancel()
        if not self._is_used:
            self._lock.release()
