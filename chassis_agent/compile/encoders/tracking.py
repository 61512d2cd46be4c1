"""The connection tracker, as ``ct`` in the zone that a register holds."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from chassis_agent import tables
from chassis_agent.compile.encoders.encoding import Encoding, with_table
from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.compile.splice import Assembly, Gap, constant, varying
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import FIELDS, Subfield
from logical_flow.action import CtClear, CtCommit, CtNat, CtNext, Zone, zone_on
from logical_flow.constants import Form, Integer, Variable
from logical_flow.holes import Hole, HoleType

_REGISTERS: Final = {
    Zone.PORT: tables.PORT_ZONE,
    Zone.DNAT: tables.DNAT_ZONE,
    Zone.SNAT: tables.SNAT_ZONE,
    Zone.ROUTE: tables.PORT_ZONE,
}
_NOTHING: Final = bytes(16)
"""What stands in a gap until it is filled."""


def encode_ct_next(action: CtNext, encoding: Encoding) -> Assembly:
    zone = zone_register(encoding, action.zone)
    return with_table(lambda table: act.ct(zone=zone, table=table), encoding.leading_to(None))


def encode_ct_commit(action: CtCommit, encoding: Encoding) -> Assembly:
    zone = zone_register(encoding, action.zone)
    marks = encoding.encode(action.actions)
    return marks.inside(lambda inner: act.ct(zone=zone, commit=True, nested=inner))


def encode_ct_clear(_: CtClear, _encoding: Encoding) -> Assembly:
    return constant(act.ct_clear())


def encode_ct_nat(action: CtNat, encoding: Encoding) -> Assembly:
    zone = zone_register(encoding, action.zone, action.kind)
    nat = _nat(action, encoding) if action.commits else constant(act.nat())

    def ct(inner: bytes, table: int) -> bytes:
        return act.ct(zone=zone, commit=action.commits, table=table, nested=inner)

    whole = nat.inside(lambda inner: ct(inner, 0))
    with_next = with_table(lambda table: ct(nat.data, table), encoding.leading_to(None))
    return Assembly(whole.data, whole.gaps + with_next.gaps)


def _nat(action: CtNat, encoding: Encoding) -> Assembly:
    """Return the translation of new connections; addresses and ports may be gaps."""
    parts = (action.first, action.last, action.first_port, action.last_port)
    values = [_placeholder(part) for part in parts]

    def encode(place: int, data: bytes) -> bytes:
        return _encode_nat(action, [*values[:place], data, *values[place + 1 :]])

    gaps = []
    for place, part in enumerate(parts):
        if isinstance(part, Hole):
            size = len(values[place] or b"")
            start, end = varying(_at(encode, place), size)
            gaps.append(Gap(start, end - start, encoding.raw_argument(part, size)))
    return Assembly(_encode_nat(action, values), tuple(gaps))


def _at(encode: Callable[[int, bytes], bytes], place: int) -> Callable[[bytes], bytes]:
    return lambda data: encode(place, data)


def _encode_nat(action: CtNat, values: list[bytes | None]) -> bytes:
    first, last = (None if value is None else _address(value) for value in values[:2])
    ports = [None if value is None else int.from_bytes(value) for value in values[2:]]
    return act.nat(
        source=action.kind is Zone.SNAT,
        destination=action.kind is Zone.DNAT,
        first=first,
        last=last,
        port_min=ports[0],
        port_max=ports[1],
    )


def _placeholder(part: Integer | Variable | Hole | None) -> bytes | None:
    """Return the bytes of a constant, and of a hole as many that are to be filled."""
    match part:
        case Integer(value, _, Form.IPV4):
            return value.to_bytes(4)
        case Integer(value, _, Form.IPV6):
            return value.to_bytes(16)
        case Integer(value):
            return value.to_bytes(2)
        case Hole(_, HoleType.IP4):
            return _NOTHING[:4]
        case Hole(_, HoleType.IP6):
            return _NOTHING
        case Hole():
            return _NOTHING[:2]
        case Variable(name):
            raise BadTemplateError(f"{name} is not known before a flow is packed")
    return None


def _address(value: bytes) -> IPv4Address | IPv6Address:
    return IPv4Address(value) if len(value) == 4 else IPv6Address(value)


def zone_register(encoding: Encoding, zone: Zone | None, own: Zone = Zone.DNAT) -> Subfield:
    """Return the register that holds the number of the zone."""
    try:
        chosen = zone_on(encoding.pipeline[:2], zone, own)
    except ValueError as error:
        raise BadTemplateError(str(error)) from error
    return Subfield(FIELDS[_REGISTERS[chosen]], 0, 16)
