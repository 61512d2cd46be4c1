"""What NATs make of a question: addresses that lead nowhere, and ports that may be used up.

An external address leads nowhere where its router has no gateway, and translates nothing. Where
many share one, each connection needs a port of its own; which are taken only switches know.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from sqlalchemy import select

from diagnosis.explain.checks import Obstacle, ObstacleKind
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
    for nat in scene.reader.session.scalars(query):
        router = scene.reader.by_id(LogicalRouter, nat.logical_router_id)
        if router is None or not router.enabled or router.chassis:
            continue
        if any(map(_is_gateway, ports_of(scene, router.id))):
            continue
        cause = scene.causes.of("nat", nat.id)
        owner = scene.causes.of("logical_router", router.id)
        text = (
            f"{scene.authored(cause)}, translates nothing: {owner.text} has no gateway, neither a "
            f"chassis of its own nor a gateway port"
        )
        return Obstacle(ObstacleKind.NAT, text, cause, detail=str(address))
    return None


def _is_gateway(port: LogicalRouterPort) -> bool:
    return bool(port.gateway_chassis or port.ha_chassis_group_id)


class Gateway(NamedTuple):
    """A router port that may become a gateway port, what refers to it, and on which chassis."""

    text: str
    ref: str
    values: dict[str, Any]


def gateway_for(scene: Scene, nat_id: str) -> Gateway | None:
    """Return what gives a NAT its gateway: the port around its address, on a live chassis."""
    nat = scene.reader.by_id(Nat, nat_id)
    chassis = sorted(name for name, row in scene.hosting.chassis.items() if row.alive)
    port = None if nat is None else next(_around(scene, nat), None)
    if port is None or not chassis:
        return None
    ref = qualified_name(port.project, port.name, DEFAULT_PROJECT)
    values = {"gateway_chassis": [{"chassis": chassis[0], "priority": 1}]}
    text = f"make logical router port {ref} a gateway port on chassis {chassis[0]}"
    return Gateway(f"{text}, or on another that leads outside", ref, values)


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
