"""Log lines, meters and queues."""

from typing import Final

from chassis_agent import tables
from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding, with_number
from chassis_agent.compile.encoders.punting import punted
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.splice import Arguments, Assembly, constant
from chassis_agent.openflow import actions as act
from chassis_agent.punt.meters import PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, log_userdata
from logical_flow.action import SEVERITIES, VERDICTS, Log, LogMeter, SetMeter, SetQueue
from logical_flow.constants import Integer
from logical_flow.holes import Hole

_MOST_KILOBITS: Final = 0xFFFFFFFF


def encode_log(action: Log, _: Encoding) -> Assembly:
    if any(isinstance(part, Hole) for part in (action.name, action.severity, action.verdict)):
        raise BadTemplateError(f"{action} is compiled before its holes are filled")
    data = log_userdata(
        str(action.name or "").encode(),
        None if action.severity is None else SEVERITIES.index(str(action.severity)),
        None if action.verdict is None else VERDICTS.index(str(action.verdict)),
    )
    of_all = PUNT_METERS[Opcode.LOG].meter_id
    if action.meter is None:
        return constant(punted(tables.LOG_SHARE, of_all, data))
    if isinstance(action.meter, Hole):
        raise BadTemplateError(f"{action} is compiled before its holes are filled")
    limits = LogMeter.read(action.meter)
    description = repr(("log", limits.name)).encode()

    def source(_: Arguments, context: PackContext) -> bytes:
        return context.packet_meter(description, limits.rate, limits.burst).to_bytes(4)

    own = with_number(act.meter, source)
    return own.inside(lambda meter: punted(tables.LOG_SHARE, of_all, data, meter))


def encode_set_meter(action: SetMeter, encoding: Encoding) -> Assembly:
    """Encode a meter of the flow's own; flows of the same rate don't share one."""
    rate, burst = action.rate, action.burst
    if not isinstance(rate, Integer) or not isinstance(burst, Integer | None):
        raise BadTemplateError("set_meter is compiled before its holes are filled")
    limits = (rate.value, 0 if burst is None else burst.value)
    _check_limits(*limits)
    identity = (encoding.pipeline, encoding.template, *limits)

    def source(arguments: Arguments, context: PackContext) -> bytes:
        description = repr((*identity, context.datapath_key, list(arguments)))
        return context.rate_meter(description.encode(), *limits).to_bytes(4)

    return with_number(act.meter, source)


def encode_set_queue(action: SetQueue, encoding: Encoding) -> Assembly:
    """Encode a queue of the flow's own; it keeps its number while its rate changes."""
    port, rate, burst = action.port, action.rate, action.burst
    limits = {encoding.position(part) for part in (rate, burst) if isinstance(part, Hole)}
    identity = (encoding.pipeline, encoding.template, str(action))

    def source(arguments: Arguments, context: PackContext) -> bytes:
        name = arguments[encoding.position(port)] if isinstance(port, Hole) else port
        if not isinstance(name, str):
            raise BadArgumentsError(f"{name!r} is no port's name")
        kilobits, burst_kilobits = (
            _kilobits(part, arguments, encoding) for part in (rate, burst or Integer(0))
        )
        _check_limits(kilobits, burst_kilobits)
        others = [each for place, each in enumerate(arguments) if place not in limits]
        description = repr((*identity, context.datapath_key, others)).encode()
        return context.rate_queue(description, name, kilobits, burst_kilobits).to_bytes(4)

    return with_number(act.set_queue, source)


def _kilobits(part: Integer | Hole, arguments: Arguments, encoding: Encoding) -> int:
    value = arguments[encoding.position(part)] if isinstance(part, Hole) else part.value
    if not isinstance(value, int):
        raise BadArgumentsError(f"{value!r} is no number of kilobits")
    return value


def _check_limits(rate: int, burst: int) -> None:
    if not (1 <= rate <= _MOST_KILOBITS and 0 <= burst <= _MOST_KILOBITS):
        raise BadArgumentsError(
            f"{rate} with bursts of {burst} is no rate: 1 to {_MOST_KILOBITS} kbit/s"
        )
