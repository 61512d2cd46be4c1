"""How often the agent repairs what another program changes again and again. Pure but for a clock.

The first repair is done at once. Each further one that follows before it was quiet for
`QUIET_SECONDS` waits twice as long after the one before, up to `LONGEST_PAUSE`.
"""

import time
from collections.abc import Callable
from typing import Final

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
QUIET_SECONDS: Final = 60.0


class RepairPace:
    """Counts repairs that follow one another, and says when the next one is due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = 0.0
        self.repairs = 0
        """Repairs since it was last quiet."""
        self.pause = 0.0
        """Seconds from the last repair to when another one may be done."""

    @property
    def wait(self) -> float:
        """Seconds until the next repair may be done; 0 if it may be now."""
        return max(0.0, self._last + self.pause - self._clock())

    @property
    def quiet_after(self) -> float:
        """Seconds from the last repair on after which it counts as quiet."""
        return QUIET_SECONDS + self.pause

    @property
    def has_become_quiet(self) -> bool:
        """Whether nothing was to be repaired for long since the last repair; forgets it then."""
        if not self.repairs or self._clock() - self._last < self.quiet_after:
            return False
        self.repairs, self.pause = 0, 0.0
        return True

    def repaired(self) -> None:
        """Something was repaired at this moment."""
        self.repairs += 1
        self._last = self._clock()
        self.pause = min(2 * self.pause, LONGEST_PAUSE) if self.pause else FIRST_PAUSE

    @property
    def text(self) -> str:
        """What to add to the reason of a repair."""
        if self.repairs < 2:
            return ""
        return f"; {self.repairs} times in a row, the next not before {self.pause:g} s"
