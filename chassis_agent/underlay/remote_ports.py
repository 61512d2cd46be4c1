"""Which other chassis have ports of the datapaths that are here, kept row by row. Pure."""

from collections import Counter
from collections.abc import Iterable, Set

from southbound.port_types import Transport
from southbound.rows import PortBinding, Row, RowId


class RemotePorts:
    """The ports of each chassis, counted. `own` is the chassis that doesn't count."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._chassis_of: dict[str, str] = {}
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
                changed |= self._place(key, "")
        for row in puts:
            if isinstance(row, PortBinding):
                changed |= self._place(row.id, self._tunnel_to(row))
        return changed

    def _tunnel_to(self, row: PortBinding) -> str:
        """The other chassis to which packets for a port go through a tunnel; empty without one."""
        is_elsewhere = row.kind.transport is Transport.TUNNEL and row.chassis != self._own
        return row.chassis if is_elsewhere else ""

    def _place(self, port_id: str, chassis: str) -> bool:
        before = self._chassis_of.pop(port_id, "")
        if chassis:
            self._chassis_of[port_id] = chassis
        if before == chassis:
            return False
        if before:
            self._ports[before] -= 1
            if not self._ports[before]:
                del self._ports[before]
        if chassis:
            self._ports[chassis] += 1
        return True
