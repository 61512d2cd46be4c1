"""When ports advertise themselves: soon at first, then now and then, never too often."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.advertising.schedule import (
    CLOSEST,
    FIRST_DELAY,
    INITIAL,
    INITIAL_INTERVAL,
    Schedule,
)
from southbound.rows import RouterAdvertisement

ROW = RouterAdvertisement("p", "r", "r-web", bytes(12), 200, 600)


def times(schedule: Schedule, until: float) -> list[float]:
    """When something was sent, looking ten times a second."""
    return [tick / 10 for tick in range(int(until * 10)) for _ in schedule.due(tick / 10, most=10)]


def test_the_first_ones_follow_soon_and_the_others_after_the_interval() -> None:
    schedule = Schedule(random.Random(1).uniform)
    schedule.put(ROW, 0.0)
    sent = times(schedule, 5000)
    assert sent[0] <= FIRST_DELAY + 0.1
    gaps = [b - a for a, b in pairwise(sent)]
    assert all(gap <= INITIAL_INTERVAL + 0.1 for gap in gaps[: INITIAL - 1])
    assert all(200 <= gap <= 600.2 for gap in gaps[INITIAL - 1 :])
    assert len(gaps) > INITIAL + 4


def test_one_that_only_answers_is_never_sent() -> None:
    schedule = Schedule(random.uniform)
    schedule.put(RouterAdvertisement("p", "r", "r-web", bytes(12)), 0.0)
    assert times(schedule, 100) == []


def test_what_stays_the_same_is_not_told_again() -> None:
    schedule = Schedule(random.Random(2).uniform)
    schedule.put(ROW, 0.0)
    before = times(schedule, 100)
    schedule.put(ROW, 100.0)
    assert schedule.due(101.0, most=10) == []
    assert len(before) == INITIAL


def test_something_new_is_told_soon_but_not_too_soon() -> None:
    schedule = Schedule(random.Random(3).uniform)
    schedule.put(ROW, 0.0)
    assert len(schedule.due(0.5, most=10)) == 1
    changed = RouterAdvertisement("p", "r", "r-web", bytes(20), 200, 600)
    schedule.put(changed, 1.0)
    assert schedule.due(0.5 + CLOSEST - 0.1, most=10) == []
    assert schedule.due(0.5 + CLOSEST, most=10) == [changed]


def test_one_that_ends_says_what_it_said() -> None:
    schedule = Schedule(random.Random(4).uniform)
    schedule.put(ROW, 0.0)
    assert schedule.remove("p") is None
    schedule.put(ROW, 0.0)
    schedule.due(1.0, most=1)
    assert schedule.remove("p") == ROW
    assert schedule.remove("p") is None
    assert times(schedule, 2000) == []


def test_not_more_than_is_asked_for_at_once() -> None:
    schedule = Schedule(lambda _low, _high: 0.0)
    for number in range(10):
        schedule.put(RouterAdvertisement(str(number), "r", "x", b"", 200, 600), 0.0)
    assert [len(schedule.due(0.0, most=4)) for _ in range(4)] == [4, 4, 2, 0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(3, 9), st.booleans()), max_size=60))
def test_no_port_ever_sends_more_often_than_it_may(edits: list[tuple[int, int, bool]]) -> None:
    schedule = Schedule(random.Random(5).uniform)
    last: dict[str, float] = {}
    now = 0.0
    for port, low, is_removed in edits:
        now += 0.7
        if is_removed:
            schedule.remove(str(port))
            last.pop(str(port), None)
        else:
            schedule.put(RouterAdvertisement(str(port), "r", "x", bytes((low,)), low, low + 1), now)
        for row in schedule.due(now, most=100):
            assert now - last.get(row.id, -CLOSEST) >= CLOSEST - 1e-9
            last[row.id] = now
