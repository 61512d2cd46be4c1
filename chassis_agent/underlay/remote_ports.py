"""Which other chassis have ports of the datapaths that are here, kept row by row. Pure."""

from collections import Counter
from collections.abc import Iterable, Set

from southbound.port_types import Transport
from southbound.rows import PortBinding, Row, RowId


class RemotePorts:
    """The ports of each chassis, counted. `own` is the chassis that doesn't count."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._chassis_of: dict[str, frozenset[str]] = {}
        self._ports: Counter[str] = Counter()

    @property
    def chassis(self) -> Set[str]:
        """The other chassis that have ports which packets from here may go to."""
        return self._ports.keys()

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> bool:
        """Take a batch of rows; returns whether :attr:`chassis` may be others now."""
        changed = False
        for table, key in deletes:
            if table == PortBinding.table:
                changed |= self._place(key, frozenset())
        for row in puts:
            if isinstance(row, PortBinding):
                changed |= self._place(row.id, self._tunnels_to(row))
        return changed

    def _tunnels_to(self, row: PortBinding) -> frozenset[str]:
        """Return the other chassis to which packets for a port go through a tunnel."""
        if row.kind.transport is not Transport.TUNNEL:
            return frozenset()
        return frozenset(row.all_chassis) - {self._own}

    def _place(self, port_id: str, chassis: frozenset[str]) -> bool:
        before = self._chassis_of.pop(port_id, frozenset())
        if chassis:
            self._chassis_of[port_id] = chassis
        for name in before - chassis:
            self._ports[name] -= 1
            if not self._ports[name]:
                del self._ports[name]
        self._ports.update(chassis - before)
        return before != chassis
