"""Which of many keys are due, and how long it is until the next one is. Pure.

A key is due at one time: to plan it again replaces the time of before. Of keys that are due at the
same time the one that was planned first comes first. Time is the caller's, in seconds.
"""

import heapq
import math
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class _Plan(NamedTuple):
    """When a key is due; the number tells a plan from those that it replaced."""

    due: float
    number: int


class DueQueue(Generic[K]):
    """Keys with the times when they are due."""

    def __init__(self) -> None:
        self._plans: dict[K, _Plan] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, key: K, due: float) -> None:
        """A key is due then, and no longer when it was before; at `math.inf` it never is."""
        if due == math.inf:
            self.drop(key)
            return
        self._number += 1
        self._plans[key] = _Plan(due, self._number)
        heapq.heappush(self._heap, (due, self._number, key))
        if len(self._heap) > 2 * len(self._plans) + 16:
            self._heap = [(plan.due, plan.number, each) for each, plan in self._plans.items()]
            heapq.heapify(self._heap)

    def drop(self, key: K) -> None:
        """A key is not due any more; one that isn't there is passed over."""
        self._plans.pop(key, None)

    def first(self, now: float) -> K | None:
        """Return the key that has been due for longest, None if none is; it stays due."""
        return self._heap[0][2] if self.earliest <= now else None

    def take(self, now: float) -> K | None:
        """Return what `first` does, and drop it."""
        key = self.first(now)
        if key is not None:
            self.drop(key)
        return key

    @property
    def earliest(self) -> float:
        """When the next key is due; `math.inf` without any."""
        while self._heap:
            due, number, key = self._heap[0]
            plan = self._plans.get(key)
            if plan is not None and plan.number == number:
                return due
            heapq.heappop(self._heap)
        return math.inf

    def seconds_until_next(self, now: float, most: float) -> float:
        """Return the seconds until a key is due, 0 if one is, and `most` at most."""
        return max(0.0, min(self.earliest - now, most))
