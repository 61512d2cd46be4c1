"""Which keys are due: each at the time that it was planned for last."""

import math

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.due import DueQueue


def test_keys_come_once_they_are_due_those_that_wait_longest_first() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.plan("b", 2.0)
    queue.plan("a", 1.0)
    queue.plan("c", 1.0)
    assert queue.take(0.9) is None
    assert [queue.take(2.0) for _ in range(4)] == ["a", "c", "b", None]
    assert len(queue) == 0


def test_a_key_is_due_when_it_was_planned_for_last() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.plan("a", 1.0)
    queue.plan("a", 3.0)
    assert (queue.earliest, queue.take(2.0)) == (3.0, None)
    queue.plan("a", 1.0)
    assert (queue.take(2.0), queue.take(9.0)) == ("a", None)


def test_what_was_dropped_is_never_due() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.plan("a", 1.0)
    queue.plan("b", 1.0)
    queue.drop("a")
    queue.plan("b", math.inf)
    queue.drop("never there")
    assert (queue.take(9.0), queue.earliest, queue.seconds_until_next(0.0, 60.0)) == (
        *(None, math.inf),
        60.0,
    )


def test_a_key_stays_due_until_it_is_taken() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.plan("a", 1.0)
    assert [queue.first(1.0) for _ in range(2)] == ["a", "a"]
    assert queue.seconds_until_next(0.25, 60.0) == 0.75
    assert queue.seconds_until_next(5.0, 60.0) == 0.0


def test_plans_do_not_pile_up() -> None:
    queue: DueQueue[str] = DueQueue()
    for number in range(10_000):
        queue.plan("a", float(number))
    assert len(queue._heap) < 100


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 9)), max_size=80))
def test_it_is_like_a_table_of_keys_and_times(edits: list[tuple[int, int | None]]) -> None:
    """An edit plans a key, or drops it; now and then all that is due is taken."""
    queue: DueQueue[int] = DueQueue()
    table: dict[int, float] = {}
    for number, (key, due) in enumerate(edits):
        if due is None:
            queue.drop(key)
            table.pop(key, None)
        else:
            queue.plan(key, due)
            table[key] = due
        assert queue.earliest == min(table.values(), default=math.inf)
        if number % 7 == 0:
            taken = []
            while (each := queue.take(5)) is not None:
                taken.append((table.pop(each), each))
            assert [at for at, _ in taken] == sorted(at for at, _ in taken)
            assert all(at > 5 for at in table.values())
        assert len(queue) == len(table)
