"""Gateways: the chassis of routers and router ports, and the groups that ports share.

Where a port names a group and chassis of its own, OVN goes by the group. It passes over both on
a router that is on one chassis. OVN's gateways go back to a chassis of a higher rank that has
returned, so all that is imported does.

How packets get to a gateway port, and that others reside with it, OVN heeds on routers with one
gateway port alone, and the latter on switches with a `localnet` port.
"""

from collections.abc import Iterator

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from northbound.specs.gateways import HaChassisGroupProperties


class Gateways:
    """Translates what names chassis."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.groups: dict[str, Values] = {}
        """By name here."""
        for row in draft.snapshot.rows("HA_Chassis_Group"):
            chassis = self._ranked(row, "ha_chassis", "HA_Chassis")
            values = draft.accepted(
                row, HaChassisGroupProperties, {"chassis": chassis}, {"chassis": "ha_chassis"}
            )
            if values is not None:
                self.groups[draft.names.of(row)] = values

    def of_port(self, row: Row) -> Values:
        """The fields of a router port that say on which chassis it is, and how to get there."""
        named = self._naming_chassis(row)
        return {**named, **self._redirect_type(row, named), **self._residence(row)}

    def _redirect_type(self, row: Row, named: Values) -> Values:
        column, kind = "options:redirect-type", row.mapping("options").get("redirect-type", "")
        if kind != "bridged":
            if kind not in ("", "overlay"):
                reason = f"{kind!r} not imported, and OVN passes over it"
                self._draft.report.noted(row, column, reason)
            return {}
        if [each.uuid for each in self._gateway_ports(row)] != [row.uuid]:
            reason = "not imported: it means nothing but for the one gateway port of a router"
            self._draft.report.noted(row, column, reason)
            return {}
        if not named:
            self._draft.report.lost(row, column, "not imported, as the chassis of the port are not")
            return {}
        return {"redirect_type": "bridged"}

    def _residence(self, row: Row) -> Values:
        column = "options:reside-on-redirect-chassis"
        if not is_true(row.mapping("options").get("reside-on-redirect-chassis", "")):
            return {}
        gateways = self._gateway_ports(row)
        why_not = ""
        if len(gateways) != 1:
            why_not = f"the router has {len(gateways)} gateway ports, and not one"
        elif gateways[0].uuid == row.uuid:
            why_not = "the port is a gateway port itself"
        elif not self._is_on_provider_network(row):
            why_not = "its switch has no localnet port"
        if why_not:
            reason = f"not imported, and passed over by OVN: {why_not}"
            self._draft.report.noted(row, column, reason)
            return {}
        if self._group_lost(gateways[0]):
            reason = f"not imported, as the chassis of {gateways[0].name} are not"
            self._draft.report.lost(row, column, reason)
            return {}
        return {"reside_on_redirect_chassis": True}

    def _gateway_ports(self, row: Row) -> list[Row]:
        """The gateway ports of the router of a port."""
        return [
            port
            for router in self._routers(row)
            if not self.of_router(router)
            for port in self._draft.snapshot.referred(router, "ports", "Logical_Router_Port")
            if port.values("gateway_chassis") or port.values("ha_chassis_group")
        ]

    def _is_on_provider_network(self, row: Row) -> bool:
        return any(
            port.text("type") == "localnet"
            for switch in self._switches(row)
            for port in self._draft.snapshot.referred(switch, "ports", "Logical_Switch_Port")
        )

    def _switches(self, row: Row) -> Iterator[Row]:
        """Yield the switches that a router port is attached to."""
        for port in self._draft.snapshot.rows("Logical_Switch_Port"):
            if port.mapping("options").get("router-port") == row.name:
                yield from self._draft.snapshot.owners(port, "Logical_Switch", "ports")

    def _group_lost(self, row: Row) -> bool:
        """Whether the group that a gateway port goes by is not imported."""
        groups = self._draft.snapshot.referred(row, "ha_chassis_group", "HA_Chassis_Group")
        return bool(groups) and self._draft.names.of(groups[0]) not in self.groups

    def _naming_chassis(self, row: Row) -> Values:
        groups = self._draft.snapshot.referred(row, "ha_chassis_group", "HA_Chassis_Group")
        own = self._ranked(row, "gateway_chassis", "Gateway_Chassis")
        if not groups and not own:
            return {}
        column = "ha_chassis_group" if groups else "gateway_chassis"
        if any(self.of_router(each) for each in self._routers(row)):
            reason = "not imported, and passed over by OVN: its router is on one chassis"
            self._draft.report.noted(row, column, reason)
            return {}
        if not groups:
            return {"gateway_chassis": own}
        if own:
            reason = "not imported, and passed over by OVN: the port has a group"
            self._draft.report.noted(row, "gateway_chassis", reason)
        name = self._draft.names.of(groups[0])
        if name not in self.groups:
            self._draft.report.lost(row, column, f"not imported, as group {name!r} is not")
            return {}
        return {"ha_chassis_group": name}

    def of_external_port(self, row: Row) -> Values:
        """The field of a switch port of type `external` that names the group of its chassis."""
        column = "ha_chassis_group"
        groups = self._draft.snapshot.referred(row, column, "HA_Chassis_Group")
        name = self._draft.names.of(groups[0]) if groups else ""
        if not groups or name in self.groups:
            return {column: name} if groups else {}
        self._draft.report.lost(row, column, f"not imported, as group {name!r} is not")
        return {}

    def of_router(self, row: Row) -> Values:
        """The fields of a router on one chassis."""
        options = row.mapping("options")
        chassis = options.get("chassis", "")
        if not chassis:
            return {}
        # Without a chassis OVN passes over what backends of load balancers shall see.
        source = options.get("lb_force_snat_ip", "")
        if source == "router_ip":
            return {"chassis": chassis, "lb_force_snat_router_ip": True}
        return {"chassis": chassis, "lb_force_snat_ips": source.split()}

    def _routers(self, port: Row) -> list[Row]:
        return self._draft.snapshot.owners(port, "Logical_Router", "ports")

    def _ranked(self, row: Row, column: str, table: str) -> list[Values]:
        """The chassis that a column names; of one that it names twice, the highest rank."""
        ranks: dict[str, int] = {}
        for each in self._draft.snapshot.referred(row, column, table):
            name = each.text("chassis_name")
            ranks[name] = max(each.number("priority"), ranks.get(name, 0))
        return [{"chassis": name, "priority": rank} for name, rank in sorted(ranks.items())]
