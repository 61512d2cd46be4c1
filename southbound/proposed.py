"""Realised state as it would be with a change that isn't made.

The rows of the change lie over those that are there, which stay as they are. Facts go
with them as they would: a port that stays keeps its chassis, one that a chassis claims
already would be bound to it, and what was learned on a port that goes, goes.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from southbound.rows import FdbEntry, MacBinding, PortBinding, Row, RowId, datapath_scope
from southbound.state import RealisedState

R = TypeVar("R", bound=Row)


class RealisedRows(Protocol):
    """What may be read of realised state, be it the one that is or a proposed one."""

    @property
    def revision(self) -> int: ...

    def rows(self, row_type: type[R]) -> Mapping[str, R]: ...

    def in_scope(self, scope: str) -> Collection[Row]: ...


class ProposedState:
    """A view of `state` with `puts` and without `deletes`. Belongs to the same loop.

    It holds for as long as `state` is at the revision that the change is one to. What the
    change doesn't touch costs nothing: it is looked at where it is.
    """

    def __init__(self, state: RealisedState, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        self._state = state
        self._puts: dict[RowId, Row] = {}
        self._gone: set[RowId] = set(deletes)
        self._touched: set[str] = set()
        """Tables and scopes that are not as they are stored."""
        for row in puts:
            self._put(state.facts.would_be(row) if isinstance(row, PortBinding) else row)
        for row_id in [*self._gone, *self._puts]:
            self._leave(row_id)

    @property
    def revision(self) -> int:
        """The revision that the change is one to."""
        return self._state.revision

    def rows(self, row_type: type[R]) -> Mapping[str, R]:
        stored = self._state.rows(row_type)
        if row_type.table not in self._touched:
            return stored
        kept = {key: row for key, row in stored.items() if row.row_id not in self._gone}
        put = {row.key: row for row in self._puts.values() if isinstance(row, row_type)}
        return {**kept, **put}

    def in_scope(self, scope: str) -> Collection[Row]:
        stored = self._state.in_scope(scope)
        if scope not in self._touched:
            return stored
        kept = [
            row
            for row in stored
            if (row_id := row.row_id) not in self._gone and row_id not in self._puts
        ]
        return kept + [row for row in self._puts.values() if scope in row.scopes]

    def _put(self, row: Row) -> None:
        self._puts[row.row_id] = row
        self._touch(row)

    def _touch(self, row: Row) -> None:
        self._touched.add(row.table)
        self._touched.update(row.scopes)

    def _leave(self, row_id: RowId) -> None:
        """Touch what is stored under that id, and drop what was learned on a port that goes."""
        old = self._state.feed.get(row_id)
        if old is None:
            return
        self._touch(old)
        new = self._puts.get(row_id)
        if not isinstance(old, PortBinding) or (
            isinstance(new, PortBinding) and (new.datapath, new.name) == (old.datapath, old.name)
        ):
            return
        for learned in self._state.in_scope(datapath_scope(old.datapath)):
            if isinstance(learned, MacBinding | FdbEntry) and learned.port == old.name:
                self._gone.add(learned.row_id)
                self._touch(learned)
