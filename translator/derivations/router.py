"""What a router does: for everybody, and for each of its ports."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import (
    LINK_LOCAL_NETWORK,
    Interface,
    broadcast,
    has_broadcast,
    link_local,
    solicited_node,
)
from translator.derivations.learning import neighbours_in, nobodys_addresses
from translator.derivations.relations import router_port_named
from translator.derivations.result import Flows
from translator.inputs import LogicalRouter, LogicalRouterPort
from translator.pipeline.lr_in import (
    LrInAdmission,
    LrInArpRequest,
    LrInArpResolve,
    LrInIpInput,
    LrInIpRouting,
    LrInLearnNeighbour,
    LrInLookupNeighbour,
)
from translator.pipeline.lr_out import LrOutDelivery


def router_flows(_read: Read, router: str) -> Flows:
    """What is the same for every router."""
    flows = (
        LrInAdmission.vlan_tagged(),
        LrInAdmission.multicast_source(),
        LrInLookupNeighbour.no_address(),
        LrInLookupNeighbour.unsolicited(),
        LrInLearnNeighbour.known(),
        LrInLearnNeighbour.arp(),
        LrInLearnNeighbour.advertisement(),
        LrInLearnNeighbour.solicitation(),
        LrInIpInput.martian4(),
        LrInIpInput.martian6(),
        LrInIpInput.other_neighbour(),
        LrInIpInput.unspecified6(),
        LrInIpInput.multicast(),
        LrInIpInput.expired(),
        LrInIpRouting.off_link(),
        LrInArpResolve.learned4(),
        LrInArpResolve.learned6(),
        LrInArpRequest.arp(),
        LrInArpRequest.nd(),
        LrInArpRequest.resolved(),
    )
    return Flows(router, "logical_router", router, flows)


def closed_router_flows(_read: Read, router: str) -> Flows:
    """What stands in for a router's flows that could not be derived: nothing enters."""
    return Flows(router, "logical_router", router, (LrInAdmission.closed(),))


def router_port_flows(read: Read, lrp: str) -> Flows | None:
    """All flows of one router port; those of a disabled router have none.

    Nothing comes in or leaves through a port that is disabled. But its addresses stay
    the router's own, and what is routed to it takes no other way.
    """
    port = read(LogicalRouterPort, lrp)
    router = None if port is None else read(LogicalRouter, port.router)
    if port is None or router is None:
        return None
    flows: list[LogicalFlow] = []
    if router.enabled:
        flows += _admission(port)
        for network in port.networks4:
            flows += _own_address4(port.name, network)
        for ip in _addresses6(port):
            flows += _own_address6(port.name, ip)
        flows += _expiry(port)
        flows += _connected_routes(port)
        flows += _peer(read, port)
        delivery = LrOutDelivery.port if port.enabled else LrOutDelivery.disabled
        flows.append(delivery(port=port.name))
    return Flows(port.router, "logical_router_port", lrp, tuple(flows))


def _addresses6(port: LogicalRouterPort) -> Iterator[bytes]:
    for network in port.networks6:
        yield network.ip
    yield link_local(port.mac)


def _admission(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    if not port.enabled:
        return
    yield LrInAdmission.multicast(port=port.name, mac=port.mac)
    yield LrInAdmission.unicast(port=port.name, mac=port.mac)
    yield from _neighbours(port)


def _neighbours(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Which neighbours are learned: those in the port's networks that are hosts."""
    for network in port.networks:
        yield from neighbours_in(port.name, network.network)
    yield from neighbours_in(port.name, LINK_LOCAL_NETWORK)
    for ip in nobodys_addresses(port):
        if len(ip) == 4:
            yield LrInLookupNeighbour.arp_of_none(port=port.name, ip=ip)
        else:
            yield LrInLookupNeighbour.solicitation_of_none(port=port.name, ip=ip)
            yield LrInLookupNeighbour.advertisement_of_none(port=port.name, ip=ip)


_OWN4 = (
    LrInIpInput.ping4,
    LrInIpInput.udp4,
    LrInIpInput.tcp4,
    LrInIpInput.sctp4,
    LrInIpInput.icmp4,
    LrInIpInput.protocol4,
    LrInIpInput.own4,
)
_OWN6 = (
    LrInIpInput.ping6,
    LrInIpInput.udp6,
    LrInIpInput.tcp6,
    LrInIpInput.sctp6,
    LrInIpInput.icmp6,
    LrInIpInput.protocol6,
    LrInIpInput.own6,
)
_LINK_LOCAL6 = (
    LrInIpInput.ping6_link_local,
    LrInIpInput.udp6_link_local,
    LrInIpInput.tcp6_link_local,
    LrInIpInput.sctp6_link_local,
    LrInIpInput.icmp6_link_local,
    LrInIpInput.protocol6_link_local,
    LrInIpInput.own6_link_local,
)
"""What a router does with packets for an address of its own."""


def _own_address4(port: str, network: Interface) -> Iterator[LogicalFlow]:
    ip = network.ip
    yield LrInIpInput.spoofed4(ip=ip)
    if has_broadcast(network):
        yield LrInIpInput.broadcast_source(broadcast=broadcast(network))
    yield LrInIpInput.arp(port=port, ip=ip, network=network.network)
    yield LrInIpInput.arp_probe(port=port, ip=ip)
    for template in _OWN4:
        yield template(ip=ip)


def _own_address6(port: str, ip: bytes) -> Iterator[LogicalFlow]:
    yield LrInIpInput.nd(port=port, ip=ip, group=solicited_node(ip))
    if ip.startswith(LINK_LOCAL_NETWORK[:8]):
        for template in _LINK_LOCAL6:
            yield template(port=port, ip=ip)
        return
    yield LrInIpInput.spoofed6(ip=ip)
    for template in _OWN6:
        yield template(ip=ip)


def _expiry(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Tells senders that their packets had no hops left: from the port's first address,
    but who is in another of its networks is told from there.
    """
    if port.networks4:
        yield LrInIpInput.expired4(port=port.name, ip=port.networks4[0].ip)
    for network in port.networks4[1:]:
        yield LrInIpInput.expired4_from(port=port.name, ip=network.ip, network=network.network)
    yield LrInIpInput.expired6(port=port.name, ip=next(_addresses6(port)))
    for network in port.networks6[1:]:
        yield LrInIpInput.expired6_from(port=port.name, ip=network.ip, network=network.network)


def _connected_routes(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
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


def _peer(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """The router port at the other end of a link between routers, as a neighbour."""
    peer = router_port_named(read, port.peer) if port.peer else None
    if peer is None:
        return
    for network in peer.networks4:
        yield LrInArpResolve.static4(port=port.name, ip=network.ip, mac=peer.mac)
    for ip in _addresses6(peer):
        yield LrInArpResolve.static6(port=port.name, ip=ip, mac=peer.mac)
