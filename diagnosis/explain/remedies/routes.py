"""Where routers send packets: routes, and policies that overrule them."""

from ipaddress import ip_network
from typing import Final

from diagnosis.explain import packets
from diagnosis.explain.lookups import next_hop
from diagnosis.explain.remedies.case import Case, Remedy
from northbound.models import LogicalRouter
from northbound.names import DEFAULT_PROJECT, qualified_name

_HIGHEST_OF_POLICIES: Final = 32767


def add_route(case: Case) -> Remedy | None:
    """Add a route to the one address, by the nearest router that leads there."""
    ends = packets.addresses(case.packet)
    if ends is None:
        return None
    destination = ends[1]
    router = _router(case)
    hop = next_hop(case.scene, case.obstacle.detail, destination)
    prefix = str(ip_network(destination))
    if hop is None:
        return Remedy(
            f"add a static route to {prefix} to logical router {router}: no router next to it "
            "leads there, so the address of the next hop is yours to say"
        )
    values = {"logical_router": router, "ip_prefix": prefix, "nexthop": str(hop)}
    text = f"add a static route to logical router {router}: {prefix} via {hop}"
    return Remedy(text, ({"action": "create", "kind": "static_route", "values": values},))


def _router(case: Case) -> str:
    """Return what refers to the router that has no route."""
    row = case.scene.reader.by_id(LogicalRouter, case.obstacle.detail)
    if row is None:
        return case.scene.datapath_name(case.obstacle.detail)
    return qualified_name(row.project, row.name, DEFAULT_PROJECT)


def undiscard(case: Case) -> Remedy | None:
    """Route the one address around the route that discards, or delete that."""
    route, cause = case.view(), case.obstacle.cause
    around = add_route(case)
    is_network = "/" in route["ip_prefix"] and not route["ip_prefix"].endswith(("/32", "/128"))
    if around is not None and around.operations and is_network:
        return around
    operation = {"action": "delete", "kind": "static_route", "ref": cause.id if cause else ""}
    return Remedy(f"delete {case.cause_text}", (operation,))


def unwatch(case: Case) -> Remedy:
    """Let the route hold whatever its session says: the neighbour is not ours to revive."""
    text = f"bring the next hop back, or let {case.cause_text} hold without its BFD session"
    return case.update(text, {"bfd": False})


def except_from_policy(case: Case) -> Remedy | None:
    """A policy that lets just these two addresses pass, before the one that drops."""
    policy, cause = case.view(), case.obstacle.cause
    ends = packets.addresses(case.packet)
    if ends is None or policy["priority"] >= _HIGHEST_OF_POLICIES:
        ref = cause.id if cause else ""
        operation = {"action": "delete", "kind": "router_policy", "ref": ref}
        return Remedy(f"delete {case.cause_text}", (operation,))
    family = f"ip{ends[0].version}"
    values = {
        "logical_router": policy["logical_router"],
        "chain": policy["chain"],
        "priority": policy["priority"] + 1,
        "match": f"{family}.src == {ends[0]} && {family}.dst == {ends[1]}",
        "action": "allow",
    }
    text = (
        f"add a policy of priority {values['priority']} to logical router "
        f"{policy['logical_router']} that allows {values['match']}"
    )
    return Remedy(text, ({"action": "create", "kind": "router_policy", "values": values},))
