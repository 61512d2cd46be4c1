"""Where a packet goes on, as resubmits."""

from chassis_agent import tables
from chassis_agent.compile.encoders.encoding import Encoding, with_table
from chassis_agent.compile.splice import Assembly, constant
from chassis_agent.openflow import actions as act
from logical_flow.action import Clone, Drop, Next, Output


def encode_next(action: Next, encoding: Encoding) -> Assembly:
    return with_table(act.resubmit, encoding.leading_to(action.stage))


def encode_output(_: Output, encoding: Encoding) -> Assembly:
    is_ingress = tables.direction_of(encoding.pipeline) == "ingress"
    return constant(act.resubmit(tables.OUTPUT if is_ingress else tables.LOGICAL_TO_PHYSICAL))


def encode_drop(_: Drop, _encoding: Encoding) -> Assembly:
    return constant(b"")


def encode_clone(action: Clone, encoding: Encoding) -> Assembly:
    return encoding.encode(action.actions).inside(act.clone)
