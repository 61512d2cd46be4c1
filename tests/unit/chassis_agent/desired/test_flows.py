"""The desired table: owners, clashes, gathered changes, and the order of sending."""

import random

import pytest

from chassis_agent.desired.flow import Flow, is_clause, is_conjunction, merge_clauses
from chassis_agent.desired.flows import DesiredTable
from chassis_agent.openflow.oxm import FIELDS, Term, match

DROP = b""
ALLOW = bytes.fromhex("0004 0018 00000000 ffff0010 00002320 000e fff8 09 000000")
OTHER = bytes.fromhex("0004 0018 00000000 ffff0010 00002320 000e fff8 0a 000000")


def clause(conjunction: int, number: int, of: int) -> bytes:
    action = bytes.fromhex("ffff0010000023200022") + bytes((number, of))
    return bytes.fromhex("0004001800000000") + action + conjunction.to_bytes(4, "big")


def flow(name: int, instructions: bytes, cookie: int, field: str = "metadata") -> Flow:
    return Flow(8, 100, match([Term(FIELDS[field], name)]), instructions, cookie)


def test_a_flow_that_went_and_came_back_is_no_change() -> None:
    table = DesiredTable()
    table.replace("group", [flow(1, ALLOW, 7)])
    assert table.take_changes().added == [flow(1, ALLOW, 7)]
    table.replace("group", [])
    table.replace("group", [flow(1, ALLOW, 7)])
    assert not table.take_changes()


def test_a_shared_flow_goes_with_its_last_owner() -> None:
    table = DesiredTable()
    table.replace("one", [flow(1, ALLOW, 7)])
    table.replace("two", [flow(1, ALLOW, 8)])
    assert table.take_changes().added == [flow(1, ALLOW, 7)]
    assert not table.clashes
    table.replace("one", [])
    assert table.take_changes().added == [flow(1, ALLOW, 8)], "its cookie is its owner's"
    table.replace("two", [])
    assert table.take_changes().removed == [flow(1, ALLOW, 8)]
    assert len(table) == 0


def test_the_lower_cookie_wins_a_clash_whoever_came_first() -> None:
    table = DesiredTable()
    table.replace("late", [flow(1, OTHER, 9)])
    table.replace("early", [flow(1, ALLOW, 3)])
    assert list(table) == [flow(1, ALLOW, 3)]
    assert table.clashes == {flow(1, DROP, 0).key: [flow(1, ALLOW, 3), flow(1, OTHER, 9)]}
    table.replace("early", [])
    assert list(table) == [flow(1, OTHER, 9)]
    assert not table.clashes


def test_clauses_of_two_conjunctions_share_a_flow() -> None:
    table = DesiredTable()
    table.replace("one", [flow(1, clause(5, 0, 2), 7)])
    table.replace("two", [flow(1, clause(3, 1, 2), 6)])
    (shared,) = table
    assert shared.instructions == merge_clauses([clause(3, 1, 2), clause(5, 0, 2)])
    assert shared.cookie == 6
    assert is_clause(shared.instructions)
    table.replace("two", [])
    assert list(table) == [flow(1, clause(5, 0, 2), 7)]


def test_one_owner_may_state_two_clauses_under_one_key() -> None:
    table = DesiredTable()
    table.replace("one", [flow(1, clause(5, 0, 2), 7), flow(1, clause(5, 1, 2), 7)])
    (shared,) = table
    assert shared.instructions == merge_clauses([clause(5, 0, 2), clause(5, 1, 2)])


def test_a_whole_flow_wins_over_a_clause() -> None:
    table = DesiredTable()
    table.replace("clause", [flow(1, clause(5, 0, 2), 1)])
    table.replace("whole", [flow(1, ALLOW, 9)])
    assert list(table) == [flow(1, ALLOW, 9)]
    assert len(table.clashes) == 1


def test_conjunctions_follow_their_clauses_and_go_before_them() -> None:
    table = DesiredTable()
    conjunction = flow(5, ALLOW, 7, field="conj_id")
    flows = [conjunction, flow(1, clause(5, 0, 2), 7), flow(2, clause(5, 1, 2), 7)]
    table.replace("acl", flows)
    assert table.take_changes().added[-1] == conjunction
    assert is_conjunction(conjunction.match)
    table.replace("acl", [])
    assert table.take_changes().removed[0] == conjunction


def test_the_difference_to_a_switch_that_has_it_all_is_nothing() -> None:
    table = DesiredTable()
    table.replace("group", [flow(1, ALLOW, 7), flow(2, DROP, 7)])
    assert not table.difference([flow(1, ALLOW, 7), flow(2, DROP, 7)])
    assert not table.take_changes(), "what was gathered is part of the difference"


def test_the_difference_removes_what_nobody_wants() -> None:
    table = DesiredTable()
    table.replace("group", [flow(1, ALLOW, 7), flow(2, DROP, 7)])
    changes = table.difference([flow(1, OTHER, 7), flow(3, DROP, 7)])
    assert changes.removed == [flow(3, DROP, 7)]
    assert sorted(changes.added) == [flow(1, ALLOW, 7), flow(2, DROP, 7)]


@pytest.mark.parametrize("seed", range(30))
def test_any_history_ends_in_the_table_of_its_last_statements(seed: int) -> None:
    """Applying every change in turn also leaves the switch with exactly that table."""
    chance = random.Random(seed)
    bodies = [ALLOW, OTHER, DROP, clause(1, 0, 2), clause(1, 1, 2), clause(2, 0, 3)]
    table, switch, last = DesiredTable(), {}, {}
    for _ in range(60):
        owner = chance.randrange(5)
        last[owner] = [
            flow(chance.randrange(4), chance.choice(bodies), owner)
            for _ in range(chance.randrange(4))
        ]
        table.replace(owner, last[owner])
        if chance.random() < 0.5:
            changes = table.take_changes()
            for gone in changes.removed:
                assert switch.pop(gone.key) == gone
            switch.update((new.key, new) for new in changes.added)
            assert switch == {wanted.key: wanted for wanted in table}
    fresh = DesiredTable()
    for owner, flows in last.items():
        fresh.replace(owner, flows)
    assert sorted(fresh) == sorted(table)
    assert fresh.clashes == table.clashes
