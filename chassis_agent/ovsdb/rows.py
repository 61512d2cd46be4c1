"""Rows that the Open vSwitch database should have, and what is not as it should be. Pure.

A :class:`WantedRow` names a row and states of it what its owner cares for: whole columns, single
keys of columns that others write to as well, and the row to whose set it belongs. What it
doesn't state is left alone.

Bridges, ports, interfaces and mirrors have names of their own. Queues and QoS have none, so
theirs is kept in ``external_ids:treadle-id``. Rows that come and go with intent are marked
with ``external_ids:treadle-owner``: a marked row that is not wanted any more is *stale*.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from chassis_agent.ovsdb.view import IDENTITY, InstalledRow, RowKey, SwitchView

OWNER: Final = "treadle-owner"
_NAMELESS: Final = frozenset({"QoS", "Queue"})
_REMOVAL_ORDER: Final = ("Mirror", "Port", "Interface", "QoS", "Queue")


class Ref(NamedTuple):
    """A row that a column refers to, by table and name."""

    table: str
    name: str


Atom: TypeAlias = str | int | bool | Ref


class Parent(NamedTuple):
    """The row in whose set a row has to be: the database forgets it otherwise."""

    row: Ref
    column: str


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A row as its owner wants it; :func:`wanted_row` makes one."""

    table: str
    name: str
    part: str
    columns: tuple[tuple[str, tuple[Atom, ...]], ...]
    maps: tuple[tuple[str, tuple[tuple[str | int, Atom], ...]], ...]
    keys: tuple[tuple[str, str, str], ...]
    parent: Parent | None
    is_made: bool

    @property
    def row(self) -> RowKey:
        return self.table, self.name

    @property
    def key(self) -> tuple[str, str, str]:
        return self.table, self.name, self.part


def wanted_row(
    table: str,
    name: str,
    *,
    part: str = "",
    columns: Mapping[str, Sequence[Atom]] | None = None,
    maps: Mapping[str, Mapping[str, Atom] | Mapping[int, Atom]] | None = None,
    keys: Mapping[str, Mapping[str, str]] | None = None,
    parent: Parent | None = None,
    owner: str | None = None,
    is_made: bool = True,
) -> WantedRow:
    """State what is wanted of a row.

    `columns` are sets of values, a single one for most columns and none for an optional one
    that is to be empty; `maps` are map columns as a whole, `keys` single keys of such. `owner`
    marks the row as one that goes when it isn't wanted any more. A row that is not made is
    waited for: it is another program's, such as the port of a virtual machine. Owners that
    care for different things of one row state different parts of it, each under its name.
    """
    stated = {column: dict(pairs) for column, pairs in (keys or {}).items()}
    if table in _NAMELESS:
        stated.setdefault("external_ids", {})[IDENTITY] = name
    if owner is not None:
        stated.setdefault("external_ids", {})[OWNER] = owner
    return WantedRow(
        table,
        name,
        part,
        tuple((column, tuple(values)) for column, values in sorted((columns or {}).items())),
        tuple((column, tuple(pairs.items())) for column, pairs in sorted((maps or {}).items())),
        tuple(
            (column, *pair) for column in sorted(stated) for pair in sorted(stated[column].items())
        ),
        parent,
        is_made,
    )


def row_faults(view: SwitchView, wanted: Iterable[WantedRow]) -> list[str]:
    """Return each difference between the database and what is wanted of it, in words."""
    return [text for row in wanted for text in _faults(view, row)]


def stale_rows(view: SwitchView, owner: str, wanted: Iterable[WantedRow]) -> list[RowKey]:
    """Return the rows that are marked as `owner`'s and not wanted, in the order to remove them."""
    keys = {row.row for row in wanted}
    stale = [
        key
        for key, row in view.rows.items()
        if key not in keys and row.maps.get("external_ids", {}).get(OWNER) == owner
    ]
    return sorted(stale, key=_removal_order)


def _removal_order(key: RowKey) -> tuple[int, str]:
    """Those that refer to others come first."""
    table, name = key
    known = table in _REMOVAL_ORDER
    return _REMOVAL_ORDER.index(table) if known else len(_REMOVAL_ORDER), name


def _faults(view: SwitchView, wanted: WantedRow) -> Iterator[str]:
    what = f"{wanted.table if wanted.table == 'QoS' else wanted.table.lower()} {wanted.name}"
    there = view.rows.get(wanted.row)
    if there is None:
        if wanted.is_made:
            yield f"{what} is missing"
        return
    for column, values in wanted.columns:
        present = there.columns[column]
        if set(present) != {_resolved(view, value) for value in values}:
            shown = ", ".join(_text(view, value) for value in present) or "not set"
            yield f"{what}: {column} is {shown}"
    for column, key, is_, should in _map_values(view, there, wanted):
        if is_ != should:
            yield f"{what}: {column}:{key} is {_text(view, is_)}"
    if wanted.parent is not None:
        row, column = wanted.parent
        parent = view.rows.get((row.table, row.name))
        if parent is not None and there.uuid not in parent.columns[column]:
            yield f"{what} is not in {row.table.lower()} {row.name}"


def _map_values(
    view: SwitchView, there: InstalledRow, wanted: WantedRow
) -> Iterator[tuple[str, object, object, object]]:
    """Column, key, value and wanted value, wherever a map has or should have one."""
    for column, pairs in wanted.maps:
        present = there.maps[column]
        should = {key: _resolved(view, value) for key, value in pairs}
        for key in sorted(present.keys() | should.keys(), key=str):
            yield column, key, present.get(key), should.get(key)
    for column, key, text in wanted.keys:
        yield column, key, there.maps[column].get(key), text


def _resolved(view: SwitchView, atom: Atom) -> object:
    """The atom as the database has it: for a row its UUID, or None where it is missing."""
    if not isinstance(atom, Ref):
        return atom
    row = view.rows.get((atom.table, atom.name))
    return None if row is None else row.uuid


def _text(view: SwitchView, atom: object) -> str:
    if atom is None:
        return "not set"
    return next((name for (_, name), row in view.rows.items() if row.uuid == atom), str(atom))
