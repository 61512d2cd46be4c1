"""Which logical flows of a group an OpenFlow flow comes from, exactly. Pure.

Table and priority leave several to choose from. So each is packed alone, with everything
else as it is, and those that give a flow of the same table, priority and match are behind
it: mostly one, more where clauses of conjunctions are the same flow.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chassis_agent.derivations.placement import placement
from chassis_agent.derivations.stages import used_stages
from chassis_agent.derivations.templates import stage_book, template_shelf
from chassis_agent.derivations.variables import set_members
from chassis_agent.desired.flow import FlowKey
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import ThisChassis
from incremental import RecordedFacts
from logical_flow.payload import encode_flows
from logical_flow.template import LogicalFlow
from southbound.rows import ChassisVariable, Datapath, FlowGroup, VirtualAddress

_READ: Final[tuple[Any, ...]] = (
    *(Datapath, placement, used_stages, stage_book, template_shelf),
    *(ThisChassis, ChassisVariable, VirtualAddress),
)
"""What the packing of a group reads, beside the group."""


class Behind:
    """Answers for one moment: the rows may not change while it is asked."""

    def __init__(self, state: FlowState) -> None:
        self._state = state
        self._facts: dict[Any, Mapping[Any, Any]] = {each: state.rows(each) for each in _READ}
        members: dict[str, list[str]] = {}
        for name, member in state.rows(set_members):
            members.setdefault(name, []).append(member)
        self._groups = {set_members: members}

    def is_behind(self, group: FlowGroup, logical: LogicalFlow, key: FlowKey) -> bool:
        """Whether `logical`, which is of `group`, gives the flow with that key."""
        alone = msgspec.structs.replace(group, payload=encode_flows([logical]))
        read = RecordedFacts({**self._facts, FlowGroup: {group.id: alone}}, self._groups)
        return any(flow.key == key for flow in self._state.pack(read, group.id))
