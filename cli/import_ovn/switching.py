"""Logical switches and their ports.

Dynamic addresses are the ones that OVN gave out, written down as if they had always
been static: workloads keep them. The switch's subnet goes with it for ports to come.
"""

import ipaddress
from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.routing import Ports
from cli.import_ovn.snapshot import Row
from northbound.addresses import parse_port_address, parse_ranges, words_of
from northbound.specs.switching import LogicalSwitchPortProperties, LogicalSwitchProperties

_SUPPORTED_TYPES: Final = ("", "router")

_SWITCH_COLUMNS: Final = {
    "subnet4": "other_config:subnet",
    "subnet6": "other_config:ipv6_prefix",
    "exclude_ips": "other_config:exclude_ips",
}
_PORT_COLUMNS: Final = {
    "router_port": "options:router-port",
    "requested_chassis": "options:requested-chassis",
}


class Switching:
    """Translates switches; knows afterwards which ports there are, and who has which address."""

    def __init__(self, draft: Draft, router_ports: Ports) -> None:
        self._draft = draft
        self._router_ports = router_ports
        self._attached: dict[str, Row] = {}
        self.ports: dict[str, str] = {}
        """The names of the ports that are imported, by UUID."""

    def switch(self, row: Row) -> Values:
        """A switch with its ports."""
        values = self._properties(row)
        holders: dict[str, Row] = {}
        ports = {}
        for port in self._draft.snapshot.referred(row, "ports", "Logical_Switch_Port"):
            accepted = self._port(port, dynamic="subnet4" in values)
            if accepted is None or not self._claim(port, accepted, holders):
                continue
            self.ports[port.uuid] = self._draft.names.of(port)
            ports[self._draft.names.of(port)] = accepted
        return {**values, "ports": ports} if ports else values

    def _properties(self, row: Row) -> Values:
        """Address management only if all of it is good: no packet's way depends on it."""
        draft, options = self._draft, row.mapping("other_config")
        values: Values = {}
        if "subnet" in options:
            values["subnet4"] = _network(options["subnet"])
            values["exclude_ips"] = self._exclusions(row, values["subnet4"])
        if "ipv6_prefix" in options:
            values["subnet6"] = _network(options["ipv6_prefix"].partition("/")[0] + "/64")
        spec = LogicalSwitchProperties
        accepted = draft.accepted(row, spec, values, _SWITCH_COLUMNS, changes_verdicts=False)
        return accepted if accepted is not None else draft.accepted(row, spec, {}) or {}

    def _exclusions(self, row: Row, subnet: str) -> list[str]:
        """Those in the subnet; OVN doesn't mind the others."""
        kept = []
        for element in row.mapping("other_config").get("exclude_ips", "").split():
            try:
                network = ipaddress.IPv4Network(subnet)
                ((low, high),) = parse_ranges([element])
                outside = any(ipaddress.IPv4Address(end) not in network for end in (low, high))
            except ValueError:
                outside = False  # and for the spec to say what is wrong
            if outside:
                reason = f"not imported: {element} is outside of {subnet}"
                self._draft.report.noted(row, "other_config:exclude_ips", reason)
            else:
                kept.append(element)
        return kept

    def _port(self, row: Row, *, dynamic: bool) -> Values | None:
        """A port, or None if it stays behind; `dynamic` if its switch gives out addresses."""
        report = self._draft.report
        kind = row.text("type")
        if kind not in _SUPPORTED_TYPES:
            report.lost(row, "type", f"not imported: there are no ports of type {kind!r}")
            return None
        if row.uuid in self.ports:
            report.lost(row, "name", "not imported again: it is on two switches")
            return None
        if kind == "" and not self._draft.names.is_kept(row):
            reason = "not imported: hypervisors bind it by a name that Treadle doesn't take"
            report.lost(row, "name", reason)
            return None
        requested = row.mapping("options").get("requested-chassis", "")
        values: Values = {
            "port_security": row.texts("port_security"),
            "enabled": row.flag("enabled", default=True),
            "requested_chassis": [name for name in requested.split(",") if name],
        }
        if kind == "router":
            towards = self._towards_router(row)
            if towards is None:
                return None
            values |= towards
        else:
            values["addresses"] = self._addresses(row, dynamic=dynamic)
        return self._draft.accepted(row, LogicalSwitchPortProperties, values, _PORT_COLUMNS)

    def _addresses(self, row: Row, *, dynamic: bool) -> list[str]:
        given = row.text("dynamic_addresses")
        addresses = []
        for element in row.texts("addresses"):
            if "dynamic" not in element.split():
                addresses.append(element)
            elif given:
                addresses.append(given)
                self._draft.report.noted(row, "addresses", f"{element!r} is {given!r} for good")
            elif dynamic:
                addresses.append(element)
                reason = f"{element!r} has not been given an address yet"
                self._draft.report.noted(row, "addresses", reason)
            else:
                reason = f"{element!r} not imported: OVN gives no addresses on this switch"
                self._draft.report.noted(row, "addresses", reason)
        return addresses

    def _towards_router(self, row: Row) -> Values | None:
        report, column = self._draft.report, "options:router-port"
        wanted = row.mapping("options").get("router-port", "")
        if wanted not in self._router_ports:
            report.lost(row, column, f"not imported: there is no router port {wanted!r} to lead to")
            return None
        name, router_port = self._router_ports[wanted]
        if "peer" in router_port:
            reason = f"not imported: router port {wanted} is linked to {router_port['peer']}"
            report.lost(row, column, reason)
            return None
        if wanted in self._attached:
            reason = f"not imported: {self._attached[wanted].label} leads there already"
            report.lost(row, column, reason)
            return None
        addresses = row.texts("addresses")
        if not _are_all_of(addresses, router_port):
            reason = "not imported: a port towards a router has the router port's addresses"
            report.lost(row, "addresses", f"{reason}, not {addresses}")
            return None
        self._attached[wanted] = row
        return {"type": "router", "router_port": name}

    def _claim(self, row: Row, values: Values, holders: dict[str, Row]) -> bool:
        """Whether all addresses of a port are its own on its switch."""
        addresses = values.get("addresses", [])
        held = {address for mac, ips in words_of(addresses) for address in (mac, *ips)}
        if "router_port" in values:
            held = _held(self._router_ports[row.mapping("options")["router-port"]][1])
        taken = sorted(held & holders.keys())
        if taken:
            reason = f"not imported: {taken[0]} belongs to {holders[taken[0]].label}"
            self._draft.report.lost(row, "addresses", reason)
            return False
        holders |= dict.fromkeys(held, row)
        return True


def _network(text: str) -> str:
    """OVN masks what is behind the prefix; what is no network stays for the spec to refuse."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def _held(router_port: Values) -> set[str]:
    networks = router_port["networks"]
    return {router_port["mac"], *(network.partition("/")[0] for network in networks)}


def _are_all_of(addresses: list[str], router_port: Values) -> bool:
    """Whether a switch port's addresses are a router port's, by that word or one by one."""
    if addresses == ["router"]:
        return True
    try:
        elements = [parse_port_address(element) for element in addresses]
    except ValueError:
        return False
    held = {address for element in elements for address in (element.mac, *element.ips)}
    return held == _held(router_port)
