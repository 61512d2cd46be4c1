"""Backends that are to be checked: rows for the agents that do it, and flows for the answers.

The agent that has a backend's port asks it. What the backend answers is taken off before ACLs see
it, and on that chassis alone: TCP or UDP from the port that is checked, and ICMP errors, if they
are for the address that the question came from.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from incremental import Read
from logical_flow.backends import Backend, parse_backend
from logical_flow.template import LogicalFlow
from southbound.rows import BackendCheck, VirtualAddress
from translator.addresses import ip_bytes, ip_text, mac_text
from translator.derivations.result import Flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.load_balancing.inputs import (
    HealthCheck,
    LoadBalancer,
    LoadBalancerBackend,
    LoadBalancerVip,
)
from translator.features.load_balancing.relations import address_text, backends_set
from translator.features.load_balancing.stages import LsInBackendAnswer
from translator.features.virtual_ports.relations import workload_ports_named
from translator.inputs import LogicalSwitchPort

PROBER_MAC = bytes.fromhex("0a54726c6462")
"""Where the address is that backends are asked from, if no port has it. It travels nowhere."""


class Checked(NamedTuple):
    """How the backends of a virtual address are checked, and whose they are."""

    balancer: str
    protocol: str
    how: HealthCheck


Host = tuple[str, str]
"""A switch, and the name of a port on it."""
Asked = tuple[str, str, str]
"""Backend, protocol and set of what a port is asked."""


def virtual_address(read: Read, vip: str) -> VirtualAddress | None:
    """What agents have to know of a virtual address beside its flows."""
    row = read(LoadBalancerVip, vip)
    balancer = None if row is None else read(LoadBalancer, row.load_balancer)
    if row is None or balancer is None:
        return None
    has_port = row.port is not None or row.port_variable is not None
    return VirtualAddress(
        set=backends_set(vip),
        address=address_text(row.address),
        port=row.port or 0,
        protocol=balancer.protocol if has_port else "",
        ends_connections=balancer.end_connections,
        port_variable=row.port_variable or "",
        family=balancer.family if isinstance(row.address, str) else 0,
    )


def checked(read: Read, vip: str) -> Checked | None:
    """How a virtual address is checked, without its backends, which come and go."""
    row = read(LoadBalancerVip, vip)
    balancer = None if row is None else read(LoadBalancer, row.load_balancer)
    if row is None or balancer is None or row.health_check is None:
        return None
    return Checked(balancer.id, balancer.protocol, row.health_check)


def checked_members(vip: str, row: LoadBalancerVip) -> Iterator[tuple[str, str]]:
    """Virtual address -> its backends, if they are to be checked."""
    if row.health_check is not None:
        for member in row.backends:
            yield vip, member


def places_of_backends(
    backend: str, row: LoadBalancerBackend
) -> Iterator[tuple[tuple[str, bytes], str]]:
    """Load balancer and address -> where that is."""
    yield (row.load_balancer, row.address), backend


def backend_check(read: Read, pair: tuple[str, str]) -> BackendCheck | None:
    """The check of a backend of a virtual address; none of one of which no place is known."""
    vip, member = pair
    check, backend = read(checked, vip), parse_backend(member)
    place = None if check is None else _place(read, check.balancer, backend)
    if check is None or place is None:
        return None
    port = _port(read, place)
    return BackendCheck(
        set=backends_set(vip),
        member=member,
        protocol=check.protocol,
        datapath="" if port is None else port.switch,
        port="" if port is None else port.name,
        mac="" if port is None else _mac(port, backend.address.packed),
        source=ip_text(place.source_ip),
        **check.how._asdict(),
    )


def asked_hosts(_pair: tuple[str, str], row: BackendCheck) -> Iterator[tuple[Host, str]]:
    """Port -> the addresses that it is asked from."""
    if row.port:
        yield (row.datapath, row.port), row.source


def asked_backends(
    _pair: tuple[str, str], row: BackendCheck
) -> Iterator[tuple[tuple[Host, str], Asked]]:
    """Port and address that it is asked from -> all that it is asked from there."""
    if row.port:
        yield ((row.datapath, row.port), row.source), (row.member, row.protocol, row.set)


def answer_flows(read: Read, pair: tuple[Host, str]) -> Flows | None:
    """The flows for what a port answers to one address that it is asked from.

    They are the same for all virtual addresses with a backend there, and count as the first one's.
    """
    (switch, port), source = pair
    asked = read.members(asked_backends, pair)
    if not asked:
        return None
    cause = min(name for _, _, name in asked).removeprefix("&")
    flows = sorted(_flows(port, ip_bytes(source), asked), key=str)
    return Flows(switch, "load_balancer_vip", cause, tuple(flows))


def _flows(port: str, source: bytes, asked: Iterable[Asked]) -> Iterator[LogicalFlow]:
    family = 4 if len(source) == 4 else 6
    yield getattr(LsInArpRsp, f"prober{family}")(port=port, ip=source, mac=PROBER_MAC)
    backends = {(parse_backend(member), protocol) for member, protocol, _ in asked}
    for address in {backend.address.packed for backend, _ in backends}:
        error = getattr(LsInBackendAnswer, f"error{family}")
        yield error(port=port, ip=address, source=source)
    for backend, protocol in backends:
        answer = getattr(LsInBackendAnswer, f"{protocol}{family}")
        address = backend.address.packed
        yield answer(port=port, ip=address, source=source, number=backend.port)


def _place(read: Read, balancer: str, backend: Backend) -> LoadBalancerBackend | None:
    ids = read.members(places_of_backends, (balancer, backend.address.packed))
    return read(LoadBalancerBackend, min(ids)) if ids else None


def _port(read: Read, place: LoadBalancerBackend) -> LogicalSwitchPort | None:
    ids = read.members(workload_ports_named, place.logical_port)
    return read(LogicalSwitchPort, min(ids)) if ids else None


def _mac(port: LogicalSwitchPort, address: bytes) -> str:
    """The MAC address of a backend: that which goes with its address, or the port's first."""
    theirs = [host.mac for host in port.hosts if address in (*host.ip4, *host.ip6)]
    every = [*theirs, *(host.mac for host in port.hosts)]
    return mac_text(every[0]) if every else ""
