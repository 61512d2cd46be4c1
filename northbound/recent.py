"""The changes that this process committed last, for those who follow them in the same process.

The revision log has them, too; but to read back what was at hand a moment ago costs a
statement, and a pass through JSON for each row. So the last ones are kept here until they
are asked for, as many as are small: a reader that finds a gap reads the log.
"""

from collections import deque
from threading import Lock
from typing import Final

from northbound.loading import RevisionChanges
from northbound.transaction import RowChange

MOST_CHANGES: Final = 2000
"""Changes of rows that are kept, in all revisions together."""


class RecentCommits:
    """Revisions in the order of their numbers, bounded. May be used from any thread."""

    def __init__(self, most_changes: int = MOST_CHANGES) -> None:
        self._most = most_changes
        self._kept: deque[RevisionChanges] = deque()
        self._changes = 0
        self._lock = Lock()

    def add(self, revision: int, changes: list[RowChange]) -> None:
        """Keep a revision, and drop the oldest ones where there are too many changes."""
        with self._lock:
            if self._kept and self._kept[-1].revision >= revision:
                return  # out of order: those who need it find the gap
            self._kept.append(RevisionChanges(revision, changes))
            self._changes += len(changes)
            while self._changes > self._most:
                self._drop_oldest()

    def after(self, revision: int, until: int | None = None) -> list[RevisionChanges]:
        """Return what came after `revision`, without a gap, and not after `until`.

        It is empty where the next revision isn't known here. What came before is dropped.
        """
        with self._lock:
            while self._kept and self._kept[0].revision <= revision:
                self._drop_oldest()
            known: list[RevisionChanges] = []
            for each in self._kept:
                if each.revision != revision + 1 + len(known):
                    break
                if until is not None and each.revision > until:
                    break
                known.append(each)
            return known

    def _drop_oldest(self) -> None:
        self._changes -= len(self._kept.popleft().changes)
