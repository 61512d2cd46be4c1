"""Which chassis a gateway could be on: of a router that has none, and of one that lost them all."""

from dataclasses import replace
from typing import Any

from diagnosis.explain.gateways import bridge_on, chassis_leading_to
from diagnosis.explain.nat import gateway_for, source_nat_for
from diagnosis.explain.remedies.case import Case, Remedy

_COMMANDS = ("treadle show chassis", "treadle show ha-chassis-groups")


def give_gateway(case: Case) -> Remedy | None:
    """Make the router port around the external address a gateway port.

    Where the router has a gateway and no NAT for an address, that is what it is given.
    """
    cause = case.obstacle.cause
    if cause and cause.kind == "logical_router":
        if not case.obstacle.detail:
            # It dropped what its NATs are for: another one would not help.
            return None
        nat = source_nat_for(case.scene, *case.obstacle.detail.split())
        operation = nat and {"action": "create", "kind": "nat", "values": nat.values}
        return Remedy(nat.text, (operation,)) if nat and operation else None
    gateway = gateway_for(case.scene, cause.id) if cause and cause.kind == "nat" else None
    if gateway is None:
        return None
    kind, ref, values = "logical_router_port", gateway.ref, gateway.values
    operation = {"action": "update", "kind": kind, "ref": ref, "values": values}
    return Remedy(gateway.text, (operation,), assumes=gateway.assumes)


def put_in_charge(case: Case) -> Remedy | None:
    """Name a chassis that is alive, where there is one; else have one of those named come back."""
    cause = case.obstacle.cause
    if cause is None:
        return None
    view = case.view()
    field = {"logical_router": "chassis", "ha_chassis_group": "chassis"}.get(
        cause.kind, "gateway_chassis"
    )
    named = [view[field]] if isinstance(view[field], str) else [e["chassis"] for e in view[field]]
    revive = f"start the agent of {' or '.join(named)}"
    others = chassis_leading_to(case.scene, case.obstacle.detail)
    found = next((name for name in others if name not in named), None)
    if found is None:
        text = f"{revive}, or add a chassis that is there, which {cause.text} may name"
        return Remedy(text, commands=_COMMANDS)
    if cause.kind == "logical_router":
        change = case.update(f"put {cause.text} on chassis {found}, or {revive}", {field: found})
    else:
        text = f"add chassis {found} to those of {cause.text}, or {revive}"
        change = case.update(text, {field: [*view[field], _last(view[field], found)]})
    return replace(change, assumes=bridge_on(case.scene, found, case.obstacle.detail))


def _last(ranks: list[dict[str, Any]], chassis: str) -> dict[str, Any]:
    """Return the entry of a chassis that comes after all others, as far as there is room."""
    lowest = min((entry["priority"] for entry in ranks), default=1)
    return {"chassis": chassis, "priority": max(lowest - 1, 0)}
