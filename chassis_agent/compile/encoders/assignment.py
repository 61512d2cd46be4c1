"""Changes of fields."""

from typing import Final

from chassis_agent.compile.encoders.encoding import Encoding, with_value
from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.compile.fields import subfield
from chassis_agent.compile.ports import output_key_source
from chassis_agent.compile.splice import Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Subfield
from logical_flow.action import Assign, DecrementTtl, Exchange, Move
from logical_flow.constants import Integer, String
from logical_flow.holes import Hole

_VLAN_ID: Final = FIELDS["vlan_vid"]


def encode_assign(action: Assign, encoding: Encoding) -> Assembly:
    where = subfield(action.target)
    if where.field is _VLAN_ID:
        return _assign_vlan(where, action.value)
    match action.value:
        case Integer(number, None):
            return constant(act.load(where, number))
        case Integer(number, int(mask)):
            shifted = number << where.offset, mask << where.offset
            return constant(act.set_field(where.field, *shifted))
        case String(name):
            return with_value(where, output_key_source(name))
        case Hole() as hole:
            return with_value(where, encoding.argument(hole, where))
    raise BadTemplateError(f"{action.target} can't be set to {action.value}")


def encode_move(action: Move, _: Encoding) -> Assembly:
    return constant(act.move(subfield(action.source), subfield(action.target)))


def encode_exchange(action: Exchange, _: Encoding) -> Assembly:
    one, other = subfield(action.left), subfield(action.right)
    return constant(act.push(one) + act.push(other) + act.pop(one) + act.pop(other))


def encode_decrement_ttl(_: DecrementTtl, _encoding: Encoding) -> Assembly:
    return constant(act.dec_ttl())


def _assign_vlan(where: Subfield, value: object) -> Assembly:
    """Open vSwitch sets the VLAN id together with the bit that says that there is one."""
    match value:
        case Integer(number, None) if where.bits == VLAN_PRESENT.bit_length() - 1:
            return constant(act.set_field(where.field, number | VLAN_PRESENT))
    raise BadTemplateError(f"a VLAN id can only be set as a whole and to a constant, not {value}")
