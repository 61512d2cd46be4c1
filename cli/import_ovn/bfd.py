"""BFD sessions of router ports, and what goes by them.

OVN runs a session on the chassis of a gateway port or of a gateway router. One of another port is
never up, and OVN passes over the routes that go by it.
"""

from typing import Final, NamedTuple

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import address
from northbound.specs.bfd import SHORTEST_INTERVAL, BfdSessionProperties

_INTERVALS: Final = ("min_tx", "min_rx")


class Session(NamedTuple):
    """A session that was imported: its port's name in OVN, its neighbour, whether it is run."""

    port: str
    neighbour: str
    is_run: bool


class BfdSessions:
    """Adds the sessions to the router `ports`, which are by their names in OVN."""

    def __init__(self, draft: Draft, ports: dict[str, tuple[str, Values]]) -> None:
        self._draft = draft
        self._ports = ports
        self._sessions: dict[str, Session] = {}
        taken: dict[tuple[str, str], Row] = {}
        rows = {row.name: row for row in draft.snapshot.rows("Logical_Router_Port")}
        for row in draft.snapshot.rows("BFD"):
            self._add(row, rows, taken)

    def of(self, row: Row, column: str) -> list[Session]:
        """The sessions that a route or policy names; which are not imported is told."""
        found = []
        for uuid in row.references(column):
            if uuid in self._sessions:
                found.append(self._sessions[uuid])
            else:
                self._draft.report.lost(row, column, "not imported, as its BFD session is not")
        return found

    def _add(self, row: Row, ports: dict[str, Row], taken: dict[tuple[str, str], Row]) -> None:
        name = row.text("logical_port")
        neighbour = address(row.text("dst_ip"))
        if name not in self._ports:
            lost = name in ports
            say = self._draft.report.lost if lost else self._draft.report.noted
            reason = "is not" if lost else "isn't there: passed over by OVN"
            say(row, "logical_port", f"not imported, as router port {name!r} {reason}")
            return
        values: Values = {"dst_ip": neighbour or row.text("dst_ip")}
        for column in (*_INTERVALS, "detect_mult"):
            if row.values(column):
                values[column] = row.number(column)
        for column in _INTERVALS:
            if 0 <= values.get(column, SHORTEST_INTERVAL) < SHORTEST_INTERVAL:
                reason = f"{values[column]} ms imported as {SHORTEST_INTERVAL} ms, the shortest"
                self._draft.report.noted(row, column, reason)
                values[column] = SHORTEST_INTERVAL
        accepted = self._draft.accepted(row, BfdSessionProperties, values)
        if accepted is None:
            return
        key = (name, accepted["dst_ip"])
        is_run = self._is_gateway(name, ports[name])
        self._sessions[row.uuid] = Session(*key, is_run)
        if key in taken:
            reason = f"not imported: says of the same as {taken[key].uuid}"
            self._draft.report.noted(row, "dst_ip", reason)
            return
        taken[key] = row
        self._ports[name][1].setdefault("bfd_sessions", []).append(accepted)

    def _is_gateway(self, name: str, row: Row) -> bool:
        values = self._ports[name][1]
        if values.get("gateway_chassis") or values.get("ha_chassis_group"):
            return True
        routers = self._draft.snapshot.owners(row, "Logical_Router", "ports")
        return any(router.mapping("options").get("chassis") for router in routers)
