"""An agent's copy of the rows that it watches.

Kept by scope, because scopes are what is subscribed, answered and left; a row is there
for as long as one of the scopes holds it. Pure: updates in, changes out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Set
from typing import NamedTuple

from southbound.errors import ProtocolError
from southbound.rows import AnyRow, Row, RowId
from southbound.wire import Part, Resume, Update


class Changes(NamedTuple):
    puts: dict[RowId, Row]
    deletes: set[RowId]


class Mirror:
    """Rows of subscribed scopes as of `position` in `epoch` (see :mod:`southbound.wire`).

    A scope is *based* while its rows are those of the position. Rows from the cache are
    based until the server's first update moves the position: of what was not in the
    :class:`~southbound.wire.Resume` it knows nothing. Such rows stay to be seen until
    their scope is sent in full.
    """

    def __init__(self) -> None:
        self.epoch = ""
        self.position = 0
        self.revision = 0
        self._rows: dict[RowId, Row] = {}
        self._scopes: dict[str, dict[RowId, Row]] = {}
        self._based: set[str] = set()
        self._offered: set[str] | None = None

    @property
    def based(self) -> Set[str]:
        return self._based

    @property
    def rows(self) -> Mapping[RowId, Row]:
        """The rows of all scopes together."""
        return self._rows

    @property
    def is_resuming(self) -> bool:
        """Whether the next update answers to a resume."""
        return self._offered is not None

    def of(self, scope: str) -> Collection[Row]:
        return self._scopes[scope].values()

    def resume(self) -> Resume | None:
        """What the server need not send again; the next update answers to it.

        A scope without rows is asked for anew: it may have had none because it was not for
        this chassis, and then what changed since the position would not be all of it.
        """
        self._offered = {scope for scope in self._based if self._scopes[scope]}
        if not self._offered:
            return None
        return Resume(self.epoch, self.position, tuple(sorted(self._offered)))

    def base(self, scope: str, rows: Iterable[AnyRow]) -> Changes:
        """Take over rows that were cached as of this mirror's position."""
        return self._apply([Part(scope, True, tuple(rows))])

    def apply(self, epoch: str, update: Update, accepts: Callable[[str], bool]) -> Changes:
        """Move to the position of `update`, whole, with its parts of accepted scopes."""
        if self._offered is not None:
            self._based &= self._offered
            self._offered = None
        parts = [part for part in update.parts if accepts(part.scope)]
        for part in parts:
            if not part.full and part.scope not in self._based:
                raise ProtocolError(f"a difference to {part.scope}, of which nothing is known")
        self.epoch, self.position, self.revision = epoch, update.position, update.revision
        return self._apply(parts)

    def leave(self, scope: str) -> Changes:
        """The scope is subscribed no more."""
        changes = Changes({}, set())
        self._based.discard(scope)
        for row_id in self._scopes.pop(scope, {}):
            self._let_go(row_id, changes)
        return changes

    def _apply(self, parts: Iterable[Part]) -> Changes:
        """Puts of all parts come first: a row may leave one scope for another."""
        changes = Changes({}, set())
        gone: list[RowId] = []
        for part in parts:
            self._based.add(part.scope)
            held = self._scopes.setdefault(part.scope, {})
            leaving = set(held) if part.full else set(part.deletes)
            for row in part.puts:
                row_id = row.row_id
                leaving.discard(row_id)
                held[row_id] = row
                if self._rows.get(row_id) != row:
                    self._rows[row_id] = changes.puts[row_id] = row
            gone += [row_id for row_id in leaving if held.pop(row_id, None) is not None]
        for row_id in gone:
            self._let_go(row_id, changes)
        return changes

    def _let_go(self, row_id: RowId, changes: Changes) -> None:
        """A scope no longer holds the row: it goes unless another one does."""
        row = self._rows.get(row_id)
        if row is None or any(row_id in self._scopes.get(scope, ()) for scope in row.scopes):
            return
        del self._rows[row_id]
        changes.puts.pop(row_id, None)
        changes.deletes.add(row_id)
