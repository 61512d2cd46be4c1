"""Rows of a northbound database as OVSDB's wire protocol has them, made by hand."""

from typing import Any

from cli.import_ovn.findings import Finding
from cli.import_ovn.snapshot import Row, Snapshot
from cli.import_ovn.translation import Imported, translate


class Database:
    """A northbound database under construction; each row gets the next UUID."""

    def __init__(self) -> None:
        self._rows: list[Row] = []

    def add(self, table: str, **columns: Any) -> str:
        """Add a row; an option such as ``router_port`` is given in a mapping."""
        uuid = f"{len(self._rows) + 1:08x}-0000-4000-8000-000000000000"
        wire = {column: _wire(value) for column, value in columns.items()}
        self._rows.append(Row(table, uuid, wire))
        return uuid

    def switch(self, *ports: str, name: str = "sw", **columns: Any) -> str:
        return self.add("Logical_Switch", name=name, ports=references(*ports), **columns)

    def port(self, name: str, *addresses: str, **columns: Any) -> str:
        row = {"name": name, "addresses": list(addresses), "type": "", **columns}
        return self.add("Logical_Switch_Port", **row)

    def router_port(self, name: str, *networks: str, **columns: Any) -> str:
        row = {"name": name, "mac": "0a:00:00:00:01:01", "networks": list(networks), **columns}
        return self.add("Logical_Router_Port", **row)

    def router(self, *ports: str, name: str = "r", **columns: Any) -> str:
        return self.add("Logical_Router", name=name, ports=references(*ports), **columns)

    def route(self, prefix: str, nexthop: str, **columns: Any) -> str:
        row = {"ip_prefix": prefix, "nexthop": nexthop, **columns}
        return self.add("Logical_Router_Static_Route", **row)

    def nat(self, kind: str, external: str, logical: str, **columns: Any) -> str:
        row = {"type": kind, "external_ip": external, "logical_ip": logical, **columns}
        return self.add("NAT", **row)

    def ha_chassis_group(self, name: str, *ranks: tuple[str, int]) -> str:
        rows = [self.add("HA_Chassis", chassis_name=each, priority=rank) for each, rank in ranks]
        return self.add("HA_Chassis_Group", name=name, ha_chassis=references(*rows))

    def acl(self, match: str, **columns: Any) -> str:
        row = {"direction": "to-lport", "priority": 100, "match": match, "action": "drop"}
        return self.add("ACL", **row | columns)

    def snapshot(self) -> Snapshot:
        return Snapshot(self._rows)

    def translated(self) -> Imported:
        return translate(self.snapshot(), "ovn")


def references(*uuids: str) -> list[Any]:
    return ["set", [["uuid", uuid] for uuid in uuids]]


def _wire(value: Any) -> Any:
    """A set of one element is that element; maps and other sets are tagged."""
    if isinstance(value, dict):
        return ["map", [[key, element] for key, element in value.items()]]
    if isinstance(value, list) and (not value or value[0] != "set"):
        return value[0] if len(value) == 1 else ["set", value]
    if isinstance(value, list) and len(value[1]) == 1:
        return value[1][0]
    return value


def losses(imported: Imported) -> list[tuple[str, str]]:
    """Object and column of what would change verdicts."""
    return [(finding.object, finding.column) for finding in imported.report.losses]


def notes(imported: Imported) -> list[Finding]:
    return [found for found in imported.report.findings if not found.changes_verdicts]
