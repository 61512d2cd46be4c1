"""Virtual ports that ports of this host speak for: decided here, settled by the server. Pure.

A port that speaks for the address of a virtual port has it at once, here. The server is told, and
says who has it for all; once it says that another has it, that other has spoken since.
"""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import NamedTuple

from southbound import wire
from southbound.rows import PortBinding, Row, RowId


class _Claim(NamedTuple):
    """A port that spoke, when, and what the server said then, or since if it agreed."""

    parent: str
    at: float
    known: str


class VirtualPorts:
    """The virtual ports of the datapaths that are here, and those that ports here speak for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._rows: dict[str, PortBinding] = {}
        self._by_address: dict[tuple[str, str], set[str]] = {}
        self._claims: dict[str, _Claim] = {}

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Take a batch of rows; what is no virtual port is passed over."""
        for table, key in deletes:
            if table == PortBinding.table:
                self._forget(key)
        for row in puts:
            if isinstance(row, PortBinding) and (row.virtual_ip or row.id in self._rows):
                self._forget_row(row.id)
                self._take(row)

    def claim(self, parent: PortBinding, ip: bytes) -> bool:
        """Note that a port here speaks for an address; returns whether the server is to hear it."""
        found = [
            self._rows[id_]
            for id_ in self._by_address.get((parent.datapath, str(ip_address(ip))), ())
            if parent.name in self._rows[id_].virtual_parents
        ]
        for row in found:
            self._claims[row.id] = _Claim(parent.name, self._clock(), row.virtual_parent)
        return bool(found)

    def retain(self, ports: Iterable[str]) -> None:
        """Forget what ports spoke for that are not among these, by name."""
        here = set(ports)
        self._claims = {id_: each for id_, each in self._claims.items() if each.parent in here}

    @property
    def spoken_for(self) -> dict[str, str]:
        """The names of virtual ports, and of the ports here that have them."""
        return {self._rows[id_].name: each.parent for id_, each in self._claims.items()}

    def statement(self) -> wire.VirtualPorts:
        """What the server is told."""
        now = self._clock()
        return wire.VirtualPorts(
            tuple(
                wire.SpeaksFor(self._rows[id_].name, each.parent, now - each.at)
                for id_, each in sorted(self._claims.items())
            )
        )

    def _take(self, row: PortBinding) -> None:
        if not row.virtual_ip:
            self._claims.pop(row.id, None)
            return
        self._rows[row.id] = row
        self._by_address.setdefault((row.datapath, row.virtual_ip), set()).add(row.id)
        claim = self._claims.get(row.id)
        if claim is None:
            return
        if row.virtual_parent == claim.parent:
            self._claims[row.id] = claim._replace(known=row.virtual_parent)
        elif row.virtual_parent != claim.known or claim.parent not in row.virtual_parents:
            del self._claims[row.id]

    def _forget(self, key: str) -> None:
        self._forget_row(key)
        self._claims.pop(key, None)

    def _forget_row(self, key: str) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            ids = self._by_address[row.datapath, row.virtual_ip]
            ids.discard(key)
            if not ids:
                del self._by_address[row.datapath, row.virtual_ip]
