"""Finds ports that may have an address on a switch, though they aren't declared to have it.

Declared are a port's ``addresses``. Besides, an address may be where

* the port is that one parent of a virtual port which spoke for it last, or one of those that might,
* a router has learned it, from who answered for it,
* ``port_security`` of a port allows it, as of the ports that share one by VRRP,
* a port takes ``unknown`` addresses: workloads behind it may have any,
* a port leads outside of the overlay: hosts there may have any.

A port that no port security holds to its addresses may use any other, too; of that there is
no sign at all, so it is told apart: :func:`unheld`.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from ipaddress import ip_interface
from typing import NamedTuple

from sqlalchemy import String, cast, func, or_, select

from diagnosis.trace.addressing import hosts, made_up_host
from diagnosis.trace.network import Snapshot
from diagnosis.trace.words import Address
from northbound.models import LogicalSwitchPort
from northbound.transaction import Reader
from southbound.port_types import VIRTUAL
from southbound.rows import PortBinding
from translator.port_types import TYPES_OF_WORKLOADS

_MOST = 1000
"""How many ports with networks in their port security are looked through."""


class Evidence(IntEnum):
    """What speaks for a claim, the strongest first."""

    SPOKEN = 0
    LEARNED = 1
    PORT_SECURITY = 2
    PARENT = 3
    OUTSIDE = 4
    TAKES_UNKNOWN = 5

    @property
    def is_open(self) -> bool:
        """Whether nothing tells that it is in use there, though it might be."""
        return self in (Evidence.PARENT, Evidence.OUTSIDE, Evidence.TAKES_UNKNOWN)


class Claim(NamedTuple):
    """A port behind which a workload may have an address, with that MAC address."""

    evidence: Evidence
    port: PortBinding
    mac: int
    by: str = ""
    """The router port that has learned it, or the virtual port that it is the address of."""

    @property
    def text(self) -> str:
        """Why it may be there."""
        match self.evidence:
            case Evidence.SPOKEN:
                return f"{self.port.name}, which spoke last for virtual port {self.by}"
            case Evidence.PARENT:
                parent = f"{self.port.name}, a parent of virtual port {self.by}"
                return f"{parent}, for which none has spoken"
            case Evidence.LEARNED:
                where = f"where router port {self.by} found it"
                if self.port.kind.leads_outside:
                    return f"{beyond(self.port)}, {where}"
                return f"{self.port.name}, {where}"
            case Evidence.PORT_SECURITY:
                return f"{self.port.name}, whose port security allows it"
            case Evidence.OUTSIDE:
                return beyond(self.port)
            case Evidence.TAKES_UNKNOWN:
                return f"{self.port.name}, which takes unknown addresses"


def beyond(port: PortBinding) -> str:
    """Return in words where packets go that leave through a port that leads outside."""
    return f"{port.name}, which leads to the provider network {port.network}"


def claims(reader: Reader, snapshot: Snapshot, datapath: str, address: Address) -> list[Claim]:
    """All claims to `address` on a switch; `reader` has the intent that the snapshot realises."""
    ports = {port.name: port for port in snapshot.ports if port.datapath == datapath}
    spoken = list(_of_virtual_port(ports, address))
    if any(claim.evidence is Evidence.SPOKEN for claim in spoken):
        return spoken
    found = [
        *spoken,
        *_learned(snapshot, ports, datapath, address),
        *_allowed(reader, ports, datapath, address),
        *_outside(ports.values(), address),
        *_open(ports, address),
    ]
    first: dict[str, Claim] = {}
    for claim in sorted(found, key=lambda claim: (claim.evidence, claim.port.name)):
        first.setdefault(claim.port.name, claim)
    return list(first.values())


class Unheld(NamedTuple):
    """Ports of a switch that no port security holds to their addresses: some, and how many."""

    names: list[str]
    total: int

    @property
    def text(self) -> str:
        more = self.total - len(self.names)
        return ", ".join(self.names) + (f" and {more} more" if more else "")


def unheld(reader: Reader, datapath: str, but: str) -> Unheld:
    """The ports of workloads, other than the one with that id, that may use any address."""
    security = cast(LogicalSwitchPort.port_security, String)
    which = (
        LogicalSwitchPort.logical_switch_id == datapath,
        LogicalSwitchPort.type.in_(TYPES_OF_WORKLOADS),
        LogicalSwitchPort.enabled,
        LogicalSwitchPort.id != but,
        security.not_like("% %"),
    )
    name = LogicalSwitchPort.name
    names = reader.session.scalars(select(name).where(*which).order_by(name).limit(3))
    count = reader.session.scalar(select(func.count()).where(*which))
    return Unheld(list(names), count or 0)


def _of_virtual_port(ports: Mapping[str, PortBinding], address: Address) -> Iterator[Claim]:
    """Yield the parent of a virtual port that spoke for its address, or else all that might.

    It has a MAC address of the virtual port, if that has one, and else its own.
    """
    for virtual in ports.values():
        if virtual.kind is not VIRTUAL or virtual.virtual_ip != str(address):
            continue
        said = virtual.virtual_parent
        for name in (said,) if said in ports else virtual.virtual_parents:
            parent = ports.get(name)
            own = [] if parent is None else [*hosts(virtual), *hosts(parent)]
            if parent is not None and parent.enabled and own:
                evidence = Evidence.SPOKEN if name == said else Evidence.PARENT
                yield Claim(evidence, parent, own[0].mac, virtual.name)


def _learned(
    snapshot: Snapshot, ports: Mapping[str, PortBinding], datapath: str, address: Address
) -> Iterator[Claim]:
    for port in ports.values():
        mac = snapshot.neighbours.get((port.peer, str(address))) if port.peer else None
        if mac is None:
            continue
        number = int(mac.replace(":", ""), 16)
        holder = ports.get(snapshot.learned.get((datapath, mac), "")) or next(
            (each for each in ports.values() if any(host.mac == number for host in hosts(each))),
            _way_outside(ports.values()),
        )
        if holder is None or not holder.enabled:
            continue
        if holder.kind.is_workload or holder.kind.leads_outside:
            yield Claim(Evidence.LEARNED, holder, number, port.peer)


def _allowed(
    reader: Reader, ports: Mapping[str, PortBinding], datapath: str, address: Address
) -> Iterator[Claim]:
    by_id = {port.id: port for port in ports.values()}
    security = cast(LogicalSwitchPort.port_security, String)
    query = (
        select(LogicalSwitchPort.id, LogicalSwitchPort.port_security)
        .where(
            LogicalSwitchPort.logical_switch_id == datapath,
            LogicalSwitchPort.type.in_(TYPES_OF_WORKLOADS),
            LogicalSwitchPort.enabled,
            or_(security.contains(str(address), autoescape=True), security.contains("/")),
        )
        .order_by(LogicalSwitchPort.name)
        .limit(_MOST)
    )
    for port_id, elements in reader.session.execute(query):
        port = by_id.get(port_id)
        for element in elements if port is not None else ():
            mac, *allowed = element.split()
            if port is not None and any(_is_allowed(address, each) for each in allowed):
                yield Claim(Evidence.PORT_SECURITY, port, int(mac.replace(":", ""), 16))


def _is_allowed(address: Address, element: str) -> bool:
    """Whether an element of port security is the address, or a network that it is in."""
    interface = ip_interface(element)
    if interface.ip != interface.network.network_address:
        return interface.ip == address
    return address in interface.network


def _way_outside(ports: Iterable[PortBinding]) -> PortBinding | None:
    """Return the port of a switch by which packets leave the overlay, if it has one."""
    found = [port for port in ports if port.kind.leads_outside and port.enabled]
    return min(found, key=lambda port: port.tunnel_key, default=None)


def _outside(ports: Iterable[PortBinding], address: Address) -> Iterator[Claim]:
    port = _way_outside(ports)
    if port is not None:
        yield Claim(Evidence.OUTSIDE, port, made_up_host(port, address).mac)


def _open(ports: Mapping[str, PortBinding], address: Address) -> Iterator[Claim]:
    for port in ports.values():
        if "unknown" in port.addresses and port.enabled and port.kind.is_workload:
            own = hosts(port)
            mac = own[0].mac if own else made_up_host(port, address).mac
            yield Claim(Evidence.TAKES_UNKNOWN, port, mac)
