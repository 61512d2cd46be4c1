"""Claims under random events: every binding is always what the rules make of the claims.

Rows are settled only for the ports that an event concerns. Whatever the order of events,
that has to come to the same as settling all of them, and a restart has to change nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from southbound.errors import NotAllowedError
from southbound.facts import Facts
from southbound.feed import Feed
from southbound.reach import Reach
from southbound.rows import Chassis, PortBinding, Row, RowId
from southbound.store import PortFact

CHASSIS = st.sampled_from(["A", "B", "C"])
NAMES = ["p", "q"]
PORTS = st.sampled_from(NAMES)


class Stored(NamedTuple):
    """What the store would have."""

    rows: dict[RowId, Row]
    port_facts: dict[str, PortFact]


class Claiming(RuleBasedStateMachine):
    """Three hosts that plug, unplug, die and return, and two ports that come and go.

    Host B has one name, the others may have one that both have.
    """

    @initialize(takeover=st.booleans())
    def start(self, takeover: bool) -> None:
        self.takeover = takeover
        self.stored = Stored({}, {})
        self.up: set[tuple[str, str]] = set()
        self.open([])

    def open(self, rows: Iterable[Row]) -> None:
        self.feed = Feed()
        self.facts = Facts(
            self.feed,
            self.change,
            Reach(),
            takeover=self.takeover,
            clock=lambda: 0.0,
            learned_age=0,
            learned_per_port=9,
        )
        bindings = [row for row in rows if isinstance(row, PortBinding)]
        self.feed.change(row for row in rows if isinstance(row, Chassis))
        self.facts.load(rows, bindings, dict(self.stored.port_facts))
        self.feed.change(self.facts.joined(row) for row in bindings)

    def change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        self.feed.change(puts, deletes)

    def bindings(self) -> list[PortBinding]:
        rows = self.feed.table("port_binding").values()
        return [row for row in rows if isinstance(row, PortBinding)]

    # --- what happens

    @rule(chassis=CHASSIS, shares=st.booleans())
    def connect(self, chassis: str, shares: bool) -> None:
        hostname = "shared" if shares and chassis != "B" else f"host-{chassis}"
        self.facts.connected(Chassis(chassis, hostname))

    @rule(chassis=CHASSIS)
    def lapse(self, chassis: str) -> None:
        self.facts.lapsed(chassis)

    @rule(chassis=CHASSIS)
    def remove(self, chassis: str) -> None:
        self.facts.remove_chassis(chassis)

    @rule(chassis=CHASSIS, port=PORTS)
    def plug(self, chassis: str, port: str) -> None:
        before = {row.name: row for row in self.bindings()}
        counted = self.facts.takeovers
        self.facts.claim(chassis, port)
        now = {row.name: row for row in self.bindings()}
        moved = {name for name, row in now.items() if row.chassis != before[name].chassis}
        assert moved <= {port}
        if moved and self.is_alive(before[port].chassis) and before[port].candidates is None:
            assert self.takeover
            assert self.facts.takeovers == counted + before[port].up

    def is_alive(self, name: str) -> bool:
        row = self.feed.table("chassis").get(name)
        return isinstance(row, Chassis) and row.alive

    @rule(chassis=CHASSIS, port=PORTS)
    def unplug(self, chassis: str, port: str) -> None:
        self.facts.release(chassis, port)

    @rule(chassis=CHASSIS, ports=st.sets(PORTS))
    def state_all(self, chassis: str, ports: set[str]) -> None:
        self.facts.claim_only(chassis, ports)

    @rule(chassis=CHASSIS, port=PORTS, up=st.booleans())
    def say_up(self, chassis: str, port: str, up: bool) -> None:
        own = any(row.name == port and chassis in row.all_chassis for row in self.bindings())
        claimed = port in self.facts.claimed_by(chassis)
        try:
            self.facts.set_up(chassis, port, up)
        except NotAllowedError:
            assert not own
            assert up
            assert not claimed
        if own:
            (self.up.add if up else self.up.discard)((f"id-{port}", chassis))

    @rule(chassis=CHASSIS, ports=st.sets(PORTS))
    def say_active(self, chassis: str, ports: set[str]) -> None:
        self.facts.state_activated(chassis, ports)

    @rule(
        port=PORTS,
        requested=st.lists(
            st.sampled_from(["A", "host-B", "C", "shared"]), max_size=2, unique=True
        ),
    )
    def put_port(self, port: str, requested: list[str]) -> None:
        row = PortBinding(f"id-{port}", "d", port, 1, "vif", requested_chassis=tuple(requested))
        self.feed.change([self.facts.joined(row)])

    @rule(port=PORTS)
    def delete_port(self, port: str) -> None:
        for row in self.bindings():
            if row.name == port:
                self.facts.port_gone(row)
                self.feed.change([], [row.row_id])

    @rule()
    def restart_server(self) -> None:
        before = {row.row_id: row for row in self.bindings()}
        self.store()
        chassis = [row for row in self.stored.rows.values() if isinstance(row, Chassis)]
        self.open([*chassis, *before.values()])
        self.up = {(row.id, row.chassis) for row in before.values() if row.up}
        assert before == {row.row_id: row for row in self.bindings()}

    def store(self) -> None:
        puts, deletes, port_facts = self.facts.unstored.take()
        self.stored.rows.update((row.row_id, row) for row in puts)
        for row in deletes:
            self.stored.rows.pop(row.row_id, None)
        for id_, fact in port_facts.items():
            if fact is None:
                self.stored.port_facts.pop(id_, None)
            else:
                self.stored.port_facts[id_] = fact

    # --- what holds

    @invariant()
    def settling_everything_changes_nothing(self) -> None:
        for row in self.bindings():
            assert self.facts.joined(row) == row

    @invariant()
    def only_requested_chassis_have_a_port(self) -> None:
        for row in self.bindings():
            names = {name.removeprefix("host-") for name in row.requested_chassis}
            if "shared" in names:
                names |= self.sharing()
            assert not row.chassis or not names or row.chassis in names

    @invariant()
    def agents_are_told_of_a_chassis_that_has_a_port_that_it_may(self) -> None:
        for row in self.bindings():
            assert (row.candidates is None) == (not row.requested_chassis)
            assert not row.chassis or row.candidates is None or row.chassis in row.candidates

    @invariant()
    def a_name_stands_for_one_chassis_at_most(self) -> None:
        for row in self.bindings():
            assert len(row.candidates or ()) <= len(row.requested_chassis)

    def sharing(self) -> set[str]:
        rows = self.feed.table("chassis").values()
        return {row.name for row in rows if isinstance(row, Chassis) and row.hostname == "shared"}

    @invariant()
    def a_port_is_up_where_its_chassis_said_so_since_it_has_it(self) -> None:
        """Also before, while it was on the way there; agents repeat that to a new server."""
        rows = {row.id: row for row in self.bindings()}
        self.up = {(id_, name) for id_, name in self.up if id_ in rows}
        self.up = {(id_, name) for id_, name in self.up if name in rows[id_].all_chassis}
        ups = {row.id for row in rows.values() if (row.id, row.chassis) in self.up}
        assert {row.id for row in rows.values() if row.up} == ups

    @invariant()
    def a_moving_port_is_on_requested_chassis_that_live(self) -> None:
        for row in self.bindings():
            further = row.additional_chassis
            assert row.chassis not in further
            assert set(further) <= set(row.candidates or ())
            assert all(map(self.is_alive, further))
            assert set(row.activated) <= set(further)


TestClaiming = Claiming.TestCase
TestClaiming.settings = settings(max_examples=600, stateful_step_count=40, deadline=None)
