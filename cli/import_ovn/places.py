"""Where workloads' ports are: on requested chassis, inside of other ports, or as virtual ones.

Which ports another one may refer to is known once all switches were translated: what refers to
one that stays behind stays behind, too, and says so.
"""

from typing import Final, NamedTuple

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row

COLUMNS: Final = {
    "requested_chassis": "options:requested-chassis",
    "activation_strategy": "options:activation-strategy",
    "parent": "parent_name",
    "tag": "tag_request",
    "virtual_ip": "options:virtual-ip",
    "virtual_parents": "options:virtual-parents",
}
"""Where the fields come from."""

_LISTS: Final = {
    "requested_chassis": "requested-chassis",
    "activation_strategy": "activation-strategy",
}
"""Options whose values are separated by commas."""


class _Placed(NamedTuple):
    row: Row
    name: str
    values: Values
    ports: Values
    """All ports of its switch."""


class Places:
    """Translates where ports are, and leaves out those whose parents are not imported."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._placed: list[_Placed] = []

    def of_workload(self, row: Row) -> Values:
        """Return the place of a workload's port."""
        options = row.mapping("options")
        parent = row.text("parent_name")
        if not parent:
            for column in ("tag", "tag_request"):
                if row.values(column):
                    reason = "OVN passes over it, too: the port has no parent_name"
                    self._draft.report.noted(row, column, reason)
            return {field: _split(options.get(name, "")) for field, name in _LISTS.items()}
        for name in _LISTS.values():
            if options.get(name):
                reason = "not imported: a port with a parent is where its parent is"
                self._draft.report.noted(row, f"options:{name}", reason)
        tags = row.values("tag") or row.values("tag_request")
        return {"parent": parent, "tag": tags[0] if tags else None}

    def of_virtual(self, row: Row) -> Values:
        """Return the fields of a virtual port."""
        options = row.mapping("options")
        parents = _split(options.get("virtual-parents", ""))
        return {
            "type": "virtual",
            "virtual_ip": options.get("virtual-ip"),
            "virtual_parents": parents,
        }

    def note(self, row: Row, name: str, values: Values, ports: Values) -> None:
        """Take a port that was translated, one of `ports` of its switch."""
        self._placed.append(_Placed(row, name, values, ports))

    def settle(self, imported: dict[str, str]) -> None:
        """Leave out ports whose parents are not there; `imported` has the names by UUID."""
        workloads = {
            each.name: each
            for each in self._placed
            if each.values.get("type", "vif") == "vif" and "parent" not in each.values
        }
        tags: dict[tuple[str, int], Row] = {}
        for each in self._placed:
            values = each.values
            if "parent" in values and (reason := self._nested(each, workloads, tags)):
                self._draft.report.lost(each.row, "parent_name", reason)
            elif "virtual_parents" in values and not self._virtual(each, workloads):
                reason = "not imported: none of its parents is a workload's port on its switch"
                self._draft.report.lost(each.row, "options:virtual-parents", reason)
            else:
                continue
            del each.ports[each.name]
            del imported[each.row.uuid]

    def _nested(
        self, each: _Placed, workloads: dict[str, _Placed], tags: dict[tuple[str, int], Row]
    ) -> str:
        """Return why a nested port can't be imported; empty if it can."""
        parent, tag = each.values["parent"], each.values["tag"]
        if parent not in workloads:
            return f"not imported: there is no workload's port {parent} that is imported"
        holder = tags.setdefault((parent, tag), each.row) if tag else each.row
        return "" if holder is each.row else f"not imported: {holder.label} has tag {tag} there"

    def _virtual(self, each: _Placed, workloads: dict[str, _Placed]) -> bool:
        """Keep the parents that a virtual port can have; returns whether there are any."""
        kept = []
        for name in each.values["virtual_parents"]:
            if name in workloads and workloads[name].ports is each.ports:
                kept.append(name)
            else:
                reason = f"{name} not imported: it is no workload's port on the same switch"
                self._draft.report.noted(each.row, "options:virtual-parents", reason)
        each.values["virtual_parents"] = kept
        return bool(kept)


def _split(text: str) -> list[str]:
    return [each for each in text.replace(" ", ",").split(",") if each]
