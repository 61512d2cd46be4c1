"""Copies of fields that a switch can only compare for equality, in registers.

Open vSwitch matches one value of a nominal field (``ip.proto``) and no mask of it, so that
"anything but 6" would take a flow for each other value. A register takes masks: where a match
negates such a field, its *copy* is matched, which takes as many flows as the field has bits.

The copies are there where a stage before has made them (:func:`copy_actions`). Fields that no
packet has together share bits of a register.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from logical_flow.expression import (
    And,
    BooleanTest,
    Comparison,
    Expression,
    Not,
    Or,
    Relation,
)
from logical_flow.fields import SYMBOLS, FieldSlice, Level, Predicate
from logical_flow.match_parser import parse_trusted_match


def _bits(register: str, low: int, high: int) -> FieldSlice:
    symbol = SYMBOLS[register]
    if isinstance(symbol, Predicate):
        raise TypeError(f"{register} is no register")
    return FieldSlice(symbol, low, high - low + 1)


COPIES: Final[Mapping[str, FieldSlice]] = MappingProxyType(
    {
        "eth.type": _bits("reg5", 0, 15),
        "ip.proto": _bits("reg5", 16, 23),
        "ip.ttl": _bits("reg5", 24, 31),
        "icmp4.type": _bits("reg6", 0, 7),
        "icmp4.code": _bits("reg6", 8, 15),
        "icmp6.type": _bits("reg6", 0, 7),
        "icmp6.code": _bits("reg6", 8, 15),
        "arp.op": _bits("reg6", 0, 15),
        "rarp.op": _bits("reg6", 0, 15),
        "ip.dscp": _bits("reg6", 16, 21),
        "ip.ecn": _bits("reg6", 22, 23),
    }
)
"""Where the copy of a field is, by the field's name. Every nominal number has one."""


def copy_actions(fields: Iterable[str]) -> str:
    """Return the text of the actions that copy these fields.

    >>> copy_actions(["ip.proto", "icmp4.type"])
    'reg5[16..23] = ip.proto; reg6[0..7] = icmp4.type;'
    """
    return " ".join(f"{COPIES[name]} = {name};" for name in fields)


def negated_fields(expression: Expression) -> frozenset[str]:
    """Return the nominal fields that the match tests for inequality, `!` taken into account.

    >>> from logical_flow.match_parser import parse_match
    >>> sorted(negated_fields(parse_match("ip4 && !icmp4", negations=True)))
    ['eth.type', 'ip.proto']
    """
    return frozenset(_negated(expression, True))


def _negated(expression: Expression, positive: bool) -> set[str]:
    match expression:
        case Not(operand):
            return _negated(operand, not positive)
        case And(operands) | Or(operands):
            return {name for operand in operands for name in _negated(operand, positive)}
        case BooleanTest(Predicate(expansion=text, level=Level.NOMINAL)) if not positive:
            return _nominal_fields(parse_trusted_match(text))
        case Comparison(where, relation) if where.field.name in COPIES:
            unequal = (relation is Relation.NE) is positive
            return {where.field.name} if unequal else set()
    return set()


def _nominal_fields(expression: Expression) -> set[str]:
    """Return the nominal fields that a predicate depends on, those that it implies included."""
    match expression:
        case And(operands) | Or(operands):
            return {name for operand in operands for name in _nominal_fields(operand)}
        case BooleanTest(Predicate(expansion=text)):
            return _nominal_fields(parse_trusted_match(text))
        case Comparison(where):
            implied = {
                name
                for text in (where.symbol.prerequisites, where.field.prerequisites)
                if text
                for name in _nominal_fields(parse_trusted_match(text))
            }
            return implied | ({where.field.name} & COPIES.keys())
    return set()
