"""Names in Treadle for what OVN's rows are called.

OVN lets switches and routers have any name, none, or each other's, and characters are
free. A name that Treadle takes stays.
Any other becomes the same with its odd characters replaced and the first part of the
row's UUID behind it, which comes out alike at every import; what OVN called the object
is then kept in ``external_ids`` as ``ovn:name``.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from pydantic import TypeAdapter, ValidationError

from cli.import_ovn.findings import Report
from cli.import_ovn.snapshot import Row, Snapshot
from northbound.specs.base import ObjectName, SetName

ORIGINAL_NAME: Final = "ovn:name"

_ODD_IN_OBJECT = re.compile(r"[^A-Za-z0-9_.:\-]")
_ODD_IN_SET = re.compile(r"[^A-Za-z0-9_.]")
_LONGEST_STEM = 200

_OBJECT: TypeAdapter[str] = TypeAdapter(ObjectName)
_SET: TypeAdapter[str] = TypeAdapter(SetName)


class Names:
    """The names of one import, by UUID."""

    def __init__(self, snapshot: Snapshot, report: Report) -> None:
        self._report = report
        self._names: dict[str, str] = {}
        self._give(snapshot.rows("Logical_Switch"), ())
        self._give(snapshot.rows("Logical_Router"), ())
        switch_ports = snapshot.rows("Logical_Switch_Port")
        self._give(switch_ports, ())
        taken = [self._names[row.uuid] for row in switch_ports]
        self._give(snapshot.rows("Logical_Router_Port"), taken)
        self._give(snapshot.rows("Port_Group"), ())
        self._give(snapshot.rows("Address_Set"), ())
        self._give(snapshot.rows("HA_Chassis_Group"), ())
        self._give(snapshot.rows("Load_Balancer"), ())
        self._give(snapshot.rows("Meter"), ())

    def of(self, row: Row) -> str:
        """The row's name here; its own, where names identify nothing."""
        return self._names.get(row.uuid, row.name)

    def is_kept(self, row: Row) -> bool:
        return self.of(row) == row.name

    def external_ids(self, row: Row) -> dict[str, str]:
        """The row's own, and what OVN called it if that is no name here."""
        own = row.mapping("external_ids")
        return own if self.is_kept(row) else {**own, ORIGINAL_NAME: row.name}

    def _give(self, rows: list[Row], taken: Iterable[str]) -> None:
        """Name `rows`; what is `taken` by a row of another kind confuses OVN itself."""
        others = set(taken)
        shared = Counter([*(row.name for row in rows), *others])
        for row in rows:
            if shared[row.name] == 1 and _is_fit(row):
                self._names[row.uuid] = row.name
                continue
            parts = (row.uuid.partition("-")[0], row.uuid)
            made = next(
                name for name in (_made_up(row, part) for part in parts) if not shared[name]
            )
            self._names[row.uuid] = made
            if row.name in others:
                reason = f"a switch port has that name, and OVN passes over one; imported as {made}"
                self._report.lost(row, "name", reason)
                continue
            reason = "others have that name" if shared[row.name] > 1 else "is no name here"
            self._report.noted(row, "name", f"{row.name!r} {reason}; imported as {made}")


def _names_a_set(row: Row) -> bool:
    return row.table in ("Port_Group", "Address_Set")


def _is_fit(row: Row) -> bool:
    try:
        (_SET if _names_a_set(row) else _OBJECT).validate_python(row.name)
    except ValidationError:
        return False
    return True


def _made_up(row: Row, part: str) -> str:
    """A name from what is good in the row's, and a part of its UUID."""
    if _names_a_set(row):
        stem = _ODD_IN_SET.sub("_", row.name)[:_LONGEST_STEM]
        part = part.replace("-", "_")
        return f"ovn_{stem}_{part}" if stem[:1].isdigit() else f"{stem or 'ovn'}_{part}"
    stem = _ODD_IN_OBJECT.sub("_", row.name).lstrip("_.:-")[:_LONGEST_STEM]
    return f"{stem or 'ovn'}-{part}"
