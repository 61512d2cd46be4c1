"""What a router does: for everybody, and for each of its ports."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import LINK_LOCAL_NETWORK, link_local
from translator.build.relations import router_port_named
from translator.build.result import Flows
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
        LrInLookupNeighbour.arp_reply(),
        LrInLookupNeighbour.advertisement(),
        LrInLookupNeighbour.solicitation(),
        LrInLookupNeighbour.unspecified(),
        LrInLookupNeighbour.no_address(),
        LrInLookupNeighbour.unsolicited(),
        LrInLearnNeighbour.known(),
        LrInLearnNeighbour.arp(),
        LrInLearnNeighbour.advertisement(),
        LrInLearnNeighbour.solicitation(),
        LrInIpInput.martian4(),
        LrInIpInput.martian6(),
        LrInIpInput.other_neighbour(),
        LrInIpInput.multicast(),
        LrInIpInput.expired(),
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
    """All flows of one router port. One that is disabled, or whose router is, has none.

    Without them nothing is admitted through the port, routed to it or delivered to it.
    """
    port = read(LogicalRouterPort, lrp)
    router = None if port is None else read(LogicalRouter, port.router)
    if port is None or router is None:
        return None
    flows: list[LogicalFlow] = []
    if port.enabled and router.enabled:
        flows += _admission(port)
        for network in port.networks4:
            flows += _own_address4(port.name, network.ip, network.network)
        for ip in _addresses6(port):
            flows += _own_address6(port.name, ip)
        flows += _expiry(port)
        flows += _connected_routes(port)
        flows += _peer(read, port)
        flows.append(LrOutDelivery.port(port=port.name))
    return Flows(port.router, "logical_router_port", lrp, tuple(flows))


def _addresses6(port: LogicalRouterPort) -> Iterator[bytes]:
    for network in port.networks6:
        yield network.ip
    yield link_local(port.mac)


def _admission(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    yield LrInAdmission.multicast(port=port.name, mac=port.mac)
    yield LrInAdmission.unicast(port=port.name, mac=port.mac)
    for network in port.networks4:
        yield LrInLookupNeighbour.arp_request(port=port.name, network=network.network)


def _own_address4(port: str, ip: bytes, network: bytes) -> Iterator[LogicalFlow]:
    yield LrInIpInput.spoofed4(ip=ip)
    yield LrInIpInput.arp(port=port, ip=ip, network=network)
    yield LrInIpInput.arp_probe(port=port, ip=ip)
    yield LrInIpInput.ping4(ip=ip)
    yield LrInIpInput.udp4(ip=ip)
    yield LrInIpInput.tcp4(ip=ip)
    yield LrInIpInput.icmp4(ip=ip)
    yield LrInIpInput.protocol4(ip=ip)
    yield LrInIpInput.own4(ip=ip)


def _own_address6(port: str, ip: bytes) -> Iterator[LogicalFlow]:
    yield LrInIpInput.nd(port=port, ip=ip)
    if ip.startswith(LINK_LOCAL_NETWORK[:8]):
        yield LrInIpInput.ping6_link_local(port=port, ip=ip)
        yield LrInIpInput.own6_link_local(port=port, ip=ip)
        return
    yield LrInIpInput.spoofed6(ip=ip)
    yield LrInIpInput.ping6(ip=ip)
    yield LrInIpInput.udp6(ip=ip)
    yield LrInIpInput.tcp6(ip=ip)
    yield LrInIpInput.icmp6(ip=ip)
    yield LrInIpInput.protocol6(ip=ip)
    yield LrInIpInput.own6(ip=ip)


def _expiry(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Tells senders that their packets had no hops left; from the port's first address."""
    if port.networks4:
        yield LrInIpInput.expired4(port=port.name, ip=port.networks4[0].ip)
    yield LrInIpInput.expired6(port=port.name, ip=next(_addresses6(port)))


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
    yield LrInIpRouting.link_local(
        plen=64,
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
