"""DHCP options, under names that are their UUIDs: in OVN they have no others.

OVN passes over options that it doesn't know, and answers nobody where one that it needs is
missing. What one option says that can't be kept is left out alone, and told.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from cli.import_ovn.dhcp_values import NEEDED4, OPTIONS4, OptionOfOvn
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from northbound.errors import InvalidError
from northbound.specs.base import validate
from northbound.specs.dhcp import DhcpOptionsProperties

_SECTION4 = "dhcpv4"


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
        for uuid in row.references("dhcpv4_options"):
            if uuid in self.options:
                values["dhcpv4_options"] = uuid
            elif uuid not in self._idle:
                reason = f"not imported: DHCP options {uuid} are not"
                self._draft.report.lost(row, "dhcpv4_options", reason)
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
        if cidr is None or cidr.version != 4:
            return None
        missing = [name for name in NEEDED4 if name not in row.mapping("options")]
        if missing:
            reason = f"not imported, and nobody is answered in OVN: {', '.join(missing)} is missing"
            report.noted(row, "options", reason)
            self._idle.add(row.uuid)
            return None
        section = self._read(row, OPTIONS4, str(cidr), _SECTION4)
        if any(OPTIONS4[name].field not in section for name in NEEDED4):
            return None
        values = {"cidr": str(cidr), _SECTION4: _with_alternative(section)}
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
    if field == "bootfile_name_alt":
        field = "bootfile_name"
    others = {} if field == "server_id" else {"server_id": str(_some_host(cidr))}
    validate(DhcpOptionsProperties, {"cidr": cidr, section: {**others, field: value}})


def _some_host(cidr: str) -> object:
    network = ipaddress.ip_network(cidr)
    return network[1] if network.num_addresses > 1 else network[0]


def _with_alternative(section: dict[str, Any]) -> dict[str, Any]:
    """The section with boot files as Treadle has them: OVN's other one is for who isn't iPXE."""
    alternative = section.pop("bootfile_name_alt", None)
    if alternative is None or "bootfile_name" not in section:
        return section
    return {
        **section,
        "bootfile_name": alternative,
        "bootfile_name_ipxe": section["bootfile_name"],
    }


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
