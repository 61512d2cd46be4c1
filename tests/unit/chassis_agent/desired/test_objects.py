"""Groups and meters by owner: what is wanted, what changes, in which order it is sent."""

import random

import pytest

from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.identity import StableNumbers
from chassis_agent.desired.objects import (
    DesiredObjects,
    Group,
    Meter,
    ObjectChanges,
    compare_objects,
)
from chassis_agent.desired.steps import bundle_steps, in_order
from chassis_agent.errors import NumbersExhaustedError
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import oxm
from chassis_agent.openflow.errors import DecodingError, EncodingError
from chassis_agent.openflow.messages import Bucket, GroupType, SwitchGroup
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.references import (
    NONE,
    References,
    references_of_buckets,
    references_of_flow,
)


def group(number: int, *refers_to: int) -> Group:
    buckets = [Bucket(i, act.group(other)) for i, other in enumerate(refers_to)]
    return Group.of(SwitchGroup(number, GroupType.ALL, buckets))


def meter(number: int, rate: int = 100) -> Meter:
    return Meter(number, packets=True, rate=rate, burst=rate)


def flow(priority: int, actions: bytes) -> Flow:
    match = oxm.match([Term(FIELDS["reg0"], priority)])
    return Flow(7, priority, match, act.apply_actions(actions), 5)


def test_an_object_stays_while_it_has_an_owner() -> None:
    objects: DesiredObjects[Meter] = DesiredObjects()
    objects.replace("a", [meter(1)])
    objects.replace("b", [meter(1), meter(2)])
    assert objects.take_changes().put == ((None, meter(1)), (None, meter(2)))
    objects.replace("a", [])
    assert not objects.take_changes()
    objects.replace("b", [meter(2, rate=5)])
    changes = objects.take_changes()
    assert changes.removed == (meter(1),)
    assert changes.put == ((meter(2), meter(2, rate=5)),)


def test_what_came_and_went_between_two_looks_is_gone_and_no_change() -> None:
    objects: DesiredObjects[Meter] = DesiredObjects()
    objects.replace("a", [meter(1), meter(2)])
    objects.replace("a", [meter(2)])
    assert objects.gone == (meter(1),), "its number is free"
    assert objects.take_changes() == ObjectChanges((), ((None, meter(2)),))
    assert objects.gone == ()
    objects.replace("a", [])
    objects.replace("b", [meter(2)])
    assert objects.gone == ()


def test_what_went_and_came_back_is_no_change() -> None:
    objects: DesiredObjects[Meter] = DesiredObjects()
    objects.replace("a", [meter(1)])
    objects.take_changes()
    objects.replace("a", [])
    objects.replace("b", [meter(1)])
    assert not objects.take_changes()


@pytest.mark.parametrize("seed", range(5))
def test_a_clash_is_settled_whatever_the_order(seed: int) -> None:
    claims = [("a", meter(1, 100)), ("b", meter(1, 50)), ("c", meter(1, 70))]
    random.Random(seed).shuffle(claims)
    objects: DesiredObjects[Meter] = DesiredObjects()
    for owner, each in claims:
        objects.replace(owner, [each])
    assert list(objects) == [meter(1, 100)]
    assert objects.clashes == {1: [meter(1, 100), meter(1, 50), meter(1, 70)]}
    objects.replace("a", [])
    assert list(objects) == [meter(1, 50)]
    objects.replace("c", [])
    assert objects.clashes == {}


def test_the_difference_to_a_switch_has_what_was_there_before() -> None:
    objects: DesiredObjects[Meter] = DesiredObjects()
    objects.replace("a", [meter(1), meter(2), meter(3)])
    changes = objects.difference([meter(2, rate=5), meter(3), meter(9)])
    assert changes.removed == (meter(9),)
    assert changes.put == ((None, meter(1)), (meter(2, rate=5), meter(2)))
    assert objects.take_changes(), "gathered changes stay until they are taken"


def test_differences_are_told_a_line_each() -> None:
    (line,) = compare_objects([meter(1)], [], "wanted", "in the switch")
    assert line.startswith("wanted: Meter(number=1")
    assert line.endswith("in the switch: nothing")


