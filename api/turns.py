"""Turns: how many questions that take long are worked on at once.

Traces and explanations of large networks keep a thread busy for a while, and all threads
share the interpreter with those who write. So a few run, some more wait for their turn, and
who comes then, or has waited for too long, is told to come again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from api.errors import TooManyQuestionsError

RUNNING: Final = 2
WAITING: Final = 32
PATIENCE: Final = 30.0
"""Seconds to wait for a turn."""


class Turns:
    """Gives turns, in the order in which they are asked for. Belongs to one event loop."""

    def __init__(
        self, running: int = RUNNING, waiting: int = WAITING, patience: float = PATIENCE
    ) -> None:
        self._free = asyncio.Semaphore(running)
        self._waiting = 0
        self._most = waiting
        self._patience = patience

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One turn, for as long as the block lasts.

        Raises :class:`~api.errors.TooManyQuestionsError`.
        """
        if self._free.locked() and self._waiting >= self._most:
            raise TooManyQuestionsError(f"{self._waiting} others wait for their turn already")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            reason = f"its turn did not come within {self._patience:g} s"
            raise TooManyQuestionsError(reason) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()
