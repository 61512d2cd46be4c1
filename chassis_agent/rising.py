"""Counters of mishaps that should not rise: told while they do. Pure but for a clock."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from chassis_agent.health import Health

QUIET_SECONDS: Final = 60.0


class RisingCounters:
    """A condition that stands while any of some counters rises, and for a minute after it."""

    def __init__(
        self,
        health: Health,
        condition: str,
        counter: str,
        text: str,
        names: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """The reason is `text` and, of `names`, what has risen; `counter` counts all of them."""
        self._health = health
        self._condition = condition
        self._counter = counter
        self._text = text
        self._names = names
        self._clock = clock
        self._before: dict[str, int] | None = None
        self._last = 0.0

    def begin_anew(self) -> None:
        """What counted is gone; what comes in its place begins at 0."""
        self._before = {}

    def look(self, counters: Mapping[str, int]) -> None:
        """Tell what was counted since the last look; the first one is where it begins."""
        before, self._before = self._before, dict(counters)
        if before is None:
            return
        risen = {
            self._names[name]: rise
            for name, total in counters.items()
            if (rise := total - min(before.get(name, 0), total))
        }
        if risen:
            self._last = self._clock()
            self._health.counters[self._counter] += sum(risen.values())
            told = ", ".join(f"{count} {what}" for what, count in sorted(risen.items()))
            self._health.degrade(self._condition, f"{self._text}: {told}")
        elif self._clock() - self._last > QUIET_SECONDS:
            self._health.clear(self._condition)