@pytest.mark.parametrize("seed", range(10))
def test_random_claims_come_to_what_the_last_statements_say(seed: int) -> None:
    chance = random.Random(seed)
    objects: DesiredObjects[Meter] = DesiredObjects()
    switch: dict[int, Meter] = {}
    stated: dict[str, list[Meter]] = {}
    for _ in range(200):
        owner = chance.choice("abcd")
        wants = [
            meter(chance.randrange(4), chance.randrange(3)) for _ in range(chance.randrange(3))
        ]
        stated[owner] = wants
        objects.replace(owner, wants)
        if chance.random() < 0.3:
            changes = objects.take_changes()
            for each in changes.removed:
                assert switch.pop(each.number) == each
            for before, after in changes.put:
                assert switch.get(after.number) == before
                switch[after.number] = after
            assert sorted(switch.values()) == sorted(objects)
    fresh: DesiredObjects[Meter] = DesiredObjects()
    for owner, wants in stated.items():
        fresh.replace(owner, wants)
    assert sorted(fresh) == sorted(objects)
    assert fresh.clashes == objects.clashes


def test_groups_come_before_flows_and_go_after_them() -> None:
    new, old = flow(1, act.group(4)), flow(2, act.group(6))
    changes = Changes(
        [old],
        [new],
        groups=ObjectChanges(
            removed=(group(5), group(6, 5)), put=((None, group(4, 3)), (None, group(3)))
        ),
    )
    assert [(step.what, step.is_removal) for step in bundle_steps(changes)] == [
        (group(3), False),
        (group(4, 3), False),
        (old, True),
        (new, False),
        (group(6, 5), True),
        (group(5), True),
    ]


def test_groups_in_a_circle_are_not_followed_for_ever() -> None:
    assert {each.number for each in in_order([group(1, 2), group(2, 1), group(3, 3)])} == {1, 2, 3}


def test_references_are_found_however_deep() -> None:
    deep = act.clone(act.set_field(FIELDS["reg1"], 0x00160008) + act.clone(act.group(7)))
    told = act.controller(bytes.fromhex("0005000800000063"), meter_id=9)
    assert references_of_flow(flow(1, act.meter(3) + deep + told).instructions) == References(
        frozenset({7}), frozenset({3, 9})
    )
    assert references_of_flow(flow(1, act.output(22)).instructions) == NONE
    assert references_of_flow(b"") == NONE
    assert references_of_buckets(group(1, 5, 6).buckets).groups == {5, 6}


def test_references_in_broken_bytes_are_refused() -> None:
    instructions = flow(1, act.output(1) + act.group(7)).instructions
    with pytest.raises(DecodingError):
        references_of_flow(instructions[:-1])
    with pytest.raises(DecodingError):
        references_of_buckets(group(1, 5).buckets[:-2])
    with pytest.raises(DecodingError):
        references_of_flow(flow(1, _nested(200)).instructions)


def _nested(depth: int) -> bytes:
    actions = act.group(1)
    for _ in range(depth):
        actions = act.clone(actions)
    return actions


def test_a_group_that_fits_no_message_is_refused() -> None:
    with pytest.raises(EncodingError, match="group 9"):
        Group.of(SwitchGroup(9, buckets=[Bucket(n, act.output(n)) for n in range(3000)]))


def test_numbers_are_the_same_after_a_restart_and_free_when_released() -> None:
    first, second = StableNumbers(256, 0xFFFF), StableNumbers(256, 0xFFFF)
    descriptions = [f"group {n}".encode() for n in range(50)]
    numbers = [first.allocate(each) for each in descriptions]
    assert [first.allocate(each) for each in descriptions] == numbers
    assert [second.allocate(each) for each in reversed(descriptions)] == numbers[::-1]
    first.release(numbers[0])
    first.release(1)
    assert len(first) == 49


def test_colliding_numbers_are_different_and_run_out() -> None:
    numbers = StableNumbers(5, 7)
    assert {numbers.allocate(bytes((n,))) for n in range(3)} == {5, 6, 7}
    with pytest.raises(NumbersExhaustedError):
        numbers.allocate(b"one more")
    numbers.release(6)
    assert numbers.allocate(b"one more") == 6
