"""From logical actions to the bytes of OpenFlow actions.

Tables that stages lead to, ports and arguments are gaps in the bytes. Lookups in
tables of learned bindings are subroutine calls: their arguments go into fixed
registers, whose content is kept on the stack meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chassis_agent import tables
from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.fields import subfield
from chassis_agent.compile.ports import output_key_source, port_source
from chassis_agent.compile.splice import (
    Arguments,
    Assembly,
    Gap,
    Source,
    concatenated,
    constant,
    part_source,
    varying,
)
from chassis_agent.compile.stages import StageKey
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Subfield, whole
from chassis_agent.punt.meters import PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, log_userdata, userdata
from logical_flow.action import (
    SEVERITIES,
    VERDICTS,
    Action,
    Assign,
    Clone,
    CtClear,
    CtCommit,
    CtNext,
    DecrementTtl,
    Drop,
    Exchange,
    Generate,
    GetFdb,
    GetNeighbour,
    Log,
    LookupFdb,
    LookupNeighbour,
    Move,
    Next,
    Output,
    PacketKind,
    PutFdb,
    PutNeighbour,
    SetMeter,
)
from logical_flow.constants import Integer, String
from logical_flow.fields import FieldSlice
from logical_flow.holes import Hole, HoleType

_FLAGS: Final = FIELDS[tables.FLAGS]
_FOUND: Final = Subfield(_FLAGS, tables.FOUND_BIT, 1)
_VLAN_ID: Final = FIELDS["vlan_vid"]
_ETH_SRC: Final = whole(FIELDS["eth_src"])
_ETH_DST: Final = whole(FIELDS["eth_dst"])
_INPORT: Final = whole(FIELDS[tables.INPORT])
_OUTPORT: Final = whole(FIELDS[tables.OUTPORT])
_ADDRESS: Final = {4: whole(FIELDS["reg0"]), 6: whole(FIELDS["xxreg0"])}

_OPCODES: Final = {
    PacketKind.ARP: Opcode.ARP,
    PacketKind.ND_NS: Opcode.ND_NS,
    PacketKind.ND_NA: Opcode.ND_NA,
    PacketKind.ND_NA_ROUTER: Opcode.ND_NA_ROUTER,
    PacketKind.ICMP4: Opcode.ICMP4,
    PacketKind.ICMP6: Opcode.ICMP6,
    PacketKind.ICMP6_UNKNOWN_HEADER: Opcode.ICMP6_UNKNOWN_HEADER,
    PacketKind.TCP_RESET: Opcode.TCP_RESET,
    PacketKind.SCTP_ABORT: Opcode.SCTP_ABORT,
    PacketKind.REJECT: Opcode.REJECT,
}

_VALUE_OF_SET_FIELD: Final = 8
"""Where `set_field` has the value: after its own header and the field's."""

Parameter = tuple[Subfield, Subfield]
"""Where a subroutine wants an argument, and where it is found."""


