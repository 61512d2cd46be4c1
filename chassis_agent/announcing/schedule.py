"""When addresses are announced: at once, and some times more with longer and longer pauses.

Packets get lost, and switches outside may only just have come up. After the last time it is
known, as far as that is to be had. Time is the caller's, in seconds.
"""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from chassis_agent.due import DueQueue

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds from one time to the next."""

K = TypeVar("K", bound=Hashable)


class Schedule(Generic[K]):
    """What is to be announced, by key."""

    def __init__(self) -> None:
        self._times_said: dict[K, int] = {}
        self._queue: DueQueue[K] = DueQueue()

    def __len__(self) -> int:
        return len(self._queue)

    def start(self, key: K, now: float) -> None:
        """A key is announced from now on, as if it never had been."""
        self._times_said[key] = 0
        self._queue.plan(key, now)

    def stop(self, key: K) -> None:
        """A key is not announced any more."""
        self._times_said.pop(key, None)
        self._queue.drop(key)

    def next_due(self, now: float) -> K | None:
        """Return a key that is due, None if none is; it stays due until it was `said`."""
        return self._queue.first(now)

    def said(self, key: K, now: float) -> None:
        """A key was announced: the next time is planned, if there is one."""
        times = self._times_said.get(key)
        if times is None:
            return
        if times < len(PAUSES):
            self._times_said[key] = times + 1
            self._queue.plan(key, now + PAUSES[times])
        else:
            self.stop(key)

    def seconds_until_next(self, now: float, most: float) -> float:
        """Seconds until something is due, `most` if nothing is before."""
        return self._queue.seconds_until_next(now, most)
