"""Fragments: what a switch sees of them, and what a match can say of them.

Open vSwitch matches no transport fields in fragments, not even in the first one, and that
before and after connection tracking: to it ports and ICMP types are 0 there, whatever the
fragment holds. TCP flags it reads where a first fragment is long enough. A later fragment of
IPv6 has the protocol number of the fragment header, 44.

So what a match asks of a transport field is *unknown* of a fragment, and of the match as a
whole three things may be true (Kleene's logic): it fits for sure, it can't fit, or that is not
known. :func:`sure_match` is what fits for sure, :func:`doubtful_match` the fragments that
perhaps fit. For packets that are no fragments the match itself is as good as
:func:`sure_match`.
"""

from functools import lru_cache

from logical_flow.annotate import complement
from logical_flow.evaluate import Packet, Value
from logical_flow.expression import (
    FALSE,
    TRUE,
    And,
    BooleanTest,
    Comparison,
    Expression,
    ExpressionHole,
    Literal,
    Not,
    Or,
    all_of,
    any_of,
)
from logical_flow.fields import SYMBOLS, FieldSlice, Level, Predicate, Subfield, field_slice
from logical_flow.match_parser import parse_trusted_match

_TRANSPORT = ("tcp.", "udp.", "sctp.", "icmp4.", "icmp6.", "nd.")
_FRAGMENT = BooleanTest(SYMBOLS["ip.is_frag"])  # type: ignore[arg-type]
_FRAG = field_slice("ip.frag").field.name
_IS_FRAGMENT, _IS_LATER = 0b01, 0b10
_ETH_IP6, _PROTO_TCP, _PROTO_FRAGMENT = 0x86DD, 6, 44


def as_switch_sees(packet: Packet) -> dict[str, Value]:
    """The packet without what Open vSwitch doesn't see in it if it is a fragment.

    >>> as_switch_sees({"eth.type": 0x800, "ip.proto": 17, "ip.frag": 1, "udp.dst": 53})
    {'eth.type': 2048, 'ip.proto': 17, 'ip.frag': 1}
    """
    fragment = packet.get(_FRAG, 0)
    if not isinstance(fragment, int) or not fragment:
        return dict(packet)
    seen = {name: value for name, value in packet.items() if not name.startswith(_TRANSPORT)}
    if fragment & _IS_LATER:
        seen[_FRAG] = _IS_FRAGMENT | _IS_LATER
        if packet.get("eth.type") == _ETH_IP6:
            seen["ip.proto"] = _PROTO_FRAGMENT
    elif packet.get("ip.proto") == _PROTO_TCP:
        # How much of its header the fragment holds isn't known.
        seen["tcp.flags"] = None
    return seen


def asks_for_transport(expression: Expression) -> bool:
    """Whether the match depends on a field that fragments don't show.

    >>> from logical_flow.match_parser import parse_match
    >>> [asks_for_transport(parse_match(text)) for text in ("tcp", "tcp.dst == 80", "nd")]
    [False, True, True]
    """
    match expression:
        case Not(operand):
            return asks_for_transport(operand)
        case And(operands) | Or(operands):
            return any(map(asks_for_transport, operands))
        case BooleanTest(Predicate(expansion=text)):
            return asks_for_transport(parse_trusted_match(text))
        case BooleanTest(FieldSlice() as where) | Comparison(field=where):
            return where.field.name.startswith(_TRANSPORT)
    return False


def sure_match(expression: Expression) -> Expression:
    """What fits `expression` whatever a fragment holds.

    >>> from logical_flow.match_parser import parse_match
    >>> print(sure_match(parse_match("ip4.src == 10.0.0.1 && tcp.dst != 22")))
    ip4.src == 10.0.0.1 && tcp.dst != 22 && !ip.is_frag
    >>> print(sure_match(parse_match("ip4.src == 10.0.0.1 || tcp.dst == 22")))
    ip4.src == 10.0.0.1 || (tcp.dst == 22 && !ip.is_frag)
    """
    return _sure(expression, True)


def doubtful_match(expression: Expression) -> Expression:
    """The fragments that fit `expression` or not, depending on what can't be seen of them.

    Of a match that doesn't ask for transport fields there are none, and the result is
    ``0``. Among them may be fragments that fit for sure, by another part of the match.

    >>> from logical_flow.match_parser import parse_match
    >>> print(doubtful_match(parse_match("ip4.src == 10.0.0.1 && !(tcp.dst == {22, 80})")))
    ip4.src == 10.0.0.1 && tcp && ip.is_frag
    """
    if not asks_for_transport(expression):
        return FALSE
    return all_of(_without_transport(expression, True), _FRAGMENT)


def _sure(expression: Expression, positive: bool) -> Expression:
    match expression:
        case Not(operand):
            return _sure(operand, not positive)
        case BooleanTest(Predicate(level=Level.NOMINAL) as predicate) if not positive:
            if asks_for_transport(expression):
                return _sure(complement(predicate), True)
        case And(operands) | Or(operands):
            parts = [_sure(operand, positive) for operand in operands]
            if isinstance(expression, Or) is positive:
                return any_of(*parts)
            return _said_once(all_of(*parts))
        case BooleanTest(Predicate(expansion=text)) if asks_for_transport(expression):
            return _sure(parse_trusted_match(text), positive)
    plain = expression if positive else Not(expression)
    return all_of(plain, Not(_FRAGMENT)) if asks_for_transport(expression) else plain


def _said_once(expression: Expression) -> Expression:
    """A conjunction in which ``!ip.is_frag`` stands once, at the end."""
    no_fragment = Not(_FRAGMENT)
    if not isinstance(expression, And) or expression.operands.count(no_fragment) < 2:
        return expression
    others = (operand for operand in expression.operands if operand != no_fragment)
    return all_of(*others, no_fragment)


def _without_transport(expression: Expression, positive: bool) -> Expression:
    """`expression`, with what it asks of transport fields taken for granted.

    What the fields imply stays: ``tcp.dst == 22`` becomes ``tcp``.
    """
    match expression:
        case Not(operand):
            return _without_transport(operand, not positive)
        case BooleanTest(Predicate(level=Level.NOMINAL) as predicate) if (
            not positive and asks_for_transport(expression)
        ):
            return _without_transport(complement(predicate), True)
        case And(operands) | Or(operands):
            parts = dict.fromkeys(_without_transport(operand, positive) for operand in operands)
            return any_of(*parts) if isinstance(expression, Or) is positive else all_of(*parts)
        case BooleanTest(Predicate(expansion=text)) if asks_for_transport(expression):
            return _without_transport(parse_trusted_match(text), positive)
        case BooleanTest(FieldSlice() as where) | Comparison(field=where) if asks_for_transport(
            expression
        ):
            return _implied(where)
        case Literal(value):
            return TRUE if value is positive else FALSE
        case ExpressionHole():
            raise ValueError(f"{expression} has to be filled before")
    return expression if positive else Not(expression)


@lru_cache(maxsize=256)
def _implied(where: FieldSlice) -> Expression:
    """What a transport field implies, of which fragments show something."""
    texts = [where.symbol.prerequisites]
    if isinstance(where.symbol, Subfield):
        texts.append(where.symbol.field.prerequisites)
    parts = [parse_trusted_match(text) for text in dict.fromkeys(texts) if text]
    return all_of(*(_without_transport(part, True) for part in parts))
