"""Which other chassis have ports that packets from here get to by tunnel, kept row by row. Pure.

What is on a switch that leads to a provider network is reached by that, and counts for nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from typing import NamedTuple

from southbound.port_types import Transport
from southbound.rows import PortBinding, Row, RowId


class _Place(NamedTuple):
    """Where a port is: on `chassis`, or a way outside of its datapath, which every chassis has."""

    datapath: str
    chassis: frozenset[str]
    is_way_outside: bool


class RemotePorts:
    """The ports of each chassis by datapath, counted. `own` is the chassis that doesn't count."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._places: dict[str, _Place] = {}
        self._ports: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ways_outside: Counter[str] = Counter()
        self._tunnelled: Counter[str] = Counter()
        """In how many datapaths without a way outside each chassis has ports."""

    @property
    def chassis(self) -> Set[str]:
        """The other chassis that have ports which packets from here may go to."""
        return frozenset(self._tunnelled)

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> bool:
        """Take a batch of rows; returns whether :attr:`chassis` may be others now."""
        changed = False
        for table, key in deletes:
            if table == PortBinding.table:
                changed |= self._put(key, None)
        for row in puts:
            if isinstance(row, PortBinding):
                changed |= self._put(row.id, self._place_of(row))
        return changed

    def _place_of(self, row: PortBinding) -> _Place | None:
        """Return what a port counts for; None for nothing."""
        if row.kind.is_native:
            return _Place(row.datapath, frozenset(), is_way_outside=True)
        if row.kind.transport is not Transport.TUNNEL:
            return None
        chassis = frozenset(row.all_chassis) - {self._own}
        return _Place(row.datapath, chassis, is_way_outside=False) if chassis else None

    def _put(self, port_id: str, place: _Place | None) -> bool:
        before = self._places.pop(port_id, None)
        if before is not None:
            self._count(before, -1)
        if place is not None:
            self._places[port_id] = place
            self._count(place, 1)
        return before != place

    def _count(self, place: _Place, by: int) -> None:
        """Count a port, or no longer count it; what has none left is forgotten."""
        datapath = place.datapath
        if place.is_way_outside:
            if _add(self._ways_outside, datapath, by):
                for chassis in self._ports.get(datapath, ()):
                    _add(self._tunnelled, chassis, -by)
            return
        ports = self._ports[datapath]
        for chassis in place.chassis:
            if _add(ports, chassis, by) and datapath not in self._ways_outside:
                _add(self._tunnelled, chassis, by)
        if not ports:
            del self._ports[datapath]


def _add(counter: Counter[str], key: str, by: int) -> bool:
    """Add 1 or -1 to what was counted; returns whether that is the first one, or was the last."""
    counter[key] += by
    if not counter[key]:
        del counter[key]
        return True
    return by > 0 and counter[key] == by
