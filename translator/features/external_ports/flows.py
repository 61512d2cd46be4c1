"""The flows of external ports."""

from collections.abc import Iterator
from typing import Any

from incremental import Read
from logical_flow.addresses import solicited_node
from logical_flow.template import LogicalFlow
from translator.derivations.relations import (
    attached_router_ports,
    ports_leading_outside,
    switch_port_towards,
)
from translator.features.acl.flows import untracked_port_flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.dns.records import record_sets_of_switch
from translator.features.dns.stages import LsInDnsLookup
from translator.features.external_ports.relations import (
    everyones_set,
    routers_answering_everyone,
    vips_set,
)
from translator.features.external_ports.stages import LsInExternalPort
from translator.features.gateways.relations import chassis_of
from translator.features.load_balancing.outside import outside_balancing_flows
from translator.features.load_balancing.relations import answerers_set, vip_placements
from translator.features.load_balancing.router_flows import vips_asked_for
from translator.features.port_security.flows import port_security_flows
from translator.features.switching.flows import port_forwarding_flows
from translator.features.switching.stages import LsInL2Lookup
from translator.inputs import LogicalRouterPort, LogicalSwitchPort


def external_port_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows of an enabled external port.

    Its packets come by the way outside, and are not tracked, as those of others there, but for
    those of virtual addresses. Nobody answers for its addresses but the workload itself.
    """
    for lsp in read.members(ports_leading_outside, port.switch):
        outside = read(LogicalSwitchPort, lsp)
        if outside is not None and outside.kind.is_native:
            yield from _arrivals(read, port, outside.name)
    yield from port_security_flows(port)
    yield from untracked_port_flows(read, port.switch, port.name)
    yield LsInArpRsp.from_outside(port=port.name)
    if read.members(record_sets_of_switch, port.switch):
        yield LsInDnsLookup.elsewhere(port=port.name)
        yield LsInDnsLookup.in_charge4(port=port.name)
        yield LsInDnsLookup.in_charge6(port=port.name)
    yield from port_forwarding_flows(port)
    yield from outside_balancing_flows(read, port)
    yield from _reply_flows(read, port)


def _routers_everywhere(read: Read, switch: str) -> list[LogicalRouterPort]:
    """Return the ports of distributed routers on a switch."""
    routers = (read(LogicalRouterPort, lrp) for lrp in read.members(attached_router_ports, switch))
    return [each for each in routers if each is not None and chassis_of(read, each) is None]


def _reply_flows(read: Read, port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that bring replies of backends to the chassis where their requests came in.

    That is the one in charge, where the next hop is a distributed router. Errors may be about such
    a connection, whoever they are from.
    """
    if not read.any(vip_placements, port.switch):
        return
    backends4, backends6 = (answerers_set(port.switch, family) for family in (4, 6))
    for router in _routers_everywhere(read, port.switch):
        leading = switch_port_towards(read, router)
        if leading is None:
            continue
        for host in port.hosts:
            ends: dict[str, Any] = {"router": leading.name, "mac": host.mac, "port": port.name}
            yield LsInL2Lookup.balanced4(backends=backends4, **ends)
            yield LsInL2Lookup.balanced6(backends=backends6, **ends)
            yield LsInL2Lookup.error4(**ends)
            yield LsInL2Lookup.error6(**ends)


def _arrivals(read: Read, port: LogicalSwitchPort, outside: str) -> Iterator[LogicalFlow]:
    """Yield the flows for what comes from the workload by the port `outside`."""
    everywhere = _routers_everywhere(read, port.switch)
    for host in port.hosts:
        yield LsInExternalPort.in_charge(outside=outside, mac=host.mac, port=port.name)
        yield LsInExternalPort.elsewhere(outside=outside, mac=host.mac, port=port.name)
        if everywhere:
            yield LsInExternalPort.all_routers(outside=outside, mac=host.mac)
        for router in everywhere:
            yield from _router_flows(outside, host.mac, router)
            if read.any(vips_asked_for, router.id):
                sets = vips_set(router.id, 4), vips_set(router.id, 6)
                yield from _vip_flows(outside, host.mac, *sets)
        for each in sorted({router.router for router in everywhere}):
            if read.any(routers_answering_everyone, each):
                sets = everyones_set(each, 4), everyones_set(each, 6)
                yield from _vip_flows(outside, host.mac, *sets)


def _router_flows(outside: str, mac: bytes, router: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that leave what is for a router to the chassis in charge."""
    yield LsInExternalPort.routed(outside=outside, mac=mac, router_mac=router.mac)
    for network in router.networks4:
        yield LsInExternalPort.router_arp(outside=outside, mac=mac, ip=network.ip)
    for ip in router.addresses6:
        group = solicited_node(ip)
        yield LsInExternalPort.router_nd(outside=outside, mac=mac, ip=ip, group=group)


def _vip_flows(outside: str, mac: bytes, vips4: str, vips6: str) -> Iterator[LogicalFlow]:
    """Yield the flows that leave who asks for a router's virtual addresses to the same chassis."""
    yield LsInExternalPort.vip_arp(outside=outside, mac=mac, vips=vips4)
    yield LsInExternalPort.vip_nd(outside=outside, mac=mac, vips=vips6)
