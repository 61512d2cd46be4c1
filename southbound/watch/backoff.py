"""How long to wait before the next attempt to connect."""

import random


class Backoff:
    """Twice as long after each failure, at random below that: not all agents at once."""

    def __init__(self, first: float = 0.5, longest: float = 8.0) -> None:
        self._first = first
        self._longest = longest
        self._ceiling = first

    def delay(self) -> float:
        """Seconds to wait now; the next wait may be longer."""
        ceiling = self._ceiling
        self._ceiling = min(2 * ceiling, self._longest)
        return random.uniform(ceiling / 4, ceiling)  # noqa: S311

    def reset(self) -> None:
        self._ceiling = self._first

    def exhaust(self) -> None:
        """Wait the longest: trying again soon won't help."""
        self._ceiling = self._longest
