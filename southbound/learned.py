"""How long ago a learned address was last seen, and which has to go.

Learned rows (MAC bindings, FDB entries) are known by their ids here. Seeing an address
again only moves it in this book: its row does not change, so nobody is sent anything.
Tenants choose the addresses that are learned, so each port may have only so many: one
more, and the port's own that was not seen the longest goes.
"""

from collections.abc import Collection

from southbound.rows import RowId


class Learned:
    """Pure bookkeeping; times are whatever clock the caller uses, in seconds."""

    def __init__(self, *, age: float, per_port: int) -> None:
        """`age` 0 means forever."""
        self._age = age
        self._per_port = per_port
        self._seen: dict[RowId, float] = {}
        self._port_of: dict[RowId, str] = {}
        self._of_port: dict[str, dict[RowId, None]] = {}

    def seen(self, row_id: RowId, port: str, now: float) -> Collection[RowId]:
        """Note a row as seen; returns rows that have to go for it."""
        self.forget(row_id)
        self._seen[row_id] = now
        self._port_of[row_id] = port
        mine = self._of_port.setdefault(port, {})
        mine[row_id] = None
        surplus = len(mine) - self._per_port
        return [row for row, _ in zip(mine, range(surplus), strict=False)]

    def of_port(self, port: str) -> Collection[RowId]:
        return list(self._of_port.get(port, ()))

    def expired(self, now: float) -> Collection[RowId]:
        """Rows not seen for the age, oldest first."""
        if not self._age:
            return ()
        old = []
        for row_id, seen in self._seen.items():
            if seen > now - self._age:
                break
            old.append(row_id)
        return old

    def forget(self, row_id: RowId) -> None:
        if row_id in self._seen:
            del self._seen[row_id]
            port = self._port_of.pop(row_id)
            mine = self._of_port[port]
            del mine[row_id]
            if not mine:
                del self._of_port[port]
