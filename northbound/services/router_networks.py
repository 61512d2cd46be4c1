"""The networks of a router's ports, which lie apart: a packet has one way to each.

Within one port they may overlap, as several addresses of one network do, and so may link-local
ones, each of which is that of its own link. What a transaction changes is checked at its end, so
that networks may move from port to port within one.
"""

import ipaddress
from collections.abc import Iterator, Sequence

from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.services.nexthops import ports_of
from northbound.transaction import Transaction

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
            for one, other in overlaps(ports_of(self._tx, router_id)):
                for (port, place, network), (rival, _, theirs) in ((one, other), (other, one)):
                    if port.id in port_ids:
                        reason = f"overlaps {theirs} of the router's port {rival.name!r}"
                        raise InvalidError(
                            [FieldProblem(("networks", place), reason, str(network))]
                        )


_Place = tuple[LogicalRouterPort, int, _Network]


def overlaps(ports: Sequence[LogicalRouterPort]) -> Iterator[tuple[_Place, _Place]]:
    """Yield pairs of networks of different ports of which one holds the other.

    Neighbours in the order of addresses are compared, and each with the widest before it: if
    there is an overlap, one is found.
    """
    places = [
        (port, place, network)
        for port in ports
        for place, text in enumerate(port.networks)
        if not (network := ipaddress.ip_interface(text).network).is_link_local
    ]
    places.sort(key=lambda each: (each[2].version, int(each[2].network_address), each[2].prefixlen))
    around: list[_Place] = []
    for each in places:
        network = each[2]
        around = [
            other
            for other in around
            if other[2].version == network.version and network.network_address in other[2]
        ]
        for other in around:
            if other[0].id != each[0].id:
                yield other, each
        around.append(each)
