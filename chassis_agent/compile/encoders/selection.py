"""Choosing among several, as a group of type ``select``: a bucket for each that may be chosen.

What a bucket does to a packet is undone after it, so the packet goes on from within. The
group's number comes from what the flow is, neither from its members nor from what they are
chosen by: while these change, the group keeps its number, and only what it holds is replaced.
Members that aren't alive have no bucket. A bucket's number is its member's.
"""

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.encoders.hashing import hashed_fields
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.compile.fields import subfield
from chassis_agent.compile.splice import Arguments, Assembly
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import Bucket
from logical_flow.action.selection import Member, Select, members_in
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole


def encode_select(action: Select, encoding: Encoding) -> Assembly:
    result = subfield(action.result)
    next_table = encoding.leading_to(None)
    members = action.members
    hashed = hashed_fields(action.hash_fields, encoding)
    may_change = {
        encoding.position(part) for part in (members, action.hash_fields) if isinstance(part, Hole)
    }
    identity = (encoding.pipeline, encoding.template, str(action.result))

    def members_of(arguments: Arguments) -> list[Member]:
        if not isinstance(members, Hole):
            return list(members)
        try:
            return list(members_in(members, arguments[encoding.position(members)]))
        except TemplateError as error:
            raise BadArgumentsError(str(error)) from error

    def source(arguments: Arguments, context: PackContext) -> bytes:
        (table,) = next_table(arguments, context)
        buckets = [
            Bucket(number, act.load(result, number) + act.resubmit(table), weight=weight)
            for number, weight, session in members_of(arguments)
            if not session or context.is_alive(session)
        ]
        others = [each for place, each in enumerate(arguments) if place not in may_change]
        description = repr((*identity, context.datapath_key, others))
        return context.select_group(description.encode(), buckets, hashed(arguments)).to_bytes(4)

    return with_number(act.group, source)
