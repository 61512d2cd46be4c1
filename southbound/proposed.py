"""Realised state as it would be with a change that isn't made.

The rows of the change lie over those that are there, which stay as they are. Facts go
with them as they would: a port that stays keeps its chassis, one that a chassis claims
already would be bound to it, and what was learned on a port that goes, goes.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol, TypeVar

from southbound.rows import FdbEntry, MacBinding, PortBinding, Row, RowId
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

    It holds for as long as `state` is at the revision that the change is one to.
    """

    def __init__(
        self, state: RealisedState, puts: Iterable[Row], deletes: Collection[RowId]
    ) -> None:
        self._state = state
        self._puts: dict[RowId, Row] = {}
        self._deletes = deletes
        left: set[str] = set()
        for table, key in deletes:
            old = state.rows(PortBinding).get(key) if table == PortBinding.table else None
            if old is not None:
                left.add(old.name)
        for row in puts:
            if not isinstance(row, PortBinding):
                self._puts[row.row_id] = row
                continue
            self._puts[row.row_id] = state.facts.would_be(row)
            old = state.rows(PortBinding).get(row.key)
            if old is not None and (old.datapath, old.name) != (row.datapath, row.name):
                left.add(old.name)
        self._left = left

    @property
    def revision(self) -> int:
        """The revision that the change is one to."""
        return self._state.revision

    def rows(self, row_type: type[R]) -> Mapping[str, R]:
        stored = self._state.rows(row_type)
        kept = {key: row for key, row in stored.items() if self._stays(row)}
        put = {row.key: row for row in self._puts.values() if isinstance(row, row_type)}
        return {**kept, **put}

    def in_scope(self, scope: str) -> Collection[Row]:
        stored = self._state.in_scope(scope)
        put = [row for row in self._puts.values() if scope in row.scopes]
        return [row for row in stored if self._stays(row)] + put

    def _stays(self, row: Row) -> bool:
        if isinstance(row, MacBinding | FdbEntry):
            return row.port not in self._left
        row_id = row.row_id
        return row_id not in self._puts and row_id not in self._deletes
