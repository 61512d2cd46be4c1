"""What Open vSwitch counts of packets that exceed its limits."""

from chassis_agent.bridge.limit_drops import read_counters

PRINTED = """\
Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=b9c7ff5a:
drop_action_too_many_resubmit   0.2/sec     0.017/sec        0.0003/sec   total: 4
nln_changed                0.0/sec     0.000/sec        0.0050/sec   total: 18
xlate_actions_oversize     0.0/sec     0.000/sec        0.0000/sec   total: 1
98 events never hit
"""


def test_counters_are_read_from_what_the_switch_prints() -> None:
    assert read_counters(PRINTED) == {
        "drop_action_too_many_resubmit": 4,
        "xlate_actions_oversize": 1,
    }
