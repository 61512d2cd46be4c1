"""What NATs make of a question: addresses that lead nowhere, and ports that may be used up.

An external address leads nowhere where its router has no gateway, and translates nothing. Where
many share one, each connection needs a port of its own; which are taken only switches know.
"""

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any, NamedTuple

from sqlalchemy import select

from diagnosis.answers import Assumption
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.gateways import bridge_on, chassis_leading_to, is_gateway, network_of
from diagnosis.explain.lookups import is_in, ports_of
from diagnosis.explain.scene import Scene
from diagnosis.trace.stored_flows import StoredEntry
from diagnosis.trace.words import Address
from logical_flow.action.tracking import CtNat, Zone
from logical_flow.walk_events import Walk
from northbound.models import LogicalRouter, LogicalRouterPort, Nat
from northbound.names import DEFAULT_PROJECT, qualified_name


def without_gateway(scene: Scene, address: Address) -> Obstacle | None:
    """Return the obstacle that an address is a NAT's whose router translates nothing."""
    query = select(Nat).where(Nat.external_ip == str(address)).order_by(Nat.id)
    return next(
        filter(None, (_idle(scene, nat) for nat in scene.reader.session.scalars(query))), None
    )


def untranslated(
    scene: Scene, router_port: str, address: Address, *, is_source: bool
) -> Obstacle | None:
    """Return the obstacle that a router sends an address as it is.

    It has no NAT for it, or translates nothing. `router_port` is one of its ports, by name, by
    which packets leave that have the address as their source, if that is so. None where the router
    would translate the address, of some packets at least.
    """
    port = scene.ports.get(router_port)
    row = None if port is None else scene.reader.by_id(LogicalRouterPort, port.id)
    if row is None:
        return None
    query = (
        select(Nat)
        .where(Nat.logical_router_id == row.logical_router_id, Nat.type != "dnat")
        .order_by(Nat.id)
    )
    found = (
        nat for nat in scene.reader.session.scalars(query) if address in ip_network(nat.logical_ip)
    )
    narrowest = max(found, key=lambda nat: ip_network(nat.logical_ip).prefixlen, default=None)
    if narrowest is None:
        router = scene.causes.of("logical_router", row.logical_router_id)
        text = f"no NAT of {router.text} translates it"
        is_private = address.version == 4 and address.is_private
        if is_source and is_private and _shared_address(scene, row) is not None:
            return Obstacle(ObstacleKind.NAT, text, router, detail=f"{address} {row.id}")
        return Obstacle(ObstacleKind.UNKNOWN, text)
    return _idle(scene, narrowest)


def _idle(scene: Scene, nat: Nat) -> Obstacle | None:
    """Return the obstacle that a NAT has no gateway, or a closed one; None if neither is so."""
    router = scene.reader.by_id(LogicalRouter, nat.logical_router_id)
    if router is None:
        return None
    nothing = f"{scene.authored(scene.causes.of('nat', nat.id))}, translates nothing"
    owner = scene.causes.of("logical_router", router.id)
    gateways = [port for port in ports_of(scene, router.id) if is_gateway(port)]
    closed = None if router.enabled else owner
    if router.enabled and gateways and not any(port.enabled for port in gateways):
        closed = scene.causes.of("logical_router_port", gateways[0].id)
    if closed is not None:
        text = f"{nothing}: {scene.authored(closed)}, is disabled"
        return Obstacle(ObstacleKind.DISABLED, text, closed)
    if router.chassis or gateways:
        return None
    text = (
        f"{nothing}: {owner.text} has no gateway, neither a chassis of its own nor a gateway port"
    )
    cause = scene.causes.of("nat", nat.id)
    return Obstacle(ObstacleKind.NAT, text, cause, detail=nat.external_ip)


class Gateway(NamedTuple):
    """A router port that may become a gateway port, what refers to it, and on which chassis."""

    text: str
    ref: str
    values: dict[str, Any]
    assumes: tuple[Assumption, ...]


def gateway_for(scene: Scene, nat_id: str) -> Gateway | None:
    """Return what gives a NAT its gateway: the port around its address, on a live chassis."""
    nat = scene.reader.by_id(Nat, nat_id)
    port = None if nat is None else next(_around(scene, nat), None)
    network = "" if port is None else network_of(scene, port)
    chassis = chassis_leading_to(scene, network)
    if port is None or not chassis:
        return None
    ref = qualified_name(port.project, port.name, DEFAULT_PROJECT)
    values = {"gateway_chassis": [{"chassis": chassis[0], "priority": 1}]}
    text = f"make logical router port {ref} a gateway port on chassis {chassis[0]}"
    assumes = bridge_on(scene, chassis[0], network)
    return Gateway(f"{text}, or on another that leads outside", ref, values, assumes)


class SourceNat(NamedTuple):
    """A NAT that would give a source address one that hosts outside can answer."""

    text: str
    values: dict[str, Any]


def source_nat_for(scene: Scene, address: str, router_port: str) -> SourceNat | None:
    """Return the NAT of one address as that of the router port, by id, by which packets leave."""
    row = scene.reader.by_id(LogicalRouterPort, router_port)
    router = None if row is None else scene.reader.by_id(LogicalRouter, row.logical_router_id)
    external = None if row is None else _shared_address(scene, row)
    if row is None or router is None or external is None:
        return None
    ref = qualified_name(router.project, router.name, DEFAULT_PROJECT)
    values = {
        "logical_router": ref,
        "type": "snat",
        "external_ip": external,
        "logical_ip": address,
    }
    if sum(map(is_gateway, ports_of(scene, router.id))) > 1:
        values["gateway_port"] = qualified_name(row.project, row.name, DEFAULT_PROJECT)
    text = f"add a NAT to logical router {ref}: snat of {address} as {external}"
    return SourceNat(f"{text}, or of its whole network", values)


def _shared_address(scene: Scene, port: LogicalRouterPort) -> str | None:
    """Return the IPv4 address of a port at which its router can translate; None where it can't."""
    router = scene.reader.by_id(LogicalRouter, port.logical_router_id)
    if router is None or not (router.chassis or is_gateway(port)):
        return None
    addresses = (ip_interface(each).ip for each in port.networks)
    return next((str(each) for each in addresses if each.version == 4), None)


def _around(scene: Scene, nat: Nat) -> Iterator[LogicalRouterPort]:
    """Yield the ports of the NAT's router in whose network its external address is."""
    address = ip_address(nat.external_ip)
    for port in ports_of(scene, nat.logical_router_id):
        if is_in(address, port):
            yield port


def shared_addresses(scene: Scene, walk: Walk) -> Iterator[str]:
    """Yield the external addresses of which the walk's connection gets a port, as others do."""
    for visit in walk.visits:
        entry = visit.entry
        if not isinstance(entry, StoredEntry) or entry.group.cause_kind != Nat.__tablename__:
            continue
        gives_source = any(
            isinstance(action, CtNat) and action.kind is Zone.SNAT and action.first is not None
            for action in entry.actions
        )
        nat = scene.reader.by_id(Nat, entry.group.cause_id) if gives_source else None
        if nat is not None and (nat.type == "snat" or nat.external_port_range):
            yield nat.external_ip
