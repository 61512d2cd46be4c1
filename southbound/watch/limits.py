"""How much one agent may hold on the server, and how fast it may make it work.

An agent that goes beyond what it may hold is sent away with a reason that names the
setting: part of what it asked for would look like all of it. One that is too fast is not
read from for a while, so that it waits and others don't.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from southbound.errors import WatchRefusedError
from southbound.wire import REFUSED_LIMIT

MAX_MESSAGE: Final = 8 << 20
"""Bytes of one message of an agent."""

MAX_NAME: Final = 255
"""Characters of a port's name; scopes have a prefix besides."""

MAX_SCOPE: Final = MAX_NAME + 10
MAX_COUNTERS: Final = 256
MAX_DENIALS: Final = 100
"""How many refused writes an agent is told of one by one, over one connection."""

ITEMS_PER_SECOND: Final = 20_000.0
ITEMS_AT_ONCE: Final = 100_000.0
STEP: Final = 500
"""Items of one message that are dealt with before others have their turn."""


class Limits(NamedTuple):
    """What one chassis may hold."""

    claims: int = 16_384
    scopes: int = 32_768

    def check_claims(self, count: int) -> None:
        if count > self.claims:
            raise WatchRefusedError(
                REFUSED_LIMIT,
                f"{count} ports are claimed, the server takes {self.claims} of one chassis "
                "(agents.claim_limit)",
            )

    def check_scopes(self, count: int) -> None:
        if count > self.scopes:
            raise WatchRefusedError(
                REFUSED_LIMIT,
                f"{count} scopes are watched, the server takes {self.scopes} of one chassis "
                "(agents.scope_limit)",
            )


def bounded_counters(values: Mapping[str, int]) -> dict[str, int]:
    """The counters to keep: so many, with names that can be shown."""
    named = ((name, value) for name, value in values.items() if len(name) <= MAX_NAME)
    return {name: value for (name, value), _ in zip(named, range(MAX_COUNTERS), strict=False)}


class Pace:
    """How many items an agent may send: so many a second, and so many at once after a rest."""

    def __init__(self, now: float) -> None:
        self._left = ITEMS_AT_ONCE
        self._at = now

    def delay(self, items: int, now: float) -> float:
        """Seconds to wait before more is read, once `items` were taken at `now`."""
        self._left = min(ITEMS_AT_ONCE, self._left + (now - self._at) * ITEMS_PER_SECOND) - items
        self._at = now
        return max(0.0, -self._left / ITEMS_PER_SECOND)
