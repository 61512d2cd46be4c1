"""Who belongs to whom: look-ups and joins between rows.

The projections here are fan-ins (groups of the graph); they take a key and its
row, and yield `(group, element)` pairs. Joins are derivations whose results such
projections take apart again, so that what is derived per pair never looks at all
members of a group.
"""

from collections.abc import Iterator
from typing import NamedTuple

from incremental import Read
from translator.addresses import is_within
from translator.inputs import Acl, LogicalRouterPort, LogicalSwitchPort, PortGroupPort, StaticRoute

# --- switch ports -------------------------------------------------------------


def unknown_ports(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its ports that take frames for unknown destinations."""
    if port.takes_unknown and port.enabled:
        yield port.switch, lsp


# --- switch ports and router ports --------------------------------------------


def router_ports_named(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, str]]:
    """Name -> the router port of that name."""
    yield port.name, lrp


def switch_ports_towards(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Name of a router port -> the switch ports that lead there."""
    if port.is_router_type and port.router_port:
        yield port.router_port, lsp


def router_port_named(read: Read, name: str) -> LogicalRouterPort | None:
    found = read.members(router_ports_named, name)
    return read(LogicalRouterPort, found[0]) if found else None


def peer_router_port(read: Read, port: LogicalSwitchPort) -> LogicalRouterPort | None:
    """The router port that a switch port of type router leads to."""
    if not port.is_router_type or not port.router_port:
        return None
    return router_port_named(read, port.router_port)


class Attachment(NamedTuple):
    switch: str
    router_port: str


def attachment(read: Read, lsp: str) -> Attachment | None:
    """That a switch port attaches a router port to its switch."""
    port = read(LogicalSwitchPort, lsp)
    if port is None or not port.is_router_type:
        return None
    peer = peer_router_port(read, port)
    return None if peer is None else Attachment(port.switch, peer.id)


def attached_router_ports(_lsp: str, found: Attachment) -> Iterator[tuple[str, str]]:
    """Switch -> router ports attached to it."""
    yield found


def resolvers(read: Read, lsp: str) -> tuple[str, ...]:
    """The router ports that have to know a switch port as a neighbour: all on its switch."""
    port = read(LogicalSwitchPort, lsp)
    if port is None or not (port.hosts or port.is_router_type):
        return ()
    attached = read.members(attached_router_ports, port.switch)
    own = peer_router_port(read, port)
    return tuple(lrp for lrp in attached if own is None or lrp != own.id)


def neighbours(lsp: str, router_ports: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Switch port -> router ports that have to know it."""
    for lrp in router_ports:
        yield lsp, lrp


def asked_router_ports(read: Read, place: tuple[str, str]) -> tuple[str, ...]:
    """The router ports that learn who is behind a port with unknown addresses from his questions.

    The port is given as one of `unknown_ports`.
    """
    switch, _lsp = place
    return tuple(read.members(attached_router_ports, switch))


def asking(place: tuple[str, str], router_ports: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Switch port -> router ports that are asked for behind it."""
    _switch, lsp = place
    for lrp in router_ports:
        yield lsp, lrp


# --- routers ------------------------------------------------------------------


def network_lengths(_lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, tuple[int, int]]]:
    """Router -> (address size, prefix length) of its ports' networks."""
    for network in port.networks:
        yield port.router, (len(network.ip), network.plen)


def ports_by_network(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[tuple[str, bytes], str]]:
    """(Router, network as value and mask) -> its ports in that network."""
    for network in port.networks:
        yield (port.router, network.network), lrp


def routes_by_prefix(
    route_id: str, route: StaticRoute
) -> Iterator[tuple[tuple[str, bytes, bool], str]]:
    """(Router, prefix as value and mask, by source?) -> the static routes for it."""
    yield (route.router, route.prefix.network, route.by_source), route_id


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


# --- port groups and ACLs -----------------------------------------------------


def membership_switch(read: Read, membership: tuple[str, str]) -> tuple[str, str] | None:
    """The port group and the switch that a port's membership brings together."""
    row = read(PortGroupPort, membership)
    port = None if row is None else read(LogicalSwitchPort, row.port)
    return None if row is None or port is None else (row.port_group, port.switch)


def switches_of_port_group(
    _membership: tuple[str, str], pair: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Port group -> switches on which it has ports."""
    yield pair


def acls_of_port_group(acl: str, row: Acl) -> Iterator[tuple[str, str]]:
    """Port group -> its ACLs."""
    if row.port_group:
        yield row.port_group, acl


def placements_by_switch(read: Read, acl: str) -> tuple[tuple[str, str], ...]:
    """Where an ACL of a switch applies: there."""
    row = read(Acl, acl)
    return ((row.switch, acl),) if row is not None and row.switch else ()


def placements_by_port_group(read: Read, pair: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The ACLs that a port group brings to a switch on which it has ports."""
    port_group, switch = pair
    return tuple((switch, acl) for acl in read.members(acls_of_port_group, port_group))


def acl_placements(
    _key: object, placements: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Switch -> ACLs that apply on it."""
    yield from placements


class AclRole(NamedTuple):
    """What the switch's own flows have to know of an ACL on it."""

    direction: str
    is_stateful: bool


def acl_role(read: Read, placement: tuple[str, str]) -> AclRole | None:
    acl = read(Acl, placement[1])
    return None if acl is None else AclRole(acl.direction, acl.action == "allow-related")


def stateful_acls(placement: tuple[str, str], role: AclRole) -> Iterator[tuple[str, str]]:
    """Switch -> the ACLs that make it stateful."""
    if role.is_stateful:
        yield placement


def acls_in_direction(
    placement: tuple[str, str], role: AclRole
) -> Iterator[tuple[tuple[str, str], str]]:
    """(Switch, direction) -> its ACLs."""
    switch, acl = placement
    yield (switch, role.direction), acl
