"""When router ports tell hosts about themselves without being asked (RFC 4861 section 6.2.4).

The time between two advertisements is chosen at random between a port's two intervals. A port
that is new, or has something new to tell, tells it soon, and another two times not much later:
packets get lost. Two advertisements of a port are never closer than `CLOSEST` seconds.

Time is the caller's, in seconds.
"""

import heapq
from collections.abc import Callable
from typing import Final, NamedTuple

from southbound.rows import RouterAdvertisement

FIRST_DELAY: Final = 0.5
"""The most seconds before the first one."""
INITIAL: Final = 3
"""How many follow each other sooner."""
INITIAL_INTERVAL: Final = 16.0
CLOSEST: Final = 3.0


class _Plan(NamedTuple):
    row: RouterAdvertisement
    due: float
    sent: int
    last: float | None


class Schedule:
    """The ports that advertise themselves. `between` chooses a number between two."""

    def __init__(self, between: Callable[[float, float], float]) -> None:
        self._between = between
        self._plans: dict[str, _Plan] = {}
        self._queue: list[tuple[float, str]] = []

    def put(self, row: RouterAdvertisement, now: float) -> None:
        """A port's message is this from now on; one without intervals isn't sent unasked."""
        before = self._plans.pop(row.id, None)
        if not row.max_interval or (before is not None and before.row == row):
            if before is not None and row.max_interval:
                self._plans[row.id] = before
            return
        due = now + self._between(0, FIRST_DELAY)
        last = None if before is None else before.last
        if last is not None:
            due = max(due, last + CLOSEST)
        self._plan(_Plan(row, due, 0, last))

    def remove(self, port: str) -> RouterAdvertisement | None:
        """A port has nothing to tell any more; returns what it told last, if it told anything."""
        before = self._plans.pop(port, None)
        return before.row if before is not None and before.sent else None

    def due(self, now: float, most: int) -> list[RouterAdvertisement]:
        """Return what is to be sent now, `most` messages at most; the next ones are planned."""
        found: list[RouterAdvertisement] = []
        while self._queue and self._queue[0][0] <= now and len(found) < most:
            due, port = heapq.heappop(self._queue)
            plan = self._plans.get(port)
            if plan is None or plan.due != due:
                continue
            found.append(plan.row)
            pause = self._between(plan.row.min_interval, plan.row.max_interval)
            if plan.sent + 1 < INITIAL:
                pause = min(pause, INITIAL_INTERVAL)
            self._plan(_Plan(plan.row, now + max(pause, CLOSEST), plan.sent + 1, now))
        return found

    def seconds_until_next(self, now: float, most: float) -> float:
        """Seconds until something may be due, `most` if nothing is before."""
        return max(0.0, min(self._queue[0][0] - now, most)) if self._queue else most

    def _plan(self, plan: _Plan) -> None:
        self._plans[plan.row.id] = plan
        heapq.heappush(self._queue, (plan.due, plan.row.id))
        if len(self._queue) > 2 * len(self._plans) + 16:
            self._queue = [(each.due, port) for port, each in self._plans.items()]
            heapq.heapify(self._queue)
