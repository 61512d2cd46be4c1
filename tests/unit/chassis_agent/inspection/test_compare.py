"""Which differences between wanted and installed flows concern which datapaths."""

import pytest

from chassis_agent.desired.flow import Flow
from chassis_agent.inspection.compare import FlowDifference, flow_differences
from chassis_agent.openflow.actions import apply_actions, output
from chassis_agent.openflow.oxm import FIELDS, Term, match
from southbound.cookies import physical_cookie


def flow(*terms: Term, cookie: int = 0, port: int = 1) -> Flow:
    return Flow(10, 50, match(terms), apply_actions(output(port)), cookie)


def on(key: int, mask: int | None = None) -> Term:
    return Term(FIELDS["metadata"], key, mask)


MAC = Term(FIELDS["eth_dst"], 5)


def test_each_kind_of_difference() -> None:
    kept, missing, extra = flow(on(1)), flow(on(1), MAC), flow(on(2))
    altered, found = flow(on(3), port=1), flow(on(3), port=2)
    differences = flow_differences([kept, missing, altered], [kept, extra, found], [1, 2, 3])
    assert {(each.wanted, each.found) for each in differences.values()} == {
        (missing, None),
        (None, extra),
        (altered, found),
    }
    assert list(differences) == sorted(differences)


def test_a_cookie_is_part_of_a_flow() -> None:
    wanted, found = flow(on(1), cookie=4), flow(on(1), cookie=5)
    assert flow_differences([wanted], [found], [1]) == {
        wanted.key: FlowDifference(wanted.key, wanted, found)
    }


@pytest.mark.parametrize(
    ("terms", "cookie", "concerned"),
    [
        ([on(1)], 0, True),
        ([on(2)], 0, False),
        ([on(0, 0x2)], 0, True),
        ([on(2, 0x2)], 0, False),
        ([MAC], 0, True),
        ([MAC], physical_cookie(2), True),
    ],
)
def test_a_foreign_flow_concerns_whom_it_may_match(
    terms: list[Term], cookie: int, concerned: bool
) -> None:
    assert bool(flow_differences([], [flow(*terms, cookie=cookie)], [1])) is concerned


@pytest.mark.parametrize(
    ("cookie", "concerned"),
    [(physical_cookie(1, 7), True), (physical_cookie(2, 7), False), (physical_cookie(0), True)],
)
def test_a_missing_flow_of_an_interface_concerns_its_datapath(cookie: int, concerned: bool) -> None:
    wanted = flow(Term(FIELDS["in_port"], 3), cookie=cookie)
    assert bool(flow_differences([wanted], [], [1])) is concerned
