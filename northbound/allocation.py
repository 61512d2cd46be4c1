"""Taking free numbers from a pool: tunnel keys and IPv4 addresses.

A pool's *cursor* is stored, moves on with every number taken, and wraps at the
end. A number that was freed thus rests until the pool has been gone through
once, so that what a slow agent or a neighbour's cache still knows about it does
not meet its next owner.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from northbound.errors import ExhaustedError
from northbound.inserting import batched
from northbound.models import AllocationCursor
from northbound.transaction import Transaction

_WINDOW = 1000

_NEXT = select(AllocationCursor.next).where(AllocationCursor.pool == bindparam("key"))
_INSERT = insert(AllocationCursor).values(pool=bindparam("key"), next=bindparam("number"))
_UPDATE = (
    update(AllocationCursor)
    .where(AllocationCursor.pool == bindparam("key"))
    .values(next=bindparam("number"))
)
_FORGET = delete(AllocationCursor).where(
    AllocationCursor.pool.in_(bindparam("keys", expanding=True))
)

_IDS: Any = bindparam("ids", expanding=True)
CURSORS = select(AllocationCursor.pool, AllocationCursor.pool).where(
    AllocationCursor.pool.in_(_IDS)
)
"""Which pools have cursors (:mod:`northbound.services.ties`)."""

Taken = Callable[[int, int], Sequence[int]]
"""(first, limit) -> the next taken numbers from `first` on, in order, at most `limit`."""


class Cursor:
    """Where the search of the pool `key` begins, which is `default` before it was ever moved."""

    def __init__(self, tx: Transaction, key: str, default: int) -> None:
        self._tx = tx
        self._key = key
        stored = tx.connection.execute(_NEXT, {"key": key}).scalar()
        self._is_new = stored is None
        self._is_moved = False
        self.next: int = default if stored is None else stored
        tx.at_end(self._store)

    def move(self, number: int) -> None:
        """Let the next search begin at `number`."""
        self.next = number
        self._is_moved = True

    def _store(self) -> None:
        if self._is_moved:
            statement = _INSERT if self._is_new else _UPDATE
            self._tx.connection.execute(statement, {"key": self._key, "number": self.next})


def forget_cursors(tx: Transaction, keys: Sequence[str]) -> None:
    """Forget where searches of pools begin that are no more."""
    for some in batched(keys):
        tx.connection.execute(_FORGET, {"keys": some})


def switch_pool(switch_id: str) -> str:
    """Return the key of the pool of a switch's own subnet."""
    return f"ip4/{switch_id}"


def subnet_pool(subnet_id: str) -> str:
    """Return the key of the pools of a subnet of the Neutron API."""
    return f"subnet/{subnet_id}"


class Pool:
    """The numbers `low` to `high` without the ranges `barred`, as one transaction sees them.

    `key` names its stored cursor, `title` the pool to people.
    """

    def __init__(
        self,
        tx: Transaction,
        key: str,
        title: str,
        low: int,
        high: int,
        taken: Taken,
        barred: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._title = title
        self._low = low
        self._high = high
        self._stored = taken
        self._barred = _merged(barred)
        self._cursor = Cursor(tx, key, low)
        self._here: set[int] = set()
        self._window: set[int] = set()
        self._known_to = low - 1
        self._known_from = low

    def take(self) -> int:
        """A free number."""
        stored = self._cursor.next
        start = stored if self._low <= stored <= self._high else self._low
        number = self._search(start, self._high)
        if number is None:
            number = self._search(self._low, start - 1)
        if number is None:
            raise ExhaustedError(self._title)
        self._here.add(number)
        self._cursor.move(number + 1)
        return number

    def mark(self, number: int) -> None:
        """Count `number` as taken: this transaction gave it out by other means."""
        self._here.add(number)

    def allows(self, number: int) -> bool:
        """Whether `number` could be taken if it were free."""
        return self._low <= number <= self._high and self._behind_barred(number) == number

    def _search(self, number: int, last: int) -> int | None:
        while number <= last:
            number = self._behind_barred(number)
            if number > last:
                break
            if not self._known_from <= number <= self._known_to:
                self._look(number)
            if number not in self._window and number not in self._here:
                return number
            number += 1
        return None

    def _behind_barred(self, number: int) -> int:
        for first, last in self._barred[max(0, bisect_right(self._barred, (number,)) - 1) :]:
            if first > number:
                break
            number = max(number, last + 1)
        return number

    def _look(self, first: int) -> None:
        found = self._stored(first, _WINDOW)
        self._window = set(found)
        self._known_from = first
        self._known_to = found[-1] if len(found) == _WINDOW else self._high


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
