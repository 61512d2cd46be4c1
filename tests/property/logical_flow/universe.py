"""A universe small enough to try every packet on every expression.

Its packets differ in three bits of one register, two of another that shares the
underlying field, a whole register that addresses are compared with, and the input
port. What an expression means is then one integer, its *truth*: bit i says whether
packet i fits. Expressions are equivalent when their truths are equal.

Everything that makes something out of an expression (the normal form, OpenFlow
flows) can be checked against :func:`truth` by giving its own truth over
:data:`PACKETS`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import combinations, product

from logical_flow.constants import Integer, SetReference, String
from logical_flow.evaluate import Packet, Sets
from logical_flow.expression import (
    And,
    BooleanTest,
    Comparison,
    Expression,
    Literal,
    Not,
    Or,
    all_of,
    any_of,
)
from logical_flow.fields import FieldSlice
from logical_flow.masks import Cover, complement_of_all
from logical_flow.match_parser import parse_match
from logical_flow.members import member_pattern
from logical_flow.normalise import (
    ConjunctiveMatch,
    MaskedTerm,
    PortTerm,
    SetTerm,
    Term,
    normalise,
)

MEMBERS = {
    "$low": ["0.0.0.0", "0.0.0.2"],
    "$wide": ["0.0.0.0/31", "::1", "00:00:00:00:00:03"],
    "$none": [],
    "@some": ["p", "q"],
    "@other": ["r"],
}
SETS = Sets(MEMBERS)

PACKETS: list[Packet] = [
    {"xxreg0": a << 96 | b << 65, "xreg4": c, "inport": port}
    for a, b, c, port in product(range(8), range(4), range(4), "pqr")
]
ALL = (1 << len(PACKETS)) - 1

TERMINALS = [
    *(f"reg0[0..2] == {value}" for value in (0, 3, 7)),
    "reg0[0..2] == 2/2",
    "reg0[0..2] != 5",
    "reg0[0..2] != {0, 6/6}",
    *(f"reg0[0..2] {relation} 3" for relation in ("<", "<=", ">", ">=")),
    "reg0[0..2] > 7",
    "reg0[0..2] >= 0",
    "1 <= reg0[0..2] < 6",
    "reg0[1]",
    "!reg0[2]",
    "reg1[1..2] == {1, 2}",
    "reg1[1..2] == 3",
    "reg1[1..2] != 1",
    "reg9 == $low",
    "reg9 == {$low, 0.0.0.1}",
    "reg9 != $wide",
    "reg9 == {$none, $wide}",
    "reg9 < 3",
    "reg9[0..1] == {1, 3}",
    'inport == "p"',
    'inport == {"p", "r"}',
    "inport == @some",
    'inport == {@other, "q"}',
]


def truth_where(holds: Callable[[Packet], bool]) -> int:
    return sum(1 << index for index, packet in enumerate(PACKETS) if holds(packet))


def truth(expression: Expression) -> int:
    """What the expression means, straight from its tree."""
    match expression:
        case Literal(value):
            return ALL if value else 0
        case Not(operand):
            return ALL & ~truth(operand)
        case And(operands):
            return _fold(operands, all_together=True)
        case Or(operands):
            return _fold(operands, all_together=False)
        case BooleanTest() | Comparison():
            return _terminal_truth(expression)
    raise AssertionError(f"{expression} has no truth of its own")


def _fold(operands: Iterable[Expression], *, all_together: bool) -> int:
    result = ALL if all_together else 0
    for operand in operands:
        result = result & truth(operand) if all_together else result | truth(operand)
    return result


@cache
def _terminal_truth(expression: BooleanTest | Comparison) -> int:
    if isinstance(expression, BooleanTest):
        bit = expression.subject
        assert isinstance(bit, FieldSlice)
        return truth_where(lambda packet: _number(packet, bit) == 1)
    where = expression.field
    if where.is_string:
        return truth_where(lambda packet: packet["inport"] in _names(expression))
    return truth_where(lambda packet: _holds(expression, _number(packet, where)))


def _names(comparison: Comparison) -> set[str]:
    names: set[str] = set()
    for constant in comparison.constants:
        if isinstance(constant, String):
            names.add(constant.value)
        else:
            names.update(MEMBERS[str(constant)])
    return names


def _number(packet: Packet, where: FieldSlice) -> int:
    value = packet[where.field.name]
    assert isinstance(value, int)
    return value >> where.field_low & ((1 << where.width) - 1)


def _holds(comparison: Comparison, number: int) -> bool:
    tests = {
        "==": number.__eq__,
        "!=": number.__eq__,
        "<": number.__lt__,
        "<=": number.__le__,
        ">": number.__gt__,
        ">=": number.__ge__,
    }
    found = False
    for constant in comparison.constants:
        match constant:
            case Integer(value, None):
                found |= tests[comparison.relation](value)
            case Integer(value, int(mask)):
                found |= number & mask == value
            case SetReference():
                found |= number in _SMALL_ADDRESSES[str(constant)]
    return found is not (comparison.relation == "!=")


_SMALL_ADDRESSES = {"$low": {0, 2}, "$wide": {0, 1}, "$none": set[int]()}


def normal_form_truth(expression: Expression) -> int:
    """What the normal form of the expression means."""
    return truth_of_matches(normalise(expression))


def truth_of_matches(matches: Iterable[ConjunctiveMatch]) -> int:
    result = 0
    for match in matches:
        one = ALL
        for term in match.terms:
            one &= _term_truth(term)
        for dimension in match.dimensions:
            any_term = 0
            for term in dimension:
                any_term |= _term_truth(term)
            one &= any_term
        result |= one
    return result


@cache
def _term_truth(term: Term) -> int:
    match term:
        case MaskedTerm(field, value, mask):
            return truth_where(lambda packet: _masked(packet[field.name], mask) == value)
        case PortTerm(field, name):
            return truth_where(lambda packet: packet[field.name] == name)
        case SetTerm(where, reference) if where.is_string:
            return truth_where(lambda packet: packet[where.field.name] in MEMBERS[str(reference)])
        case SetTerm(where, reference, negated):
            cover = members_cover(str(reference), where.width, negated=negated)
            return truth_where(
                lambda packet: any(_number(packet, where) & mask == v for v, mask in cover)
            )
    raise AssertionError(f"{term} has a hole")


def members_cover(name: str, width: int, *, negated: bool) -> Cover:
    """The values that are in a set, or those that are not."""
    patterns = [member_pattern(member, width) for member in MEMBERS[name]]
    found = frozenset(pattern for pattern in patterns if pattern is not None)
    return complement_of_all(found) if negated else found


def _masked(value: int | str | None, mask: int) -> int:
    assert isinstance(value, int)
    return value & mask


def expressions(terminals: list[str], depth: int) -> Iterator[Expression]:
    """All shapes of expressions with up to `depth` of the terminals, in a fixed order.

    Operands are in the order of `terminals`: conjunction doesn't care.
    """
    atoms = [parse_match(text, negations=True) for text in terminals]
    if depth >= 1:
        yield from _with_negation(atoms)
    if depth >= 2:
        for pair in combinations(atoms, 2):
            yield from _with_negation([all_of(*pair), any_of(*pair)])
    if depth >= 3:
        for triple in combinations(atoms, 3):
            yield from _with_negation(_shapes_of_three(*triple))


def _shapes_of_three(a: Expression, b: Expression, c: Expression) -> Iterator[Expression]:
    yield all_of(a, b, c)
    yield any_of(a, b, c)
    for x, y, z in ((a, b, c), (b, a, c), (c, a, b)):
        yield all_of(x, any_of(y, z))
        yield any_of(x, all_of(y, z))


def _with_negation(found: Iterable[Expression]) -> Iterator[Expression]:
    """Each expression, and its negation where the language allows that."""
    for expression in found:
        yield expression
        if _may_be_negated(expression):
            yield Not(expression)


def _may_be_negated(expression: Expression) -> bool:
    return "inport" not in str(expression)
