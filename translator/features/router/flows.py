"""The flows that take packets in at router ports, answer for their addresses, and deliver."""

from collections.abc import Collection, Iterator, Sequence

from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow
from translator.addresses import LINK_LOCAL_NETWORK, Interface, broadcast, has_broadcast
from translator.features.gateways.relations import redirect_of
from translator.features.nat.stages import LrInDnat, variant
from translator.features.router.stages import (
    LrInAdmission,
    LrInAgain,
    LrInIpInput,
    LrOutDelivery,
)
from translator.inputs import LogicalRouterPort


def router_input_flows() -> Iterator[LogicalFlow]:
    """Yield the flows that drop what no router takes or forwards."""
    yield LrInAdmission.vlan_tagged()
    yield LrInAdmission.multicast_source()
    yield LrInIpInput.martian4()
    yield LrInIpInput.martian6()
    yield LrInIpInput.other_neighbour()
    yield LrInIpInput.unspecified6()
    yield LrInIpInput.multicast()
    yield LrInIpInput.expired()


def closed_router_flow() -> LogicalFlow:
    """Return the flow that lets nothing enter a router."""
    return LrInAdmission.closed()


def admission_flows(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that let packets in through a port."""
    yield LrInAdmission.multicast(port=port.name, mac=port.mac)
    yield LrInAdmission.unicast(port=port.name, mac=port.mac)


def delivery_flow(port: LogicalRouterPort) -> LogicalFlow:
    """Return the flow that lets packets out through a port, or drops them if it is disabled."""
    delivery = LrOutDelivery.port if port.enabled else LrOutDelivery.disabled
    return delivery(port=port.name)


def own_address_flows(
    port: LogicalRouterPort, translated: Collection[bytes] = ()
) -> Iterator[LogicalFlow]:
    """Yield the flows for packets to the addresses of a port, and for those that expire.

    What comes for an address of `translated` may be of a connection of others: it is refused
    only once that is known.
    """
    for network in port.networks4:
        yield from _own_address4(port, network, translated)
    for ip in port.addresses6:
        yield from _own_address6(port, ip, translated)
    yield from _expiry(port, LrInIpInput, port.addresses6)


_OWN4 = (
    LrInIpInput.udp4,
    LrInIpInput.tcp4,
    LrInIpInput.sctp4,
    LrInIpInput.icmp4,
    LrInIpInput.protocol4,
    LrInIpInput.own4,
)
_OWN6 = (
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


def _own_address4(
    port: LogicalRouterPort, network: Interface, translated: Collection[bytes]
) -> Iterator[LogicalFlow]:
    ip = network.ip
    yield LrInIpInput.spoofed4(ip=ip)
    if has_broadcast(network):
        yield LrInIpInput.broadcast_source(broadcast=broadcast(network))
    yield LrInIpInput.arp(port=port.name, ip=ip, network=network.network)
    yield LrInIpInput.arp_probe(port=port.name, ip=ip)
    yield LrInIpInput.ping4(ip=ip)
    if ip in translated:
        yield from _later_refusals(port, ip)
        return
    for template in _OWN4:
        yield template(ip=ip)


def _own_address6(
    port: LogicalRouterPort, ip: bytes, translated: Collection[bytes]
) -> Iterator[LogicalFlow]:
    yield LrInIpInput.nd(port=port.name, ip=ip, group=solicited_node(ip))
    if ip.startswith(LINK_LOCAL_NETWORK[:8]):
        for template in _LINK_LOCAL6:
            yield template(port=port.name, ip=ip)
        return
    yield LrInIpInput.spoofed6(ip=ip)
    yield LrInIpInput.ping6(ip=ip)
    if ip in translated:
        yield from _later_refusals(port, ip)
        return
    for template in _OWN6:
        yield template(ip=ip)


def _later_refusals(port: LogicalRouterPort, ip: bytes) -> Iterator[LogicalFlow]:
    """Yield the flows that refuse what is of no connection, at a gateway port as it comes in."""
    redirect = redirect_of(port)
    place = variant("gateway" if redirect else "router", len(ip) == 4)
    holes = {"port": port.name, "redirect": redirect} if redirect else {}
    for refusal in LrInDnat.REFUSALS:
        yield refusal[place](ip=ip, **holes)


def expiry_again_flows(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows for packets that expire when a gateway port takes them in again.

    Who sent them is on another link: from a link-local address nobody there is told.
    """
    yield from _expiry(port, LrInAgain, [network.ip for network in port.networks6])
    yield LrInAgain.expired(port=port.name)


def _expiry(
    port: LogicalRouterPort, stage: type[LrInIpInput | LrInAgain], addresses6: Sequence[bytes]
) -> Iterator[LogicalFlow]:
    """Tells senders that their packets had no hops left: from the port's first address,
    but who is in another of its networks is told from there.
    """
    if port.networks4:
        yield stage.expired4(port=port.name, ip=port.networks4[0].ip)
    for network in port.networks4[1:]:
        yield stage.expired4_from(port=port.name, ip=network.ip, network=network.network)
    if addresses6:
        yield stage.expired6(port=port.name, ip=addresses6[0])
    for network in port.networks6[1:]:
        yield stage.expired6_from(port=port.name, ip=network.ip, network=network.network)
