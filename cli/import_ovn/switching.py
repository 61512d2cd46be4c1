"""Logical switches and their ports.

Dynamic addresses are the ones that OVN gave out, written down as if they had always
been static: workloads keep them. The switch's subnet goes with it for ports to come.
An address that Treadle doesn't take is left out alone; an element of port security never
is, since a list without it could allow more, or everything.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

from cli.import_ovn.dhcp import Dhcp
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.gateways import Gateways
from cli.import_ovn.places import COLUMNS, Places
from cli.import_ovn.routing import Ports, is_read
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import Element, port_address
from cli.import_ovn.spelling import port_security as security_element
from northbound.addresses import parse_ranges, words_of
from northbound.specs.switching import LogicalSwitchPortProperties, LogicalSwitchProperties

_SUPPORTED_TYPES: Final = (
    "",
    "router",
    "localnet",
    "l2gateway",
    "localport",
    "virtual",
    "external",
)

_SWITCH_COLUMNS: Final = {
    "subnet4": "other_config:subnet",
    "subnet6": "other_config:ipv6_prefix",
    "exclude_ips": "other_config:exclude_ips",
    "vlan_passthru": "other_config:vlan-passthru",
}
_PORT_COLUMNS: Final = {
    **COLUMNS,
    "router_port": "options:router-port",
    "hostname": "options:hostname",
    "network_name": "options:network_name",
    "learn_fdb": "options:localnet_learn_fdb",
}


def _passes_tags(options: Mapping[str, str]) -> bool:
    return options.get("vlan-passthru") == "true"


class Switching:
    """Translates switches; knows afterwards which ports there are, and who has which address."""

    def __init__(self, draft: Draft, router_ports: Ports, dhcp: Dhcp, gateways: Gateways) -> None:
        self._draft = draft
        self._gateways = gateways
        self._dhcp = dhcp
        self._router_ports = router_ports
        router_rows = draft.snapshot.rows("Logical_Router_Port")
        self._router_ports_of_ovn = {row.name for row in router_rows if is_read(row)}
        self._places = Places(draft)
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
            self._places.note(port, self._draft.names.of(port), accepted, ports)
        return {**values, "ports": ports} if ports else values

    def settle(self) -> None:
        """Leave out ports that go by others which are not imported, once all switches are there."""
        self._places.settle(self.ports)

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
        passthru: Values = {"vlan_passthru": True} if _passes_tags(options) else {}
        values |= passthru
        accepted = draft.accepted(row, spec, values, _SWITCH_COLUMNS, changes_verdicts=False)
        return accepted if accepted is not None else draft.accepted(row, spec, passthru) or {}

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
        values: Values = {"enabled": row.flag("enabled", default=True)}
        if kind == "router":
            towards = self._towards_router(row)
            if towards is None:
                return None
            values |= towards
            self._note_meaningless(row)
        elif kind in ("localnet", "l2gateway"):
            outside = self._towards_network(row)
            if outside is None:
                return None
            values |= outside
        else:
            if kind == "virtual":
                values |= self._places.of_virtual(row)
            else:
                if kind:
                    values["type"] = kind
                if kind == "external":
                    values |= self._gateways.of_external_port(row)
                else:
                    values |= self._places.of_workload(row)
                values["port_security"] = self._port_security(row)
                values |= self._dhcp.of_port(row)
            addresses = self._addresses(row, dynamic=dynamic)
            values["addresses"] = self._draft.accepted_elements(
                row, LogicalSwitchPortProperties, "addresses", addresses, {}
            )
        return self._draft.accepted(row, LogicalSwitchPortProperties, values, _PORT_COLUMNS)

    def _towards_network(self, row: Row) -> Values | None:
        """What a port to a provider network is like; None if it leads nowhere in OVN either."""
        report, options = self._draft.report, row.mapping("options")
        if not options.get("network_name"):
            report.noted(row, "options", "not imported: it names no network, and leads nowhere")
            return None
        if row.texts("port_security"):
            reason = "not imported: what comes from a provider network is not restricted"
            report.lost(row, "port_security", reason)
        addresses = row.texts("addresses")
        if addresses != ["unknown"]:
            reason = "frames for unknown addresses go to the provider network, and no others do"
            report.lost(row, "addresses", reason)
        kind = row.text("type")
        values: Values = {"type": kind, "network_name": options["network_name"]}
        if kind == "localnet":
            values["learn_fdb"] = options.get("localnet_learn_fdb") == "true"
        else:
            chassis = options.get("l2gateway-chassis")
            if not chassis:
                reason = "not imported: it names no chassis, and is nowhere in OVN either"
                report.noted(row, "options:l2gateway-chassis", reason)
                return None
            values["requested_chassis"] = [chassis]
        tag = row.values("tag")
        if tag and options.get("ethtype") == "802.1ad":
            values["vlan_protocol"] = "802.1ad"
        return {**values, "tag": tag[0]} if tag else values

    def _note_meaningless(self, row: Row) -> None:
        """Note what OVN looks at on a workload's port only."""
        columns = {"port_security": row.texts("port_security")}
        columns["options:requested-chassis"] = [
            value for key, value in row.mapping("options").items() if key == "requested-chassis"
        ]
        for column, values in columns.items():
            if any(values):
                reason = "OVN passes over it, too: it means nothing on a port towards a router"
                self._draft.report.noted(row, column, reason)

    def _port_security(self, row: Row) -> list[str]:
        """What OVN reads of it; an element that it doesn't read is for the spec to refuse."""
        elements = []
        for text in row.texts("port_security"):
            element = security_element(text)
            elements.append(text if element is None else element.text)
            if element is not None:
                self._note_passed_over(row, "port_security", text, element)
        return elements

    def _note_passed_over(self, row: Row, column: str, text: str, element: Element) -> None:
        if element.passed_over:
            reason = f"of {text!r} OVN passes over {element.passed_over!r}; so is it imported"
            self._draft.report.noted(row, column, reason)

    def _addresses(self, row: Row, *, dynamic: bool) -> list[str]:
        read = port_address(row.text("dynamic_addresses"))
        given = read and read.text
        addresses = []
        for written in row.texts("addresses"):
            read = port_address(written)
            if read is None:
                reason = f"{written!r} not imported, and OVN passes over it: it has no MAC address"
                self._draft.report.noted(row, "addresses", reason)
                continue
            self._note_passed_over(row, "addresses", written, read)
            element = read.text
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
            if wanted in self._router_ports_of_ovn:
                report.lost(row, column, f"not imported: router port {wanted} is not")
            else:
                reason = f"not imported, and leads nowhere in OVN: there is no {wanted!r}"
                report.noted(row, column, reason)
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
        if not self._reaches(row, router_port):
            return None
        self._attached[wanted] = row
        return {"type": "router", "router_port": name}

    def _reaches(self, row: Row, router_port: Values) -> bool:
        """Whether frames to the router port get there in OVN, as they do here by themselves.

        Its IP addresses need not stand there: the router answers for them itself.
        """
        report = self._draft.report
        elements = [port_address(text) for text in row.texts("addresses")]
        words = {word for element in elements if element for word in element.text.split()}
        if not words & {"router", "unknown", router_port["mac"]}:
            report.lost(
                row, "addresses", "not imported: in OVN no frame to the router's MAC address passes"
            )
            return False
        others = sorted(words - {"router", "unknown"} - _held(router_port))
        if others:
            reason = f"{' '.join(others)} not imported: a port towards a router has no others"
            report.lost(row, "addresses", f"{reason} than the router port's")
        return True

    def _claim(self, row: Row, values: Values, holders: dict[str, Row]) -> bool:
        """Whether all addresses of a port are its own on its switch."""
        addresses = values.get("addresses", [])
        held = {address for mac, ips in words_of(addresses) for address in (mac, *ips)}
        if "virtual_ip" in values:
            held.add(values["virtual_ip"])
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
