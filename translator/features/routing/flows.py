"""The flows of routes: to the networks of a router's own ports, and static ones."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.action.hashing import hash_fields_argument
from logical_flow.action.selection import Member, encode_members, encode_watched
from logical_flow.addresses import link_local, multicast_mac, solicited_node
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template
from translator.addresses import LINK_LOCAL_NETWORK, host, is_within, masked
from translator.derivations.relations import router_port_named
from translator.derivations.result import Flows
from translator.errors import UnreachableNextHopError, UnwatchedNextHopError
from translator.features.bfd.inputs import sessions_with
from translator.features.neighbours.learning import neighbours_in
from translator.features.neighbours.stages import LrInArpRequest
from translator.features.routing.relations import (
    RouteGroup,
    is_spread,
    network_lengths,
    ports_by_network,
    routes_of_group,
)
from translator.features.routing.stages import (
    LrInIpRouting,
    LrInIpRoutingEcmp,
    LrInIpRoutingPre,
    spread_key,
)
from translator.inputs import LogicalRouter, LogicalRouterPort, StaticRoute


def router_routing_flows() -> Iterator[LogicalFlow]:
    """Yield the flows that every router has, whatever its routes are."""
    yield LrInIpRouting.off_link()


def static_route_flows(read: Read, route_id: str) -> Flows | None:
    """The flows of a static route: where to, and how to ask for an IPv6 next hop.

    Where packets are spread over several routes, it is where those go that fell to this one.
    """
    route = read(StaticRoute, route_id)
    router = None if route is None else read(LogicalRouter, route.router)
    if route is None or router is None or not router.enabled:
        return None
    flows = tuple(_route_flows(read, route))
    return Flows(route.router, "static_route", route_id, flows)


def spreading_flows(read: Read, place: tuple[str, RouteGroup]) -> Flows | None:
    """The flow that spreads packets over the routes of a group, where it has several.

    It is the oldest route's: as routes come and go, the flow stays, and changes its members. They
    are chosen by the fields that all of the routes name, if there are any.
    """
    router_id, group = place
    router = read(LogicalRouter, router_id)
    if router is None or not router.enabled or not read(is_spread, place):
        return None
    routes = [
        route
        for each in read.members(routes_of_group, group)
        if (route := read(StaticRoute, each)) is not None
        and output_port(read, route.router, route.output_port, route.nexthop) is not None
    ]
    if not routes:
        return None
    oldest = min(routes, key=lambda route: route.number)
    watched = [Member(route.number, session=_session_of(read, route)) for route in routes]
    is_watched = any(each.session for each in watched)
    told: dict[str, Argument] = {
        "rank": _rank(oldest),
        "prefix": group.prefix,
        "table": group.table,
        "members": (encode_watched if is_watched else encode_members)(watched),
    }
    fields = frozenset.intersection(*(frozenset(route.selection_fields) for route in routes))
    if fields:
        told["hash_fields"] = hash_fields_argument(fields)
    key = spread_key(
        4 if len(group.prefix) == 2 * 4 else 6,
        is_watched=is_watched,
        is_hashed=bool(fields),
        by_source=group.by_source,
    )
    flow = LrInIpRouting.spread[key](**told)
    return Flows(router_id, "static_route", oldest.id, (flow,))


def _session_of(read: Read, route: StaticRoute) -> str:
    """Return the id of the BFD session that a route goes by; empty where it goes by none."""
    port = output_port(read, route.router, route.output_port, route.nexthop)
    if not route.bfd or port is None:
        return ""
    found = read.members(sessions_with, (port.id, route.nexthop))
    if not found:
        raise UnwatchedNextHopError("there is no BFD session with the next hop")
    return found[0]


def _rank(route: StaticRoute) -> int:
    """What decides among routes: the longer prefix, then where they are from."""
    stage = LrInIpRouting
    if route.by_source:
        place = stage.BY_SOURCE
    elif route.override_connected:
        place = stage.OVERRIDE
    else:
        places = {"static": stage.STATIC, "connected": stage.CONNECTED, "learned": stage.LEARNED}
        place = places[route.origin]
    return route.prefix.plen * stage.SCALE + place


def _route_flows(read: Read, route: StaticRoute) -> Iterator[LogicalFlow]:
    is_member = read(is_spread, (route.router, RouteGroup.of(route)))
    if not route.nexthop:
        if not is_member:
            yield _discard_flow(route)
        return
    port = output_port(read, route.router, route.output_port, route.nexthop)
    if port is None:
        raise UnreachableNextHopError("no port of the router has the next hop in its network")
    way: dict[str, Argument] = {
        "nexthop": route.nexthop,
        "source": source_towards(port, route.nexthop),
        "mac": port.mac,
        "port": port.name,
    }
    if is_member:
        stage = LrInIpRoutingEcmp
        member = stage.member4 if len(route.nexthop) == 4 else stage.member6
        yield member(number=route.number, **way)
    else:
        session = _session_of(read, route)
        if session:
            way["members"] = encode_watched([Member(route.number, session=session)])
        yield _template(route, is_watched=bool(session))(
            rank=_rank(route), prefix=route.prefix.network, table=route.table, **way
        )
    if not any(is_within(route.nexthop, network) for network in port.networks):
        yield from neighbours_in(port.name, host(route.nexthop))
    if len(route.nexthop) == 16:
        group = solicited_node(route.nexthop)
        yield LrInArpRequest.nd_for_next_hop(
            nexthop=route.nexthop, group=group, group_mac=multicast_mac(group)
        )


def _discard_flow(route: StaticRoute) -> LogicalFlow:
    stage = LrInIpRouting
    if len(route.prefix.ip) == 4:
        template = stage.discard_by_source4 if route.by_source else stage.discard4
    else:
        template = stage.discard_by_source6 if route.by_source else stage.discard6
    return template(rank=_rank(route), prefix=route.prefix.network, table=route.table)


def _template(route: StaticRoute, *, is_watched: bool) -> Template:
    if route.by_source:
        name = "watched_by_source" if is_watched else "by_source"
    else:
        name = "watched" if is_watched else "static"
    family = "6" if len(route.prefix.ip) == 16 else "4"
    if family == "4" and len(route.nexthop) == 16:
        family = "4_via6"
    template: Template = getattr(LrInIpRouting, name + family)
    return template


def output_port(read: Read, router: str, named: str, nexthop: bytes) -> LogicalRouterPort | None:
    """The port of a router that is `named`, else that with the longest prefix around a next hop."""
    if named:
        port = router_port_named(read, named)
        return port if port is not None and port.router == router else None
    size = len(nexthop)
    for length in sorted(
        (plen for width, plen in read.members(network_lengths, router) if width == size),
        reverse=True,
    ):
        network = masked(nexthop, length)
        found = read.members(ports_by_network, (router, network))
        if found:
            return read(LogicalRouterPort, found[0])
    return None


def source_towards(port: LogicalRouterPort, nexthop: bytes) -> bytes:
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
    """Yield the routes to the networks of a router port, and the table of packets from there."""
    if port.route_table:
        yield LrInIpRoutingPre.table(port=port.name, table=port.route_table)
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
