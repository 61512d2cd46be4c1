"""The connection tracker, as ``ct`` in the zone that a register holds."""

from chassis_agent import tables
from chassis_agent.compile.encoders.encoding import Encoding, with_table
from chassis_agent.compile.splice import Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Subfield
from logical_flow.action import CtClear, CtCommit, CtNext


def encode_ct_next(_: CtNext, encoding: Encoding) -> Assembly:
    zone = _zone(encoding)
    return with_table(lambda table: act.ct(zone=zone, table=table), encoding.leading_to(None))


def encode_ct_commit(action: CtCommit, encoding: Encoding) -> Assembly:
    zone = _zone(encoding)
    marks = encoding.encode(action.actions)
    return marks.inside(lambda inner: act.ct(zone=zone, commit=True, nested=inner))


def encode_ct_clear(_: CtClear, _encoding: Encoding) -> Assembly:
    return constant(act.ct_clear())


def _zone(encoding: Encoding) -> Subfield:
    is_switch = encoding.stage.pipeline.startswith("ls_")
    return Subfield(FIELDS[tables.PORT_ZONE if is_switch else tables.DNAT_ZONE], 0, 16)
