"""Packets as mappings from field names to values: writing, comparing, describing them.

See :mod:`logical_flow.evaluate` for what absent and unknown fields mean.
"""

from typing import NamedTuple

from logical_flow.annotate import annotate
from logical_flow.constants import Form, Integer, quote
from logical_flow.errors import WalkError
from logical_flow.evaluate import Packet, Value, read
from logical_flow.fields import SYMBOLS, FieldSlice, field_slice, fields
from logical_flow.fragments import as_switch_sees
from logical_flow.masks import ones
from logical_flow.match_parser import parse_match
from logical_flow.normalise import MaskedTerm, PortTerm, normalise

MutablePacket = dict[str, Value]

ETH_ARP, ETH_IP4, ETH_IP6 = 0x806, 0x800, 0x86DD
PROTO_ICMP4, PROTO_TCP, PROTO_UDP, PROTO_ICMP6, PROTO_SCTP = 1, 6, 17, 58, 132

REGISTERS = tuple(field_slice(f"reg{index}") for index in range(10))
_OTHER_FIELDS = tuple(
    FieldSlice.whole(whole)
    for whole in fields()
    if whole not in {where.field for where in REGISTERS}
)
_DEFAULT_TTL = 64


class Change(NamedTuple):
    """A field, or a register, before and after."""

    name: str
    before: Value
    after: Value

    def __str__(self) -> str:
        return f"{self.name}: {format_value(self.name, self.before)} -> " + format_value(
            self.name, self.after
        )


def write(packet: MutablePacket, where: FieldSlice, value: Value) -> None:
    """Set the bits of a slice; a value that isn't known makes all of the field unknown."""
    name = where.field.name
    if where.is_string or not isinstance(value, int):
        packet[name] = value
        return
    whole = packet.get(name, 0)
    if where.is_whole_field:
        packet[name] = value
    elif isinstance(whole, int):
        packet[name] = whole & ~where.mask | (value & ones(where.width)) << where.field_low
    else:
        packet[name] = None


def changes(before: Packet, after: Packet) -> list[Change]:
    """Return what differs, registers one by one, in the order of the symbol table."""
    names = before.keys() | after.keys()
    touched = {name for name in names if before.get(name, 0) != after.get(name, 0)}
    if not touched:
        return []
    slices = (where for where in (*REGISTERS, *_OTHER_FIELDS) if where.field.name in touched)
    pairs = ((str(where), read(before, where), read(after, where)) for where in slices)
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def format_value(name: str, value: Value) -> str:
    """Return the value as a reader of the field expects it."""
    if value is None:
        return "?"
    if isinstance(value, str):
        return quote(value)
    return str(Integer(value, None, _form(name)))


def format_packet(packet: Packet) -> str:
    """Return the packet's fields as text, empty ones left out."""
    return ", ".join(
        f"{change.name}={format_value(change.name, change.after)}" for change in changes({}, packet)
    )


def packet_from_match(source: str) -> MutablePacket:
    """Return a packet that fits a match, such as ``inport == "web-1" && tcp.dst == 80``.

    Where the match leaves a choice, the first is taken. IP packets get a usual TTL. What
    a switch doesn't see in fragments isn't there, whatever the match says of it.
    """
    alternatives = normalise(annotate(parse_match(source)))
    if not alternatives:
        raise WalkError(f"no packet fits {source}")
    packet: MutablePacket = {}
    for term in (
        *alternatives[0].terms,
        *(dimension[0] for dimension in alternatives[0].dimensions),
    ):
        match term:
            case MaskedTerm(field, value, _):
                known = packet.get(field.name, 0)
                packet[field.name] = value | (known if isinstance(known, int) else 0)
            case PortTerm(field, name):
                packet[field.name] = name
            case _:
                raise WalkError(f"a packet can't be made from a set, as in {source}")
    if packet.get("eth.type") in (ETH_IP4, ETH_IP6):
        packet.setdefault("ip.ttl", _DEFAULT_TTL)
    return as_switch_sees(packet)


def _form(name: str) -> Form:
    symbol = SYMBOLS[name]
    width = getattr(symbol, "width", 0)
    if width == 48:
        return Form.ETHERNET
    if (name.startswith("ip6.") and width == 128) or name == "nd.target":
        return Form.IPV6
    if name in ("ip4.src", "ip4.dst") or name.endswith((".spa", ".tpa")):
        return Form.IPV4
    is_number = name.endswith((".src", ".dst", ".op", ".code", ".ttl")) or name == "ip.proto"
    return Form.DECIMAL if is_number or name.endswith("icmp4.type") else Form.HEXADECIMAL
