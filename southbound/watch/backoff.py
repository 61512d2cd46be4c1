"""How long to wait before the next attempt to connect.

A server that refuses connections is down: to ask it costs next to nothing, and it is found
within about a second of its return, by each of many agents at another moment. A server that
takes connections and then doesn't serve is left alone for longer each time.
"""

import random


class Backoff:
    """Twice as long after each failure, at random below that: not all agents at once."""

    def __init__(self, first: float = 0.5, longest: float = 8.0, longest_down: float = 1.0) -> None:
        self._longest_down = longest_down
        self._first = first
        self._longest = longest
        self._ceiling = first

    def delay(self, *, is_down: bool = False) -> float:
        """Seconds to wait now; the next wait may be longer. `is_down`: the server refused."""
        longest = self._longest_down if is_down else self._longest
        ceiling = min(self._ceiling, longest)
        self._ceiling = min(2 * ceiling, longest)
        return random.uniform(ceiling / 4, ceiling)  # noqa: S311

    def reset(self) -> None:
        self._ceiling = self._first

    def exhaust(self) -> None:
        """Wait the longest: trying again soon won't help."""
        self._ceiling = self._longest
