"""Spreading connections over backends: a group of type ``select``, a bucket for each backend.

A bucket commits the connection with its destination translated, and lets the packet go on
from there. The group's number comes from the set's name, not from its members, and from
nothing of the datapath: switches that have the same virtual address share the group, and a
backend that comes or goes replaces its buckets in place.
"""

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.encoders.tracking import zone_register
from chassis_agent.compile.splice import Arguments, Assembly, Splice
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import Bucket
from logical_flow.action import Balance
from logical_flow.backends import Backend, backends_of
from logical_flow.holes import Hole


def encode_balance(action: Balance, encoding: Encoding) -> Assembly:
    zone = zone_register(encoding, None)
    next_table = encoding.leading_to(None)
    marks = Splice(encoding.encode(action.marks))
    backends = action.backends
    position = encoding.position(backends) if isinstance(backends, Hole) else None
    identity = (encoding.pipeline, encoding.template)

    def source(arguments: Arguments, context: PackContext) -> bytes:
        (table,) = next_table(arguments, context)
        name = str(backends) if position is None else str(arguments[position])
        marked = marks.fill(arguments, context)

        def commit(backend: Backend) -> bytes:
            nat = act.nat(destination=True, first=backend.address, port_min=backend.port or None)
            return act.ct(zone=zone, commit=True, table=table, nested=nat + marked)

        chosen = backends_of(context.members(name))
        buckets = [Bucket(number, commit(each)) for number, each in enumerate(chosen)]
        description = repr((*identity, name, table, marked))
        return context.select_group(description.encode(), buckets).to_bytes(4)

    return with_number(act.group, source)
