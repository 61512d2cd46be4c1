"""Log lines and meters."""

from chassis_agent import tables
from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.encoders.punting import punted
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.splice import Arguments, Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.punt.meters import PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, log_userdata
from logical_flow.action import SEVERITIES, VERDICTS, Log, SetMeter
from logical_flow.constants import Integer
from logical_flow.holes import Hole


def encode_log(action: Log, _: Encoding) -> Assembly:
    if any(isinstance(part, Hole) for part in (action.name, action.severity, action.verdict)):
        raise BadTemplateError(f"{action} is compiled before its holes are filled")
    data = log_userdata(
        str(action.name or "").encode(),
        None if action.severity is None else SEVERITIES.index(str(action.severity)),
        None if action.verdict is None else VERDICTS.index(str(action.verdict)),
    )
    shared = PUNT_METERS[Opcode.LOG].meter_id
    if action.meter is None:
        return constant(punted(tables.LOG_SHARE, shared, data))
    name = str(action.meter)
    return with_number(
        lambda meter: punted(tables.LOG_SHARE, meter, data),
        lambda _, context: (context.meter_id(name) or shared).to_bytes(4),
    )


def encode_set_meter(action: SetMeter, _: Encoding) -> Assembly:
    """Encode the meter of that rate, under the name that its numbers give it."""
    rate, burst = action.rate, action.burst
    if not isinstance(rate, Integer) or not isinstance(burst, Integer | None):
        raise BadTemplateError("set_meter is compiled before its holes are filled")
    name = f"rate={rate.value},burst={0 if burst is None else burst.value}"

    def source(_: Arguments, context: PackContext) -> bytes:
        meter = context.meter_id(name)
        if not meter:
            raise BadArgumentsError(f"there is no meter {name}")
        return meter.to_bytes(4)

    return with_number(act.meter, source)
