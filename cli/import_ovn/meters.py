"""Meters that limit what ACLs log.

OVN keeps a meter's rate in its bands, of which only the first has an effect here as there. Meters
of kilobits limit what is handed to controllers by protocol, which Treadle does by sender.
"""

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from northbound.specs.meters import MeterProperties

_DEFAULT_BURST = 0


class Meters:
    """Translates meters that ACLs name."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._rows = {row.text("name"): row for row in draft.snapshot.rows("Meter")}
        self.meters: dict[str, Values] = {}

    def of(self, acl: Row) -> str | None:
        """Return the meter of what an ACL logs, which is imported with it."""
        name = acl.text("meter")
        if not name:
            return None
        row = self._rows.get(name)
        if row is None:
            reason = f"there is no meter {name!r}; OVN limits nothing"
            self._draft.report.noted(acl, "meter", reason)
            return None
        called = self._draft.names.of(row)
        if called not in self.meters:
            values = self._values(acl, row)
            if values is None:
                return None
            self.meters[called] = values
        return called

    def _values(self, acl: Row, row: Row) -> Values | None:
        bands = self._draft.snapshot.referred(row, "bands", "Meter_Band")
        if row.text("unit") != "pktps" or not bands:
            reason = f"meter {row.text('name')!r} counts no packets: it limits no lines here"
            self._draft.report.noted(acl, "meter", reason)
            return None
        values = {
            "rate": bands[0].number("rate"),
            "burst": bands[0].number("burst_size") or _DEFAULT_BURST,
            "fair": row.flag("fair", default=False),
        }
        return self._draft.accepted(row, MeterProperties, values)
