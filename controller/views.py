"""What packets can meet that enter some ports: the rows of all datapaths that lead from them.

It is collected on the loop that realised state belongs to, at one moment. With a proposed
change the rows are looked at through a layer with what the change makes of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import cast

from controller.answers import View
from southbound.chassis_status import ChassisStatus
from southbound.proposed import RealisedRows
from southbound.rows import (
    AnyRow,
    BackendCheck,
    BackendStatus,
    Chassis,
    ChassisVariable,
    PortBinding,
    SetMember,
    Template,
    VirtualAddress,
    datapath_scope,
    port_scope,
)

_SHARED = (
    *(Template, SetMember, Chassis, BackendCheck, BackendStatus),
    *(VirtualAddress, ChassisVariable),
)
"""What the whole network has in common. Checks of backends are in the scopes of datapaths, too."""


def ports_of(realised: RealisedRows, refs: Sequence[str]) -> list[PortBinding]:
    """Return the port bindings with these names, and those that have one of these addresses."""
    named = [
        row
        for ref in refs
        for row in realised.in_scope(port_scope(ref))
        if isinstance(row, PortBinding) and ref in row.iface_ids
    ]
    addresses = {address for ref in refs if (address := _address(ref))}
    if not addresses:
        return named
    ports = realised.rows(PortBinding).values()
    return named + [port for port in ports if not addresses.isdisjoint(_addresses(port))]


def view_of(
    realised: RealisedRows, refs: Sequence[str], statuses: Mapping[str, ChassisStatus]
) -> View:
    """Return what packets can meet that enter these ports, given by name or address."""
    datapaths = _rows_around(realised, ports_of(realised, refs))
    return View(realised.revision, datapaths, _shared_rows(realised), dict(statuses))


def _rows_around(realised: RealisedRows, ports: Iterable[PortBinding]) -> dict[str, list[AnyRow]]:
    """Return the rows of the datapaths of these ports, and of all that lead from there."""
    found: dict[str, list[AnyRow]] = {}
    waiting = [port.datapath for port in ports]
    while waiting:
        here = waiting.pop()
        if here in found:
            continue
        found[here] = [
            cast(AnyRow, row)
            for row in realised.in_scope(datapath_scope(here))
            if not isinstance(row, _SHARED)
        ]
        waiting += [
            row.peer_datapath
            for row in found[here]
            if isinstance(row, PortBinding) and row.peer_datapath
        ]
    return found


def _shared_rows(realised: RealisedRows) -> list[AnyRow]:
    """Return the rows that matter in any datapath."""
    return [cast(AnyRow, row) for kind in _SHARED for row in realised.rows(kind).values()]


def _addresses(port: PortBinding) -> Iterable[str]:
    return (part.partition("/")[0] for text in port.addresses for part in text.split())


def _address(text: str) -> str:
    """Return the address in canonical form; "" for what is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
