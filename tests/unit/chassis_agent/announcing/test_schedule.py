"""When addresses are announced."""

from itertools import pairwise

from chassis_agent.announcing.schedule import PAUSES, Schedule


def said(schedule: Schedule[str], now: float) -> list[str]:
    """Say all that is due."""
    found = []
    while (key := schedule.next_due(now)) is not None:
        schedule.said(key, now)
        found.append(key)
    return found


def test_it_is_said_at_once_and_then_with_longer_pauses_until_it_ends() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.start("a", 100.0)
    now, times = 100.0, []
    while len(schedule):
        assert said(schedule, now) == ["a"]
        times.append(now)
        now += schedule.seconds_until_next(now, 60.0)
    assert [after - before for before, after in pairwise(times)] == list(PAUSES)
    assert said(schedule, now + 1000.0) == []


def test_a_start_begins_anew() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.start("a", 0.0)
    said(schedule, 0.0)
    schedule.start("a", 0.5)
    assert said(schedule, 0.5) == ["a"]
    assert said(schedule, 1.0) == [], "the plan of before is void"
    assert said(schedule, 1.5) == ["a"]


def test_what_has_gone_is_not_said() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.start("a", 0.0)
    schedule.start("b", 0.0)
    schedule.stop("a")
    assert said(schedule, 0.0) == ["b"]
    assert len(schedule) == 1


def test_it_stays_due_until_it_was_said() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.start("a", 0.0)
    assert [schedule.next_due(0.0) for _ in range(2)] == ["a", "a"]
