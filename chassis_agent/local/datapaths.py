"""Which logical datapaths this host needs: the closure of its ports over patch links.

A packet of a local port can get to each switch and router that hangs together
with the port's switch through patch ports, so the host holds all of them, and
no other. Rows of a datapath arrive only once it is subscribed to, so the closure
grows step by step until the rows name no datapath that isn't in it.
"""

from collections.abc import Iterable
from typing import TypeAlias

from southbound.port_types import PlacedBy
from southbound.rows import PortBinding

DatapathId: TypeAlias = str


class PatchLinks:
    """The patch ports between datapaths that are on this host, kept row by row.

    Those that are on one chassis only lead nowhere on others.
    """

    def __init__(self, own: str = "") -> None:
        """`own` is the name of this chassis."""
        self._own = own
        self._links: dict[DatapathId, dict[str, DatapathId]] = {}
        self._datapaths: dict[str, DatapathId] = {}

    def put(self, row: PortBinding) -> bool:
        """Takes a port row; returns whether links changed."""
        changed = self.remove(row.id) if self._is_elsewhere(row) else False
        if not (row.joins_datapaths and row.peer_datapath and self._may_be_here(row)):
            return self.remove(row.id) or changed
        links = self._links.setdefault(row.datapath, {})
        if links.get(row.id) == row.peer_datapath:
            return changed
        links[row.id] = row.peer_datapath
        self._datapaths[row.id] = row.datapath
        return True

    def remove(self, port_id: str) -> bool:
        datapath = self._datapaths.pop(port_id, None)
        if datapath is None:
            return False
        links = self._links[datapath]
        del links[port_id]
        if not links:
            del self._links[datapath]
        return True

    def reachable(self, starts: Iterable[DatapathId]) -> frozenset[DatapathId]:
        """All datapaths that hang together with `starts`, as far as rows are known."""
        found = set(starts)
        todo = list(found)
        while todo:
            for peer in self._links.get(todo.pop(), {}).values():
                if peer not in found:
                    found.add(peer)
                    todo.append(peer)
        return frozenset(found)

    def _may_be_here(self, row: PortBinding) -> bool:
        return row.kind.placed_by is not PlacedBy.ELECTED or self._own in row.electorate

    def _is_elsewhere(self, row: PortBinding) -> bool:
        return self._datapaths.get(row.id, row.datapath) != row.datapath
