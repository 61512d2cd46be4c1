"""The networks of a router's ports, which lie apart: a packet has one way to each.

Within one port they may overlap, as several addresses of one network do, and so may link-local
ones, each of which is that of its own link. What a transaction changes is checked at its end, so
that networks may move from port to port within one. A router may have thousands of ports: of
each, three columns are read, and a network is parsed once for all checks.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import select

from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.transaction import Transaction


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
        columns = (LogicalRouterPort.id, LogicalRouterPort.name, LogicalRouterPort.networks)
        for router_id, port_ids in changed.items():
            query = select(*columns).where(LogicalRouterPort.logical_router_id == router_id)
            rows = self._tx.session.execute(query.order_by(LogicalRouterPort.name))
            ports = (Port(*row) for row in rows)
            for one, other in overlaps(ports):
                for each, rival in ((one, other), (other, one)):
                    if each.port.id in port_ids:
                        theirs = f"{rival.span.network} of the router's port {rival.port.name!r}"
                        path = ("networks", each.position)
                        problem = FieldProblem(path, f"overlaps {theirs}", each.span.network)
                        raise InvalidError([problem])


class Port(NamedTuple):
    """Of a router port, what tells its networks from others'."""

    id: str
    name: str
    networks: list[str]


class _Span(NamedTuple):
    """The addresses of a network; spans are in the order of addresses, the wider one first."""

    version: int
    first: int
    negated_last: int
    network: str

    def holds(self, other: "_Span") -> bool:
        return self.version == other.version and -self.negated_last >= other.first


class Place(NamedTuple):
    """A network of a port, and its position among the port's."""

    span: _Span
    position: int
    port: Port


def overlaps(ports: Iterable[Port]) -> Iterator[tuple[Place, Place]]:
    """Yield pairs of networks of different ports of which one holds the other.

    Neighbours in the order of addresses are compared, and each with the widest before it: if
    there is an overlap, one is found.
    """
    places = [
        Place(span, position, port)
        for port in ports
        for position, text in enumerate(port.networks)
        if (span := _span(text)) is not None
    ]
    places.sort()
    around: list[Place] = []
    for each in places:
        around = [other for other in around if other.span.holds(each.span)]
        for other in around:
            if other.port.id != each.port.id:
                yield other, each
        around.append(each)


@lru_cache(maxsize=1 << 14)
def _span(text: str) -> _Span | None:
    """Return the span of an interface's network, None of one that is each link's own."""
    network = ipaddress.ip_interface(text).network
    if network.is_link_local:
        return None
    last = int(network.broadcast_address)
    return _Span(network.version, int(network.network_address), -last, str(network))