class ActionCompiler:
    """Compiles the actions of one template.

    `positions` says where among a flow's arguments each hole's is.
    """

    def __init__(self, stage: StageKey, positions: dict[str, int]) -> None:
        self._stage = stage
        self._positions = positions
        is_switch = stage.pipeline.startswith("ls_")
        zone = FIELDS[tables.PORT_ZONE if is_switch else tables.DNAT_ZONE]
        self._zone = Subfield(zone, 0, 16)

    def compile(self, actions: Iterable[Action]) -> Assembly:
        """The actions one after the other."""
        return concatenated([self._action(action) for action in actions])

    def _action(self, action: Action) -> Assembly:
        match action:
            case Next() | Output() | CtNext() | CtCommit() | CtClear() | Clone() | Drop():
                return self._control(action)
            case Assign() | Move() | Exchange() | DecrementTtl():
                return self._change(action)
            case GetNeighbour() | LookupNeighbour() | GetFdb() | LookupFdb():
                return constant(_lookup(action))
            case Generate() | PutNeighbour() | PutFdb() | Log():
                return self._punt(action)
            case SetMeter(rate, burst):
                return _meter(rate, burst)
        raise BadTemplateError(f"{action} can't be encoded")

    def _control(
        self, action: Next | Output | CtNext | CtCommit | CtClear | Clone | Drop
    ) -> Assembly:
        match action:
            case Next(stage):
                return _with_table(act.resubmit, self._leading_to(stage))
            case Output():
                ingress = tables.direction_of(self._stage.pipeline) == "ingress"
                return constant(
                    act.resubmit(tables.OUTPUT if ingress else tables.LOGICAL_TO_PHYSICAL)
                )
            case CtNext():
                zone = self._zone
                return _with_table(lambda t: act.ct(zone=zone, table=t), self._leading_to(None))
            case CtCommit(assignments):
                nested = concatenated([self._change(a) for a in assignments])
                zone = self._zone
                return nested.inside(lambda inner: act.ct(zone=zone, commit=True, nested=inner))
            case CtClear():
                return constant(act.ct_clear())
            case Clone(nested_actions):
                return self.compile(nested_actions).inside(act.clone)
            case Drop():
                return constant(b"")

    def _leading_to(self, stage: str | None) -> Source:
        here = self._stage

        def source(_: Arguments, context: PackContext) -> bytes:
            if stage is None:
                return bytes((context.stages.after(here),))
            return bytes((context.stages.at_or_after(context.book.named(stage)),))

        return source

    def _change(self, action: Assign | Move | Exchange | DecrementTtl) -> Assembly:
        match action:
            case Assign(target, value):
                return self._assign(target, value)
            case Move(target, source):
                return constant(act.move(subfield(source), subfield(target)))
            case Exchange(left, right):
                one, other = subfield(left), subfield(right)
                return constant(act.push(one) + act.push(other) + act.pop(one) + act.pop(other))
            case DecrementTtl():
                return constant(act.dec_ttl())

    def _assign(self, target: FieldSlice, value: object) -> Assembly:
        where = subfield(target)
        if where.field is _VLAN_ID:
            return _assign_vlan(where, value)
        match value:
            case Integer(number, None):
                return constant(act.load(where, number))
            case Integer(number, int(mask)):
                return constant(
                    act.set_field(where.field, number << where.offset, mask << where.offset)
                )
            case String(name):
                return _with_value(where, output_key_source(name))
            case Hole():
                return _with_value(where, self._argument(value, where))
        raise BadTemplateError(f"{target} can't be set to {value}")

    def _argument(self, hole: Hole, where: Subfield) -> Source:
        """The hole's argument in the width of `where.field`, in place."""
        position = self._positions[hole.name]
        match hole.type:
            case HoleType.LPORT | HoleType.MCGROUP:
                return port_source(position)
            case HoleType.INT:
                return part_source(where, lambda arguments: arguments[position])
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6 if where.bits == where.field.bits:
                return lambda arguments, _: arguments[position]
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6:
                return part_source(where, lambda arguments: int.from_bytes(arguments[position]))
        raise BadTemplateError(f"{hole} can't be assigned to {where.field.name}")

    def _punt(self, action: Generate | PutNeighbour | PutFdb | Log) -> Assembly:
        match action:
            case Generate(kind, nested):
                opcode = _OPCODES[kind]
                return self.compile(nested).inside(lambda inner: _controller(opcode, inner))
            case PutNeighbour(family, port, address, mac):
                opcode = Opcode.PUT_ARP if family == 4 else Opcode.PUT_ND
                parameters = _parameters(
                    (_INPORT, port), (_ADDRESS[family], address), (_ETH_SRC, mac)
                )
                return constant(_call(parameters, _controller(opcode)))
            case PutFdb(port, mac):
                parameters = _parameters((_INPORT, port), (_ETH_SRC, mac))
                return constant(_call(parameters, _controller(Opcode.PUT_FDB)))
            case Log():
                return _log(action)


def _assign_vlan(where: Subfield, value: object) -> Assembly:
    """Open vSwitch sets the VLAN id together with the bit that says that there is one."""
    match value:
        case Integer(number, None) if where.bits == VLAN_PRESENT.bit_length() - 1:
            return constant(act.set_field(where.field, number | VLAN_PRESENT))
    raise BadTemplateError(f"a VLAN id can only be set as a whole and to a constant, not {value}")


def _controller(opcode: Opcode, nested: bytes = b"") -> bytes:
    meter = PUNT_METERS[opcode].meter_id
    return punted(tables.PUNT_SHARE, meter, userdata(opcode, nested))


