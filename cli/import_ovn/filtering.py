"""Address sets, port groups, and ACLs.

Of an address set the members that OVN cannot read are passed over, as OVN does.
"""

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.matches import Matches, brought_sets
from cli.import_ovn.meters import Meters
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import set_member
from northbound.specs.filtering import AclProperties, AddressSetProperties, PortGroupProperties

_KEY = ("direction", "apply_after_lb", "tier", "priority", "match")
"""What no two ACLs of a switch or port group have in common."""


class Filtering:
    """Translates what filters packets; sets come first, since matches name them."""

    def __init__(self, draft: Draft, switch_ports: dict[str, str]) -> None:
        """`switch_ports` are the names of those that are imported, by UUID."""
        self._draft = draft
        self.port_groups: dict[str, Values] = {}
        self.address_sets: dict[str, Values] = {}
        self._groups = draft.snapshot.rows("Port_Group")
        for row in self._groups:
            members = [
                switch_ports[uuid] for uuid in row.references("ports") if uuid in switch_ports
            ]
            accepted = draft.accepted(row, PortGroupProperties, {"ports": sorted(members)})
            if accepted is not None:
                self.port_groups[draft.names.of(row)] = accepted
        self._add_address_sets()
        sets = {f"@{name}" for name in self.port_groups}
        sets |= {f"${name}" for name in (*self.address_sets, *self._brought())}
        self.matches = Matches(draft, sets)
        self._meters = Meters(draft)

    @property
    def meters(self) -> dict[str, Values]:
        """The meters that ACLs name, by name."""
        return self._meters.meters

    def add_group_acls(self) -> None:
        """Give the port groups their ACLs."""
        for row in self._groups:
            name = self._draft.names.of(row)
            if name in self.port_groups and (acls := self.acls(row)):
                self.port_groups[name]["acls"] = acls

    def acls(self, owner: Row) -> list[Values]:
        """The ACLs of a switch or port group, in the order in which they are asked."""
        found: dict[tuple[object, ...], tuple[Values, Row]] = {}
        for row in self._draft.snapshot.referred(owner, "acls", "ACL"):
            values = self._acl(row)
            if values is None:
                continue
            key = tuple(values.get(field) for field in _KEY)
            first, first_row = found.setdefault(key, (values, row))
            if first is values:
                continue
            if first["action"] == values["action"]:
                reason = f"not imported: says the same as {first_row.label}"
                self._draft.report.noted(row, "match", reason)
            else:
                reason = f"not imported: says {values['action']} where {first_row.label} says"
                self._draft.report.lost(row, "action", f"{reason} {first['action']}")
        return sorted((values for values, _ in found.values()), key=_place)

    def _add_address_sets(self) -> None:
        brought = self._brought()
        for row in self._draft.snapshot.rows("Address_Set"):
            name = self._draft.names.of(row)
            if name in brought:
                reason = "not imported: a port group brings an address set of that name"
                self._draft.report.lost(row, "name", reason)
                continue
            values = {"addresses": self._members(row)}
            accepted = self._draft.accepted(row, AddressSetProperties, values)
            if accepted is not None:
                self.address_sets[name] = accepted

    def _brought(self) -> set[str]:
        """The address sets that the port groups bring along."""
        return {name for group in self.port_groups for name in brought_sets(group).values()}

    def _members(self, row: Row) -> list[str]:
        members = []
        for text in row.texts("addresses"):
            read = set_member(text)
            if read != text:
                reason = f"of {text!r} OVN reads {'nothing' if read is None else repr(read)}"
                self._draft.report.noted(row, "addresses", f"{reason}; so is it imported")
            if read is not None:
                members.append(read)
        return members

    def _acl(self, row: Row) -> Values | None:
        match = self.matches.read(row)
        if match is None:
            return None
        values: Values = {
            "name": row.text("name"),
            "direction": row.text("direction"),
            "tier": row.number("tier"),
            "priority": row.number("priority"),
            "match": match,
            "action": row.text("action"),
            "log": row.flag("log", default=False),
            "label": row.number("label"),
        }
        if row.text("direction") == "from-lport":
            values["apply_after_lb"] = is_true(row.mapping("options").get("apply-after-lb", ""))
        if values["log"] and (meter := self._meters.of(row)):
            values["meter"] = meter
        if row.text("severity"):
            values["severity"] = row.text("severity")
        return self._draft.accepted(row, AclProperties, values)


def _place(acl: Values) -> tuple[str, bool, int, int, str]:
    """Where an ACL stands in the document: as it is asked."""
    is_late = acl.get("apply_after_lb", False)
    return acl["direction"], is_late, acl.get("tier", 0), -acl["priority"], acl["match"]
