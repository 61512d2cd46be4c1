"""The transactions that the agent runs on the Open vSwitch database.

An edit is a function of a :class:`Transaction`. It compares with what is there
and writes only the difference: it runs again whenever the database changed under
it, and an edit that changes nothing costs no message. Maps are changed key by
key, so that keys of other programs are left alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from chassis_agent.ovsdb.rows import Atom, Parent, Ref, WantedRow
from chassis_agent.ovsdb.view import RowKey


class Transaction(Protocol):
    """What an edit may do. Rows are python-ovs' rows: columns are attributes."""

    def find(self, table: str, name: str) -> Any | None:
        """The row of that name; see :mod:`chassis_agent.ovsdb.rows` for names."""

    def rows(self, table: str) -> Iterable[Any]:
        """All rows of a table."""

    def root(self) -> Any:
        """The one row of the table ``Open_vSwitch``."""

    def insert(self, table: str) -> Any:
        """A new row."""


Edit: TypeAlias = Callable[[Transaction], None]

_REFERRERS: Mapping[str, Iterable[tuple[str, str]]] = {
    "Port": (("Bridge", "ports"),),
    "Mirror": (("Bridge", "mirrors"),),
    "QoS": (("Port", "qos"),),
    "Queue": (),
    "Interface": (),
}
"""Where rows of a table are referred to: what has to be taken out of there before they go.

Queues are referred to by QoS, which state all of theirs; interfaces go with their ports.
"""

_ROOT_TABLES = frozenset({"QoS", "Queue"})
"""Tables whose rows stay until they are deleted; others go with the last reference to them."""


def write_rows(wanted: Iterable[WantedRow], stale: Iterable[RowKey] = ()) -> Edit:
    """Make rows as they are wanted, and remove those that are stale."""
    wanted, stale = tuple(wanted), tuple(stale)

    def edit(transaction: Transaction) -> None:
        rows = _Rows(transaction)
        present = [each for each in wanted if rows.find_or_make(each) is not None]
        for each in present:
            rows.write(each)
        for table, name in stale:
            rows.remove(table, name)

    return edit


class _Rows:
    """Rows by name, those included that this transaction makes."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._made: dict[RowKey, Any] = {}
        self._made_keys: dict[tuple[RowKey, str], dict[str, str | None]] = {}

    def find(self, key: RowKey) -> Any | None:
        return self._made.get(key) or self._transaction.find(*key)

    def find_or_make(self, wanted: WantedRow) -> Any | None:
        row = self.find(wanted.row)
        if row is not None or not wanted.is_made:
            return row
        row = self._made[wanted.row] = self._transaction.insert(wanted.table)
        if wanted.table not in _ROOT_TABLES:
            row.name = wanted.name
        if wanted.table == "Bridge":
            self._transaction.root().addvalue("bridges", row)
        return row

    def write(self, wanted: WantedRow) -> None:
        row = self.find(wanted.row)
        is_new = wanted.row in self._made
        for column, values in wanted.columns:
            written = self._written(values)
            if is_new or not _equal(getattr(row, column), written):
                setattr(row, column, written)
        for column, pairs in wanted.maps:
            written_map = {key: self._atom(value) for key, value in pairs}
            if is_new or getattr(row, column) != written_map:
                setattr(row, column, written_map)
        keys: dict[str, dict[str, str | None]] = {}
        for column, key, text in wanted.keys:
            keys.setdefault(column, {})[key] = text
        for column, changes in keys.items():
            if is_new:  # other parts of the row may have keys of the column, too
                made = self._made_keys.setdefault((wanted.row, column), {})
                made.update(changes)
                setattr(row, column, made)
            else:
                _set_keys(row, column, changes)
        if wanted.parent is not None:
            self._add_to(wanted.parent, row)

    def remove(self, table: str, name: str) -> None:
        row = self._transaction.find(table, name)
        if row is None:
            return
        for referrer_table, column in _REFERRERS.get(table, ()):
            for referrer in self._transaction.rows(referrer_table):
                if row in getattr(referrer, column):
                    referrer.delvalue(column, row)
        if table in _ROOT_TABLES:
            row.delete()

    def _add_to(self, parent: Parent, row: Any) -> None:
        """Have the row in its parent's set, and in no other's."""
        holder = self.find((parent.row.table, parent.row.name))
        if holder is None:
            return
        for other in self._transaction.rows(parent.row.table):
            if other.uuid != holder.uuid and row in getattr(other, parent.column):
                other.delvalue(parent.column, row)
        is_new = (parent.row.table, parent.row.name) in self._made
        if is_new or row not in getattr(holder, parent.column):
            holder.addvalue(parent.column, row)

    def _written(self, values: Iterable[Atom]) -> list[Any]:
        atoms = [self._atom(value) for value in values]
        return [atom for atom in atoms if atom is not None]

    def _atom(self, value: Atom) -> Any:
        return self.find((value.table, value.name)) if isinstance(value, Ref) else value


def set_bridge_external_ids(bridge_name: str, changes: Mapping[str, str | None]) -> Edit:
    """Sets keys of a bridge; ``None`` removes one."""

    def edit(transaction: Transaction) -> None:
        bridge = transaction.find("Bridge", bridge_name)
        if bridge is not None:
            _set_keys(bridge, "external_ids", changes)

    return edit


def set_interface_external_ids(changes: Mapping[str, Mapping[str, str | None]]) -> Edit:
    """Sets keys of interfaces, by their names. One that is gone meanwhile is left out."""

    def edit(transaction: Transaction) -> None:
        for name, keys in changes.items():
            interface = transaction.find("Interface", name)
            if interface is not None:
                _set_keys(interface, "external_ids", keys)

    return edit


def _equal(present: Any, written: list[Any]) -> bool:
    """Whether a column, of one value or a set, has these values."""
    values = present if isinstance(present, list) else [present]
    return len(values) == len(written) and all(value in values for value in written)


def _set_keys(row: Any, column: str, changes: Mapping[str, str | None]) -> None:
    present = getattr(row, column)
    for key, value in changes.items():
        if value is None:
            if key in present:
                row.delkey(column, key)
        elif present.get(key) != value:
            row.setkey(column, key, value)
