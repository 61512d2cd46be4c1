"""Counting what an ACL decides: a group without buckets, which does nothing but count.

Every flow of an ACL begins with its group, so that packets and bytes add up over the flows that
the ACL is made of, and stay while these come and go with members of sets and changed matches. A
group's counters start anew when the group is changed, which this one never is.
"""

from chassis_agent.compile.encoders.encoding import with_number
from chassis_agent.compile.splice import Assembly
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import GroupType, SwitchGroup


def count_hit() -> Assembly:
    """Return the action that counts a packet for the ACL of the flow group."""
    return with_number(act.group, lambda _, context: context.hit_counter().to_bytes(4))


def counting_group(number: int) -> SwitchGroup:
    """Return the group that counts."""
    return SwitchGroup(number, GroupType.ALL)
