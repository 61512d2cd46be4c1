"""Address sets, port groups, and ACLs.

A match stays as it is written, but for names of ports that have another name here. One
that Treadle doesn't take, or that names a set which is not there, is listed with the
place, and its ACL left out.
"""

from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from logical_flow.acl import AclDirection, parse_acl_match
from logical_flow.constants import quote
from logical_flow.errors import LanguageError
from northbound.specs.filtering import AclProperties, AddressSetProperties, PortGroupProperties

_FAMILIES: Final = ("_ip4", "_ip6")


class Filtering:
    """Translates what filters packets; sets come first, since matches name them."""

    def __init__(self, draft: Draft, switch_ports: dict[str, str]) -> None:
        """`switch_ports` are the names of those that are imported, by UUID."""
        self._draft = draft
        self._renamed = {
            quote(row.name): quote(draft.names.of(row))
            for row in draft.snapshot.rows("Logical_Switch_Port")
            if not draft.names.is_kept(row)
        }
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
        self._sets = {f"@{name}" for name in self.port_groups}
        self._sets |= {f"${name}" for name in self.address_sets}
        self._sets |= {f"${name}{family}" for name in self.port_groups for family in _FAMILIES}

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
            key = tuple(values.get(field) for field in ("direction", "tier", "priority", "match"))
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
        brought = {f"{name}{family}" for name in self.port_groups for family in _FAMILIES}
        for row in self._draft.snapshot.rows("Address_Set"):
            name = self._draft.names.of(row)
            if name in brought:
                reason = "not imported: a port group brings an address set of that name"
                self._draft.report.lost(row, "name", reason)
                continue
            values = {"addresses": row.texts("addresses")}
            accepted = self._draft.accepted(row, AddressSetProperties, values)
            if accepted is not None:
                self.address_sets[name] = accepted

    def _acl(self, row: Row) -> Values | None:
        values: Values = {
            "name": row.text("name"),
            "direction": row.text("direction"),
            "tier": row.number("tier"),
            "priority": row.number("priority"),
            "match": self._with_new_names(row.text("match")),
            "action": row.text("action"),
            "log": row.flag("log", default=False),
            "label": row.number("label"),
        }
        if row.text("severity"):
            values["severity"] = row.text("severity")
        accepted = self._draft.accepted(row, AclProperties, values)
        if accepted is None or not self._means_something(row, accepted):
            return None
        return accepted

    def _means_something(self, row: Row, values: Values) -> bool:
        """Whether Treadle understands the match; if not, says so."""
        direction: AclDirection = values["direction"]
        try:
            match = parse_acl_match(values["match"], direction)
        except LanguageError as error:
            found = f"at position {error.position} of {error.source!r}: {error.message}"
            self._draft.report.lost(row, "match", f"not imported: {found}")
            return False
        missing = sorted(match.sets - self._sets)
        if missing:
            found = f"at position {values['match'].find(missing[0])} of {values['match']!r}"
            reason = f"not imported: {found}: there is no {missing[0]}"
            self._draft.report.lost(row, "match", reason)
            return False
        left = sorted(quote(port) for port in match.ports if quote(port) in self._renamed)
        if left:
            reason = f"not imported: names {left[0]}, which is {self._renamed[left[0]]} here"
            self._draft.report.lost(row, "match", reason)
        if values["action"] == "reject" and _needs_parentheses(values["match"], direction):
            reason = "OVN 23.03 passes over it beside allow-related; put the match in parentheses"
            self._draft.report.lost(row, "match", reason)
        return not left

    def _with_new_names(self, match: str) -> str:
        for old, new in self._renamed.items():
            match = match.replace(old, new)
        return match


def _needs_parentheses(match: str, direction: AclDirection) -> bool:
    """Whether a match that is right by itself isn't once ``&&`` stands before it.

    OVN 23.03 puts a condition of its own before that of a ``reject``, as it stands.
    """
    try:
        parse_acl_match(f"1 && {match}", direction)
    except LanguageError:
        return True
    return False


def _place(acl: Values) -> tuple[str, int, int, str]:
    """Where an ACL stands in the document: as it is asked."""
    return acl["direction"], acl.get("tier", 0), -acl["priority"], acl["match"]
