"""What a match means: predicates expanded, ``!`` resolved, prerequisites added.

An annotated expression is built of :class:`Literal`, :class:`Comparison`,
:class:`And` and :class:`Or` alone (and of ``expr`` holes not yet filled). Evaluation
and normalisation both start from it, so they agree on what is implied.

Prerequisites hold whichever way a field is tested: ``!(tcp.dst == 80)`` means ``tcp
&& tcp.dst != 80``, a TCP packet to another port. A nominal predicate stands for a kind of packet,
and its negation for all others: ``!tcp`` is whatever isn't TCP, ARP for one.
"""

from functools import lru_cache

from logical_flow.constants import Integer
from logical_flow.expression import (
    And,
    BooleanTest,
    Comparison,
    Expression,
    ExpressionHole,
    Literal,
    Not,
    Or,
    Relation,
    all_of,
    any_of,
)
from logical_flow.fields import FieldSlice, Level, Predicate, Subfield
from logical_flow.match_parser import parse_trusted_match


def annotate(expression: Expression) -> Expression:
    """Return the expression with all that it implies."""
    return _annotate(expression, True)


def _annotate(expression: Expression, positive: bool) -> Expression:
    match expression:
        case Literal(value):
            return Literal(value is positive)
        case Not(operand):
            return _annotate(operand, not positive)
        case And(operands):
            parts = (_annotate(operand, positive) for operand in operands)
            return all_of(*parts) if positive else any_of(*parts)
        case Or(operands):
            parts = (_annotate(operand, positive) for operand in operands)
            return any_of(*parts) if positive else all_of(*parts)
        case BooleanTest(subject):
            return _annotate_test(subject, positive)
        case Comparison(field, relation, constants):
            effective = relation if positive else relation.negated
            comparison = Comparison(field, effective, constants)
            return all_of(*prerequisites(field), comparison)
        case ExpressionHole():
            if not positive:
                raise ValueError(f"{expression} is negated")
            return expression


def _annotate_test(subject: Predicate | FieldSlice, positive: bool) -> Expression:
    if isinstance(subject, Predicate):
        if subject.level is Level.NOMINAL and not positive:
            return complement(subject)
        return _annotate(parse_trusted_match(subject.expansion), positive)
    bit = Comparison(subject, Relation.EQ, (Integer(int(positive)),))
    return all_of(*prerequisites(subject), bit)


@lru_cache(maxsize=256)
def complement(predicate: Predicate) -> Expression:
    """Return the match, with all that it implies, of the packets that a predicate doesn't fit."""
    return _complement(expanded(predicate.expansion))


def _complement(annotated: Expression) -> Expression:
    """Return what an annotated expression doesn't fit.

    Of a conjunction each part is negated where those before it hold: they are its prerequisites.
    """
    match annotated:
        case Literal(value):
            return Literal(not value)
        case Comparison(field, relation, constants):
            return Comparison(field, relation.negated, constants)
        case Or(operands):
            return all_of(*map(_complement, operands))
        case And(operands):
            return any_of(
                *(
                    all_of(*operands[:index], _complement(operand))
                    for index, operand in enumerate(operands)
                )
            )
    raise ValueError(f"{annotated} is not annotated")


def prerequisites(field: FieldSlice) -> tuple[Expression, ...]:
    """Return what is implied by using `field`."""
    symbol = field.symbol
    texts = [symbol.prerequisites]
    if isinstance(symbol, Subfield):
        texts.append(symbol.field.prerequisites)
    return tuple(expanded(text) for text in dict.fromkeys(texts) if text)


@lru_cache(maxsize=256)
def expanded(text: str) -> Expression:
    """Return the match that `text` is the text of, with all that it implies."""
    return annotate(parse_trusted_match(text))
