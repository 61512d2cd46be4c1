"""Port security: what a port may say it is, and what may reach it."""

from collections.abc import Iterator

from logical_flow.addresses import link_local
from logical_flow.template import LogicalFlow
from translator.addresses import host
from translator.features.port_security.stages import (
    LsInPortSecIp,
    LsInPortSecL2,
    LsInPortSecNd,
    LsOutPortSecIp,
    LsOutPortSecL2,
)
from translator.inputs import LogicalSwitchPort, Secured


def switch_security_flows(*, passes_tags: bool) -> Iterator[LogicalFlow]:
    """Yield the flows that are the same for all ports of a switch.

    With `passes_tags` frames may have VLAN tags of their own.
    """
    if not passes_tags:
        yield LsInPortSecL2.vlan_tagged()
    yield LsInPortSecL2.multicast_source()
    yield LsOutPortSecL2.multicast()


def closed_switch_flow() -> LogicalFlow:
    """Return the flow that lets nothing enter a switch."""
    return LsInPortSecL2.closed()


def disabled_port_flow(port: str) -> LogicalFlow:
    """Return the flow that keeps packets from a disabled port; none lets any in from there."""
    return LsOutPortSecL2.disabled(port=port)


def port_security_flows(port: LogicalSwitchPort) -> Iterator[LogicalFlow]:
    """Yield the flows that let packets in from a port and out to it, as far as it is secured."""
    name = port.name
    if not port.security:
        yield LsInPortSecL2.any_source(port=name)
        yield LsOutPortSecL2.any_destination(port=name)
        return
    yield LsInPortSecNd.other(port=name)
    yield LsInPortSecNd.router(port=name)
    yield LsInPortSecNd.dhcp_server(port=name)
    for secured in port.security:
        yield LsInPortSecL2.source(port=name, mac=secured.mac)
        yield LsOutPortSecL2.destination(port=name, mac=secured.mac)
        yield from _neighbour_discovery(name, secured)
        if secured.restricts_ip:
            yield from _sources(name, secured)
            yield from _destinations(name, secured)


def _neighbour_discovery(port: str, secured: Secured) -> Iterator[LogicalFlow]:
    mac = secured.mac
    if not secured.restricts_ip:
        yield LsInPortSecNd.arp(port=port, mac=mac)
        yield LsInPortSecNd.solicitation(port=port, mac=mac)
        yield LsInPortSecNd.advertisement(port=port, mac=mac)
    if secured.ip4:
        yield LsInPortSecNd.arp_probe(port=port, mac=mac)
        for network in secured.ip4:
            yield LsInPortSecNd.arp_from(port=port, mac=mac, ip=network)
    if secured.ip6:
        yield LsInPortSecNd.solicitation(port=port, mac=mac)
        for network in _ip6_networks(secured):
            yield LsInPortSecNd.advertisement_of(port=port, mac=mac, ip=network)


def _sources(port: str, secured: Secured) -> Iterator[LogicalFlow]:
    mac = secured.mac
    if secured.ip4:
        yield LsInPortSecIp.dhcp(port=port, mac=mac)
        for network in secured.ip4:
            yield LsInPortSecIp.source4(port=port, mac=mac, ip=network)
    if secured.ip6:
        yield LsInPortSecIp.no_source6(port=port, mac=mac)
        for network in _ip6_networks(secured):
            yield LsInPortSecIp.source6(port=port, mac=mac, ip=network)
    yield LsInPortSecIp.other(port=port, mac=mac)


def _destinations(port: str, secured: Secured) -> Iterator[LogicalFlow]:
    mac = secured.mac
    if secured.ip4:
        yield LsOutPortSecIp.multicast4(port=port, mac=mac)
        for network in (*secured.ip4, *secured.broadcasts):
            yield LsOutPortSecIp.destination4(port=port, mac=mac, ip=network)
    if secured.ip6:
        yield LsOutPortSecIp.multicast6(port=port, mac=mac)
        for network in _ip6_networks(secured):
            yield LsOutPortSecIp.destination6(port=port, mac=mac, ip=network)
    yield LsOutPortSecIp.other(port=port, mac=mac)


def _ip6_networks(secured: Secured) -> Iterator[bytes]:
    """Yield the secured IPv6 networks, and the link-local address that goes with them."""
    yield from secured.ip6
    yield host(link_local(secured.mac))
