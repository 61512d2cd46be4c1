"""Which addresses this chassis announces to provider networks.

Those of workloads that are here, on switches that lead outside from here; and those of rows of
:class:`~southbound.rows.Announcement`, where the port that they name is. Of a gateway port that
is the chassis in charge.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeAlias

from chassis_agent.derivations.placement import datapath_key, placement
from chassis_agent.derivations.provider import outside_ports_of
from chassis_agent.inputs import LocalPort
from incremental import Read
from southbound.rows import Announcement, PortBinding

AnnouncedKey: TypeAlias = tuple[Any, str]
"""A derivation of this module, and its key."""


class Announced(NamedTuple):
    """`addresses` are pairs of a MAC address and an IP address that is there, or b"" for none.

    They are told through the ports `outside` of the switch, and are a router's or not.
    """

    datapath_key: int
    outside: tuple[int, ...]
    addresses: tuple[tuple[bytes, bytes], ...]
    is_router: bool


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
    pairs = tuple((_mac(row.mac), ip_address(ip).packed) for ip in row.addresses)
    return _announced(read, row.datapath, pairs, is_router=True)


def announced_workload(read: Read, name: str) -> Announced | None:
    """Return what there is to announce of a port that is plugged in here."""
    row = read(PortBinding, name)
    if row is None or not row.kind.is_workload or row.kind.stays_local or not row.enabled:
        return None
    if not read.members(outside_ports_of, row.datapath) or _is_blocked(read, name):
        return None
    pairs: list[tuple[bytes, bytes]] = []
    for text in row.addresses:
        mac, *ips = text.split()
        if ":" in mac:
            pairs += [(_mac(mac), ip_address(ip).packed) for ip in ips] or [(_mac(mac), b"")]
    return _announced(read, row.datapath, tuple(pairs), is_router=False)


def _announced(
    read: Read, datapath: str, pairs: tuple[tuple[bytes, bytes], ...], *, is_router: bool
) -> Announced | None:
    if not pairs:
        return None
    key = read(datapath_key, datapath)
    outside = tuple(
        port.port_key
        for port in sorted(read.members(outside_ports_of, datapath))
        if read(LocalPort, port.name) is not None
    )
    return None if key is None or not outside else Announced(key, outside, pairs, is_router)


def _is_blocked(read: Read, name: str) -> bool:
    """Whether a port is here whose workload has not come yet."""
    local = read(LocalPort, name)
    return local is not None and local.blocked


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
