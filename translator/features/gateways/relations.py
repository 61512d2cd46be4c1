"""Which ports of a router are gateway ports, and which chassis may be in charge of them.

What other features ask: :func:`gateway_ports_of` and :func:`gateway_of` of a router,
:func:`redirect_of`, :func:`resident_of` and :func:`chassis_of` of a port.
"""

import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple

from incremental import Read
from translator.derivations.relations import (
    attachment,
    ports_leading_outside,
    switch_port_towards,
)
from translator.features.gateways.static import HaChassisGroup
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort

PREFIX: Final = "cr-"


class GatewayPort(NamedTuple):
    """A gateway port, and the name of the redirect port that stands for it."""

    port: LogicalRouterPort
    redirect: str


class Gateway(NamedTuple):
    """The chassis that may be in charge, the highest rank first.

    A preemptive one goes back to a chassis of a higher rank that has returned.
    """

    chassis: tuple[str, ...]
    preemptive: bool


def gateway_ports(lrp: str, port: LogicalRouterPort) -> Iterator[tuple[str, str]]:
    """Router -> its gateway ports."""
    if port.redirect_key is not None:
        yield port.router, lrp


def gateway_ports_of(read: Read, router: str) -> tuple[GatewayPort, ...]:
    """Return the gateway ports of a router, by id; none for one that is on one chassis."""
    ports = (read(LogicalRouterPort, lrp) for lrp in read.members(gateway_ports, router))
    return tuple(GatewayPort(port, redirect_of(port)) for port in ports if port is not None)


def gateway_of(read: Read, router: str) -> str:
    """Return the chassis that a gateway router is on; empty for a router that is everywhere."""
    row = read(LogicalRouter, router)
    return "" if row is None else row.chassis


def redirect_of(port: LogicalRouterPort) -> str:
    """Return the name of the redirect port of a router port; empty for no gateway port.

    >>> from translator.addresses import mac_bytes
    >>> port = LogicalRouterPort("q", "r", "out", 1, True, mac_bytes("0a:00:00:00:00:02"), (), (),
    ...     "", redirect_key=2)
    >>> redirect_of(port), redirect_of(port._replace(redirect_key=None))
    ('cr-out', '')
    """
    return "" if port.redirect_key is None else f"{PREFIX}{port.name}"


def resident_of(read: Read, port: LogicalRouterPort) -> str:
    """Return the name of the port by which it is known on which chassis a router port is.

    That is its redirect port, and itself on a gateway router or where it resides with a gateway
    port; empty for one that is everywhere.
    """
    if gateway_of(read, port.router) or gateway_beside(read, port) is not None:
        return port.name
    return redirect_of(port)


class Residence(NamedTuple):
    """A router port on a switch that is on one chassis at a time, known there by `resident`."""

    switch: str
    resident: str


def residence(read: Read, lsp: str) -> Residence | None:
    """That a switch port leads to a router port that is on one chassis at a time."""
    attached = read(attachment, lsp)
    port = None if attached is None else read(LogicalRouterPort, attached.router_port)
    resident = "" if port is None else resident_of(read, port)
    return Residence(attached.switch, resident) if attached is not None and resident else None


def residents_on_switch(_lsp: str, found: Residence) -> Iterator[tuple[str, str]]:
    """Switch -> what router ports are known by that are there on one chassis at a time."""
    yield found.switch, found.resident


def gateway_beside(read: Read, port: LogicalRouterPort) -> LogicalRouterPort | None:
    """Return the gateway port where a port resides, which is none itself; None elsewhere."""
    if not port.resides_with_gateway:
        return None
    found = gateway_ports_of(read, port.router)
    return found[0].port if len(found) == 1 else None


def network_of_redirection(read: Read, port: LogicalRouterPort) -> str:
    """Return the provider network by which packets for a gateway port get to where it is.

    It is empty where they take the tunnel: the port isn't bridged, or its switch leads nowhere.
    """
    leading = switch_port_towards(read, port) if port.is_bridged else None
    if leading is None or port.redirect_key is None:
        return ""
    ways = (
        read(LogicalSwitchPort, way) for way in read.members(ports_leading_outside, leading.switch)
    )
    native = [way for way in ways if way is not None and way.kind.is_native]
    return min(native, key=lambda way: way.tunnel_key).network if native else ""


def redirect_id(lrp: str) -> str:
    """Return the id of the redirect port of the router port with the id `lrp`."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"redirect/{lrp}"))


def chassis_of(read: Read, port: LogicalRouterPort) -> Gateway | None:
    """Return the chassis of a router port; None where it is everywhere."""
    router = gateway_of(read, port.router)
    if router:
        return Gateway((router,), preemptive=True)
    port = gateway_beside(read, port) or port
    if port.redirect_key is None:
        return None
    group = group_of(read, port.ha_chassis_group)
    return Gateway(port.gateway_chassis, preemptive=True) if group is None else group


def group_of(read: Read, group_id: str) -> Gateway | None:
    """Return the chassis of a group; None where there is none."""
    group = read(HaChassisGroup, group_id) if group_id else None
    return None if group is None else Gateway(group.chassis, group.preemptive)
