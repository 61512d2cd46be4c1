"""Load balancers and their virtual addresses.

A virtual address that OVN can't read it passes over, and so does the import. What it reads of
the list of backends it takes; of those that it can't read, the whole address is passed over.
"""

from collections import defaultdict
from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.health_checks import HealthChecks
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import selection_fields
from logical_flow.variables import BackendText, has_variable, parse_backend_text
from northbound.specs.load_balancing import (
    MAX_AFFINITY_TIMEOUT,
    LoadBalancerGroupProperties,
    LoadBalancerProperties,
    LoadBalancerVipProperties,
)

_VIPS: Final = {
    "address": "vips",
    "port": "vips",
    "port_variable": "vips",
    "backends": "vips",
    "health_check": "health_check",
}


class Balancing:
    """Translates load balancers and their groups: those that were, by name."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._health_checks = HealthChecks(draft)
        switches = self._places("Logical_Switch", "load_balancer")
        routers = self._places("Logical_Router", "load_balancer")
        self.load_balancers: dict[str, Values] = {}
        for row in draft.snapshot.rows("Load_Balancer"):
            accepted = draft.accepted(
                row,
                LoadBalancerProperties,
                {
                    "protocol": row.text("protocol") or "tcp",
                    "reject": is_true(row.mapping("options").get("reject", "")),
                    "switches": sorted(switches[row.uuid]),
                    "routers": sorted(routers[row.uuid]),
                    **self._answering(row),
                    "skip_snat": is_true(row.mapping("options").get("skip_snat", "")),
                    **self._choices(row),
                },
                {
                    "affinity_timeout": "options:affinity_timeout",
                    "hairpin_snat_ips": "options:hairpin_snat_ip",
                },
            )
            if accepted is not None:
                vips = self._vips(row)
                backends = self._health_checks.backends(row)
                self.load_balancers[draft.names.of(row)] = (
                    accepted
                    | ({"vips": vips} if vips else {})
                    | ({"backends": backends} if backends else {})
                )

        self.groups = self._groups()

    def _answering(self, row: Row) -> Values:
        """Whether it is a template, and who is answered for its addresses: of a template none.

        Unless it says that all are.
        """
        options = row.mapping("options")
        if not _is_template(row):
            return {"neighbor_responder": _responder(row)}
        family = "ipv6" if options.get("address-family", "ipv4") != "ipv4" else "ipv4"
        responder = "all" if options.get("neighbor_responder") == "all" else "none"
        return {"template": True, "address_family": family, "neighbor_responder": responder}

    def _choices(self, row: Row) -> Values:
        """How backends are chosen, and who asks clients that are their own."""
        options = row.mapping("options")
        timeout = options.get("affinity_timeout", "")
        seconds = int(timeout) if timeout.isascii() and timeout.isdecimal() else 0
        fields = selection_fields(row.texts("selection_fields"))
        if seconds and fields not in ([], ["ip_src"]):
            reason = "not imported: with affinity the client's address alone counts"
            self._draft.report.noted(row, "selection_fields", reason)
            fields = []
        return {
            # OVN counts no further, either.
            "affinity_timeout": min(seconds, MAX_AFFINITY_TIMEOUT),
            "selection_fields": fields,
            "hairpin_snat_ips": options.get("hairpin_snat_ip", "").replace(",", " ").split(),
        }

    def _groups(self) -> dict[str, Values]:
        """Groups of load balancers, by name; what was not imported is left out of them."""
        snapshot, names = self._draft.snapshot, self._draft.names
        switches = self._places("Logical_Switch", "load_balancer_group")
        routers = self._places("Logical_Router", "load_balancer_group")
        groups: dict[str, Values] = {}
        for row in snapshot.rows("Load_Balancer_Group"):
            balancers = snapshot.referred(row, "load_balancer", "Load_Balancer")
            members = sorted(names.of(each) for each in balancers)
            values = {
                "load_balancers": [name for name in members if name in self.load_balancers],
                "switches": sorted(switches[row.uuid]),
                "routers": sorted(routers[row.uuid]),
            }
            accepted = self._draft.accepted(row, LoadBalancerGroupProperties, values)
            if accepted is not None:
                groups[names.of(row)] = accepted
        return groups

    def _places(self, table: str, column: str) -> dict[str, set[str]]:
        """The names of the switches or routers that refer to something, by its UUID."""
        found: dict[str, set[str]] = defaultdict(set)
        for place in self._draft.snapshot.rows(table):
            for uuid in place.references(column):
                found[uuid].add(self._draft.names.of(place))
        return found

    def _vips(self, row: Row) -> list[Values]:
        vips = []
        checks = self._health_checks.of(row)
        for text, listed in sorted(row.mapping("vips").items()):
            values = self._vip(row, text, listed, checks.get(text))
            if values is not None:
                vips.append(values)
        return vips

    def _vip(self, row: Row, text: str, listed: str, check: Values | None) -> Values | None:
        read = parse_backend_text if _is_template(row) else _without_variables
        try:
            vip = read(text)
            backends = [str(read(part.strip())) for part in listed.split(",") if part.strip()]
        except ValueError:
            reason = f"{text!r} not imported, and OVN passes over it: it can't be read"
            self._draft.report.noted(row, "vips", reason)
            return None
        values: Values = {"address": vip.address, "backends": backends}
        if vip.port:
            is_number = vip.port.isdecimal()
            values["port" if is_number else "port_variable"] = (
                int(vip.port) if is_number else vip.port
            )
        if check is not None:
            values["health_check"] = check
        accepted = self._draft.accepted(row, LoadBalancerVipProperties, values, _VIPS)
        if accepted is not None:
            # The external ids are those of the load balancer.
            accepted.pop("external_ids", None)
        return accepted


def _responder(row: Row) -> str:
    """Return who is answered; what isn't one of the words means what nothing means."""
    said = row.mapping("options").get("neighbor_responder", "")
    return said if said in ("all", "none") else "reachable"


def _is_template(row: Row) -> bool:
    return is_true(row.mapping("options").get("template", ""))


def _without_variables(text: str) -> BackendText:
    """Return an address with its port; raises ValueError for what has a variable."""
    if has_variable(text):
        raise ValueError(f"{text!r} has a variable")
    return parse_backend_text(text)
