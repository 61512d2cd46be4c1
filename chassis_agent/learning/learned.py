"""What packets teach: neighbours of router ports, addresses behind switch ports.

A learned address becomes a flow here at once, also when the server is away, and
is told to the server, which shares it with the other chassis and ages it. Until
the server's own row of it comes, the local one stands in; if the server is there
and doesn't confirm it in time, the local one goes. Which addresses are still in
use is for :mod:`chassis_agent.learning.refresh` to say.
"""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from chassis_agent.inputs import Change
from chassis_agent.local.port_names import PortKeys, PortNames
from southbound.neighbours import why_no_neighbour
from southbound.rows import FdbEntry, MacBinding, Row
from southbound.watch.client import WatchClient

log = structlog.get_logger(__name__)

UNCONFIRMED_SECONDS: Final = 30.0


class LearnedAddresses:
    """Takes what punted packets taught (it is the `Learner` of their handlers)."""

    def __init__(
        self,
        chassis: str,
        ports: PortNames,
        watch: WatchClient,
        *,
        known: Callable[[type[Any], str], Any],
        learn: Callable[[Change], None],
        clock: Callable[[], float],
    ) -> None:
        """`known` gives the row of a table and key, `learn` takes changes of rows."""
        self._chassis = chassis
        self._ports = ports
        self._watch = watch
        self._known = known
        self._learn = learn
        self._clock = clock
        self.refused = 0
        """Neighbours that packets told of and that their ports can't have."""
        self._unconfirmed: dict[tuple[type[Row], str], float] = {}

    def neighbour_learned(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> None:
        port = self._ports.port(PortKeys(datapath_key, port_key))
        if port is None:
            return
        address, ethernet = str(ipaddress.ip_address(ip)), mac.hex(":")
        # A server that is older than this agent doesn't say which neighbours there may be.
        if port.neighbours and why_no_neighbour(port, address):
            self.refused += 1
            return
        row = MacBinding(port.datapath, port.name, address, ethernet, self._chassis)
        known = self._known(MacBinding, row.key)
        if known is None or known.mac != ethernet:
            self._take(row)
        self._watch.learned_mac(port.name, address, ethernet)

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None:
        port = self._ports.port(PortKeys(datapath_key, port_key))
        if port is None:
            return
        row = FdbEntry(port.datapath, mac.hex(":"), port.name, self._chassis)
        known = self._known(FdbEntry, row.key)
        if known is not None and known.port != port.name and port.kind.is_native:
            return  # as the server holds it: who is behind a port of a switch is not outside
        if known is None or known.port != port.name:
            self._take(row)
        self._watch.learned_fdb(port.name, row.mac)

    def confirm(self, rows: Iterable[Row]) -> None:
        """Rows that the server sent: they are its own from now on."""
        for row in rows:
            if isinstance(row, MacBinding | FdbEntry):
                self._unconfirmed.pop((type(row), row.key), None)

    def expire(self) -> None:
        """Gives up what the server, being there, did not confirm."""
        if not self._watch.connected:
            return
        limit = self._clock() - UNCONFIRMED_SECONDS
        for (table, key), since in list(self._unconfirmed.items()):
            if since < limit:
                del self._unconfirmed[table, key]
                self._learn((table, key, None))
                log.info("learned address not confirmed", table=table.table, key=key)

    def _take(self, row: Row) -> None:
        self._unconfirmed[type(row), row.key] = self._clock()
        self._learn((type(row), row.key, row))
