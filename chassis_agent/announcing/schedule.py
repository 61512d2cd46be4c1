"""When addresses are announced: at once, and some times more with longer and longer pauses.

Packets get lost, and switches outside may only just have come up. After the last time it is
known, as far as that is to be had. Time is the caller's, in seconds.
"""

import heapq
from collections.abc import Hashable
from typing import Final, Generic, NamedTuple, TypeVar

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds from one time to the next."""

K = TypeVar("K", bound=Hashable)


class _Plan(NamedTuple):
    due: float
    said: int
    number: int


class Schedule(Generic[K]):
    """What is to be announced, by key."""

    def __init__(self) -> None:
        self._plans: dict[K, _Plan] = {}
        self._queue: list[tuple[float, int, K]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._plans)

    def start(self, key: K, now: float) -> None:
        """A key is announced from now on, as if it never had been."""
        self._plan(key, now, 0)

    def stop(self, key: K) -> None:
        """A key is not announced any more."""
        self._plans.pop(key, None)

    def next_due(self, now: float) -> K | None:
        """Return a key that is due, None if none is; it stays due until it was `said`."""
        while self._queue and self._queue[0][0] <= now:
            _, number, key = self._queue[0]
            plan = self._plans.get(key)
            if plan is not None and plan.number == number:
                return key
            heapq.heappop(self._queue)
        return None

    def said(self, key: K, now: float) -> None:
        """A key was announced: the next time is planned, if there is one."""
        plan = self._plans.pop(key, None)
        if plan is not None and plan.said < len(PAUSES):
            self._plan(key, now + PAUSES[plan.said], plan.said + 1)

    def seconds_until_next(self, now: float, most: float) -> float:
        """Seconds until something may be due, `most` if nothing is before."""
        return max(0.0, min(self._queue[0][0] - now, most)) if self._queue else most

    def _plan(self, key: K, due: float, said: int) -> None:
        self._number += 1
        self._plans[key] = _Plan(due, said, self._number)
        heapq.heappush(self._queue, (due, self._number, key))
        if len(self._queue) > 2 * len(self._plans) + 16:
            self._queue = [(plan.due, plan.number, name) for name, plan in self._plans.items()]
            heapq.heapify(self._queue)
