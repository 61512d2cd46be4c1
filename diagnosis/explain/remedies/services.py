"""What is done beside routing: load is balanced, hosts are told, what is too long is refused."""

from ipaddress import ip_network
from typing import Final

from sqlalchemy import select

from diagnosis.answers import Assumption, AssumptionKind
from diagnosis.explain.dhcp import fitting_options
from diagnosis.explain.lost_backends import advice, revival
from diagnosis.explain.remedies.case import Case, Remedy
from diagnosis.trace.addressing import hosts
from diagnosis.trace.causes import Cause
from logical_flow.backends import parse_backend
from northbound.models import LoadBalancerVip, LogicalRouterPort

_SLAAC: Final = 64
"""The length of prefixes of which hosts make addresses."""


def bring_backend_back(case: Case) -> Remedy | None:
    """Bring back a backend that its check has found down, or have one that answers elsewhere.

    Where there is neither, tell what there is.
    """
    cause = case.obstacle.cause
    if cause is None or cause.kind != "load_balancer_vip":
        return None
    name = f"&{cause.id}"
    backends = case.view()["backends"]
    down = case.scene.snapshot.backends.down.get(name, {})
    if not backends:
        return _have_one_that_answers(case, cause) or Remedy(advice(cause.text, [], {}))
    if not down:
        return Remedy(advice(cause.text, backends, _lacking(case, name)))
    chosen = min(down, key=lambda member: not _is_plugged(case, member))
    answers = f"{chosen} answers those that check it, once it is back"
    return Remedy(
        revival(cause.text, chosen, down),
        revives=((name, chosen),),
        assumes=(Assumption(AssumptionKind.HYPERVISOR, answers),),
    )


def _have_one_that_answers(case: Case, vip: Cause) -> Remedy | None:
    """Take a backend that answers for another virtual address of the same load balancer."""
    row = case.scene.reader.by_id(LoadBalancerVip, vip.id)
    if row is None or row.port is None:
        return None
    others = select(LoadBalancerVip).where(
        LoadBalancerVip.load_balancer_id == row.load_balancer_id, LoadBalancerVip.id != row.id
    )
    for other in case.scene.reader.session.scalars(others.order_by(LoadBalancerVip.id)):
        for member in case.scene.snapshot.backends.up.get(f"&{other.id}", ()):
            if (":" in other.address) is (":" in row.address):
                known = case.scene.causes.of("load_balancer_vip", other.id)
                text = f"give {vip.text} the backend {member}, which answers for {known.text}"
                return case.update(text, {"backends": [member]})
    return None


def _is_plugged(case: Case, member: str) -> bool:
    """Whether the workload that has a backend's address is on a chassis."""
    address = parse_backend(member).address
    return any(
        address in host.addresses
        for port in case.scene.snapshot.ports
        if port.kind.is_workload and port.up
        for host in hosts(port)
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


def advertise(case: Case) -> Remedy | None:
    """Have the router port tell hosts how they get addresses: as they do it there already."""
    cause, network = case.obstacle.cause, case.obstacle.detail
    if cause is None or cause.kind != "logical_router_port" or not network:
        return None
    port = case.scene.ports.get(str(case.packet.get("inport")))
    has_server = port is not None and bool(fitting_options(case.scene, port, 6))
    if not has_server and ip_network(network).prefixlen != _SLAAC:
        return None
    mode = "dhcpv6_stateful" if has_server else "slaac"
    text = f"have {cause.text} advertise itself (ipv6_ra), with address_mode {mode}"
    return case.update(text, {"ipv6_ra": {"address_mode": mode}})
