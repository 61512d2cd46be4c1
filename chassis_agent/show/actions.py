"""Actions as text, read back from their bytes."""

import struct
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from chassis_agent import tables
from chassis_agent.openflow.actions import NICIRA_FIELDS
from chassis_agent.openflow.errors import DecodingError
from chassis_agent.openflow.oxm import FIELDS, OxmField, field_of
from chassis_agent.punt.opcodes import (
    ADDRESS_SIZES,
    LogArguments,
    Opcode,
    decode_dhcp_arguments,
    decode_dns_arguments,
    decode_log_arguments,
    decode_userdata,
)
from chassis_agent.show.names import Names, field_name, masked
from logical_flow.action import SEVERITIES, VERDICTS
from logical_flow.dhcp_options import format_options

_NICIRA = 0x2320
_EXPERIMENTER = 0xFFFF
_APPLY_ACTIONS = 4
_HEADER = struct.Struct("!HH")
_ZONE_IS_A_NUMBER = 0
_NO_TABLE = 0xFF
_SPECIAL_PORTS = {0xFFFFFFF8: "in_port", 0xFFFFFFFD: "controller", 0xFFFFFFFE: "local"}
_USERDATA, _PAUSE, _METER = 3, 4, 5


class _Context(NamedTuple):
    names: Names
    datapath: int | None


def format_instructions(instructions: bytes, names: Names, datapath: int | None) -> str:
    """Return the actions of a flow; ``drop`` where there are none."""
    if not instructions:
        return "drop"
    kind, length = _HEADER.unpack_from(instructions)
    if kind != _APPLY_ACTIONS or length != len(instructions):
        raise DecodingError(f"instructions {instructions.hex()} aren't a list of actions")
    return format_actions(instructions[8:], names, datapath)


def format_actions(actions: bytes, names: Names, datapath: int | None) -> str:
    """Return a list of actions. Ports are named as those of `datapath`, until that is set."""
    found = []
    context = _Context(names, datapath)
    for kind, body in _split(actions):
        text, context = _format(kind, body, context)
        found.append(text)
    return ",".join(found)


def _split(actions: bytes) -> Iterator[tuple[int, bytes]]:
    """Each action's type and what follows its header."""
    offset = 0
    while offset + _HEADER.size <= len(actions):
        kind, length = _HEADER.unpack_from(actions, offset)
        if length < 8 or length % 8 or offset + length > len(actions):
            break
        yield kind, actions[offset + _HEADER.size : offset + length]
        offset += length
    if any(actions[offset:]):
        raise DecodingError(f"{actions[offset:].hex()} isn't an action")


def _format(kind: int, body: bytes, context: _Context) -> tuple[str, _Context]:
    if kind == _SET_FIELD:
        return _set_field(body, context)
    if kind == _EXPERIMENTER:
        vendor, subtype = struct.unpack_from("!IH", body)
        formatter = _NICIRA_FORMATS.get(subtype) if vendor == _NICIRA else None
        body = body[6:]
    else:
        formatter = _FORMATS.get(kind)
    if formatter is None:
        return f"action({kind}:{body.hex()})", context
    return formatter(body, context), context


def _set_field(body: bytes, context: _Context) -> tuple[str, _Context]:
    where, is_masked = _field(body)
    size = where.size
    value = int.from_bytes(body[4 : 4 + size])
    mask = int.from_bytes(body[4 + size : 4 + 2 * size]) if is_masked else where.full_mask
    if where.name == tables.DATAPATH and not is_masked:
        context = context._replace(datapath=value)
    low = (mask & -mask).bit_length() - 1
    if is_masked and mask >> low & ((mask >> low) + 1) == 0:
        return f"set({_bits(where, low, mask.bit_count())}={value >> low:#x})", context
    text = masked(where, value, mask, context.names, context.datapath)
    return f"set({field_name(where.name)}={text})", context


def _output(body: bytes, context: _Context) -> str:
    (port,) = struct.unpack_from("!I", body)
    return f"output({_SPECIAL_PORTS.get(port) or context.names.interface(port)})"


def _group(body: bytes, _: _Context) -> str:
    return f"group({int.from_bytes(body[:4])})"


def _queue(body: bytes, _context: _Context) -> str:
    return f"set_queue({int.from_bytes(body[:4])})"


def _meter(body: bytes, context: _Context) -> str:
    return f"meter({context.names.meter(int.from_bytes(body[:4]))})"


def _copy_field(body: bytes, _: _Context) -> str:
    bits, source_low, target_low = struct.unpack_from("!HHH", body)
    source, _masked_source = _field(body[8:])
    target, _masked_target = _field(body[12:])
    return f"move({_bits(source, source_low, bits)}->{_bits(target, target_low, bits)})"


def _resubmit(body: bytes, context: _Context) -> str:
    return f"resubmit({context.names.table(body[2], context.datapath)})"


def _push(body: bytes, _: _Context) -> str:
    return f"push({_stack_bits(body)})"


def _pop(body: bytes, _: _Context) -> str:
    return f"pop({_stack_bits(body)})"


def _stack_bits(body: bytes) -> str:
    low, header, bits = struct.unpack_from("!H4sH", body)
    where, _ = _field(header)
    return _bits(where, low, bits)


def _conjunction(body: bytes, context: _Context) -> str:
    clause, count, number = struct.unpack_from("!BBI", body)
    return f"conjunction({context.names.conjunction(number)},{clause + 1}/{count})"


