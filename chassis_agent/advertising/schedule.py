"""When router ports tell hosts about themselves without being asked (RFC 4861 section 6.2.4).

The time between two advertisements is chosen at random between a port's two intervals. A port
that is new, or has something new to tell, tells it soon, and another two times not much later:
packets get lost. Two advertisements of a port are never closer than `CLOSEST` seconds.

Time is the caller's, in seconds.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from chassis_agent.due import DueQueue
from southbound.rows import RouterAdvertisement

FIRST_DELAY: Final = 0.5
"""The most seconds before the first one."""
INITIAL: Final = 3
"""How many follow each other sooner."""
INITIAL_INTERVAL: Final = 16.0
CLOSEST: Final = 3.0


class _Plan(NamedTuple):
    row: RouterAdvertisement
    sent: int
    last: float | None


class Schedule:
    """The ports that advertise themselves. `between` chooses a number between two."""

    def __init__(self, between: Callable[[float, float], float]) -> None:
        self._between = between
        self._plans: dict[str, _Plan] = {}
        self._queue: DueQueue[str] = DueQueue()

    def put(self, row: RouterAdvertisement, now: float) -> None:
        """A port's message is this from now on; one without intervals isn't sent unasked."""
        if not row.max_interval:
            self.remove(row.id)
            return
        before = self._plans.get(row.id)
        if before is not None and before.row == row:
            return
        due = now + self._between(0, FIRST_DELAY)
        last = None if before is None else before.last
        if last is not None:
            due = max(due, last + CLOSEST)
        self._plan(_Plan(row, 0, last), due)

    def remove(self, port: str) -> RouterAdvertisement | None:
        """A port has nothing to tell any more; returns what it told last, if it told anything."""
        before = self._plans.pop(port, None)
        self._queue.drop(port)
        return before.row if before is not None and before.sent else None

    def due(self, now: float, most: int) -> list[RouterAdvertisement]:
        """Return what is to be sent now, `most` messages at most; the next ones are planned."""
        found: list[RouterAdvertisement] = []
        while len(found) < most and (port := self._queue.take(now)) is not None:
            plan = self._plans[port]
            found.append(plan.row)
            pause = self._between(plan.row.min_interval, plan.row.max_interval)
            if plan.sent + 1 < INITIAL:
                pause = min(pause, INITIAL_INTERVAL)
            self._plan(_Plan(plan.row, plan.sent + 1, now), now + max(pause, CLOSEST))
        return found

    def seconds_until_next(self, now: float, most: float) -> float:
        """Seconds until something is due, `most` if nothing is before."""
        return self._queue.seconds_until_next(now, most)

    def _plan(self, plan: _Plan, due: float) -> None:
        self._plans[plan.row.id] = plan
        self._queue.plan(plan.row.id, due)
