"""Text to actions, with types and access checked as they are read."""

from logical_flow.action import Action, Actions, Assign, DecrementTtl, Drop, Exchange, Move
from logical_flow.action.registry import FUNCTIONS, STATEMENTS
from logical_flow.constants import Form, Integer, SetReference, String
from logical_flow.fields import SYMBOLS, Access, FieldSlice
from logical_flow.holes import Hole, HoleType
from logical_flow.lexer import Lexer, Token, TokenKind
from logical_flow.match_parser import MAX_DEPTH, MatchParser


def parse_actions(source: str, *, with_holes: bool = False) -> Actions:
    """Return the actions that `source` is the text of; ``drop;`` alone names the empty list."""
    lexer = Lexer(source, with_holes=with_holes)
    parser = ActionParser(lexer)
    actions = parser.actions(until=None)
    lexer.expect_end()
    return actions


class ActionParser:
    """Recursive descent; lends each action's own parser what the language has in common."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self._match = MatchParser(lexer)
        self._depth = 0
        self._in_commit = False

    def actions(self, until: str | None) -> Actions:
        """Read actions up to the closing brace `until`, or to the end of input."""
        found: list[Action] = []
        while not (
            self.lexer.token.kind is TokenKind.END if until is None else self.lexer.sees(until)
        ):
            start = self.lexer.token
            if found and found[-1].ends_list:
                raise self.lexer.wrong(f"Nothing may follow `{found[-1]}' in the same list.", start)
            action = self._action()
            if isinstance(action, Drop) and found:
                raise self.lexer.wrong("`drop;' must be the only action of its list.", start)
            found.append(action)
        if until is not None:
            self.lexer.expect(until)
        return tuple(found) or (Drop(),)

    def nested(self) -> Actions:
        """Read actions in braces."""
        self._depth += 1
        token = self.lexer.expect("{")
        if self._depth > MAX_DEPTH:
            raise self.lexer.malformed("Actions nested too deeply.", token.position)
        actions = self.actions(until="}")
        self._depth -= 1
        return actions

    def marks(self) -> tuple[Assign | Move, ...]:
        """Read what ``ct_commit`` has in braces: how it marks the connection."""
        self._in_commit = True
        start = self.lexer.token
        actions = self.nested()
        self._in_commit = False
        if actions == (Drop(),):
            return ()
        marks = tuple(action for action in actions if isinstance(action, Assign | Move))
        if len(marks) != len(actions):
            raise self.lexer.wrong("Only assignments may stand within ct_commit.", start)
        return marks

    def arguments(self, *widths: int) -> list[FieldSlice]:
        """Read ``(field, field, …)`` of these widths, where 0 is a string."""
        self.lexer.expect("(")
        fields: list[FieldSlice] = []
        for index, width in enumerate(widths):
            if index:
                self.lexer.expect(",")
            start = self.lexer.token
            field = self._match.field_slice()
            if field.width != width:
                wanted = f"{width}-bit" if width else "string"
                given = f"{field.width}-bit" if field.width else "string"
                raise self.lexer.wrong(
                    f"Cannot use {given} field {field} where {wanted} field is required.", start
                )
            fields.append(field)
        self.lexer.expect(")")
        return fields

    def name(self, what: str) -> str:
        """Read a name; `what` says of what, in errors."""
        if self.lexer.token.kind is not TokenKind.NAME:
            raise self.lexer.unexpected(f"expecting {what}")
        return self.lexer.advance().text

    def number(self) -> Integer | Hole:
        """Read an integer without a mask, or a hole for one."""
        value = self.lexer.token.value
        if isinstance(value, Integer) and value.mask is None:
            self.lexer.advance()
            return value
        if isinstance(value, Hole) and value.type is HoleType.INT:
            self.lexer.advance()
            return value
        raise self.lexer.unexpected("expecting integer")

    def port(self) -> str | Hole:
        """Read the name of a port as a string, or a hole for one."""
        value = self.lexer.token.value
        if isinstance(value, String):
            self.lexer.advance()
            return value.value
        if isinstance(value, Hole) and value.type is HoleType.LPORT:
            self.lexer.advance()
            return value
        raise self.lexer.unexpected("expecting the name of a port")

    def address(self) -> Integer | Hole:
        """Read an IP address, or a hole for one."""
        value = self.lexer.token.value
        is_address = (
            isinstance(value, Integer)
            and value.mask is None
            and value.form in (Form.IPV4, Form.IPV6)
        )
        is_hole = isinstance(value, Hole) and value.type in (HoleType.IP4, HoleType.IP6)
        if not isinstance(value, Integer | Hole) or not (is_address or is_hole):
            raise self.lexer.unexpected("expecting IP address")
        self.lexer.advance()
        return value

    def require_bit(self, word: Token, result: FieldSlice) -> None:
        """Refuse a result that is wider than one bit."""
        if result.width != 1:
            raise self.lexer.wrong(
                f"The result of {word.text} is one bit, but {result} is not.", word
            )

    def _action(self) -> Action:
        token = self.lexer.token
        if token.kind is not TokenKind.NAME:
            raise self.lexer.unexpected("expecting action")
        kind = None if self._in_commit else STATEMENTS.get(token.text)
        if kind is not None:
            action = kind.parse(self, self.lexer.advance())
        elif token.text == "ip.ttl" and not self._in_commit:
            action = self._ttl()
        else:
            action = self._assignment()
        self.lexer.expect(";")
        return action

    def _ttl(self) -> Action:
        start = self.lexer.token
        field = self._match.field_slice()
        if self.lexer.accept("--"):
            return DecrementTtl()
        self._writable(field, start.position)
        return self._assignment_to(field)

    def _assignment(self) -> Action:
        start = self.lexer.token
        if start.text not in SYMBOLS:
            raise self.lexer.unexpected("expecting action")
        field = self._match.field_slice()
        self._writable(field, start.position)
        return self._assignment_to(field)

    def _assignment_to(self, target: FieldSlice) -> Action:
        """Read what stands to the right of `target`."""
        if self.lexer.accept("<->"):
            start = self.lexer.token
            right = self._match.field_slice()
            self._writable(right, start.position)
            self._same_type(target, right, start.position)
            return Exchange(target, right)
        self.lexer.expect("=")
        token = self.lexer.token
        if token.kind is not TokenKind.NAME:
            constant = self._match.constant(target)
            if isinstance(constant, SetReference) or (
                isinstance(constant, Hole) and constant.type in (HoleType.SET, HoleType.EXPR)
            ):
                raise self.lexer.wrong("A set can't be assigned to a field.", token)
            if isinstance(constant, Hole) and constant.type.is_masked:
                raise self.lexer.wrong(f"Hole {constant} may be used in matches only.", token)
            return Assign(target, constant)
        kind = FUNCTIONS.get(token.text)
        if kind is not None:
            return kind.parse(self, self.lexer.advance(), target)
        source = self._match.field_slice()
        self._same_type(target, source, token.position)
        return Move(target, source)

    def _writable(self, field: FieldSlice, position: int) -> None:
        access = field.symbol.access
        if access is Access.CT_COMMIT and not self._in_commit:
            problem = f"Field {field} is only modifiable within ct_commit."
        elif access is Access.READ_ONLY:
            problem = f"Field {field} is not modifiable."
        elif self._in_commit and access is not Access.CT_COMMIT:
            problem = f"Field {field} is not modifiable within ct_commit."
        else:
            return
        raise self.lexer.unfit(problem, position, len(str(field)))

    def _same_type(self, target: FieldSlice, source: FieldSlice, position: int) -> None:
        if target.is_string is not source.is_string:
            kinds = {True: "string", False: "integer"}
            problem = (
                f"Can't assign {kinds[source.is_string]} field ({source}) to "
                f"{kinds[target.is_string]} field ({target})."
            )
        elif target.width != source.width:
            problem = f"Can't assign {source.width}-bit value to {target.width}-bit destination."
        else:
            return
        raise self.lexer.unfit(problem, position, len(str(source)))
