"""Whether a packet is too big, and telling its sender so."""

from typing import Final

from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.encoders.punting import punt_to
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.fields import subfield
from chassis_agent.compile.splice import Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, whole
from chassis_agent.punt.opcodes import Opcode
from logical_flow.action.sizes import CheckPktLarger, PacketTooBig
from logical_flow.constants import Integer

_LARGEST: Final = 0xFFFF
_MTU: Final = whole(FIELDS["reg0"])
"""Where the agent's handler reads the MTU."""


def encode_check_pkt_larger(action: CheckPktLarger, _: Encoding) -> Assembly:
    if not isinstance(action.length, Integer):
        raise BadTemplateError(f"{action} is compiled before its hole is filled")
    length = action.length.value
    if not 0 <= length <= _LARGEST:
        raise BadArgumentsError(f"{length} is no length of a packet: 0 to {_LARGEST}")
    return constant(act.check_pkt_larger(length, subfield(action.result)))


def encode_packet_too_big(action: PacketTooBig, encoding: Encoding) -> Assembly:
    if subfield(action.mtu) != _MTU:
        raise BadTemplateError(f"{action}: the MTU is in {_MTU.field.name}")
    inner = encoding.encode(action.actions)
    return inner.inside(lambda nested: punt_to(Opcode.PACKET_TOO_BIG, nested))
