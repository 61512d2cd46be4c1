"""Where a NAT translates: on a gateway router, at a gateway port, or where its own port is."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from incremental import Read
from northbound.names import DEFAULT_PROJECT, parse_name
from translator.addresses import is_within, masked
from translator.derivations.relations import ports_leading_outside, switch_port_towards
from translator.features.acl.names import switch_ports_named
from translator.features.gateways.relations import (
    GatewayPort,
    gateway_beside,
    gateway_of,
    gateway_ports_of,
)
from translator.features.nat.rows import Nat
from translator.features.routing.relations import network_lengths, ports_by_network
from translator.inputs import LogicalRouterPort, LogicalSwitchPort


class Place(NamedTuple):
    """Where a NAT translates: the name of the templates' place, and what fills their holes.

    `port` is the gateway port; None on a gateway router.
    """

    name: str
    port: LogicalRouterPort | None
    incoming: Mapping[str, Any]
    """What templates want that match packets from outside."""
    outgoing: Mapping[str, Any]
    """What templates want that match packets to outside: the MAC address, too, if it is own."""


def place_of(read: Read, nat: Nat) -> Place | None:
    """Return where a NAT translates; None for one on a router without a gateway for it."""
    if gateway_of(read, nat.router):
        return Place("router", None, {}, {})
    gateway = _gateway_port(read, nat)
    if gateway is None:
        return None
    port = gateway.port
    is_local = nat.logical_port and is_on_provider_network(read, port)
    if not is_local or _resides_with_gateway(read, nat):
        holes = {"port": port.name, "redirect": gateway.redirect}
        return Place("gateway", port, holes, holes)
    holes = {"port": port.name, "logical_port": _name_in_flows(read, nat.logical_port)}
    return Place("local", port, holes, {**holes, "mac": nat.external_mac})


def _gateway_port(read: Read, nat: Nat) -> GatewayPort | None:
    """Return the gateway port that a NAT names, else that around its address, else the only one."""
    ports = gateway_ports_of(read, nat.router)
    if nat.gateway_port:
        return next((each for each in ports if each.port.id == nat.gateway_port), None)
    for each in ports:
        if any(is_within(nat.external_ip, network) for network in each.port.networks):
            return each
    return ports[0] if len(ports) == 1 else None


def is_on_provider_network(read: Read, port: LogicalRouterPort) -> bool:
    """Whether packets from outside get to every chassis, and not only to that in charge."""
    leading = switch_port_towards(read, port)
    if leading is None:
        return False
    found = read.members(ports_leading_outside, leading.switch)
    ways = (read(LogicalSwitchPort, way) for way in found)
    return any(way is not None and way.kind.is_native for way in ways)


def _resides_with_gateway(read: Read, nat: Nat) -> bool:
    """Whether what has the NAT's logical address is routed on the chassis in charge alone."""
    return any(
        gateway_beside(read, port) is not None
        for port in ports_around(read, nat.router, nat.logical.ip)
    )


def _name_in_flows(read: Read, qualified: str) -> str:
    """Return the name that flows have for a switch port; its own if there is none."""
    project, _ = parse_name(qualified)
    if project in (None, "", DEFAULT_PROJECT):
        return qualified
    found = read.members(switch_ports_named, qualified)
    port = read(LogicalSwitchPort, found[0]) if found else None
    return qualified if port is None else port.name


def ports_around(read: Read, router: str, ip: bytes) -> Iterator[LogicalRouterPort]:
    """Yield the ports of a router in whose networks an address is."""
    for width, plen in read.members(network_lengths, router):
        if width != len(ip):
            continue
        for lrp in read.members(ports_by_network, (router, masked(ip, plen))):
            port = read(LogicalRouterPort, lrp)
            if port is not None:
                yield port
