"""The flows of routes: to the networks of a router's own ports, and static ones."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.addresses import link_local, multicast_mac, solicited_node
from logical_flow.template import LogicalFlow
from translator.addresses import LINK_LOCAL_NETWORK, host, is_within, masked
from translator.derivations.relations import router_port_named
from translator.derivations.result import Flows
from translator.errors import UnreachableNextHopError
from translator.features.neighbours.learning import neighbours_in
from translator.features.neighbours.stages import LrInArpRequest
from translator.features.routing.relations import (
    network_lengths,
    ports_by_network,
    routes_by_prefix,
)
from translator.features.routing.stages import LrInIpRouting
from translator.inputs import LogicalRouter, LogicalRouterPort, StaticRoute


def router_routing_flows() -> Iterator[LogicalFlow]:
    """Yield the flows that every router has, whatever its routes are."""
    yield LrInIpRouting.off_link()


def static_route_flows(read: Read, route_id: str) -> Flows | None:
    """The flows of a static route: where to, and how to ask for an IPv6 next hop.

    Of several routes for one prefix only the first, by id, is in force.
    """
    route = read(StaticRoute, route_id)
    router = None if route is None else read(LogicalRouter, route.router)
    if route is None or router is None or not router.enabled:
        return None
    rivals = read.members(routes_by_prefix, (route.router, route.prefix.network, route.by_source))
    if rivals and rivals[0] != route_id:
        return None
    flows = tuple(_route_flows(read, route)) if route.nexthop else (_discard_flow(route),)
    return Flows(route.router, "static_route", route_id, flows)


def _discard_flow(route: StaticRoute) -> LogicalFlow:
    stage = LrInIpRouting
    if len(route.prefix.ip) == 4:
        template = stage.discard_by_source4 if route.by_source else stage.discard4
    else:
        template = stage.discard_by_source6 if route.by_source else stage.discard6
    return template(plen=route.prefix.plen, prefix=route.prefix.network)


def _route_flows(read: Read, route: StaticRoute) -> Iterator[LogicalFlow]:
    port = _output_port(read, route)
    if port is None:
        raise UnreachableNextHopError("no port of the router has the next hop in its network")
    stage = LrInIpRouting
    if len(route.prefix.ip) == 16:
        template = stage.by_source6 if route.by_source else stage.static6
    elif len(route.nexthop) == 16:
        template = stage.by_source4_via6 if route.by_source else stage.static4_via6
    else:
        template = stage.by_source4 if route.by_source else stage.static4
    yield template(
        plen=route.prefix.plen,
        prefix=route.prefix.network,
        nexthop=route.nexthop,
        source=_source(port, route.nexthop),
        mac=port.mac,
        port=port.name,
    )
    if not any(is_within(route.nexthop, network) for network in port.networks):
        yield from neighbours_in(port.name, host(route.nexthop))
    if len(route.nexthop) == 16:
        group = solicited_node(route.nexthop)
        yield LrInArpRequest.nd_for_next_hop(
            nexthop=route.nexthop, group=group, group_mac=multicast_mac(group)
        )


def _output_port(read: Read, route: StaticRoute) -> LogicalRouterPort | None:
    """The port that the route names, else the one with the longest prefix around the next hop."""
    if route.output_port:
        port = router_port_named(read, route.output_port)
        return port if port is not None and port.router == route.router else None
    size = len(route.nexthop)
    for length in sorted(
        (plen for width, plen in read.members(network_lengths, route.router) if width == size),
        reverse=True,
    ):
        network = masked(route.nexthop, length)
        found = read.members(ports_by_network, (route.router, network))
        if found:
            return read(LogicalRouterPort, found[0])
    return None


def _source(port: LogicalRouterPort, nexthop: bytes) -> bytes:
    """The port's address from which it asks for the next hop."""
    if nexthop.startswith(LINK_LOCAL_NETWORK[:8]) and len(nexthop) == 16:
        return link_local(port.mac)
    networks = port.networks4 if len(nexthop) == 4 else port.networks6
    for network in networks:
        if is_within(nexthop, network):
            return network.ip
    if networks:
        return networks[0].ip
    if len(nexthop) == 16:
        return link_local(port.mac)
    raise UnreachableNextHopError(f"port {port.name} has no IPv4 address to ask from")


def connected_route_flows(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the routes to the networks of a router port."""
    for network in port.networks4:
        yield LrInIpRouting.connected4(
            plen=network.plen,
            network=network.network,
            source=network.ip,
            mac=port.mac,
            port=port.name,
        )
    for network in port.networks6:
        if not network.ip.startswith(LINK_LOCAL_NETWORK[:8]):
            yield LrInIpRouting.connected6(
                plen=network.plen,
                network=network.network,
                source=network.ip,
                mac=port.mac,
                port=port.name,
            )
            yield LrInIpRouting.from_link_local(
                network=network.network, source=network.ip, mac=port.mac, port=port.name
            )
    yield LrInIpRouting.link_local(
        network=LINK_LOCAL_NETWORK,
        source=link_local(port.mac),
        mac=port.mac,
        port=port.name,
    )
