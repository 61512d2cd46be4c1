"""The flows by which routers know neighbours, and learn and ask for others."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import is_within
from translator.derivations.relations import peer_router_port, router_port_named
from translator.derivations.result import Flows
from translator.features.neighbours.stages import (
    LrInArpRequest,
    LrInArpResolve,
    LrInLearnNeighbour,
    LrInLookupNeighbour,
)
from translator.inputs import Host, LogicalRouterPort, LogicalSwitchPort


def router_neighbour_flows() -> Iterator[LogicalFlow]:
    """Yield the flows by which every router learns neighbours and asks for them."""
    yield LrInLookupNeighbour.no_address()
    yield LrInLookupNeighbour.unsolicited()
    yield LrInLearnNeighbour.known()
    yield LrInLearnNeighbour.arp()
    yield LrInLearnNeighbour.advertisement()
    yield LrInLearnNeighbour.solicitation()
    yield LrInArpResolve.learned4()
    yield LrInArpResolve.learned6()
    yield LrInArpRequest.arp()
    yield LrInArpRequest.nd()
    yield LrInArpRequest.resolved()


def neighbour_flows(read: Read, pair: tuple[str, str]) -> Flows | None:
    """A switch port, as a router port on the same switch knows it.

    >>> from incremental import RecordedFacts
    >>> from southbound.port_types import VIF
    >>> from translator.addresses import interface, ip_bytes, mac_bytes
    >>> host = Host(mac_bytes("0a:00:00:00:00:01"), (ip_bytes("10.0.0.1"),), ())
    >>> lsp = LogicalSwitchPort(
    ...     "p", "s", "web-1", 1, True, (host,), (), False, (), VIF, "", ())
    >>> lrp = LogicalRouterPort("q", "r", "r-web", 1, True, mac_bytes("0a:00:00:00:00:02"),
    ...     (interface("10.0.0.254/24"),), (), "")
    >>> facts = RecordedFacts({LogicalSwitchPort: {"p": lsp}, LogicalRouterPort: {"q": lrp}})
    >>> for flow in neighbour_flows(facts, ("p", "q")).flows:
    ...     print(flow)
    table=...(lr_in_arp_resolve), priority=100, match=(outport == "r-web" && reg9[9] == 1 \
&& reg0 == 10.0.0.1), action=(eth.dst = 0a:00:00:00:00:01; next;)
    """
    lsp, lrp = pair
    port = read(LogicalSwitchPort, lsp)
    router_port = read(LogicalRouterPort, lrp)
    if port is None or router_port is None:
        return None
    flows = tuple(flow for host in _hosts(read, port) for flow in _neighbour(router_port, host))
    return Flows(router_port.router, "logical_switch_port", lsp, flows)


def _hosts(read: Read, port: LogicalSwitchPort) -> tuple[Host, ...]:
    """Return the addresses behind a switch port: its own, or those of its router port."""
    peer = peer_router_port(read, port)
    if peer is None:
        return port.hosts
    ip4 = tuple(network.ip for network in peer.networks4)
    return (Host(peer.mac, ip4, peer.addresses6),)


def _neighbour(router_port: LogicalRouterPort, host: Host) -> Iterator[LogicalFlow]:
    for ip in host.ip4:
        if any(is_within(ip, network) for network in router_port.networks4):
            yield LrInArpResolve.static4(port=router_port.name, ip=ip, mac=host.mac)
    for ip in host.ip6:
        if ip.startswith(b"\xfe\x80") or any(is_within(ip, n) for n in router_port.networks6):
            yield LrInArpResolve.static6(port=router_port.name, ip=ip, mac=host.mac)


def peer_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that know the router port at the other end of a link."""
    peer = router_port_named(read, port.peer) if port.peer else None
    if peer is None:
        return
    for network in peer.networks4:
        yield LrInArpResolve.static4(port=port.name, ip=network.ip, mac=peer.mac)
    for ip in peer.addresses6:
        yield LrInArpResolve.static6(port=port.name, ip=ip, mac=peer.mac)
