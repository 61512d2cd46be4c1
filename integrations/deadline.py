"""A moment by which a whole piece of work has to be over, however many steps it has.

Container runtimes give their plugins a bounded time. Each step asks what is left of it, so that
steps that are slow together end as soon as one slow step would.
"""

import time


class TimeLimitError(Exception):
    """The time for the work is over."""


class Deadline:
    """`seconds` from now, by a clock that nothing sets."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, more than 0; raise :class:`TimeLimitError` if none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeLimitError(f"not done within {self.seconds:g} seconds")
        return left

    def at_most(self, seconds: float) -> float:
        """Return the seconds that one step may take that is to take no more than `seconds`."""
        return min(seconds, self.left())

    def part(self, seconds: float) -> "Deadline":
        """Return a deadline that is over after `seconds`, or with this one if that is sooner."""
        return Deadline(self.at_most(seconds))
