"""What intent tells of switches and routers around an obstacle.

Only routers' ports and routes are looked through: there are few beside workloads.
"""

from collections.abc import Iterator
from ipaddress import ip_interface

from sqlalchemy import select

from diagnosis.explain.scene import Scene
from diagnosis.trace.addressing import hosts, reserved
from diagnosis.trace.causes import Cause
from diagnosis.trace.words import Address
from logical_flow.evaluate import Value
from northbound.models import LogicalRouter, LogicalRouterPort
from southbound.rows import PortBinding
from translator.names import port_name


def patch_to(scene: Scene, datapath: str, mac: Value) -> PortBinding | None:
    """The port of a switch that leads to the router port with a MAC address."""
    patches = (each for each in scene.snapshot.ports if each.joins_datapaths)
    return next(
        (
            port
            for port in patches
            if port.datapath == datapath and any(host.mac == mac for host in hosts(port))
        ),
        None,
    )


def closed_port(scene: Scene, port: PortBinding) -> Cause | None:
    """The router port, or its router, if that is disabled."""
    row = scene.reader.by_id(LogicalRouterPort, port.id)
    router = None if row is None else scene.reader.by_id(LogicalRouter, row.logical_router_id)
    if row is not None and router is not None and not router.enabled:
        return scene.causes.of("logical_router", router.id)
    if row is not None and not row.enabled:
        return scene.causes.of("logical_router_port", row.id)
    return None


def ports_of(scene: Scene, router: str) -> list[LogicalRouterPort]:
    query = select(LogicalRouterPort).where(LogicalRouterPort.logical_router_id == router)
    return list(scene.reader.session.scalars(query.order_by(LogicalRouterPort.name)))


def no_host(scene: Scene, router: str, address: Address) -> str | None:
    """What an address is in a router's networks that no host has: its own, or one for all."""
    for port in ports_of(scene, router):
        for interface in map(ip_interface, port.networks):
            if interface.ip == address:
                return f"the router's own address {address}"
            if address in reserved(interface.network):
                return f"{address}, which is kept for all of {interface.network}"
    return None


def is_in(address: Address, port: LogicalRouterPort) -> bool:
    """Whether an address is in one of the router port's networks."""
    return any(address in ip_interface(network).network for network in port.networks)


def next_hop(scene: Scene, router: str, destination: Address) -> Address | None:
    """The address of the neighbouring router from which the destination is to be reached.

    Routers are neighbours where their ports are peers or on one switch. The nearest
    router with a port in the destination's network is looked for.
    """
    first: dict[str, Address | None] = {router: None}
    waiting = [router]
    while waiting:
        here = waiting.pop(0)
        hop = first[here]
        if hop is not None and any(is_in(destination, port) for port in ports_of(scene, here)):
            return hop
        for port in ports_of(scene, here):
            for other in _neighbours(scene, port):
                address = _shared(port, other, destination.version)
                if other.logical_router_id not in first and address is not None:
                    first[other.logical_router_id] = hop or address
                    waiting.append(other.logical_router_id)
    return None


def _neighbours(scene: Scene, port: LogicalRouterPort) -> Iterator[LogicalRouterPort]:
    """The ports of other routers that a router port meets."""
    binding = scene.ports.get(port_name(port.project, port.name, port.id))
    names: list[str] = []
    if binding is not None and binding.peer:
        datapath = scene.snapshot.datapaths.get(binding.peer_datapath)
        if datapath is not None and datapath.kind == "lr":
            names = [binding.peer]
        else:
            names = [
                each.peer
                for each in scene.snapshot.ports
                if each.datapath == binding.peer_datapath and each.joins_datapaths and each.peer
            ]
    for name in names:
        found = scene.reader.find(LogicalRouterPort, name)
        if found is not None and found.id != port.id:
            yield found


def _shared(port: LogicalRouterPort, other: LogicalRouterPort, version: int) -> Address | None:
    """The address of `other` in a network of `port`."""
    for network in other.networks:
        address = ip_interface(network).ip
        if address.version == version and is_in(address, port):
            return address
    return None
