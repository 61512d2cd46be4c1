"""Rows in memory by scope, and what changed since a position.

Every change advances the *position*. A scope keeps its rows in the order of the
position in which each changed last, deleted ones as *tombstones*, so a reader needs no
queue: its place in history is one number, and what it lacks is the tail of each scope
behind that number. However long it slept, it gets every row at most once, as it is now.

Tombstones are bounded: the oldest ones go first. A reader that is older than the
youngest tombstone dropped (the *horizon*) can't learn from differences what vanished,
and has to take whole scopes again.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from southbound.rows import ROW_TYPES, Row, RowId

_Entry = tuple[int, Row | None]


class Difference(NamedTuple):
    """What changed in one scope between `oldest` and `newest`, both included.

    Two differences of a scope with the same two positions are the same. Both are 0 if
    nothing changed.
    """

    oldest: int
    newest: int
    puts: tuple[Row, ...]
    deletes: tuple[RowId, ...]


class Feed:
    """All rows, and the recent history of each scope."""

    def __init__(self, *, tombstones: int = 20_000) -> None:
        self.position = 0
        self.horizon = 0
        self._max_tombstones = tombstones
        self._tables: dict[str, dict[str, Row]] = {table: {} for table in ROW_TYPES}
        self._scopes: dict[str, dict[RowId, _Entry]] = {}
        self._last_changes: dict[str, int] = {}
        self._tombstones: deque[tuple[int, str, RowId]] = deque()

    def table(self, table: str) -> Mapping[str, Row]:
        return self._tables[table]

    def get(self, row_id: RowId) -> Row | None:
        table, key = row_id
        return self._tables[table].get(key)

    def snapshot(self, scope: str) -> list[Row]:
        return [row for _, row in self._scopes.get(scope, {}).values() if row is not None]

    def last_change(self, scope: str) -> int:
        """The position in which the scope changed last; 0 if nothing is known of it.

        Not that of its youngest entry, which may have been a tombstone that was dropped.
        """
        return self._last_changes.get(scope, 0)

    def since(self, scope: str, position: int) -> Difference | None:
        """What changed after `position`; None if that can't be told any more."""
        if position < self.horizon:
            return None
        puts: list[Row] = []
        deletes: list[RowId] = []
        oldest = newest = 0
        entries = self._scopes.get(scope, {})
        for row_id in reversed(entries):
            changed, row = entries[row_id]
            if changed <= position:
                break
            oldest = changed
            newest = max(newest, changed)
            if row is None:
                deletes.append(row_id)
            else:
                puts.append(row)
        puts.reverse()
        return Difference(oldest, newest, tuple(puts), tuple(deletes))

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId] = ()) -> Collection[str]:
        """Apply at the next position; returns the scopes in which something changed.

        Deleting what isn't there and putting what is there already are no changes.
        """
        position = self.position + 1
        changed: set[str] = set()
        for row_id in deletes:
            table, key = row_id
            old = self._tables[table].pop(key, None)
            if old is not None:
                self._bury(old.scopes, row_id, position)
                changed.update(old.scopes)
        for row in puts:
            row_id = row.row_id
            table, key = row_id
            old = self._tables[table].get(key)
            if old == row:
                continue
            self._tables[table][key] = row
            if old is not None:
                left = set(old.scopes).difference(row.scopes)
                self._bury(left, row_id, position)
                changed.update(left)
            entry = (position, row)
            for scope in row.scopes:
                entries = self._scopes.get(scope)
                if entries is None:
                    entries = self._scopes[scope] = {}
                else:
                    entries.pop(row_id, None)  # it was in another place there, or a tombstone
                entries[row_id] = entry
                changed.add(scope)
        if changed:
            self.position = position
            self._last_changes.update(dict.fromkeys(changed, position))
            self._drop_old_tombstones()
        return changed

    def _bury(self, scopes: Iterable[str], row_id: RowId, position: int) -> None:
        for scope in scopes:
            entries = self._scopes[scope]
            del entries[row_id]
            entries[row_id] = (position, None)
            self._tombstones.append((position, scope, row_id))

    def _drop_old_tombstones(self) -> None:
        while len(self._tombstones) > self._max_tombstones:
            position, scope, row_id = self._tombstones.popleft()
            self.horizon = position
            entries = self._scopes.get(scope, {})
            if entries.get(row_id) == (position, None):
                del entries[row_id]
                if not entries:
                    del self._scopes[scope], self._last_changes[scope]
