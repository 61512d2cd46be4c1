"""What is done beside routing: load is balanced, and what is too long is refused."""

from diagnosis.explain.lost_backends import advice
from diagnosis.explain.remedies.case import Case, Remedy
from northbound.models import LogicalRouterPort


def bring_backend_back(case: Case) -> Remedy | None:
    """Tell why no backend is in use; where that is by a health check, do without it."""
    cause = case.obstacle.cause
    if cause is None or cause.kind != "load_balancer_vip":
        return None
    name = f"&{cause.id}"
    view, down = case.view(), {**case.scene.snapshot.down.get(name, {}), **_lacking(case, name)}
    text = advice(cause.text, view["backends"], down)
    if not view["backends"] or view["health_check"] is None:
        return Remedy(text)
    # Whether a backend is to be had is for its owner to say; what keeps packets from it isn't.
    return case.update(
        f"{text}; or have it asked by clients, without health_check", {"health_check": None}
    )


def _lacking(case: Case, backends: str) -> dict[str, str]:
    """Return the backends that are none where the packet is, each with the variable to blame."""
    inport = case.packet.get("inport")
    places = {
        port.chassis
        for port in case.scene.ports.values()
        if port.chassis and inport in (port.name, port.distributed_port)
    }
    if len(places) != 1:
        return {}
    (chassis,) = places
    lacking = case.scene.snapshot.variables.lacking(chassis, backends)
    return {member: f"on {chassis}, {reason}" for member, reason in lacking.items()}


def send_less(case: Case) -> Remedy | None:
    """Have workloads send what the network beyond a router port carries, and no more."""
    name = case.packet.get("outport")
    port = case.scene.ports.get(name) if isinstance(name, str) else None
    row = None if port is None else case.scene.reader.by_id(LogicalRouterPort, port.id)
    if row is None or row.gateway_mtu is None:
        return None
    return Remedy(
        f"tell workloads an MTU of {row.gateway_mtu}, by DHCP and router advertisements; or, if "
        "the network beyond carries more, say so as gateway_mtu of logical router port "
        f"{row.name}"
    )
