"""What the agent's flows are computed from, beside the rows of the watch.

Rows of the watch are engine tables under their own types; port bindings are
keyed by name there, because names are what flows speak of. The types here are
the facts of this host.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from southbound.rows import FlowGroup, PortBinding, Row, RowId, Template

Change: TypeAlias = tuple[type[Any], Any, Any]
"""A table, a key, and the row or None: what the engine applies."""


class ThisChassis(NamedTuple):
    """Who we are, our tunnel port (0 while there is none) and bridge. One row, under ``""``."""

    name: str
    tunnel_ofport: int
    bridge: str = ""


class ProviderBridge(NamedTuple):
    """The bridge that leads to a provider network, by the network's name."""

    bridge: str


class OutsidePatch(NamedTuple):
    """The bridge on which a patch port of the agent's stands, by the name of that; it is not the
    integration bridge."""

    bridge: str


class LocalPort(NamedTuple):
    """A logical port that is bound here, by name. `tag` is the VLAN tag of its frames, or 0.

    One that is `blocked` lets in nothing but what its activation names, and gets nothing.
    """

    ofport: int
    tag: int = 0
    blocked: bool = False


class SpokenFor(NamedTuple):
    """Which port here has the address of a virtual port, by the name of that."""

    parent: str


class NeighbourAlive(NamedTuple):
    """Whether the neighbour of a BFD session that is run here is alive, by the session's id."""

    alive: bool


class SwitchPort(NamedTuple):
    """Where a logical port is plugged in, by its name: a port of a bridge, and its queues."""

    bridge: str
    port: str
    queues: frozenset[int]


class NarrowTunnel(NamedTuple):
    """The biggest frame that a tunnel carries, by chassis, where workloads send bigger ones."""

    size: int


class Zone(NamedTuple):
    """The conntrack zone of a name: see :mod:`chassis_agent.local.zones`."""

    number: int


def dnat_zone(datapath: str) -> str:
    """The name of a router's zone for destinations."""
    return f"{datapath}_dnat"


def snat_zone(datapath: str) -> str:
    """The name of a router's zone for sources."""
    return f"{datapath}_snat"


def route_zone(datapath: str) -> str:
    """The name of a router's zone for the ways by which connections came."""
    return f"{datapath}_route"


class WatchedRows:
    """Translates changes of watched rows to changes of engine tables."""

    def __init__(self, row_types: Mapping[str, type[Row]]) -> None:
        self._row_types = row_types
        self._port_names: dict[str, str] = {}

    def changes(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> Iterator[Change]:
        """Deletions first: a port may go and another of its name come in one batch."""
        for table, key in deletes:
            if table == PortBinding.table:
                name = self._port_names.pop(key, None)
                if name is not None:
                    yield PortBinding, name, None
            else:
                yield self._row_types[table], _key_from_text(table, key), None
        puts = list(puts)
        for row in puts:
            if isinstance(row, PortBinding) and self._is_renamed(row):
                yield PortBinding, self._port_names[row.id], None
        for row in puts:
            if isinstance(row, PortBinding):
                self._port_names[row.id] = row.name
                yield PortBinding, row.name, row
            elif isinstance(row, FlowGroup | Template):
                yield type(row), row.id, row
            else:
                yield type(row), row.key, row

    def _is_renamed(self, row: PortBinding) -> bool:
        return self._port_names.get(row.id, row.name) != row.name


def _key_from_text(table: str, key: str) -> str | int:
    return int(key) if table in (FlowGroup.table, Template.table) else key
