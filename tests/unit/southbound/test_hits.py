"""Sums of counters that agents report, and that begin anew now and then."""

from southbound.hits import HitBook, Hits
from southbound.questions import GroupHits
from southbound.rows import FlowGroup


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def book(clock: Clock, groups: dict[int, FlowGroup] | None = None) -> HitBook:
    known = {1: acl(1), 2: FlowGroup(2, "ls", "logical_switch", "ls", 1, b"")}
    return HitBook(
        (known if groups is None else groups).get, lambda chassis, _: chassis != "far", clock
    )


def acl(number: int) -> FlowGroup:
    return FlowGroup(number, "ls", "acl", f"acl-{number}", 1, b"")


def test_reports_are_totals_of_a_chassis() -> None:
    hits = book(Clock())
    hits.report("hv1", [GroupHits(1, 10, 600, 2.0)])
    hits.report("hv1", [GroupHits(1, 15, 900, 0.0)])
    hits.report("hv2", [GroupHits(1, 1, 60, 5.0)])
    assert dict(hits.of(1)) == {"hv1": Hits(15, 900, 1000.0), "hv2": Hits(1, 60, 995.0)}


def test_counters_that_begin_anew_are_added_to_what_was_before() -> None:
    clock = Clock()
    hits = book(clock)
    hits.report("hv1", [GroupHits(1, 10, 600, 0.0)])
    clock.now = 2000.0
    hits.report("hv1", [GroupHits(1, 3, 180, 100.0)])
    hits.report("hv1", [GroupHits(1, 0, 0)])
    hits.report("hv1", [GroupHits(1, 2, 120, 50.0)])
    assert dict(hits.of(1)) == {"hv1": Hits(15, 900, 1950.0)}


def test_what_an_agent_that_began_anew_has_not_seen_is_not_forgotten() -> None:
    hits = book(Clock())
    hits.report("hv1", [GroupHits(1, 10, 600, 7.0)])
    hits.report("hv1", [GroupHits(1, 10, 600, -1.0)])
    assert dict(hits.of(1)) == {"hv1": Hits(10, 600, 993.0)}


def test_only_acls_that_a_chassis_may_know_are_counted() -> None:
    hits = book(Clock())
    hits.report("hv1", [GroupHits(2, 10, 600, 0.0), GroupHits(77, 10, 600, 0.0)])
    hits.report("far", [GroupHits(1, 10, 600, 0.0)])
    hits.report("hv1", [GroupHits(1, -1, 600, 0.0), GroupHits(1, 1 << 64, 600, 0.0)])
    hits.report("hv1", [GroupHits(1, 1, 60, float("nan"))])
    assert [dict(hits.of(number)) for number in (2, 77)] == [{}, {}]
    assert dict(hits.of(1)) == {"hv1": Hits(1, 60, None)}


def test_counters_of_groups_that_are_gone_go() -> None:
    groups = {number: acl(number) for number in range(1025)}
    hits = book(Clock(), groups)
    hits.report("hv1", [GroupHits(number, 1, 60, 0.0) for number in range(1024)])
    del groups[5]
    assert len(list(hits.groups())) == 1023
    hits.report("hv1", [GroupHits(1024, 1, 60, 0.0)])
    assert dict(hits.of(5)) == {}
    assert len(list(hits.groups())) == 1024
