"""Text to match expressions, with types checked as they are read.

The grammar is OVN's. Two places want parentheses that precedence alone wouldn't:
``&&`` next to ``||``, and the operand of ``!`` unless it is a mere name.

Fields that are nominal may only be tested positively, taking enclosing ``!`` into
account, so the parser carries the polarity along as it descends. Matches of ACLs may test them
either way (`negations`): see :mod:`logical_flow.copies`.
"""

from collections.abc import Callable
from functools import lru_cache

from logical_flow.constants import Constant, Integer, SetReference, String
from logical_flow.errors import LogicalFlowTypeError
from logical_flow.expression import (
    BooleanTest,
    Comparison,
    Expression,
    ExpressionHole,
    Literal,
    Not,
    Relation,
    all_of,
    any_of,
)
from logical_flow.fields import SYMBOLS, FieldSlice, Level, Predicate, Symbol
from logical_flow.holes import Hole, HoleType
from logical_flow.lexer import Lexer, Token, TokenKind

MAX_DEPTH = 100
"""How deeply parentheses and ``!`` may nest: the text may come from anybody."""

_RELATIONS = {relation.value: relation for relation in Relation}
_ADDRESS_WIDTHS = (32, 48, 128)
_RISING = (Relation.LT, Relation.LE)
_FALLING = (Relation.GT, Relation.GE)

SymbolFilter = Callable[[Symbol], str | None]
"""Says why a symbol may not be used, or None when it may."""


def parse_match(
    source: str,
    *,
    with_holes: bool = False,
    refuse: SymbolFilter | None = None,
    negations: bool = False,
) -> Expression:
    """The expression that `source` is the text of.

    `with_holes` lets ``{name:type}`` stand for constants and for whole operands.
    `refuse` may forbid symbols. `negations` lets nominal fields and predicates be tested
    negatively. Raises a :class:`LanguageError` that knows the place.
    """
    lexer = Lexer(source, with_holes=with_holes)
    expression = MatchParser(lexer, refuse, negations=negations).expression()
    lexer.expect_end()
    return expression


@lru_cache(maxsize=8192)
def parse_trusted_match(source: str) -> Expression:
    """The expression of a text that was parsed before, such as an ACL's canonical match."""
    return parse_match(source, negations=True)


