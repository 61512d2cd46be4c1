"""Routing policies of logical routers.

OVN passes over a policy whose match it cannot read, and over next hops that are in no network of
the router's ports. Of a policy with several next hops those are kept that it follows.
"""

from typing import Final

from cli.import_ovn.bfd import BfdSessions
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.matches import Matches
from cli.import_ovn.routing import Ports, leading_to, why_no_neighbour
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import address
from northbound.specs.policies import RouterPolicyProperties

_TABLE: Final = "Logical_Router_Policy"


class Policies:
    """Translates the policies of routers, whose matches name sets and router ports."""

    def __init__(self, draft: Draft, matches: Matches, ports: Ports, bfd: BfdSessions) -> None:
        self._draft = draft
        self._matches = matches
        self._ports = ports
        self._bfd = bfd

    def of(self, router: Row) -> list[Values]:
        """The policies of a router, in the order in which they are asked."""
        own = {
            port.name: self._ports[port.name]
            for port in self._draft.snapshot.referred(router, "ports", "Logical_Router_Port")
            if port.name in self._ports
        }
        found: dict[tuple[object, ...], tuple[Values, Row]] = {}
        for row in self._draft.snapshot.referred(router, "policies", _TABLE):
            values = self._policy(row, own)
            if values is None:
                continue
            key = values.get("chain", ""), values["priority"], values["match"]
            first, first_row = found.setdefault(key, (values, row))
            if first is not values:
                reason = f"not imported: {first_row.uuid} has the same priority and match"
                say = self._draft.report.noted if first == values else self._draft.report.lost
                say(row, "match", reason)
        return sorted((values for values, _ in found.values()), key=_place)

    def _policy(self, row: Row, ports: Ports) -> Values | None:
        match = self._matches.read_policy(row)
        if match is None:
            return None
        values: Values = {
            "priority": row.number("priority"),
            "match": match,
            "action": row.text("action"),
        }
        for column in ("chain", "jump_chain"):
            if row.text(column):
                values[column] = row.text(column)
        mark = row.mapping("options").get("pkt_mark")
        if mark and values["action"] in ("allow", "reroute"):
            if not mark.isdecimal():
                reason = f"{mark!r} not imported, and OVN passes over it"
                self._draft.report.noted(row, "options:pkt_mark", reason)
            elif int(mark):
                values["pkt_mark"] = int(mark)
        if values["action"] == "reroute":
            port = row.text("output_port")
            if port and port in ports:
                values["output_port"] = ports[port][0]
            nexthops = self._nexthops(row, ports, values)
            if not nexthops:
                return None
            values["nexthops"] = nexthops
            self._supervise(row, values)
        return self._draft.accepted(row, RouterPolicyProperties, values)

    def _supervise(self, row: Row, values: Values) -> None:
        """Let next hops go by their BFD sessions."""
        for session in self._bfd.of(row, "bfd_sessions"):
            if session.neighbour not in values["nexthops"]:
                reason = f"not imported: {session.neighbour} is no next hop"
                self._draft.report.noted(row, "bfd_sessions", reason)
            elif session.is_run:
                values["bfd"] = True
            else:
                reason = f"not imported: {session.port} is no gateway port"
                self._draft.report.lost(row, "bfd_sessions", reason)

    def _nexthops(self, row: Row, ports: Ports, values: Values) -> list[str]:
        """The next hops that packets can be handed on to; what becomes of the others is told."""
        report = self._draft.report
        written = [*row.texts("nexthops"), *(row.texts("nexthop"))]
        kept: list[str] = []
        for text in written:
            hop = address(text)
            if hop is None:
                report.noted(row, "nexthops", f"not imported: {text!r} is no address")
            elif reason := why_no_neighbour(hop, ports):
                report.lost(row, "nexthops", f"not imported: {hop} {reason}")
            elif "output_port" not in values and not leading_to(hop, ports):
                reason = f"not imported, and OVN passes over it: no port's network holds {hop}"
                report.noted(row, "nexthops", reason)
            elif kept and (":" in kept[0]) != (":" in hop):
                report.lost(row, "nexthops", f"not imported: {hop} is not of {kept[0]}'s family")
            elif hop not in kept:
                kept.append(hop)
        if not kept:
            report.noted(row, "nexthops", "not imported: it has no next hop left")
        return kept


def _place(policy: Values) -> tuple[str, int, str]:
    """Where a policy stands in the document: as it is asked."""
    return policy.get("chain", ""), -policy["priority"], policy["match"]