def _ct(body: bytes, context: _Context) -> str:
    flags, source, zone, table = struct.unpack_from("!HIHB", body)
    parts = ["commit"] * (flags & 1) + ["force"] * (flags >> 1 & 1)
    if source == _ZONE_IS_A_NUMBER:
        parts.append(f"zone={context.names.zones.get(zone, str(zone))}")
    else:
        where, _ = _field(body[2:6])
        parts.append(f"zone={_bits(where, zone >> 6, (zone & 0x3F) + 1)}")
    if table != _NO_TABLE:
        parts.append(f"table={context.names.table(table, context.datapath)}")
    marks: list[str] = []
    for kind, inner in _split(body[14:]):
        text, context = _format(kind, inner, context)
        (parts if text.startswith("nat") else marks).append(text)
    if marks:
        parts.append(f"exec({','.join(marks)})")
    return f"ct({','.join(parts)})"


def _nat(body: bytes, _: _Context) -> str:
    """Return a translation as ``ovs-ofctl`` writes it: ``nat(dst=10.0.0.1-10.0.0.9:80)``."""
    flags, present = struct.unpack_from("!2xHH", body)
    offset = 6
    addresses, ports = [], []
    for bit, size in ((1, 4), (2, 4), (4, 16), (8, 16), (16, 2), (32, 2)):
        if present & bit:
            value = body[offset : offset + size]
            offset += size
            if size == 2:
                ports.append(str(int.from_bytes(value)))
            else:
                addresses.append(str(ip_address(value)))
    side = {1: "src", 2: "dst"}.get(flags & 3)
    if side is None:
        return "nat"
    target = "-".join(addresses)
    if ports:
        target = (f"[{target}]" if ":" in target else target) + f":{'-'.join(ports)}"
    parts = [f"{side}={target}" if target else side]
    parts += [name for bit, name in ((4, "persistent"), (8, "hash"), (16, "random")) if flags & bit]
    return f"nat({','.join(parts)})"


def _clone(body: bytes, context: _Context) -> str:
    return f"clone({format_actions(body[6:], *context)})"


def _controller(body: bytes, context: _Context) -> str:
    parts: list[str] = []
    for kind, value in _properties(body[6:]):
        if kind == _USERDATA:
            parts.insert(0, _userdata(value, context))
        elif kind == _PAUSE:
            parts.append("pause")
        elif kind == _METER:
            parts.append(f"meter={context.names.meter(int.from_bytes(value[:4]))}")
    return f"punt({','.join(parts)})"


def _properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        kind, length = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += (length + 7) // 8 * 8


def _userdata(data: bytes, context: _Context) -> str:
    opcode, body = decode_userdata(data)
    if opcode is Opcode.LOG:
        return f"log,{_log(decode_log_arguments(body))}"
    if opcode is Opcode.DNS:
        answer, query = decode_dns_arguments(body)
        parts = (format_actions(answer, *context), format_actions(query, *context))
        return f"dns,answer({parts[0]}),else({parts[1]})"
    name = opcode.name.lower()
    if opcode is Opcode.VIRTUAL_BIND:
        return f"{name},ip{body.hex().lstrip('0')}"
    if opcode in ADDRESS_SIZES:
        return f"{name},{_dhcp(opcode, body, context)}"
    return f"{name},{format_actions(body, *context)}" if body else name


def _dhcp(opcode: Opcode, body: bytes, context: _Context) -> str:
    arguments = decode_dhcp_arguments(opcode, body)
    address = ip_address(arguments.address)
    actions = format_actions(arguments.actions, *context)
    return f"{address},options({format_options(arguments.options)}),{actions}"


def _log(log: LogArguments) -> str:
    parts = [f"name={log.name.decode(errors='replace')}"] if log.name else []
    if log.severity is not None:
        parts.append(f"severity={SEVERITIES[log.severity]}")
    if log.verdict is not None:
        parts.append(f"verdict={VERDICTS[log.verdict]}")
    return ",".join(parts)


def _check_pkt_larger(body: bytes, _: _Context) -> str:
    length, low, header = struct.unpack_from("!HH4s", body)
    where, _has_mask = _field(header)
    return f"check_pkt_larger({length})->{_bits(where, low, 1)}"


def _constant(text: str) -> "_Formatter":
    return lambda _body, _context: text


def _field(header: bytes) -> tuple[OxmField, bool]:
    oxm_class, number, _ = struct.unpack_from("!HBB", header)
    older_name = NICIRA_FIELDS.get((oxm_class, number >> 1))
    where = FIELDS[older_name] if older_name else field_of(oxm_class, number >> 1)
    if where is None:
        raise DecodingError(f"field {oxm_class:#06x}:{number >> 1} is not known")
    return where, bool(number & 1)


def _bits(where: OxmField, low: int, bits: int) -> str:
    name = field_name(where.name)
    if bits == where.bits:
        return name
    return f"{name}[{low}]" if bits == 1 else f"{name}[{low}..{low + bits - 1}]"


_Formatter = Callable[[bytes, _Context], str]

_SET_FIELD = 25
_FORMATS: dict[int, _Formatter] = {
    0: _output,
    17: _constant("push_vlan"),
    18: _constant("pop_vlan"),
    22: _group,
    24: _constant("dec_ttl"),
    28: _copy_field,
    21: _queue,
    29: _meter,
}
_NICIRA_FORMATS: dict[int, _Formatter] = {
    14: _resubmit,
    27: _push,
    28: _pop,
    34: _conjunction,
    35: _ct,
    36: _nat,
    37: _controller,
    42: _clone,
    43: _constant("ct_clear"),
    44: _resubmit,
    49: _check_pkt_larger,
}
