"""Filling the holes of matches with arguments, and the constants that do it in actions, too."""

from collections.abc import Mapping
from typing import assert_never

from logical_flow.constants import Constant, Form, Integer, SetReference, String, Variable
from logical_flow.errors import TemplateError
from logical_flow.expression import (
    And,
    Comparison,
    Expression,
    ExpressionHole,
    Not,
    Or,
    all_of,
    any_of,
)
from logical_flow.holes import VARIABLE_HOLES, Argument, Hole, HoleType
from logical_flow.match_parser import parse_trusted_match

Arguments = Mapping[str, Argument]

_FORMS = {
    HoleType.MAC: Form.ETHERNET,
    HoleType.IP4: Form.IPV4,
    HoleType.CIDR4: Form.IPV4,
    HoleType.IP6: Form.IPV6,
    HoleType.CIDR6: Form.IPV6,
}


def constant(hole: Hole, value: Argument) -> Constant:
    """`value` as the constant that a reader would have written in place of `hole`."""
    if not hole.type.accepts(value):
        raise TemplateError(f"{value!r} does not fit {hole}")
    match value:
        case int():
            return Integer(value)
        case bytes() if hole.type.is_masked:
            return _masked(value, _FORMS[hole.type])
        case bytes():
            return Integer(int.from_bytes(value), None, _FORMS.get(hole.type, Form.HEXADECIMAL))
        case str() if hole.type in VARIABLE_HOLES:
            return Variable(value, hole.type)
        case str() if hole.type is HoleType.SET:
            return SetReference("$" if value.startswith("$") else "@", value[1:])
        case str():
            return String(value)
        case _:
            assert_never(value)


def _masked(value: bytes, form: Form) -> Integer:
    half = len(value) // 2
    mask = int.from_bytes(value[half:])
    exact = mask == (1 << 8 * half) - 1
    return Integer(int.from_bytes(value[:half]) & mask, None if exact else mask, form)


def bind_expression(expression: Expression, arguments: Arguments) -> Expression:
    """`expression` with every hole filled."""
    match expression:
        case ExpressionHole(hole):
            text = arguments[hole.name]
            if not isinstance(text, str):
                raise TemplateError(f"{text!r} does not fit {hole}")
            return parse_trusted_match(text)
        case Comparison(field, relation, constants):
            return Comparison(field, relation, tuple(fill(c, arguments) for c in constants))
        case Not(operand):
            return Not(bind_expression(operand, arguments))
        case And(operands):
            return all_of(*(bind_expression(operand, arguments) for operand in operands))
        case Or(operands):
            return any_of(*(bind_expression(operand, arguments) for operand in operands))
        case _:
            return expression


def fill_expressions(expression: Expression, arguments: Arguments) -> Expression:
    """`expression` with only its ``expr`` holes filled, ready to be normalised.

    The other holes stay, so that the result serves all flows that share these texts.
    """
    match expression:
        case ExpressionHole():
            return bind_expression(expression, arguments)
        case And(operands):
            return all_of(*(fill_expressions(operand, arguments) for operand in operands))
        case Or(operands):
            return any_of(*(fill_expressions(operand, arguments) for operand in operands))
        case _:
            return expression


def fill(value: Constant, arguments: Arguments) -> Constant:
    """Return `value`, or where it is a hole the constant that fills it."""
    return constant(value, arguments[value.name]) if isinstance(value, Hole) else value
