"""NAT of routers.

OVN takes addresses that are in no network of the router: they become routed ones.
"""

import ipaddress
from collections.abc import Mapping

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from northbound.specs.nat import NatProperties

_SETS = {
    "allowed_ext_ips": "allowed_external_ips",
    "exempted_ext_ips": "exempted_external_ips",
}
_COLUMNS = {"stateless": "options", **{field: column for column, field in _SETS.items()}}
"""Where fields come from whose columns have other names."""


class Nats:
    """Translates NATs; asked router by router."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        rows = draft.snapshot.rows("Logical_Switch_Port")
        self._switch_ports = {row.name: draft.names.of(row) for row in rows}
        self._sets = {row.uuid: draft.names.of(row) for row in draft.snapshot.rows("Address_Set")}
        self._router_ports = {
            row.uuid: row.name for row in draft.snapshot.rows("Logical_Router_Port")
        }

    def of(self, router: Row, ports: Mapping[str, tuple[str, Values]]) -> list[Values]:
        """Return the NATs of a router, whose ports are given by their names in OVN."""
        networks = [network for _, values in ports.values() for network in values["networks"]]
        found: list[Values] = []
        for row in self._draft.snapshot.referred(router, "nat", "NAT"):
            values = self._values(row, ports, networks)
            accepted = self._draft.accepted(row, NatProperties, values, _COLUMNS)
            if accepted is not None:
                found.append(accepted)
        return sorted(found, key=_order)

    def _values(
        self, row: Row, ports: Mapping[str, tuple[str, Values]], networks: list[str]
    ) -> Values:
        plain = ("type", "external_ip", "logical_ip")
        values: Values = {column: row.text(column) for column in plain}
        if row.text("match"):
            values["priority"] = row.number("priority")
        for column in ("external_mac", "external_port_range", "match"):
            if row.text(column):
                values[column] = row.text(column)
        if row.text("logical_port"):
            name = row.text("logical_port")
            values["logical_port"] = self._switch_ports.get(name, name)
        for uuid in row.references("gateway_port"):
            name = self._router_ports.get(uuid, "")
            if name in ports:
                values["gateway_port"] = ports[name][0]
            else:
                self._draft.report.lost(row, "gateway_port", "not imported: its port is not")
        for column, field in _SETS.items():
            for uuid in row.references(column):
                values[field] = self._sets.get(uuid, uuid)
        if row.mapping("options").get("stateless") == "true":
            values["stateless"] = True
        if not _is_in_one(values["external_ip"], networks):
            values["routed"] = True
        return values


def _order(nat: Values) -> tuple[str, ...]:
    return nat["external_ip"], nat["logical_ip"], nat["type"], nat.get("match", "")


def _is_in_one(address: str, networks: list[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True  # The spec says what is wrong with it.
    return any(ip in ipaddress.ip_interface(network).network for network in networks)
