"""In which order a switch is told of changed flows and groups. Pure.

At every moment, also between the bundles that a long list of steps is cut into, each flow
that the switch has finds the groups that it refers to:

1. groups that are new or changed, those first to which other groups refer;
2. flows that go, then flows that come or change (a conjunction after its clauses);
3. groups that go, those first that refer to others.

A group that changes is replaced as a whole, in the same bundle as the flows; a packet sees
either all of the old or all of the new. Meters cannot be part of a bundle: those that come
are made before it, those that go are deleted after it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group
from chassis_agent.openflow import messages
from chassis_agent.openflow.messages import GroupCommand
from chassis_agent.openflow.references import references_of_buckets


class Step(NamedTuple):
    """One message of a bundle: a flow or a group that comes or changes, or one that goes."""

    what: Flow | Group
    is_removal: bool

    @property
    def message(self) -> bytes:
        what = self.what
        if isinstance(what, Flow):
            if self.is_removal:
                return messages.delete_flow(what.table, what.priority, what.match)
            return messages.add_flow(*what)
        if self.is_removal:
            return messages.delete_group(what.number)
        return messages.encoded_group_mod(GroupCommand.ADD_OR_MODIFY, *what)


def bundle_steps(changes: Changes) -> list[Step]:
    """The steps for flows and groups, in the order to take them."""
    steps = [Step(group, False) for group in in_order(after for _, after in changes.groups.put)]
    steps += [Step(flow, True) for flow in changes.removed]
    steps += [Step(flow, False) for flow in changes.added]
    steps += [Step(group, True) for group in reversed(in_order(changes.groups.removed))]
    return steps


def in_order(groups: Iterable[Group]) -> list[Group]:
    """The groups so that each comes after those of them to which its buckets refer.

    Groups that refer to each other in a circle, which a switch would refuse to follow, come
    in the order of their numbers.
    """
    waiting = {group.number: group for group in groups}
    ordered: list[Group] = []
    seen: set[int] = set()
    stack = [(number, False) for number in sorted(waiting, reverse=True)]
    while stack:
        number, has_dependencies = stack.pop()
        if has_dependencies:
            ordered.append(waiting[number])
        elif number not in seen:
            seen.add(number)
            stack.append((number, True))
            referents = references_of_buckets(waiting[number].buckets).groups
            stack += [(other, False) for other in sorted(referents & waiting.keys(), reverse=True)]
    return ordered