def punted(shares: int, meter: int, data: bytes) -> bytes:
    """A copy for the agent, if both the sender's share and the meter let it pass.

    What a meter drops would be lost altogether if it weren't a copy. Open vSwitch makes one
    only where it sees the meter among the actions: in a table alone it would go unnoticed.
    """
    return act.clone(act.resubmit(shares) + act.meter(meter) + act.controller(data))


def _log(action: Log) -> Assembly:
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
    return _with_number(
        lambda meter: punted(tables.LOG_SHARE, meter, data),
        lambda _, context: (context.meter_id(name) or shared).to_bytes(4),
    )


def _meter(rate: object, burst: object) -> Assembly:
    """The meter of that rate, under the name that its numbers give it."""
    if not isinstance(rate, Integer) or not isinstance(burst, Integer | None):
        raise BadTemplateError("set_meter is compiled before its holes are filled")
    name = f"rate={rate.value},burst={0 if burst is None else burst.value}"

    def source(_: Arguments, context: PackContext) -> bytes:
        meter = context.meter_id(name)
        if not meter:
            raise BadArgumentsError(f"there is no meter {name}")
        return meter.to_bytes(4)

    return _with_number(act.meter, source)


def _lookup(action: GetNeighbour | LookupNeighbour | GetFdb | LookupFdb) -> bytes:
    unknown = act.load(_FOUND, 0)
    match action:
        case GetNeighbour(family, port, address):
            table = tables.ARP_GET if family == 4 else tables.ND_GET
            parameters = _parameters((_OUTPORT, port), (_ADDRESS[family], address))
            return _call(parameters, act.load(_ETH_DST, 0) + act.resubmit(table))
        case LookupNeighbour(result, family, port, address, mac):
            table = tables.ARP_LOOKUP if family == 4 else tables.ND_LOOKUP
            parameters = _parameters((_INPORT, port), (_ADDRESS[family], address), (_ETH_SRC, mac))
            asked = _call(parameters, unknown + act.resubmit(table))
            return asked + act.move(_FOUND, subfield(result))
        case LookupFdb(result, port, mac):
            parameters = _parameters((_INPORT, port), (_ETH_SRC, mac))
            asked = _call(parameters, unknown + act.resubmit(tables.FDB_LOOKUP))
            return asked + act.move(_FOUND, subfield(result))
        case GetFdb(result, mac):
            asked = act.load(_OUTPORT, 0) + act.resubmit(tables.FDB_GET)
            where = subfield(result)
            if where != _OUTPORT:
                asked = act.push(_OUTPORT) + asked + act.move(_OUTPORT, where) + act.pop(_OUTPORT)
            return _call(_parameters((_ETH_DST, mac)), asked)


def _parameters(*pairs: tuple[Subfield, FieldSlice]) -> list[Parameter]:
    """The arguments that aren't already where they are wanted."""
    found = [(wanted, subfield(given)) for wanted, given in pairs]
    return [(wanted, given) for wanted, given in found if wanted != given]


def _call(parameters: Sequence[Parameter], body: bytes) -> bytes:
    """Run `body` with its arguments in place, and put back what they displaced.

    All arguments are on the stack before the first is put in its place: one's
    place may be where another comes from.
    """
    save = b"".join(act.push(wanted) for wanted, _ in parameters)
    fetch = b"".join(act.push(given) for _, given in parameters)
    place = b"".join(act.pop(wanted) for wanted, _ in reversed(parameters))
    restore = b"".join(act.pop(wanted) for wanted, _ in reversed(parameters))
    return save + fetch + place + body + restore


def _with_table(encode: Callable[[int], bytes], source: Source) -> Assembly:
    """An action whose table is a gap."""
    start, end = varying(lambda data: encode(data[0]), 1)
    return Assembly(encode(0), (Gap(start, end - start, source),))


def _with_number(encode: Callable[[int], bytes], source: Source) -> Assembly:
    """An action with a 32-bit number that is a gap."""
    start, end = varying(lambda data: encode(int.from_bytes(data)), 4)
    return Assembly(encode(0), (Gap(start, end - start, source),))


def _with_value(where: Subfield, source: Source) -> Assembly:
    """Setting bits of a field to what `source` gives, in place in all of the field."""
    empty = act.load(where, 0)
    return Assembly(empty, (Gap(_VALUE_OF_SET_FIELD, where.field.size, source),))
