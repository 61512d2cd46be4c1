"""Counters of mishaps that should not rise: told while they do. Pure but for a clock."""

import time
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from chassis_agent.health import Health

K = TypeVar("K")

QUIET_SECONDS: Final = 60.0

_NAMED: Final = 5


class RisingCounters(Generic[K]):
    """A condition that stands while any of some counters rises, and for a minute after it.

    `K` is what a counter is known by.
    """

    def __init__(
        self,
        health: Health,
        condition: str,
        counter: str,
        text: str,
        name: Callable[[K], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The reason is `text` and the names of what has risen most; `counter` counts all of it."""
        self._health = health
        self._condition = condition
        self._counter = counter
        self._text = text
        self._name = name
        self._clock = clock
        self._before: dict[K, int] | None = None
        self._last = 0.0

    def begin_anew(self) -> None:
        """What counted is gone; what comes in its place begins at 0."""
        self._before = {}

    def look(self, counters: Mapping[K, int]) -> None:
        """Tell what was counted since the last look; the first one is where it begins."""
        before, self._before = self._before, dict(counters)
        if before is None:
            return
        risen = [
            (rise, self._name(key))
            for key, total in counters.items()
            if (rise := total - min(before.get(key, 0), total))
        ]
        if risen:
            self._last = self._clock()
            self._health.counters[self._counter] += sum(rise for rise, _ in risen)
            risen.sort(key=lambda each: (-each[0], each[1]))
            told = ", ".join(f"{rise} {name}" for rise, name in risen[:_NAMED])
            more = f" and {len(risen) - _NAMED} more" if len(risen) > _NAMED else ""
            self._health.degrade(self._condition, f"{self._text}: {told}{more}")
        elif self._clock() - self._last > QUIET_SECONDS:
            self._health.clear(self._condition)
