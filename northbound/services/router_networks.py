"""The networks of a router's ports, which lie apart: a packet has one way to each.

Within one port they may overlap, as several addresses of one network do, and so may link-local
ones, each of which is that of its own link. What a transaction changes is checked at its end, so
that networks may move from port to port within one. A router may have thousands of ports: of
each, four columns are read, and a network is parsed once for all checks.
"""

import ipaddress
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Text, bindparam, cast, select

from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.transaction import Reader, Transaction

Port = tuple[str, str, str, tuple[str, ...]]
"""Id, name, MAC address and networks of a router port."""

Place = tuple["Span", int, Port]
"""A network of a port, and its position among the port's."""

_PORTS = (
    select(
        LogicalRouterPort.id,
        LogicalRouterPort.name,
        LogicalRouterPort.mac,
        cast(LogicalRouterPort.networks, Text),
    )
    .where(LogicalRouterPort.logical_router_id == bindparam("router"))
    .order_by(LogicalRouterPort.name)
)


def networked_ports(reader: Reader, router_id: str) -> Sequence[Port]:
    """The ports of a router, by name."""
    rows = reader.session.execute(_PORTS, {"router": router_id})
    return [(port_id, name, mac, _texts(networks)) for port_id, name, mac, networks in rows]


def networked_port(port: LogicalRouterPort) -> Port:
    """Return what of a port is compared with others."""
    return port.id, port.name, port.mac, tuple(port.networks)


@lru_cache(maxsize=1 << 14)
def _texts(networks: str) -> tuple[str, ...]:
    """Read a list of networks as the database has it."""
    return tuple(json.loads(networks))


class Span(NamedTuple):
    """The addresses of a network; spans are in the order of addresses, the wider one first."""

    version: int
    first: int
    negated_last: int


@lru_cache(maxsize=1 << 14)
def span_of(text: str) -> Span:
    """Return the span of an interface's network."""
    network = ipaddress.ip_interface(text).network
    return Span(network.version, int(network.network_address), -int(network.broadcast_address))


@lru_cache(maxsize=1 << 14)
def _shared_span(text: str) -> Span | None:
    """Return the span of an interface's network, None of one that is each link's own."""
    return None if ipaddress.ip_interface(text).network.is_link_local else span_of(text)


class RouterNetworks:
    """The router ports whose networks a transaction changes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changed: dict[str, set[str]] = {}

    def changed(self, port: LogicalRouterPort) -> None:
        """Check at the end that the port's networks lie apart from those of others."""
        if not self._changed:
            self._tx.at_end(self._check)
        self._changed.setdefault(port.logical_router_id, set()).add(port.id)

    def _check(self) -> None:
        changed, self._changed = self._changed, {}
        for router_id, port_ids in changed.items():
            for one, other in overlaps(networked_ports(self._tx, router_id)):
                for (_, position, port), (_, at, rival) in ((one, other), (other, one)):
                    if port[0] in port_ids:
                        theirs = f"{_network(rival, at)} of the router's port {rival[1]!r}"
                        path = ("networks", position)
                        problem = FieldProblem(path, f"overlaps {theirs}", _network(port, position))
                        raise InvalidError([problem])


def overlaps(ports: Iterable[Port]) -> Iterator[tuple[Place, Place]]:
    """Yield pairs of networks of different ports of which one holds the other.

    Networks hold one another or lie apart. So in the order of addresses those around one are a
    stack, and if there is an overlap, one is found.
    """
    places = [
        (span, position, port)
        for port in ports
        for position, text in enumerate(port[3])
        if (span := _shared_span(text)) is not None
    ]
    places.sort()
    around: list[Place] = []
    for each in places:
        version, first, _ = each[0]
        while around and (around[-1][0][0] != version or -around[-1][0][2] < first):
            around.pop()
        for other in around:
            if other[2][0] != each[2][0]:
                yield other, each
        around.append(each)


def _network(port: Port, position: int) -> str:
    return str(ipaddress.ip_interface(port[3][position]).network)