class MatchParser:
    """Recursive descent; also lends its fields and constants to the action parser."""

    def __init__(
        self, lexer: Lexer, refuse: SymbolFilter | None = None, *, negations: bool = False
    ) -> None:
        self._lexer = lexer
        self._refuse = refuse
        self._negations = negations
        self._depth = 0
        self._negated = False

    def expression(self) -> Expression:
        """``operand && operand …`` or ``operand || operand …``"""
        operands = [self._operand()]
        operator = self._lexer.token.text
        if operator not in ("&&", "||"):
            return operands[0]
        while self._lexer.accept(operator):
            operands.append(self._operand())
        if self._lexer.token.text in ("&&", "||"):
            token = self._lexer.token
            raise self._lexer.malformed(
                "&& and || must be parenthesized when used together.", token.position, 2
            )
        return all_of(*operands) if operator == "&&" else any_of(*operands)

    def field_slice(self) -> FieldSlice:
        """A field or some of its bits, where a predicate won't do."""
        start = self._lexer.token
        symbol = self._symbol()
        if isinstance(symbol, Predicate):
            raise self._lexer.wrong(f"Predicate {symbol.name} used where a field is needed.", start)
        return self._slice(symbol, start)

    def constant(self, field: FieldSlice) -> Constant:
        """A constant that `field` can hold."""
        start = self._lexer.token
        return self._fitting(field, self._constant(), start)

    def _operand(self) -> Expression:
        self._depth += 1
        token = self._lexer.token
        if self._depth > MAX_DEPTH:
            raise self._lexer.malformed("Parentheses nested too deeply.", token.position)
        try:
            if self._lexer.accept("!"):
                return self._negation()
            if self._lexer.accept("("):
                expression = self.expression()
                self._lexer.expect(")")
                return expression
            return self._atom()
        finally:
            self._depth -= 1

    def _negation(self) -> Expression:
        parenthesized = self._lexer.sees("(")
        start = self._lexer.token
        self._negated = not self._negated
        operand = self._operand()
        self._negated = not self._negated
        if not parenthesized and isinstance(operand, Comparison) and self._saw_relation:
            raise self._lexer.wrong("Missing parentheses around operand of !.", start)
        return Not(operand)

    def _atom(self) -> Expression:
        self._saw_relation = False
        token = self._lexer.token
        match token.kind:
            case TokenKind.NAME:
                return self._test_of_symbol()
            case TokenKind.HOLE if isinstance(token.value, Hole):
                return self._hole_first(token, token.value)
            case TokenKind.INTEGER | TokenKind.STRING | TokenKind.SET:
                return self._constant_first()
            case _ if token.text == "{":
                return self._constant_first()
        raise self._lexer.unexpected(
            "expecting constant" if token.text == "(" else "expecting field name"
        )

    def _hole_first(self, token: Token, hole: Hole) -> Expression:
        if hole.type is not HoleType.EXPR:
            return self._constant_first()
        self._lexer.advance()
        if self._negated:
            raise self._lexer.wrong("A hole may not be negated: what fills it isn't known.", token)
        return ExpressionHole(hole)

    def _constant_first(self) -> Expression:
        """``1``, ``constant == field`` or ``constant < field < constant``"""
        start = self._lexer.token
        constants, braced = self._constants()
        relation = self._relation()
        if relation is None:
            if start.kind is TokenKind.INTEGER and start.text in ("0", "1"):
                return Literal(start.text == "1")
            raise self._lexer.unexpected("expecting relational operator")
        subject_start = self._lexer.token
        symbol = self._symbol()
        first = self._compare(symbol, subject_start, relation.turned, constants, braced, start)
        second_relation = self._relation()
        if second_relation is None:
            return first
        pair = (relation, second_relation)
        if braced or not (set(pair) <= set(_RISING) or set(pair) <= set(_FALLING)):
            raise self._lexer.wrong(
                "Range expressions must have the form `x < field < y' or `x > field > y', "
                "with each `<' optionally replaced by `<=' or `>' by `>='.",
                start,
            )
        if not isinstance(first, Comparison):
            raise self._lexer.wrong(f"{symbol.name} can't be compared with a range.", start)
        bound_start = self._lexer.token
        bound = self._constant()
        second = self._comparison(first.field, second_relation, [(bound, bound_start)], False)
        return all_of(first, second)

    def _test_of_symbol(self) -> Expression:
        """``field == constant``, or a mere name."""
        start = self._lexer.token
        symbol = self._symbol()
        if isinstance(symbol, Predicate) and not self._lexer.sees("["):
            relation = self._relation()
            if relation is None:
                return self._predicate(symbol, True, start)
            constants, braced = self._constants()
            return self._compare_predicate(symbol, relation, constants, braced, start)
        field = self._slice(symbol, start)
        relation = self._relation()
        if relation is not None:
            constants, braced = self._constants()
            return self._comparison(field, relation, constants, braced)
        if self._lexer.sees("="):
            raise self._lexer.unexpected("expecting relational operator")
        if field.width == 1:
            return BooleanTest(field)
        if field.is_string or not self._negated:
            raise self._lexer.wrong(
                f"Explicit comparison is required for string field {field}."
                if field.is_string
                else "Explicit `!= 0' is required for inequality test of multibit field against 0.",
                start,
            )
        return Comparison(field, Relation.NE, (Integer(0),))

    def _compare(
        self,
        symbol: Symbol,
        subject_start: Token,
        relation: Relation,
        constants: list[tuple[Constant, Token]],
        braced: bool,
        start: Token,
    ) -> Expression:
        if isinstance(symbol, Predicate):
            return self._compare_predicate(symbol, relation, constants, braced, start)
        field = self._slice(symbol, subject_start)
        return self._comparison(field, relation, constants, braced)

    def _predicate(self, symbol: Predicate, positive: bool, start: Token) -> Expression:
        negative = positive is self._negated
        if symbol.level is Level.NOMINAL and negative and not self._negations:
            name = symbol.name
            raise self._lexer.wrong(
                f"Nominal predicate {name} may only be tested positively, e.g. `{name}' or "
                f"`{name} == 1' but not `!{name}' or `{name} == 0'.",
                start,
            )
        return BooleanTest(symbol) if positive else Not(BooleanTest(symbol))

    def _compare_predicate(
        self,
        symbol: Predicate,
        relation: Relation,
        constants: list[tuple[Constant, Token]],
        braced: bool,
        start: Token,
    ) -> Expression:
        if relation not in (Relation.EQ, Relation.NE):
            raise self._lexer.wrong(
                f"Only == and != operators may be used with predicate {symbol.name}.", start
            )
        constant = constants[0][0]
        if (
            braced
            or not isinstance(constant, Integer)
            or constant.mask is not None
            or constant.value > 1
        ):
            raise self._lexer.wrong(
                f"Predicate {symbol.name} may only be compared with 0 or 1.", start
            )
        return self._predicate(symbol, (constant.value == 1) == (relation is Relation.EQ), start)

    def _comparison(
        self,
        field: FieldSlice,
        relation: Relation,
        constants: list[tuple[Constant, Token]],
        braced: bool,
    ) -> Comparison:
        self._saw_relation = True
        start = constants[0][1]
        if relation not in (Relation.EQ, Relation.NE):
            self._check_ordered(field, constants, braced, start)
        fitting = tuple(self._fitting(field, constant, token) for constant, token in constants)
        positive = (relation is Relation.EQ) is not self._negated
        may_be_negated = field.symbol.level is not Level.NOMINAL or (
            self._negations and not field.is_string
        )
        if not positive and not may_be_negated:
            raise self._lexer.wrong(
                f"Nominal field {field} may only be tested for equality "
                "(taking enclosing `!' operators into account).",
                start,
            )
        hole = next((constant for constant in fitting if isinstance(constant, Hole)), None)
        if hole is not None and (not positive or relation not in (Relation.EQ, Relation.NE)):
            raise self._lexer.wrong(f"Hole {hole} may only be tested for equality.", start)
        return Comparison(field, relation, fitting)

    def _check_ordered(
        self,
        field: FieldSlice,
        constants: list[tuple[Constant, Token]],
        braced: bool,
        start: Token,
    ) -> None:
        constant = constants[0][0]
        if braced or isinstance(constant, SetReference):
            raise self._lexer.wrong("Only == and != operators may be used with value sets.", start)
        if field.symbol.level is Level.NOMINAL:
            raise self._lexer.wrong(
                f"Only == and != operators may be used with nominal field {field}.", start
            )
        if isinstance(constant, Integer) and constant.mask is not None:
            raise self._lexer.wrong(
                "Only == and != operators may be used with masked constants. Consider using "
                "subfields instead (e.g. eth.src[0..15] > 0x1111 in place of "
                "eth.src > 00:00:00:00:11:11/00:00:00:00:ff:ff).",
                start,
            )

    def _symbol(self) -> Symbol:
        token = self._lexer.token
        symbol = SYMBOLS.get(token.text) if token.kind is TokenKind.NAME else None
        if symbol is None:
            raise self._lexer.unexpected("expecting field name")
        self._lexer.advance()
        reason = self._refuse(symbol) if self._refuse else None
        if reason is not None:
            raise LogicalFlowTypeError(reason, self._lexer.source, token.position, len(token.text))
        return symbol

    def _slice(self, symbol: Symbol, start: Token) -> FieldSlice:
        if isinstance(symbol, Predicate):
            raise self._lexer.wrong(f"Predicate {symbol.name} used where a field is needed.", start)
        if not self._lexer.accept("["):
            return FieldSlice.whole(symbol)
        low = high = self._bit_number()
        if self._lexer.accept(".."):
            high = self._bit_number()
        self._lexer.expect("]")
        is_whole = low == 0 and high == symbol.width - 1
        if symbol.is_string or (symbol.level is Level.NOMINAL and not is_whole):
            what = "string" if symbol.is_string else "nominal"
            raise self._lexer.wrong(f"Cannot take bits from {what} field {symbol.name}.", start)
        if high < low:
            raise self._lexer.wrong(f"Invalid bit range {low} to {high}.", start)
        if high >= symbol.width:
            raise self._lexer.wrong(
                f"Cannot select bits {low} to {high} of {symbol.width}-bit field {symbol.name}.",
                start,
            )
        return FieldSlice(symbol, low, high - low + 1)

    def _bit_number(self) -> int:
        token = self._lexer.token
        if not token.text.isdecimal():
            raise self._lexer.unexpected("expecting small integer")
        self._lexer.advance()
        return int(token.text)

    def _relation(self) -> Relation | None:
        relation = _RELATIONS.get(self._lexer.token.text)
        if relation is not None:
            self._lexer.advance()
        return relation

    def _constants(self) -> tuple[list[tuple[Constant, Token]], bool]:
        """One constant, or several in braces; and whether there were braces."""
        if not self._lexer.accept("{"):
            start = self._lexer.token
            return [(self._constant(), start)], False
        constants = []
        while not self._lexer.sees("}"):
            start = self._lexer.token
            constants.append((self._constant(), start))
            self._lexer.accept(",")
        if not constants:
            raise self._lexer.unexpected("expecting constant")
        self._lexer.advance()
        return constants, True

    def _constant(self) -> Constant:
        value = self._lexer.token.value
        if value is None:
            raise self._lexer.unexpected("expecting constant")
        self._lexer.advance()
        return value

    def _fitting(self, field: FieldSlice, constant: Constant, start: Token) -> Constant:
        """`constant`, when `field` can be compared with it."""
        problem = misfit(field, constant)
        if problem is not None:
            raise LogicalFlowTypeError(problem, self._lexer.source, start.position, len(start.text))
        return constant


