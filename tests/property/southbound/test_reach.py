"""Reach, kept row by row, is what walking all rows anew would find; changes name what changed."""

from collections.abc import Iterable

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from southbound.reach import Reach
from southbound.rows import FlowGroup, PortBinding, Row, RowId

CHASSIS = ["A", "B"]
DATAPATHS = ["d1", "d2", "d3", "d4", "d5"]
SETS = ["$a", "@b"]

PATCHES = st.builds(
    PortBinding,
    id=st.sampled_from([f"patch{n}" for n in range(7)]),
    datapath=st.sampled_from(DATAPATHS),
    name=st.just("patch"),
    tunnel_key=st.just(1),
    type=st.just("patch"),
    peer_datapath=st.sampled_from(["", *DATAPATHS]),
)
VIFS = st.builds(
    PortBinding,
    id=st.sampled_from(["vif1", "vif2", "vif3"]),
    datapath=st.sampled_from(DATAPATHS),
    name=st.just("vif"),
    tunnel_key=st.just(1),
    type=st.just("vif"),
    chassis=st.sampled_from(["", *CHASSIS]),
)
GROUPS = st.builds(
    FlowGroup,
    id=st.integers(1, 3),
    datapath=st.sampled_from(DATAPATHS),
    cause_kind=st.just("acl"),
    cause_id=st.just("x"),
    revision=st.just(1),
    payload=st.lists(st.sampled_from(SETS), max_size=2).map(
        lambda names: msgspec.msgpack.encode([[7, *names]])
    ),
)
ROWS = st.one_of(PATCHES, PATCHES, VIFS, GROUPS)


class Reaching(RuleBasedStateMachine):
    """Ports and flow groups that come, change and go."""

    @initialize()
    def start(self) -> None:
        self.reach = Reach()
        self.rows: dict[RowId, Row] = {}
        self.known = self.walked()

    @rule(puts=st.lists(ROWS, max_size=4), deletes=st.lists(ROWS, max_size=3))
    def change(self, puts: list[Row], deletes: list[Row]) -> None:
        gone = [row.row_id for row in deletes]
        for row_id in gone:
            self.rows.pop(row_id, None)
        self.rows.update((row.row_id, row) for row in puts)
        changes = self.reach.take(puts, gone)
        before, self.known = self.known, self.walked()
        told = {
            (chassis, datapath)
            for change in changes.reach
            for chassis in change.chassis
            for datapath in change.datapaths
        }
        reach_before, sets_before = before
        reach_now, sets_now = self.known
        assert reach_before ^ reach_now <= told
        for chassis, name in sets_before ^ sets_now:
            assert name in changes.sets or any(chassis in c.chassis for c in changes.reach)

    def bindings(self) -> Iterable[PortBinding]:
        return [row for row in self.rows.values() if isinstance(row, PortBinding)]

    def walked(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """Each chassis with each datapath and each set that it reaches, found the long way."""
        reach, sets = set(), set()
        for chassis in CHASSIS:
            found = {row.datapath for row in self.bindings() if row.chassis == chassis}
            while True:
                links = [(r.datapath, r.peer_datapath) for r in self.bindings() if r.peer_datapath]
                more = {b for a, b in links if a in found} | {a for a, b in links if b in found}
                if more <= found:
                    break
                found |= more
            reach |= {(chassis, datapath) for datapath in found}
            sets |= {
                (chassis, name)
                for row in self.rows.values()
                if isinstance(row, FlowGroup) and row.datapath in found
                for name in SETS
                if name.encode() in row.payload
            }
        return reach, sets

    @invariant()
    def is_what_walking_finds(self) -> None:
        reach, sets = self.known
        for chassis in CHASSIS:
            for datapath in DATAPATHS:
                assert self.reach.reaches(chassis, datapath) == ((chassis, datapath) in reach)
            for name in SETS:
                assert self.reach.uses(chassis, name) == ((chassis, name) in sets)

    @rule()
    def empty(self) -> None:
        """Nothing stays of rows that are gone."""
        self.reach.take([], list(self.rows))
        self.rows = {}
        self.known = self.walked()
        left = {name: value for name, value in vars(self.reach).items() if value}
        assert left == {}


TestReaching = Reaching.TestCase
TestReaching.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
