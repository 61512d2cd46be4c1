"""Packets of BFD sessions, which are the agent's to take."""

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.compile.splice import Arguments, Assembly
from chassis_agent.openflow import actions as act
from chassis_agent.punt.meters import PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, userdata
from logical_flow.action.liveness import HandleBfd
from logical_flow.holes import Hole

_BURST = 2
"""Seconds of its rate that a session may have at once."""


def encode_handle_bfd(action: HandleBfd, encoding: Encoding) -> Assembly:
    """Encode a copy for the agent behind a meter of the session's own.

    It replaces the sender's share: who floods a session from where its neighbour is would take the
    share of the neighbour, too.
    """
    rate = action.rate
    position = encoding.position(rate) if isinstance(rate, Hole) else None
    identity = (encoding.pipeline, encoding.template)

    def source(arguments: Arguments, context: PackContext) -> bytes:
        value = arguments[encoding.position(rate)] if isinstance(rate, Hole) else rate.value
        if not isinstance(value, int) or value < 1:
            raise BadArgumentsError(f"{value!r} is no number of packets a second")
        others = [each for place, each in enumerate(arguments) if place != position]
        description = repr((*identity, context.datapath_key, others)).encode()
        return context.packet_meter(description, value, value * _BURST).to_bytes(4)

    of_all = PUNT_METERS[Opcode.BFD].meter_id
    rest = act.meter(of_all) + act.controller(userdata(Opcode.BFD))
    return with_number(act.meter, source).inside(lambda own: act.clone(own + rest))
