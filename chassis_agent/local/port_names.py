"""Which logical port a pair of tunnel keys means: what punted packets carry."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from southbound.port_types import L3_GATEWAY
from southbound.rows import Datapath, PortBinding, Row, RowId


class PortKeys(NamedTuple):
    """A port's datapath and itself, by tunnel keys."""

    datapath: int
    port: int


class PortNames:
    """Ports by their keys, and back; kept row by row."""

    def __init__(self) -> None:
        self._ports: dict[str, PortBinding] = {}
        self._by_name: dict[str, str] = {}
        self._by_key: dict[tuple[str, int], str] = {}
        self._nested: dict[str, set[str]] = {}
        self._stand_ins: dict[str, str] = {}
        """The redirect ports, by the names of the gateway ports that they stand for."""
        self._gateway_router_ports: Counter[str] = Counter()
        """How many ports of routers on one chassis there are, by router."""
        self._datapaths: dict[str, Datapath] = {}
        self._datapath_by_key: dict[int, str] = {}

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Takes a batch of rows; what is neither port nor datapath is passed over."""
        for table, key in deletes:
            if table == PortBinding.table:
                self._forget_port(key)
            elif table == Datapath.table:
                self._forget_datapath(key)
        for row in puts:
            if isinstance(row, PortBinding):
                self._forget_port(row.id)
                self._ports[row.id] = row
                self._by_name[row.name] = row.id
                self._by_key[row.datapath, row.tunnel_key] = row.id
                if row.parent:
                    self._nested.setdefault(row.parent, set()).add(row.id)
                if row.distributed_port:
                    self._stand_ins[row.distributed_port] = row.id
                if row.kind is L3_GATEWAY:
                    self._gateway_router_ports[row.datapath] += 1
            elif isinstance(row, Datapath):
                self._forget_datapath(row.id)
                self._datapaths[row.id] = row
                self._datapath_by_key[row.tunnel_key] = row.id

    def port(self, keys: PortKeys) -> PortBinding | None:
        datapath = self._datapath_by_key.get(keys.datapath)
        if datapath is None:
            return None
        port = self._by_key.get((datapath, keys.port))
        return None if port is None else self._ports[port]

    def datapath(self, key: int) -> str:
        """Return the datapath with that tunnel key; "" if there is none."""
        return self._datapath_by_key.get(key, "")

    def called(self, iface_id: str) -> PortBinding | None:
        """Return the port with that id or name; an id always wins."""
        return self._ports.get(iface_id) or self._ports.get(self._by_name.get(iface_id, ""))

    def is_gateway_router(self, datapath: str) -> bool:
        """Tell whether a datapath is a router that is on one chassis, with all its ports."""
        return datapath in self._gateway_router_ports

    def nested(self, parent: str) -> Iterator[PortBinding]:
        """Yield the ports that are nested in the port of that id."""
        for id_ in sorted(self._nested.get(parent, ())):
            yield self._ports[id_]

    def keys(self, name: str) -> PortKeys | None:
        port = self._ports.get(self._by_name.get(name, ""))
        datapath = None if port is None else self._datapaths.get(port.datapath)
        if port is None or datapath is None:
            return None
        return PortKeys(datapath.tunnel_key, port.tunnel_key)

    def way_out(self, name: str) -> PortKeys | None:
        """Return the keys of the port by which packets leave a port where they may.

        That is its redirect port if it is a gateway port, and the port itself otherwise.
        """
        stand_in = self._ports.get(self._stand_ins.get(name, ""))
        return self.keys(name if stand_in is None else stand_in.name)

    def _forget_port(self, key: str) -> None:
        port = self._ports.pop(key, None)
        if port is None:
            return
        if port.kind is L3_GATEWAY:
            self._gateway_router_ports[port.datapath] -= 1
            if not self._gateway_router_ports[port.datapath]:
                del self._gateway_router_ports[port.datapath]
        if self._by_name.get(port.name) == key:
            del self._by_name[port.name]
        if self._by_key.get((port.datapath, port.tunnel_key)) == key:
            del self._by_key[port.datapath, port.tunnel_key]
        if self._stand_ins.get(port.distributed_port) == key:
            del self._stand_ins[port.distributed_port]
        if port.parent:
            self._nested[port.parent].discard(key)
            if not self._nested[port.parent]:
                del self._nested[port.parent]

    def _forget_datapath(self, key: str) -> None:
        datapath = self._datapaths.pop(key, None)
        if datapath is not None and self._datapath_by_key.get(datapath.tunnel_key) == key:
            del self._datapath_by_key[datapath.tunnel_key]
