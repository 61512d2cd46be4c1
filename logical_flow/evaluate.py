"""Whether a packet fits a match, when perhaps not all of the packet is known.

A packet is a mapping from the names of fields to their values; only whole fields
have one (see :mod:`logical_flow.fields`). A field that isn't there is 0 or the empty
name, one that is None is not known. The answer is true, false, or None where it
depends on what isn't known (Kleene's logic).
"""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping

from logical_flow.annotate import annotate
from logical_flow.constants import Constant, Integer, SetReference, String, Variable
from logical_flow.expression import And, Comparison, Expression, Literal, Or, Relation
from logical_flow.fields import FieldSlice
from logical_flow.members import member_pattern

Value = int | str | None
Packet = Mapping[str, Value]

_ORDERED: dict[Relation, Callable[[int, int], bool]] = {
    Relation.LT: operator.lt,
    Relation.LE: operator.le,
    Relation.GT: operator.gt,
    Relation.GE: operator.ge,
}


class Sets:
    """Address sets and port groups by name with sigil; a set that isn't there is empty."""

    def __init__(self, members: Mapping[str, Collection[str]] | None = None) -> None:
        self._members = members or {}
        self._patterns: dict[tuple[str, int], dict[int, set[int]]] = {}

    def members(self, name: str) -> Collection[str]:
        """Return the members of a set as text."""
        return self._members.get(name, ())

    def has_port(self, name: str, port: str) -> bool:
        return port in self._members.get(name, ())

    def has_address(self, name: str, width: int, address: int) -> bool:
        by_mask = self._patterns.get((name, width))
        if by_mask is None:
            by_mask = self._patterns[name, width] = self._by_mask(name, width)
        return any(address & mask in values for mask, values in by_mask.items())

    def _by_mask(self, name: str, width: int) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for member in self._members.get(name, ()):
            pattern = member_pattern(member, width)
            if pattern is not None:
                found.setdefault(pattern[1], set()).add(pattern[0])
        return found


NO_SETS = Sets()


def read(packet: Packet, where: FieldSlice) -> Value:
    """Return the value of a slice, None when it isn't known."""
    if where.is_string:
        return packet.get(where.field.name, "")
    value = packet.get(where.field.name, 0)
    if not isinstance(value, int):
        return None
    return (value & where.mask) >> where.field_low


def matches(expression: Expression, packet: Packet, sets: Sets = NO_SETS) -> bool | None:
    """Return whether `packet` fits `expression` as it was written."""
    return evaluate(annotate(expression), packet, sets)


def evaluate(annotated: Expression, packet: Packet, sets: Sets = NO_SETS) -> bool | None:
    """Return whether `packet` fits an expression that went through :func:`annotate`."""
    match annotated:
        case Literal(value):
            return value
        case And(operands):
            return _all(evaluate(operand, packet, sets) for operand in operands)
        case Or(operands):
            negated = (_not(evaluate(operand, packet, sets)) for operand in operands)
            return _not(_all(negated))
        case Comparison():
            return _compare(annotated, read(packet, annotated.field), sets)
    raise ValueError(f"{annotated} can't be evaluated")


def _all(parts: Iterable[bool | None]) -> bool | None:
    result: bool | None = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            result = None
    return result


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _compare(comparison: Comparison, value: Value, sets: Sets) -> bool | None:
    if value is None or any(isinstance(each, Variable) for each in comparison.constants):
        return None
    relation = comparison.relation
    if relation in (Relation.EQ, Relation.NE):
        found = any(
            _is(value, constant, comparison.field, sets) for constant in comparison.constants
        )
        return found is (relation is Relation.EQ)
    (bound,) = comparison.constants
    if not isinstance(bound, Integer) or not isinstance(value, int):
        raise ValueError(f"{comparison} can't be evaluated")
    return _ORDERED[relation](value, bound.value)


def _is(value: int | str, constant: Constant, where: FieldSlice, sets: Sets) -> bool:
    match constant, value:
        case Integer(wanted, None), int():
            return value == wanted
        case Integer(wanted, int(mask)), int():
            return value & mask == wanted
        case String(name), str():
            return value == name
        case SetReference(), int():
            return sets.has_address(str(constant), where.width, value)
        case SetReference(), str():
            return sets.has_port(str(constant), value)
    raise ValueError(f"{where} is {value!r} and can't be compared with {constant}")
