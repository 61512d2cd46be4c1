"""DHCP options, under names that are their UUIDs: in OVN they have no others.

OVN passes over options that it doesn't know, and answers nobody where one that it needs is
missing. What one option says that can't be kept is left out alone, and told.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from cli.import_ovn.dhcp_values import NEEDED4, NEEDED6, OPTIONS4, OPTIONS6, OptionOfOvn
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from northbound.errors import InvalidError
from northbound.specs.base import validate
from northbound.specs.dhcp import DhcpOptionsProperties

_ALTERNATIVE = "_alt"
_SOME_SERVER = "192.0.2.1"
"""For judging an option by itself: all need a server."""


class Dhcp:
    """Translates DHCP options; knows afterwards which there are."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.options: dict[str, Values] = {}
        """Those that are imported, by UUID, which is their name."""
        self._idle: set[str] = set()
        """Those by which OVN answers nobody."""
        for row in draft.snapshot.rows("DHCP_Options"):
            accepted = self._options(row)
            if accepted is not None:
                self.options[row.uuid] = accepted

    def of_port(self, row: Row) -> Values:
        """The fields of a port that say what its DHCP clients are told."""
        values: Values = {}
        for column in ("dhcpv4_options", "dhcpv6_options"):
            for uuid in row.references(column):
                if uuid in self.options:
                    values[column] = uuid
                elif uuid not in self._idle:
                    reason = f"not imported: DHCP options {uuid} are not"
                    self._draft.report.lost(row, column, reason)
        hostname = row.mapping("options").get("hostname")
        if hostname and "dhcpv4_options" in values:
            values["hostname"] = hostname
        elif hostname:
            reason = "OVN passes over it, too: it means nothing without dhcpv4_options"
            self._draft.report.noted(row, "options:hostname", reason)
        return values

    def _options(self, row: Row) -> Values | None:
        report = self._draft.report
        cidr = _network(row.text("cidr"))
        if cidr is None:
            report.lost(row, "cidr", "not imported: it is no network")
            return None
        known, needed = (OPTIONS4, NEEDED4) if cidr.version == 4 else (OPTIONS6, NEEDED6)
        missing = [name for name in needed if name not in row.mapping("options")]
        if missing:
            reason = f"not imported, and nobody is answered in OVN: {', '.join(missing)} is missing"
            report.noted(row, "options", reason)
            self._idle.add(row.uuid)
            return None
        section = f"dhcpv{cidr.version}"
        kept = self._read(row, known, str(cidr), section)
        if any(known[name].field not in kept for name in needed):
            return None
        values = {"cidr": str(cidr), section: _with_alternatives(kept)}
        return self._draft.accepted(row, DhcpOptionsProperties, values)

    def _read(
        self, row: Row, known: Mapping[str, OptionOfOvn], cidr: str, section: str
    ) -> dict[str, Any]:
        """The options that can be kept, each judged by itself."""
        kept: dict[str, Any] = {}
        for name, text in sorted(row.mapping("options").items()):
            option = known.get(name)
            if option is None:
                reason = f"not imported: {name} is none of the options that have a name here"
                self._draft.report.lost(row, f"options:{name}", reason)
                continue
            try:
                value = option.read(text)
                _check(cidr, section, option.field, value)
            except ValueError as error:
                self._draft.report.lost(row, f"options:{name}", f"not imported: {text!r} {error}")
            except InvalidError as error:
                reason = f"not imported: {error.problems[0].reason}"
                self._draft.report.lost(row, f"options:{name}", reason)
            else:
                kept[option.field] = value
        return kept


def _check(cidr: str, section: str, field: str, value: object) -> None:
    """Raise InvalidError for a value that Treadle refuses."""
    values = {field.removesuffix(_ALTERNATIVE): value}
    if section == "dhcpv4" and field != "server_id":
        values["server_id"] = _SOME_SERVER
    validate(DhcpOptionsProperties, {"cidr": cidr, section: values})


def _with_alternatives(section: dict[str, Any]) -> dict[str, Any]:
    """The section with boot files as Treadle has them: OVN's other one is for who isn't iPXE."""
    kept = {name: value for name, value in section.items() if not name.endswith(_ALTERNATIVE)}
    alternative = section.get(f"bootfile_name{_ALTERNATIVE}")
    if alternative is not None and "bootfile_name" in kept:
        kept |= {"bootfile_name": alternative, "bootfile_name_ipxe": kept["bootfile_name"]}
    return kept


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
