"""Objects that an import only copies, of the kinds whose declarations say from where.

Such a row is part of the router port that it names. OVN passes over one that names none;
one whose port is not imported is lost, and so is one of an address that no neighbour can have.
"""

import ipaddress
from collections.abc import Callable
from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import mac
from northbound.services.nexthops import why_no_host
from northbound.specs import SPECS
from northbound.specs.declaration import Declaration, OvnSource

SOURCES: Final = {
    spec.declaration.ovn.table: spec.declaration for spec in SPECS if spec.declaration.ovn
}
"""The kinds that are copied, by the tables of OVN."""

_READERS: Final[dict[str, Callable[[str], str | None]]] = {"mac": mac}
"""How OVN reads columns of these names, where it takes spellings that Treadle doesn't."""


def copied_columns(source: OvnSource) -> dict[str, None]:
    """The columns of OVN's table that are read."""
    return dict.fromkeys((source.owner, *source.columns))


def add_copies(draft: Draft, ports: dict[str, tuple[str, Values]]) -> None:
    """Add to the router `ports`, by their names in OVN, what rows say that name them."""
    known = {row.name for row in draft.snapshot.rows("Logical_Router_Port")}
    for table, declaration in SOURCES.items():
        taken: dict[tuple[object, ...], Row] = {}
        for row in draft.snapshot.rows(table):
            _add(draft, ports, known, taken, declaration, row)


def _add(
    draft: Draft,
    ports: dict[str, tuple[str, Values]],
    known: set[str],
    taken: dict[tuple[object, ...], Row],
    declaration: Declaration,
    row: Row,
) -> None:
    source = declaration.ovn
    assert source is not None  # noqa: S101 - SOURCES has no others
    port = row.text(source.owner)
    if port not in ports:
        reason = f"there is no router port {port!r}"
        if port in known:
            draft.report.lost(row, source.owner, f"not imported, as router port {port!r} is not")
        else:
            draft.report.noted(row, source.owner, f"not imported, and passed over by OVN: {reason}")
        return
    there = [column for column in source.columns if column in row.columns]
    values = {
        column: _as_ovn_reads(column, next(iter(row.values(column)), None)) for column in there
    }
    accepted = draft.accepted(row, declaration.properties, values)
    if accepted is None:
        return
    no_host = _why_no_neighbour(accepted["ip"], *ports[port]) if "ip" in accepted else None
    if no_host is not None:
        draft.report.lost(row, "ip", f"not imported: {accepted['ip']} {no_host}")
        return
    natural = (port, *(accepted.get(field) for field in declaration.natural_key[1:]))
    if natural in taken:
        reason = f"not imported: says of the same as {taken[natural].uuid}"
        draft.report.lost(row, declaration.natural_key[-1], reason)
        return
    taken[natural] = row
    ports[port][1].setdefault(declaration.collection, []).append(accepted)


def _as_ovn_reads(column: str, value: object) -> object:
    """Return a value in Treadle's spelling; as it stands where OVN reads none."""
    reader = _READERS.get(column)
    if reader is None or not isinstance(value, str):
        return value
    return reader(value) or value


def _why_no_neighbour(address: str, name: str, port: Values) -> str | None:
    """Return why no neighbour of a router port has an address; None if one may."""
    return why_no_host(ipaddress.ip_address(address), name, port["mac"], port["networks"])
