"""Where logical ports are: here, on every chassis, behind a tunnel, or nowhere."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from chassis_agent.derivations.provider import outside_ports_of
from chassis_agent.gateways.election import in_charge
from chassis_agent.inputs import LocalPort, NarrowTunnel, SpokenFor, ThisChassis
from chassis_agent.physical import Tunnel
from incremental import Read
from southbound.encaps import Address, tunnel_addresses, way_to
from southbound.port_types import EXTERNAL, VIRTUAL, PlacedBy, PortKind, Transport
from southbound.rows import Chassis, Datapath, PortBinding

Where = Literal["here", "patch", "gateway", "redirect", "away", "nowhere"]
"""Of ports that are elected, `gateway` is one end of a link that is here, `redirect` what stands
for a gateway port of which this chassis is in charge."""


class Placement(NamedTuple):
    """A logical port as flows see it.

    `chassis` is set where it is `away`; `others` are further chassis that it is on as well.
    What comes from an external port comes to every chassis, the one that it is on serves it.
    With `has_link_here` some packets take the link that it is one end of on this chassis, though
    it is away: those of floating IPs that are translated here.
    """

    datapath: str
    port_key: int
    where: Where
    chassis: str
    multicast: tuple[str, ...]
    others: tuple[str, ...] = ()
    is_elected: bool = False
    has_link_here: bool = False
    is_resident: bool = False
    """Whether this chassis does for the port what one chassis does."""
    is_local: bool = False
    """Whether packets may enter or leave through the port on this chassis."""
    has_workload_here: bool = False
    """Whether behind it, here, is a workload that speaks with other chassis."""


def placement(read: Read, name: str) -> Placement | None:
    """Where a port is; a port that is bound here is here whatever its row says.

    A virtual port is where the port is that has its address.
    """
    row = read(PortBinding, name)
    if row is None:
        return None
    if row.kind is not VIRTUAL:
        return _placed(read, row)
    parent_name = virtual_parent(read, row)
    parent = read(PortBinding, parent_name) if parent_name else None
    if parent is None:
        return Placement(row.datapath, row.tunnel_key, "nowhere", "", ())
    return _placed(read, parent)._replace(port_key=row.tunnel_key, multicast=())


def _placed(read: Read, row: PortBinding) -> Placement:
    """Where a port is that has a place of its own."""
    if row.kind.placed_by is PlacedBy.ELECTED:
        return _elected(read, row)
    where: Where = "nowhere"
    if row.joins_datapaths:
        where = "patch"
    elif row.kind.transport is Transport.TUNNEL or is_an_interface(row.kind):
        if read(LocalPort, row.name) is not None:
            where = "here"
        elif row.chassis not in ("", _own_name(read)):
            where = "away"
    chassis = row.chassis if where == "away" else ""
    others: tuple[str, ...] = ()
    if row.additional_chassis:
        others = tuple(each for each in row.all_chassis if each not in (chassis, _own_name(read)))
    is_here = where in ("here", "patch")
    return Placement(
        row.datapath,
        row.tunnel_key,
        where,
        chassis,
        row.multicast,
        others,
        is_resident=is_here,
        is_local=is_here,
        has_workload_here=where == "here" and _speaks_with_others(row.kind),
    )


def _elected(read: Read, row: PortBinding) -> Placement:
    chassis = in_charge(read, row)
    where: Where = "nowhere"
    if chassis:
        where = _elected_here(row.kind) if chassis == _own_name(read) else "away"
    elsewhere = chassis if where == "away" else ""
    has_link = where == "away" and _has_link_here(read, row)
    is_resident = has_link or where not in ("away", "nowhere")
    return Placement(
        row.datapath,
        row.tunnel_key,
        where,
        elsewhere,
        row.multicast,
        is_elected=True,
        has_link_here=has_link,
        is_resident=is_resident,
        is_local=is_resident or row.kind is EXTERNAL,
        has_workload_here=where == "here" and _speaks_with_others(row.kind),
    )


def _speaks_with_others(kind: PortKind) -> bool:
    return kind.is_workload and not kind.stays_local


def _has_link_here(read: Read, row: PortBinding) -> bool:
    """Whether the other end of an elected link is on every chassis, and so is the way outside."""
    peer = read(PortBinding, row.peer) if row.joins_datapaths and row.peer else None
    is_everywhere = peer is not None and peer.kind.placed_by is PlacedBy.NONE_NEEDED
    return is_everywhere and bool(read.members(outside_ports_of, row.datapath))


def _elected_here(kind: PortKind) -> Where:
    if kind.leads_outside or kind.is_workload:
        return "here"
    return "gateway" if kind.joins_datapaths else "redirect"


def residents(name: str, place: Placement) -> Iterator[tuple[str, str]]:
    """Yield the elected ports that are here."""
    if place.is_elected and place.where not in ("away", "nowhere"):
        yield "", name


def virtual_parent(read: Read, row: PortBinding) -> str:
    """Return the name of the port that has the address of a virtual port; empty if none has."""
    spoken = read(SpokenFor, row.name)
    return row.virtual_parent if spoken is None else spoken.parent


def is_an_interface(kind: PortKind) -> bool:
    """Whether a port of the integration bridge stands for such a port, wherever there is one."""
    return kind.has_interface or kind.leads_outside


class Member(NamedTuple):
    """Who gets a copy of a multicast packet: a port of this host, or a chassis."""

    where: Where
    port_key: int
    chassis: str
    is_moving: bool = False
    """Whether it is on other chassis as well, which are members, too."""


def multicast_members(_name: str, place: Placement) -> Iterator[tuple[tuple[str, str], Member]]:
    """Members by datapath and group. All ports of a chassis are one member."""
    if place.where in ("nowhere", "redirect"):
        return
    key = 0 if place.where == "away" else place.port_key
    is_moving = place.where == "here" and bool(place.others)
    members = [Member(place.where, key, place.chassis, is_moving)]
    members += [Member("away", 0, chassis) for chassis in place.others]
    for group in place.multicast:
        for member in members:
            yield (place.datapath, group), member


def multicast_groups(_name: str, place: Placement) -> Iterator[tuple[str, str]]:
    """The groups that have a port, as pairs of datapath and name."""
    for group in place.multicast:
        yield place.datapath, group


def addresses(read: Read, chassis: str) -> tuple[Address, ...]:
    """Where the tunnel packets of another chassis may come from."""
    row = read(Chassis, chassis)
    return () if row is None or chassis == _own_name(read) else tunnel_addresses(row)


def tunnel(read: Read, chassis: str) -> Tunnel | None:
    """The way to another chassis, once it and our tunnel port are known."""
    this = read(ThisChassis, "")
    row = read(Chassis, chassis)
    if this is None or not this.tunnel_ofport or row is None or chassis == this.name:
        return None
    address = way_to(row, read(Chassis, this.name))
    narrow = read(NarrowTunnel, chassis)
    largest = 0 if narrow is None else narrow.size
    return None if address is None else Tunnel(this.tunnel_ofport, address, largest)


def datapath_key(read: Read, datapath: str) -> int | None:
    row = read(Datapath, datapath)
    return None if row is None else row.tunnel_key


def _own_name(read: Read) -> str:
    this = read(ThisChassis, "")
    return "" if this is None else this.name
