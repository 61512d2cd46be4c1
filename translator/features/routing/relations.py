"""Relations between routers, their networks and routes, and next hops beyond the networks."""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.addresses import is_within
from translator.derivations.relations import router_port_named
from translator.inputs import LogicalRouterPort, StaticRoute


def network_lengths(_lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, tuple[int, int]]]:
    """Router -> (address size, prefix length) of its ports' networks."""
    for network in port.networks:
        yield port.router, (len(network.ip), network.plen)


def ports_by_network(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[tuple[str, bytes], str]]:
    """(Router, network as value and mask) -> its ports in that network."""
    for network in port.networks:
        yield (port.router, network.network), lrp


class RouteGroup(NamedTuple):
    """What static routes agree in over which packets are spread; `place` decides among groups
    of one prefix.
    """

    router: str
    prefix: bytes
    by_source: bool
    table: int
    place: str

    @classmethod
    def of(cls, route: StaticRoute) -> "RouteGroup":
        place = "override" if route.override_connected else route.origin
        return cls(route.router, route.prefix.network, route.by_source, route.table, place)


def routes_of_group(route_id: str, route: StaticRoute) -> Iterator[tuple[RouteGroup, str]]:
    """Group -> its static routes."""
    yield RouteGroup.of(route), route_id


def route_groups(_route_id: str, route: StaticRoute) -> Iterator[tuple[str, RouteGroup]]:
    """Router -> the groups of its static routes."""
    yield route.router, RouteGroup.of(route)


def symmetric_groups(_route_id: str, route: StaticRoute) -> Iterator[tuple[str, RouteGroup]]:
    """Router -> the groups of its routes that take replies back by the way requests came."""
    if route.symmetric:
        yield route.router, RouteGroup.of(route)


def is_spread(read: Read, place: tuple[str, RouteGroup]) -> bool:
    """Whether a group has several routes, so that packets are spread over them."""
    _router, group = place
    return len(read.members(routes_of_group, group)) > 1


def next_hop_beyond(read: Read, route_id: str) -> tuple[str, bytes] | None:
    """The router port and the next hop of a route whose next hop is in no network of the port."""
    route = read(StaticRoute, route_id)
    if route is None or not (route.nexthop and route.output_port):
        return None
    port = router_port_named(read, route.output_port)
    if port is None or any(is_within(route.nexthop, network) for network in port.networks):
        return None
    return port.id, route.nexthop


def next_hops_beyond(_route: str, found: tuple[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Router port -> next hops that are in none of its networks."""
    yield found
