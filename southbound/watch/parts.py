"""Parts of updates, encoded once for all agents that are due the same.

Agents that keep up stand at the same place in history, so the same change is the same
part for all of them. Snapshots are shared in the same way while nothing changes, which
is when many agents come at once: after a restart of the server.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import cast

from southbound import wire
from southbound.feed import Feed
from southbound.rows import AnyRow, Row, RowId
from southbound.watch.dialect import ClosedDialect

_Key = tuple[str, int, int]
_FULL = -1


class PartCache:
    """Encoded parts, the least recently used dropped when they exceed `max_bytes`."""

    def __init__(
        self, feed: Feed, *, max_bytes: int = 64 << 20, dialect: ClosedDialect | None = None
    ) -> None:
        """With a `dialect` the parts are for agents that are not open."""
        self.encoded = 0
        """How many parts were encoded, ever."""
        self._feed = feed
        self._dialect = dialect
        self._max_bytes = max_bytes
        self._bytes = 0
        self._parts: OrderedDict[_Key, bytes] = OrderedDict()

    def full(self, scope: str) -> bytes:
        key = (scope, _FULL, self._feed.last_change(scope))
        return self._cached(key) or self._encode(key, scope, True, self._feed.snapshot(scope))

    def difference(self, scope: str, position: int) -> bytes | None:
        """What changed in the scope after `position`; None if only a full part will do."""
        difference = self._feed.since(scope, position)
        if difference is None:
            return None
        key = (scope, difference.oldest, difference.newest)
        return self._cached(key) or self._encode(
            key, scope, False, difference.puts, difference.deletes
        )

    def _cached(self, key: _Key) -> bytes | None:
        part = self._parts.get(key)
        if part is not None:
            self._parts.move_to_end(key)
        return part

    def _encode(
        self,
        key: _Key,
        scope: str,
        full: bool,
        puts: Iterable[Row],
        deletes: Iterable[RowId] = (),
    ) -> bytes:
        rows = cast(Iterable[AnyRow], puts)
        part = wire.Part(scope, full, tuple(rows), tuple(deletes))
        data = wire.encode(part if self._dialect is None else self._dialect.part(part))
        self.encoded += 1
        self._parts[key] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes and len(self._parts) > 1:
            _, dropped = self._parts.popitem(last=False)
            self._bytes -= len(dropped)
        return data
