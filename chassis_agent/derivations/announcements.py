"""Which addresses this chassis announces to provider networks.

- Those of workloads that are here, on switches that lead outside from every chassis.
- Those of all workloads on a switch that leads outside from one chassis, where that is this one.
- Those of rows of :class:`~southbound.rows.Announcement`, where the port that they name is. Of a
  gateway port that is the chassis in charge.

What one chassis of several announces, it announces anew when it sees another of them again, which
may have done so meanwhile.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeAlias

from chassis_agent.derivations.placement import datapath_key, placement
from chassis_agent.derivations.provider import OutsidePort, outside_ports_of
from chassis_agent.gateways.sessions import TunnelSession
from chassis_agent.inputs import LocalPort
from incremental import Read
from southbound.port_types import Transport
from southbound.rows import Announcement, PortBinding

AnnouncedKey: TypeAlias = tuple[Any, Any]
"""A derivation of this module, and its key."""


class Announced(NamedTuple):
    """`addresses` are pairs of a MAC address and an IP address that is there, or b"" for none.

    They are told through the ports `outside` of the switch, and are a router's or not. `returns`
    is how often chassis that may announce them, too, have been seen again.
    """

    datapath_key: int
    outside: tuple[int, ...]
    addresses: tuple[tuple[bytes, bytes], ...]
    is_router: bool
    returns: int = 0


def announcing_switch(read: Read, key: str) -> str | None:
    """Return the switch on which an announced address is, where it is on this chassis."""
    row = read(Announcement, key)
    place = None if row is None else read(placement, row.port)
    if row is None or place is None or place.where not in ("here", "gateway", "redirect"):
        return None
    return row.datapath


def addresses_here(key: str, switch: str) -> Iterator[tuple[str, str]]:
    """Switch -> the announced addresses that are on this chassis."""
    yield switch, key


def announced_row(read: Read, key: str) -> Announced | None:
    """Return what there is to announce of a row, where its port is here."""
    row = read(Announcement, key)
    if row is None or read(announcing_switch, key) is None:
        return None
    if _is_blocked(read, row.port):
        return None
    pairs = [(_mac(row.mac), ip_address(ip).packed) for ip in row.addresses]
    outside = _ways_from_everywhere(read, row.datapath)
    returns = _returns_of_others(read, row.port)
    return _announced(read, row.datapath, outside, pairs, is_router=True, returns=returns)


def announced_workload(read: Read, name: str) -> Announced | None:
    """Return what there is to announce of a port that is plugged in here."""
    row = read(PortBinding, name)
    if row is None or not _is_announced(row) or _is_blocked(read, name):
        return None
    outside = _ways_from_everywhere(read, row.datapath)
    return _announced(read, row.datapath, outside, _pairs(row), is_router=False)


def announced_by_gateway(read: Read, workload: tuple[str, str]) -> Announced | None:
    """Return what there is to announce of a workload, wherever it is, on the one way outside."""
    datapath, name = workload
    row, way, place = read(PortBinding, name), read(way_in_charge, datapath), read(placement, name)
    if row is None or way is None or place is None or place.where not in ("here", "away"):
        return None
    returns = _returns_of_others(read, way.name)
    outside = (way.port_key,)
    return _announced(read, datapath, outside, _pairs(row), is_router=False, returns=returns)


def announced_workloads_of(name: str, row: PortBinding) -> Iterator[tuple[str, str]]:
    """Yield the workloads whose addresses are announced, by datapath."""
    if _is_announced(row):
        yield row.datapath, name


def elected_ways_of(name: str, row: PortBinding) -> Iterator[tuple[str, OutsidePort]]:
    """Yield the ports that lead outside on one chassis, by datapath."""
    if row.kind.leads_outside and not row.kind.is_native:
        yield row.datapath, OutsidePort(row.tunnel_key, name)


def way_in_charge(read: Read, datapath: str) -> OutsidePort | None:
    """Return the port by which a datapath leads outside on this chassis alone."""
    for way in sorted(read.members(elected_ways_of, datapath)):
        place = read(placement, way.name)
        if place is not None and place.where == "here" and read(LocalPort, way.name) is not None:
            return way
    return None


def _is_announced(row: PortBinding) -> bool:
    """Whether a port is of a workload that frames for its addresses have to find."""
    is_inside = row.kind.is_workload and row.kind.transport is Transport.TUNNEL
    return is_inside and row.enabled


def _pairs(row: PortBinding) -> list[tuple[bytes, bytes]]:
    """Return a workload's addresses as they are announced."""
    pairs: list[tuple[bytes, bytes]] = []
    for text in row.addresses:
        mac, *ips = text.split()
        if ":" in mac:
            pairs += [(_mac(mac), ip_address(ip).packed) for ip in ips] or [(_mac(mac), b"")]
    return pairs


def _ways_from_everywhere(read: Read, datapath: str) -> tuple[int, ...]:
    """Return the ports by which a datapath leads outside from here as from other chassis."""
    return tuple(
        port.port_key
        for port in sorted(read.members(outside_ports_of, datapath))
        if read(LocalPort, port.name) is not None
    )


def _returns_of_others(read: Read, port: str) -> int:
    """How often chassis that may have a port instead of this one have been seen again."""
    row = read(PortBinding, port)
    if row is None or len(row.electorate) <= 1:
        return 0
    sessions = (read(TunnelSession, chassis) for chassis in row.electorate)
    return sum(session.returns for session in sessions if session is not None)


def _announced(
    read: Read,
    datapath: str,
    outside: tuple[int, ...],
    pairs: Sequence[tuple[bytes, bytes]],
    *,
    is_router: bool,
    returns: int = 0,
) -> Announced | None:
    key = read(datapath_key, datapath)
    if key is None or not outside or not pairs:
        return None
    return Announced(key, outside, tuple(pairs), is_router, returns)


def _is_blocked(read: Read, name: str) -> bool:
    """Whether a port is here whose workload has not come yet."""
    local = read(LocalPort, name)
    return local is not None and local.blocked


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
