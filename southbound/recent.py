"""Which scopes the latest revisions changed, so that a wait asks only those concerned.

Bounded: of a revision that is too old for it nothing is known, and a wait for it asks all
agents that lack anything.
"""

from collections import deque
from collections.abc import Collection
from typing import Final, NamedTuple

KEPT: Final = 512
"""How many writes are remembered."""


class _Write(NamedTuple):
    """The revisions after `before`, up to `revision`, were written as one."""

    before: int
    revision: int
    scopes: frozenset[str]


class RecentChanges:
    """The scopes of the last writes of intent."""

    def __init__(self) -> None:
        self._writes: deque[_Write] = deque(maxlen=KEPT)

    def note(self, before: int, revision: int, scopes: Collection[str]) -> None:
        self._writes.append(_Write(before, revision, frozenset(scopes)))

    def scopes(self, revision: int) -> frozenset[str] | None:
        """What `revision` changed, with those written at once with it; None if not known."""
        for write in reversed(self._writes):
            if write.before < revision <= write.revision:
                return write.scopes
        return None
