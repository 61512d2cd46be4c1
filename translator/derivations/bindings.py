"""The southbound rows of datapaths and ports."""

from incremental import Read
from southbound.port_types import CHASSIS_REDIRECT, EXTERNAL, L3_GATEWAY, PATCH, VIRTUAL
from southbound.rows import Datapath, PortBinding
from translator.addresses import LINK_LOCAL_NETWORK, host, ip_text, network_text
from translator.derivations.relations import (
    peer_router_port,
    router_port_named,
    switch_port_towards,
)
from translator.features.gateways.relations import (
    chassis_of,
    gateway_beside,
    gateway_of,
    group_of,
    network_of_redirection,
    redirect_id,
    redirect_of,
)
from translator.features.routing.relations import next_hops_beyond
from translator.features.virtual_ports.relations import parents_of
from translator.inputs import (
    Host,
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
)

FLOOD = "_MC_flood"
"""Every enabled port."""
FLOOD_L2 = "_MC_flood_l2"
"""Every enabled port that doesn't lead to a router."""
UNKNOWN = "_MC_unknown"
"""Every enabled port that takes frames for unknown destinations."""


def switch_datapath(read: Read, switch: str) -> Datapath | None:
    row = read(LogicalSwitch, switch)
    return None if row is None else Datapath(switch, "ls", row.name, row.tunnel_key)


def router_datapath(read: Read, router: str) -> Datapath | None:
    row = read(LogicalRouter, router)
    if row is None:
        return None
    return Datapath(router, "lr", row.name, row.tunnel_key, row.neighbour_age)


def switch_port_binding(read: Read, lsp: str) -> PortBinding | None:
    """A switch port; one that leads to a router is a patch to the router's port.

    The way to a gateway, which is on one chassis at a time, is there only.
    """
    port = read(LogicalSwitchPort, lsp)
    if port is None:
        return None
    peer = peer_router_port(read, port)
    parent = read(LogicalSwitchPort, port.parent) if port.parent else None
    gateway = None if peer is None else chassis_of(read, peer)
    placed = gateway if gateway is not None else group_of(read, port.ha_chassis_group)
    return PortBinding(
        id=lsp,
        datapath=port.switch,
        name=port.name,
        tunnel_key=port.tunnel_key,
        type=port.kind.name if gateway is None else L3_GATEWAY.name,
        enabled=port.enabled,
        addresses=port.addresses if peer is None else (router_port_addresses(peer),),
        multicast=multicast_groups(port),
        peer="" if peer is None else peer.name,
        peer_datapath="" if peer is None else peer.router,
        requested_chassis=port.requested_chassis if placed is None else placed.chassis,
        preemptive=placed is None or placed.preemptive,
        parent=port.parent,
        parent_name="" if parent is None else parent.name,
        tag=port.tag,
        activation=(parent or port).activation,
        network=port.network,
        virtual_ip=ip_text(port.virtual_ip) if port.virtual_ip else "",
        virtual_parents=tuple(each.name for each in parents_of(read, port)),
        has_service_tag=port.has_service_tag,
        passes_tags=port.kind.leads_outside and _passes_tags(read, port.switch),
    )


def router_port_binding(read: Read, lrp: str) -> PortBinding | None:
    """A router port: a patch to the switch port that leads to it, or to another router.

    Those of a gateway router are on its chassis only, and so are the ends of links to a gateway,
    and ports that reside with one.
    """
    port = read(LogicalRouterPort, lrp)
    if port is None:
        return None
    peer, peer_datapath = _peer(read, port)
    resides = gateway_of(read, port.router) or gateway_beside(read, port) is not None
    gateway = chassis_of(read, port) if resides else None
    other = router_port_named(read, port.peer) if gateway is None and port.peer else None
    if other is not None:
        gateway = chassis_of(read, other)
    return PortBinding(
        id=lrp,
        datapath=port.router,
        name=port.name,
        tunnel_key=port.tunnel_key,
        type=PATCH.name if gateway is None else L3_GATEWAY.name,
        enabled=port.enabled,
        addresses=(router_port_addresses(port),),
        peer=peer,
        peer_datapath=peer_datapath,
        requested_chassis=() if gateway is None else gateway.chassis,
        preemptive=gateway is None or gateway.preemptive,
        neighbours=_neighbours(read, port),
    )


def may_be_redirected_to(port: LogicalRouterPort) -> bool:
    """Whether a router port can be a gateway port, which something else stands for."""
    return port.redirect_key is not None


def redirect_binding(read: Read, lrp: str) -> PortBinding | None:
    """What stands for a gateway port on its router."""
    port = read(LogicalRouterPort, lrp)
    gateway = None if port is None else chassis_of(read, port)
    if port is None or gateway is None or port.redirect_key is None:
        return None
    return PortBinding(
        id=redirect_id(lrp),
        datapath=port.router,
        name=redirect_of(port),
        tunnel_key=port.redirect_key,
        type=CHASSIS_REDIRECT.name,
        enabled=port.enabled,
        requested_chassis=gateway.chassis,
        distributed_port=port.name,
        preemptive=gateway.preemptive,
        network=network_of_redirection(read, port),
    )


def _passes_tags(read: Read, switch: str) -> bool:
    row = read(LogicalSwitch, switch)
    return row is not None and row.vlan_passthru


def multicast_groups(port: LogicalSwitchPort) -> tuple[str, ...]:
    if not port.enabled or port.kind in (VIRTUAL, EXTERNAL):
        return ()
    if port.kind.joins_datapaths:
        return (FLOOD,)
    return (FLOOD, FLOOD_L2, UNKNOWN) if port.takes_unknown else (FLOOD, FLOOD_L2)


def router_port_addresses(port: LogicalRouterPort) -> str:
    """The router port's addresses as an address string, its link-local one last."""
    ip4 = tuple(network.ip for network in port.networks4)
    return str(Host(port.mac, ip4, port.addresses6))


def _neighbours(read: Read, port: LogicalRouterPort) -> tuple[str, ...]:
    """The port's networks, that of link-local addresses, and next hops beyond them."""
    networks = {network.network for network in port.networks} | {LINK_LOCAL_NETWORK}
    networks |= {host(nexthop) for nexthop in read.members(next_hops_beyond, port.id)}
    return tuple(network_text(network) for network in sorted(networks))


def _peer(read: Read, port: LogicalRouterPort) -> tuple[str, str]:
    """Name and datapath of what the router port is patched to; empty without one."""
    switch_port = switch_port_towards(read, port)
    if switch_port is not None:
        return switch_port.name, switch_port.switch
    other = router_port_named(read, port.peer) if port.peer else None
    return ("", "") if other is None else (other.name, other.router)
