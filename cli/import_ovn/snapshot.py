"""The contents of a northbound database at one moment, independent of its schema's version.

Values stay as OVSDB's wire protocol (RFC 7047) has them: a set of one element is that
element, maps and other sets are tagged lists. :class:`Row` reads them; a column that an
older schema lacks reads as empty.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

_EMPTY: Final[Any] = ["set", []]


class Row:
    """One row of a table."""

    def __init__(self, table: str, uuid: str, columns: Mapping[str, Any]) -> None:
        self.table = table
        self.uuid = uuid
        self.columns = columns

    @property
    def name(self) -> str:
        return self.text("name")

    @property
    def label(self) -> str:
        """What people find it by: its kind, and its name where it has one.

        >>> Row("Logical_Switch_Port", "7b1f", {"name": "web-1"}).label
        'logical switch port web-1'
        """
        return f"{self.table.replace('_', ' ').lower()} {self.name or self.uuid}"

    def values(self, column: str) -> list[Any]:
        """The elements of a set, whatever their number; of any other value it alone."""
        value = self.columns.get(column, _EMPTY)
        if isinstance(value, list) and value[0] == "set":
            return list(value[1])
        return [value]

    def text(self, column: str) -> str:
        """A string, empty where an optional one is not there."""
        return next(iter(self.texts(column)), "")

    def texts(self, column: str) -> list[str]:
        return [str(value) for value in self.values(column)]

    def number(self, column: str) -> int:
        """An integer, 0 where an optional one is not there."""
        return int(next(iter(self.values(column)), 0))

    def flag(self, column: str, *, default: bool) -> bool:
        return bool(next(iter(self.values(column)), default))

    def mapping(self, column: str) -> dict[str, str]:
        value = self.columns.get(column, ["map", []])
        return {str(key): str(element) for key, element in value[1]}

    def references(self, column: str) -> list[str]:
        """The UUIDs of the rows that a column refers to."""
        return [uuid for _, uuid in self.values(column)]

    def says_nothing(self, column: str) -> bool:
        """Whether a column has the value that it has in a new row."""
        return self.columns[column] in (_EMPTY, ["map", []], "", 0, False)


class Snapshot:
    """All rows, by table and UUID."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._tables: dict[str, dict[str, Row]] = {}
        self._owners: dict[tuple[str, str], dict[str, list[Row]]] = {}
        for row in rows:
            self._tables.setdefault(row.table, {})[row.uuid] = row

    @property
    def tables(self) -> list[str]:
        """The tables that have rows."""
        return sorted(self._tables)

    def rows(self, table: str) -> list[Row]:
        """By name, and by UUID where there is none."""
        found = self._tables.get(table, {}).values()
        return sorted(found, key=lambda row: (row.name, row.uuid))

    def owners(self, row: Row, table: str, column: str) -> list[Row]:
        """The rows of `table` whose `column` refers to a row."""
        if (table, column) not in self._owners:
            index: dict[str, list[Row]] = {}
            for owner in self.rows(table):
                for uuid in owner.references(column):
                    index.setdefault(uuid, []).append(owner)
            self._owners[table, column] = index
        return self._owners[table, column].get(row.uuid, [])

    def referred(self, row: Row, column: str, table: str) -> list[Row]:
        """The rows of `table` that a column refers to, in the order of :meth:`rows`."""
        wanted = row.references(column)
        rows = self._tables.get(table, {})
        found = (rows[uuid] for uuid in wanted if uuid in rows)
        return sorted(found, key=lambda row: (row.name, row.uuid))
