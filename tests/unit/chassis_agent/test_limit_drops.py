"""What Open vSwitch drops at its limits is told while it lasts."""

from pathlib import Path

from chassis_agent.health import Health
from chassis_agent.limit_drops import QUIET_SECONDS, LimitDrops, read_counters

PRINTED = """\
Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=b9c7ff5a:
drop_action_too_many_resubmit   0.2/sec     0.017/sec        0.0003/sec   total: 4
nln_changed                0.0/sec     0.000/sec        0.0050/sec   total: 18
xlate_actions_oversize     0.0/sec     0.000/sec        0.0000/sec   total: 1
98 events never hit
"""


def test_what_was_dropped_before_is_not_told_and_what_is_now_is() -> None:
    health, now = Health(), [100.0]
    drops = LimitDrops(lambda: Path("nowhere"), health, clock=lambda: now[0])
    drops.look({"drop_action_too_many_resubmit": 7})
    assert not health.reasons
    drops.look({"drop_action_too_many_resubmit": 9, "xlate_actions_oversize": 1})
    assert health.reasons["switch_limits"] == (
        "Open vSwitch met its limits: 1 for too many actions for the datapath, done slowly, "
        "2 for too many resubmits"
    )
    assert health.counters["packets_at_switch_limits"] == 3
    now[0] += QUIET_SECONDS
    drops.look({"drop_action_too_many_resubmit": 9, "xlate_actions_oversize": 1})
    assert health.reasons
    now[0] += 1
    drops.look({"drop_action_too_many_resubmit": 9, "xlate_actions_oversize": 1})
    assert not health.reasons


def test_counters_of_a_switch_that_was_restarted_begin_anew() -> None:
    health = Health()
    drops = LimitDrops(lambda: Path("nowhere"), health)
    drops.look({"drop_action_too_many_resubmit": 7})
    drops.look({"drop_action_too_many_resubmit": 2})
    assert health.counters["packets_at_switch_limits"] == 0
    drops.look({"drop_action_too_many_resubmit": 3})
    assert health.counters["packets_at_switch_limits"] == 1


def test_counters_are_read_from_what_the_switch_prints() -> None:
    assert read_counters(PRINTED) == {
        "drop_action_too_many_resubmit": 4,
        "xlate_actions_oversize": 1,
    }
