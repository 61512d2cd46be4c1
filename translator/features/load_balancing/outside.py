"""Virtual addresses of a switch, for hosts on the provider network that it is part of.

Such a host sends to a router on the switch, as to reach any network behind it. Its packets are
balanced where they come in from outside, and the replies are translated back where they leave,
in the zone of the port to the provider network. Both are on one chassis if the router is on one,
or its port to the switch is a gateway port. That router answers for an address in the network of
its port.

A host that is an external port is balanced likewise. It reaches distributed routers, too, by the
chassis that is in charge of it, and replies of backends leave by that one.
"""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import is_within
from translator.derivations.relations import attached_router_ports, ports_leading_outside
from translator.derivations.result import Flows
from translator.features.gateways.relations import GatewayPort, redirect_of, resident_of
from translator.features.load_balancing.inputs import LoadBalancerRouter, LoadBalancerVip
from translator.features.load_balancing.relations import (
    answerers_set,
    front,
    vip_placements,
    virtual_set,
)
from translator.features.load_balancing.router_flows import answer_flows
from translator.features.load_balancing.stages import LsInOutsideVip, LsOutOutsideVip
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort


def outside_balancing_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows of a port that leads outside, or of an external one.

    None if its switch has no virtual addresses.
    """
    if not read.any(vip_placements, port.switch):
        return
    for family, known, reply, error in (
        (4, LsInOutsideVip.known4, LsOutOutsideVip.reply4, LsOutOutsideVip.error4),
        (6, LsInOutsideVip.known6, LsOutOutsideVip.reply6, LsOutOutsideVip.error6),
    ):
        yield known(port=port.name, vips=virtual_set(port.switch, family))
        yield reply(port=port.name, backends=answerers_set(port.switch, family))
        yield error(port=port.name)


def asked_from_outside(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The router port that answers for a virtual address of a switch outside, with it.

    One that is on one chassis, in whose network the address is; of several the first by id.
    """
    switch, vip = placement
    if not read.any(ports_leading_outside, switch):
        return ()
    address = read(front, vip)
    if address is None or address.neighbor_responder == "none":
        return ()
    if isinstance(address.address, str):
        return ()
    for lrp in sorted(read.members(attached_router_ports, switch)):
        port = read(LogicalRouterPort, lrp)
        if port is None or not port.enabled or not resident_of(read, port):
            continue
        if any(is_within(address.address, network) for network in port.networks):
            is_own = any(network.ip == address.address for network in port.networks)
            return () if is_own else ((lrp, vip),)
    return ()


def vips_answered_for(
    _key: object, asked: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, str]]:
    """Router port -> the virtual addresses of its switch that it answers for."""
    yield from asked


def outside_answer_flows(read: Read, asked: tuple[str, str]) -> Flows | None:
    """The flows by which a router answers for a virtual address of a switch.

    None for one that is at the router as well, which answers for it by itself.
    """
    lrp, vip = asked
    address, row = read(front, vip), read(LoadBalancerVip, vip)
    port = read(LogicalRouterPort, lrp)
    router = None if port is None else read(LogicalRouter, port.router)
    if address is None or row is None or port is None or router is None or not router.enabled:
        return None
    if isinstance(address.address, str):
        return None
    if read(LoadBalancerRouter, (row.load_balancer, router.id)) is not None:
        return None
    redirect = redirect_of(port)
    gateways = (GatewayPort(port, redirect),) if redirect else ()
    flows = tuple(answer_flows(address.address, (port,), gateways))
    return Flows(router.id, "load_balancer_vip", vip, flows)
