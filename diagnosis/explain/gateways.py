"""Gateways of which no chassis is in charge: by which object, and which chassis could be.

What passes a gateway port, or a router on one chassis, needs that chassis. Which ones may be in
charge is said by the router port, by its HA chassis group, or by the router.
"""

from collections.abc import Iterator
from dataclasses import replace

from diagnosis.answers import Assumption, AssumptionKind
from diagnosis.explain.checks import Check, Obstacle
from diagnosis.explain.lookups import ports_of
from diagnosis.explain.scene import Scene
from diagnosis.trace.causes import Cause
from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.walk_events import Walk
from northbound.models import LogicalRouter, LogicalRouterPort, Nat
from southbound.conditions import lacking_bridge
from southbound.rows import PortBinding


def without_chassis(scene: Scene, check: Check, obstacle: Obstacle) -> Obstacle:
    """Return an obstacle that no chassis is in charge of a gateway with the objects behind it.

    These are what names the chassis, and the NAT that translates there, if there is one.
    """
    journey = check.journey
    carriers = scene.hosting.carriers
    gateway = None if journey is None else next(carriers.uncharged(journey, scene.ports), None)
    row = None if gateway is None else _router_port(scene, gateway)
    cause = None if row is None else _naming(scene, row)
    if gateway is None or row is None or cause is None or check.walk is None:
        return obstacle
    where = scene.authored(cause)
    if cause.kind == "ha_chassis_group":
        where = f"{scene.causes.of('logical_router_port', row.id).text}, by {where}"
    nat = _translating(scene, check.walk, row.logical_router_id)
    there = "" if nat is None else f"{nat.text} translates, and "
    which = "where" if there else "of which"
    lost = "lost" if obstacle.certain else "perhaps lost"
    text = f"{lost} at {where}, {which} {there}no chassis is in charge: "
    why = carriers.why_uncharged(gateway)
    return replace(obstacle, text=text + why, cause=cause, detail=network_of(scene, row))


def chassis_leading_to(scene: Scene, network: str) -> list[str]:
    """Return the chassis that are alive, but for those that are known to lack a bridge there.

    `network` is a provider network, or empty for a gateway that leads to none.
    """
    carriers = scene.hosting.carriers
    found = []
    for name, row in sorted(carriers.chassis.items()):
        status = carriers.statuses.get(name)
        lacks = status is not None and network and lacking_bridge(status.conditions, network)
        if row.alive and not lacks:
            found.append(name)
    return found


def bridge_on(scene: Scene, chassis: str, network: str) -> tuple[Assumption, ...]:
    """Return the assumption that a chassis has a bridge to a network: it says only what it misses.

    None where it is on that network already, or the gateway leads to none.
    """
    switches = {each.datapath for each in scene.snapshot.ports if each.network == network}
    here = {each.datapath for each in scene.snapshot.ports if each.chassis == chassis}
    if not network or switches & here:
        return ()
    text = f"chassis {chassis} has a bridge to the provider network {network}"
    return (Assumption(AssumptionKind.HYPERVISOR, text),)


def network_of(scene: Scene, row: LogicalRouterPort) -> str:
    """Return the provider network that the switch of a router port leads to; empty without one."""
    port = _binding(scene, row)
    if port is None:
        return ""
    ways = (each for each in scene.snapshot.ports if each.datapath == port.peer_datapath)
    return next((each.network for each in ways if each.kind.leads_outside), "")


def is_gateway(port: LogicalRouterPort) -> bool:
    """Whether a router port is a gateway port."""
    return bool(port.gateway_chassis or port.ha_chassis_group_id)


def _router_port(scene: Scene, gateway: PortBinding) -> LogicalRouterPort | None:
    """Return the router port that a binding is, stands for, or leads to."""
    for name in (gateway.distributed_port, gateway.name, gateway.peer):
        port = scene.ports.get(name)
        row = None if port is None else scene.reader.by_id(LogicalRouterPort, port.id)
        if row is not None:
            return row
    return None


def _naming(scene: Scene, row: LogicalRouterPort) -> Cause | None:
    """Return the object that names the chassis of a router port.

    That may be the gateway port at the other end of a link, or the one that the port resides with.
    """
    router = scene.reader.by_id(LogicalRouter, row.logical_router_id)
    if router is not None and router.chassis:
        return scene.causes.of("logical_router", router.id)
    for port in _beside(scene, row):
        if port.ha_chassis_group_id:
            return scene.causes.of("ha_chassis_group", port.ha_chassis_group_id)
        if port.gateway_chassis:
            return scene.causes.of("logical_router_port", port.id)
    return None


def _beside(scene: Scene, row: LogicalRouterPort) -> Iterator[LogicalRouterPort]:
    """Yield a router port, the one at the other end of its link, and those of its router."""
    yield row
    binding = _binding(scene, row)
    other = None if binding is None else scene.ports.get(binding.peer)
    peer = None if other is None else scene.reader.by_id(LogicalRouterPort, other.id)
    if peer is not None:
        yield peer
    if row.reside_on_redirect_chassis:
        yield from ports_of(scene, row.logical_router_id)


def _binding(scene: Scene, row: LogicalRouterPort) -> PortBinding | None:
    return next((each for each in scene.snapshot.ports if each.id == row.id), None)


def _translating(scene: Scene, walk: Walk, router: str) -> Cause | None:
    """Return the NAT of a router that a packet met."""
    for visit in walk.visits:
        entry = visit.entry
        if isinstance(entry, StoredEntry) and entry.group.cause_kind == Nat.__tablename__:
            nat = scene.reader.by_id(Nat, entry.group.cause_id)
            if nat is not None and nat.logical_router_id == router:
                return scene.causes.of("nat", nat.id)
    return None
