"""What a match means: predicates expanded, ``!`` resolved, prerequisites added.

An annotated expression is built of :class:`Literal`, :class:`Comparison`,
:class:`And` and :class:`Or` alone (and of ``expr`` holes not yet filled). Evaluation
and normalisation both start from it, so they agree on what is implied.

Prerequisites hold whichever way a field is tested: ``!(tcp.dst == 80)`` means ``tcp
&& tcp.dst != 80``, a TCP packet to another port.
"""

from functools import lru_cache

from logical_flow.action import (
    Action,
    Actions,
    Clone,
    CtCommit,
    CtNext,
    DecrementTtl,
    Generate,
    PacketKind,
    every_action,
    slices,
)
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
from logical_flow.fields import FieldSlice, Predicate, Subfield
from logical_flow.match_parser import parse_trusted_match

_GENERATED_FROM = {
    PacketKind.ARP: "ip4",
    PacketKind.ND_NS: "ip",
    PacketKind.ND_NA: "nd_ns",
    PacketKind.ND_NA_ROUTER: "nd_ns",
    PacketKind.ICMP4: "ip4",
    PacketKind.ICMP6: "ip6",
    PacketKind.ICMP6_UNKNOWN_HEADER: "ip6",
    PacketKind.TCP_RESET: "tcp",
    PacketKind.SCTP_ABORT: "sctp",
    PacketKind.REJECT: "ip",
}


def annotate(expression: Expression) -> Expression:
    """The expression with all that it implies."""
    return _annotate(expression, True)


def annotate_flow(match: Expression, actions: Actions) -> Expression:
    """The match of a flow with all that it and its actions imply.

    Actions on fields apply only to packets that have them. What nested actions do
    to packets that an action makes implies nothing for the packet at hand.
    """
    return all_of(annotate(match), *_action_prerequisites(actions))


def _action_prerequisites(actions: Actions) -> tuple[Expression, ...]:
    found: dict[Expression, None] = {}
    for action in actions:
        if isinstance(action, Clone):
            found.update(dict.fromkeys(_action_prerequisites(action.actions)))
            continue
        for field in _touched(action):
            found.update(dict.fromkeys(_prerequisites(field)))
        found.update(dict.fromkeys(_expanded(text) for text in _own_prerequisites(action)))
    return tuple(found)


def _touched(action: Action) -> tuple[FieldSlice, ...]:
    nested = () if isinstance(action, Generate) else every_action((action,))
    return tuple(field for part in nested for field in slices(part))


def _own_prerequisites(action: Action) -> tuple[str, ...]:
    match action:
        case Generate(kind):
            return (_GENERATED_FROM[kind],)
        case DecrementTtl() | CtNext() | CtCommit():
            return ("ip",)
        case _:
            return ()


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
            return all_of(*_prerequisites(field), comparison)
        case ExpressionHole():
            if not positive:
                raise ValueError(f"{expression} is negated")
            return expression


def _annotate_test(subject: Predicate | FieldSlice, positive: bool) -> Expression:
    if isinstance(subject, Predicate):
        return _annotate(parse_trusted_match(subject.expansion), positive)
    bit = Comparison(subject, Relation.EQ, (Integer(int(positive)),))
    return all_of(*_prerequisites(subject), bit)


def _prerequisites(field: FieldSlice) -> tuple[Expression, ...]:
    symbol = field.symbol
    texts = [symbol.prerequisites]
    if isinstance(symbol, Subfield):
        texts.append(symbol.field.prerequisites)
    return tuple(_expanded(text) for text in dict.fromkeys(texts) if text)


@lru_cache(maxsize=256)
def _expanded(text: str) -> Expression:
    return annotate(parse_trusted_match(text))
