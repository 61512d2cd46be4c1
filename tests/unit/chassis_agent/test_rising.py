"""Counters that rise are told while they do."""

from chassis_agent.health import Health
from chassis_agent.rising import QUIET_SECONDS, RisingCounters

NAMES = {"lost": "lost", "late": "too late"}


def rising(health: Health, now: list[float]) -> RisingCounters[str]:
    return RisingCounters(
        health, "mishaps", "all", "it", lambda key: NAMES.get(key, key), clock=lambda: now[0]
    )


def test_what_was_counted_before_is_not_told_and_what_is_now_is() -> None:
    health, now = Health(), [100.0]
    counters = rising(health, now)
    counters.look({"lost": 7})
    assert not health.reasons
    counters.look({"lost": 9, "late": 1})
    assert health.reasons["mishaps"] == "it: 2 lost, 1 too late"
    assert health.counters["all"] == 3
    now[0] += QUIET_SECONDS
    counters.look({"lost": 9, "late": 1})
    assert health.reasons
    now[0] += 1
    counters.look({"lost": 9, "late": 1})
    assert not health.reasons


def test_counters_that_begin_anew_are_no_rise() -> None:
    health = Health()
    counters = rising(health, [0.0])
    counters.look({"lost": 7})
    counters.look({"lost": 2})
    assert health.counters["all"] == 0
    counters.look({"lost": 3})
    assert health.counters["all"] == 1
    counters.begin_anew()
    counters.look({"lost": 2})
    assert health.counters["all"] == 3


def test_what_rose_most_is_named() -> None:
    health = Health()
    counters = rising(health, [0.0])
    counters.begin_anew()
    counters.look({f"kind {number}": number for number in range(1, 9)})
    assert health.reasons["mishaps"] == (
        "it: 8 kind 8, 7 kind 7, 6 kind 6, 5 kind 5, 4 kind 4 and 3 more"
    )
    assert health.counters["all"] == 36