def misfit(field: FieldSlice, constant: Constant) -> str | None:
    """Why `field` can't hold `constant`, or None when it can."""
    match constant:
        case Hole():
            return _hole_misfit(field, constant)
        case String() if not field.is_string:
            return f"Integer field {field} is not compatible with string constant."
        case Integer() if field.is_string:
            return f"String field {field} is not compatible with integer constant."
        case SetReference(sigil="$") if field.is_string:
            return f"String field {field} is not compatible with address set {constant}."
        case SetReference(sigil="@") if not field.is_string:
            return f"Integer field {field} is not compatible with port group {constant}."
        case SetReference(sigil="$") if field.width not in _ADDRESS_WIDTHS:
            return f"{field.width}-bit field {field} is not compatible with address set {constant}."
        case Integer(value, mask):
            width = max(value.bit_length(), (mask or 0).bit_length())
            if width > field.width:
                return (
                    f"{width}-bit constant is not compatible with {field.width}-bit field {field}."
                )
            if mask is not None and field.symbol.level is Level.NOMINAL:
                return f"Nominal field {field} is not compatible with masked constant {constant}."
    return None


def _hole_misfit(field: FieldSlice, hole: Hole) -> str | None:
    match hole.type:
        case HoleType.LPORT | HoleType.MCGROUP:
            fits = field.is_string
        case HoleType.SET:
            fits = True
        case HoleType.INT:
            fits = not field.is_string
        case _:
            fits = hole.type.width is not None and hole.type.width == field.width
    return None if fits else f"Hole {hole} does not fit field {field}."
