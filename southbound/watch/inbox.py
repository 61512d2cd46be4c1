"""The rows that the server sent to an agent, and which of them its user has taken.

Changes gather until the user takes them, the last state of each row, as one
:class:`Batch`. To the user rows never vanish with the connection: while it is away they
stay, and after it is back the user gets the difference.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast

from southbound import wire
from southbound.rows import AnyRow, PortBinding, Row, RowId
from southbound.watch.cache import CachedChange, CachedRows, cached_rows
from southbound.watch.mirror import Changes, Mirror


class Batch(NamedTuple):
    """Changes that belong together, with the revision that the rows realise then.

    `in_sync` are the subscribed scopes whose rows the server has sent, once these changes
    are made. Rows from the cache do not count. Once in sync, a scope stays so while the
    connection is away: its rows are complete, though perhaps no longer current.

    `serial` and `connection` say what to acknowledge; 0 if the server is not to be told.
    """

    puts: tuple[Row, ...]
    deletes: tuple[RowId, ...]
    revision: int
    in_sync: frozenset[str]
    serial: int
    connection: int


class Inbox:
    """The rows of one agent's chassis. Belongs to one event loop."""

    def __init__(self, chassis: str) -> None:
        self.connections = 0
        """How many connections there were; updates belong to the last of them."""
        self._chassis = chassis
        self._mirror = Mirror()
        self._cached: dict[str, tuple[AnyRow, ...]] = {}
        self._answered: set[str] = set()
        self._pending = Changes({}, set())
        self._serial = 0
        self._due = asyncio.Event()
        self._rows: dict[RowId, Row] = {}
        self._in_sync: frozenset[str] = frozenset()
        self._down: set[str] = set()
        self._unsaved: list[CachedChange] | None = None
        self._left: list[str] = []

    @property
    def revision(self) -> int:
        """The northbound revision that the server's last update realises."""
        return self._mirror.revision

    @property
    def epoch(self) -> str:
        """The life of the server that the rows are of."""
        return self._mirror.epoch

    @property
    def rows(self) -> Mapping[RowId, Row]:
        """All rows of the subscribed scopes, as of the last batch taken."""
        return MappingProxyType(self._rows)

    @property
    def in_sync(self) -> frozenset[str]:
        """As in the last batch taken, without scopes that were left since."""
        return self._in_sync

    @property
    def based(self) -> frozenset[str]:
        """The scopes whose rows are those of one position."""
        return frozenset(self._mirror.based)

    async def next_batch(self) -> Batch:
        """The next changes; waits for some. May be of no rows: scopes came in sync."""
        await self._due.wait()
        self._due.clear()
        pending, self._pending = self._pending, Changes({}, set())
        puts = [row for key, row in pending.puts.items() if self._rows.get(key) != row]
        deletes = [key for key in pending.deletes if key in self._rows]
        for row in puts:
            self._rows[row.row_id] = row
        for key in deletes:
            del self._rows[key]
        self._in_sync = frozenset(self._answered)
        self._down.update(
            row.name
            for row in puts
            if isinstance(row, PortBinding) and row.chassis == self._chassis and not row.up
        )
        return Batch(
            puts=tuple(puts),
            deletes=tuple(deletes),
            revision=self._mirror.revision,
            in_sync=self._in_sync,
            serial=self._serial,
            connection=self.connections,
        )

    def take_down(self) -> set[str]:
        """The ports here that rows of batches taken since the last call said are not up."""
        down, self._down = self._down, set()
        return down

    # --- scopes

    def enter(self, scope: str) -> None:
        """The scope is subscribed: what is cached of it is seen at once."""
        if scope in self._cached:
            self._gather(self._mirror.base(scope, self._cached.pop(scope)))

    def leave(self, scopes: Iterable[str]) -> None:
        """The rows that no other subscribed scope holds leave with the next batch."""
        left = list(scopes)
        self._answered.difference_update(left)
        self._in_sync = self._in_sync.difference(left)
        for scope in left:
            self._gather(self._mirror.leave(scope))
        if self._unsaved is not None:
            self._left += left

    # --- what the server sends

    def resume(self) -> wire.Resume | None:
        """What the server need not send again."""
        return self._mirror.resume()

    def connected(self) -> None:
        """A new connection: what was not acknowledged over the last one never will be."""
        self.connections += 1
        self._serial = 0

    def apply(self, epoch: str, update: wire.Update, accepts: Callable[[str], bool]) -> None:
        """Take the parts of accepted scopes; raises ProtocolError for a wrong difference."""
        if self._mirror.is_resuming:
            self.save_all_next()
        changes = self._mirror.apply(epoch, update, accepts)
        self._cached = {}
        self._answered |= {part.scope for part in update.parts if accepts(part.scope)}
        self._serial = update.serial
        if self._unsaved is not None:
            parts = tuple(part for part in update.parts if accepts(part.scope))
            left, self._left = tuple(self._left), []
            self._unsaved.append(CachedChange(epoch, update.position, update.revision, left, parts))
        self._gather(changes)

    def _gather(self, changes: Changes) -> None:
        """Add to the next batch."""
        for key, row in changes.puts.items():
            self._pending.deletes.discard(key)
            self._pending.puts[key] = row
        for key in changes.deletes:
            self._pending.puts.pop(key, None)
            self._pending.deletes.add(key)
        self._due.set()

    # --- the cache

    def use(self, cached: CachedRows) -> None:
        """Cached rows are given to the user as it subscribes to their scopes.

        Where an older agent kept them, which skipped what it didn't know, they are as of no
        position: the server sends all of their scopes anew.
        """
        self._cached = dict(cached.scopes)
        if cached.is_complete():
            self._mirror.epoch = cached.epoch
            self._mirror.position = cached.position
        self._mirror.revision = cached.revision

    def to_cache(self) -> CachedRows:
        """The rows as of the last update. What comes from now on is changes of these."""
        mirror = self._mirror
        self._unsaved, self._left = [], []
        return cached_rows(
            mirror.epoch,
            mirror.position,
            mirror.revision,
            {scope: cast(tuple[AnyRow, ...], tuple(mirror.of(scope))) for scope in mirror.based},
        )

    def take_unsaved(self) -> CachedRows | tuple[CachedChange, ...]:
        """The changes since this was called last, or all rows where that is what has to be saved.

        It is with the first update of a connection: what the server wasn't asked about goes then.
        """
        if self._unsaved is None:
            return self.to_cache()
        unsaved, self._unsaved = tuple(self._unsaved), []
        return unsaved

    def save_all_next(self) -> None:
        """Have all rows saved next, since the changes may not have been."""
        self._unsaved, self._left = None, []
