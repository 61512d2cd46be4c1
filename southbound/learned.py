"""How long ago a learned address was last seen, and which has to go.

Learned rows (MAC bindings, FDB entries) are known by their ids here. Seeing an address
again only moves it in this book: its row does not change, so no agent is sent anything.
Tenants choose the addresses that are learned, so each port may have only so many, and so
may each chassis. One more, and the oldest goes of those that the same chassis told of the
same port: who fills a port loses its own. Only where there is no other of it, the oldest
goes of the chassis that has most of the port.
"""

from collections.abc import Collection
from typing import NamedTuple

from southbound.rows import RowId


class _Seen(NamedTuple):
    at: float
    port: str
    chassis: str
    age: float


class Learned:
    """Pure bookkeeping; times are whatever clock the caller uses, in seconds."""

    def __init__(self, *, age: float, per_port: int, per_chassis: int = 65_536) -> None:
        """`age` 0 means forever."""
        self._age = age
        self._per_port = per_port
        self._per_chassis = per_chassis
        self._seen: dict[RowId, _Seen] = {}
        self._of_port: dict[str, dict[str, dict[RowId, None]]] = {}
        self._of_chassis: dict[str, dict[RowId, None]] = {}
        self._of_age: dict[float, dict[RowId, None]] = {}
        """The rows that are kept for so long, those that were seen last at the end."""

    def seen(
        self, row_id: RowId, port: str, now: float, chassis: str = "", age: float | None = None
    ) -> Collection[RowId]:
        """Note a row as seen by a chassis; returns rows that have to go for it.

        `age` is for how long it is kept from now on, if that isn't the age of most.
        """
        self.forget(row_id)
        kept = self._age if age is None else age
        self._seen[row_id] = _Seen(now, port, chassis, kept)
        self._of_age.setdefault(kept, {})[row_id] = None
        there = self._of_port.setdefault(port, {})
        mine = there.setdefault(chassis, {})
        mine[row_id] = None
        told = self._of_chassis.setdefault(chassis, {})
        told[row_id] = None
        surplus = set()
        if sum(map(len, there.values())) > self._per_port:
            most = mine if len(mine) > 1 else max(there.values(), key=len)
            surplus.add(next(iter(most)))
        if len(told) > self._per_chassis:
            surplus.add(next(iter(told)))
        return surplus

    def of_port(self, port: str) -> Collection[RowId]:
        return [row for rows in self._of_port.get(port, {}).values() for row in rows]

    def expired(self, now: float) -> Collection[RowId]:
        """Rows not seen for their age; of one age the oldest first."""
        old = []
        for age, rows in self._of_age.items():
            if not age:
                continue
            for row_id in rows:
                if self._seen[row_id].at > now - age:
                    break
                old.append(row_id)
        return old

    def forget(self, row_id: RowId) -> None:
        seen = self._seen.pop(row_id, None)
        if seen is None:
            return
        alike = self._of_age[seen.age]
        del alike[row_id]
        if not alike:
            del self._of_age[seen.age]
        there = self._of_port[seen.port]
        del there[seen.chassis][row_id]
        if not there[seen.chassis]:
            del there[seen.chassis]
        if not there:
            del self._of_port[seen.port]
        told = self._of_chassis[seen.chassis]
        del told[row_id]
        if not told:
            del self._of_chassis[seen.chassis]
