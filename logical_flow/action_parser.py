"""Text to actions, with types and access checked as they are read."""

from collections.abc import Callable
from functools import partial

from logical_flow.action import (
    SEVERITIES,
    VERDICTS,
    Action,
    Actions,
    Assign,
    Clone,
    CtClear,
    CtCommit,
    CtNext,
    DecrementTtl,
    Drop,
    Exchange,
    Family,
    Generate,
    GetFdb,
    GetNeighbour,
    Log,
    LookupFdb,
    LookupNeighbour,
    Move,
    Next,
    Output,
    PacketKind,
    PutFdb,
    PutNeighbour,
    SetMeter,
)
from logical_flow.constants import Integer, SetReference, String
from logical_flow.fields import SYMBOLS, Access, FieldSlice
from logical_flow.holes import Hole, HoleType
from logical_flow.lexer import Lexer, TokenKind
from logical_flow.match_parser import MAX_DEPTH, MatchParser

_SIMPLE: dict[str, Action] = {
    "output": Output(),
    "ct_next": CtNext(),
    "ct_clear": CtClear(),
}
_FAMILIES: dict[str, Family] = {"arp": 4, "nd": 6}
_ADDRESS_WIDTHS: dict[Family, int] = {4: 32, 6: 128}
_MAC_WIDTH = 48
_PACKET_KINDS = {kind.value: kind for kind in PacketKind}


def parse_actions(source: str, *, with_holes: bool = False) -> Actions:
    """The actions that `source` is the text of; ``drop;`` alone is the empty list's name."""
    lexer = Lexer(source, with_holes=with_holes)
    parser = _ActionParser(lexer)
    actions = parser.actions(until=None)
    lexer.expect_end()
    return actions


class _ActionParser:
    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._match = MatchParser(lexer)
        self._depth = 0
        self._in_commit = False
        self._statements: dict[str, Callable[[], Action]] = {
            "next": self._next,
            "ct_commit": self._ct_commit,
            "clone": self._clone,
            "log": self._log,
            "set_meter": self._set_meter,
            "put_fdb": self._put_fdb,
        }
        for suffix, family in _FAMILIES.items():
            self._statements[f"get_{suffix}"] = partial(self._get_neighbour, family)
            self._statements[f"put_{suffix}"] = partial(self._put_neighbour, family)

    def actions(self, until: str | None) -> Actions:
        """Actions up to the closing brace `until`, or to the end of input."""
        found: list[Action] = []
        while not (
            self._lexer.token.kind is TokenKind.END if until is None else self._lexer.sees(until)
        ):
            start = self._lexer.token
            if found and isinstance(found[-1], Drop | Next | CtNext):
                raise self._lexer.wrong(
                    f"Nothing may follow `{found[-1]}' in the same list.", start
                )
            action = self._action()
            if isinstance(action, Drop) and found:
                raise self._lexer.wrong("`drop;' must be the only action of its list.", start)
            found.append(action)
        if until is not None:
            self._lexer.expect(until)
        return tuple(found) or (Drop(),)

    def _action(self) -> Action:
        token = self._lexer.token
        if token.kind is not TokenKind.NAME:
            raise self._lexer.unexpected("expecting action")
        name = token.text
        if self._in_commit:
            action = self._assignment()
        elif name == "drop":
            self._lexer.advance()
            action = Drop()
        elif name in _SIMPLE:
            self._lexer.advance()
            action = _SIMPLE[name]
        elif name in self._statements:
            self._lexer.advance()
            action = self._statements[name]()
        elif name in _PACKET_KINDS:
            self._lexer.advance()
            action = Generate(_PACKET_KINDS[name], self._nested())
        elif name == "ip.ttl":
            action = self._ttl()
        else:
            action = self._assignment()
        self._lexer.expect(";")
        return action

    def _nested(self) -> Actions:
        self._depth += 1
        token = self._lexer.expect("{")
        if self._depth > MAX_DEPTH:
            raise self._lexer.malformed("Actions nested too deeply.", token.position)
        actions = self.actions(until="}")
        self._depth -= 1
        return actions

    def _next(self) -> Next:
        if not self._lexer.accept("("):
            return Next()
        token = self._lexer.token
        if token.kind is not TokenKind.NAME:
            raise self._lexer.unexpected("expecting name of stage")
        self._lexer.advance()
        self._lexer.expect(")")
        return Next(token.text)

    def _clone(self) -> Clone:
        return Clone(self._nested())

    def _ct_commit(self) -> CtCommit:
        if not self._lexer.sees("{"):
            return CtCommit()
        self._in_commit = True
        start = self._lexer.token
        actions = self._nested()
        self._in_commit = False
        if actions == (Drop(),):
            return CtCommit()
        for action in actions:
            if not isinstance(action, Assign | Move):
                raise self._lexer.wrong("Only assignments may stand within ct_commit.", start)
        return CtCommit(tuple(a for a in actions if isinstance(a, Assign | Move)))

    def _ttl(self) -> Action:
        start = self._lexer.token
        field = self._match.field_slice()
        if self._lexer.accept("--"):
            return DecrementTtl()
        self._writable(field, start.position)
        return self._assignment_to(field)

    def _assignment(self) -> Action:
        start = self._lexer.token
        if start.text not in SYMBOLS:
            raise self._lexer.unexpected("expecting action")
        field = self._match.field_slice()
        self._writable(field, start.position)
        return self._assignment_to(field)

    def _assignment_to(self, target: FieldSlice) -> Action:
        """What stands to the right of `target`."""
        if self._lexer.accept("<->"):
            start = self._lexer.token
            right = self._match.field_slice()
            self._writable(right, start.position)
            self._same_type(target, right, start.position)
            return Exchange(target, right)
        self._lexer.expect("=")
        token = self._lexer.token
        if token.kind is not TokenKind.NAME:
            constant = self._match.constant(target)
            if isinstance(constant, SetReference) or (
                isinstance(constant, Hole) and constant.type in (HoleType.SET, HoleType.EXPR)
            ):
                raise self._lexer.wrong("A set can't be assigned to a field.", token)
            if isinstance(constant, Hole) and constant.type.is_masked:
                raise self._lexer.wrong(f"Hole {constant} may be used in matches only.", token)
            return Assign(target, constant)
        match token.text:
            case "get_fdb":
                return self._get_fdb(target)
            case "lookup_fdb":
                return self._lookup_fdb(target)
            case "lookup_arp" | "lookup_nd":
                return self._lookup_neighbour(target, _FAMILIES[token.text.removeprefix("lookup_")])
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
        raise self._lexer.unfit(problem, position, len(str(field)))

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
        raise self._lexer.unfit(problem, position, len(str(source)))

    def _arguments(self, *widths: int) -> list[FieldSlice]:
        """``(field, field, …)`` of these widths, where 0 is a string."""
        self._lexer.expect("(")
        found: list[FieldSlice] = []
        for index, width in enumerate(widths):
            if index:
                self._lexer.expect(",")
            start = self._lexer.token
            field = self._match.field_slice()
            if field.width != width:
                wanted = f"{width}-bit" if width else "string"
                given = f"{field.width}-bit" if field.width else "string"
                raise self._lexer.wrong(
                    f"Cannot use {given} field {field} where {wanted} field is required.", start
                )
            found.append(field)
        self._lexer.expect(")")
        return found

    def _get_neighbour(self, family: Family) -> GetNeighbour:
        port, address = self._arguments(0, _ADDRESS_WIDTHS[family])
        return GetNeighbour(family, port, address)

    def _put_neighbour(self, family: Family) -> PutNeighbour:
        port, address, mac = self._arguments(0, _ADDRESS_WIDTHS[family], _MAC_WIDTH)
        return PutNeighbour(family, port, address, mac)

    def _put_fdb(self) -> PutFdb:
        port, mac = self._arguments(0, _MAC_WIDTH)
        return PutFdb(port, mac)

    def _lookup_neighbour(self, result: FieldSlice, family: Family) -> LookupNeighbour:
        self._one_bit(result)
        self._lexer.advance()
        port, address, mac = self._arguments(0, _ADDRESS_WIDTHS[family], _MAC_WIDTH)
        return LookupNeighbour(result, family, port, address, mac)

    def _get_fdb(self, result: FieldSlice) -> GetFdb:
        if not result.is_string:
            raise self._lexer.wrong(
                "The result of get_fdb is a port, which needs a string field.", self._lexer.token
            )
        self._lexer.advance()
        (mac,) = self._arguments(_MAC_WIDTH)
        return GetFdb(result, mac)

    def _lookup_fdb(self, result: FieldSlice) -> LookupFdb:
        self._one_bit(result)
        self._lexer.advance()
        port, mac = self._arguments(0, _MAC_WIDTH)
        return LookupFdb(result, port, mac)

    def _one_bit(self, result: FieldSlice) -> None:
        if result.width != 1:
            token = self._lexer.token
            raise self._lexer.wrong(
                f"The result of {token.text} is one bit, but {result} is not.", token
            )

    def _log(self) -> Log:
        values: dict[str, str | Hole] = {}
        self._lexer.expect("(")
        while not self._lexer.sees(")"):
            key = self._lexer.token
            if key.text not in ("name", "severity", "verdict", "meter") or key.text in values:
                raise self._lexer.unexpected(
                    "expecting name, severity, verdict or meter, each once"
                )
            self._lexer.advance()
            self._lexer.expect("=")
            values[key.text] = self._log_value(key.text)
            if not self._lexer.sees(")"):
                self._lexer.expect(",")
        self._lexer.expect(")")
        return Log(**values)

    def _log_value(self, key: str) -> str | Hole:
        hole_type = {"name": HoleType.BYTES, "meter": HoleType.METER}.get(key, HoleType.INT)
        words = {"severity": SEVERITIES, "verdict": VERDICTS}.get(key)
        token = self._lexer.token
        match token.value:
            case Hole() if token.value.type is hole_type:
                self._lexer.advance()
                return token.value
            case String(text) if words is None:
                self._lexer.advance()
                return text
        if words is None:
            raise self._lexer.unexpected(f"expecting string or hole of type {hole_type}")
        if token.text not in words:
            raise self._lexer.unexpected(f"expecting one of {', '.join(words)}")
        self._lexer.advance()
        return token.text

    def _set_meter(self) -> SetMeter:
        self._lexer.expect("(")
        rate = self._number()
        burst = self._number() if self._lexer.accept(",") else None
        self._lexer.expect(")")
        return SetMeter(rate, burst)

    def _number(self) -> Integer | Hole:
        value = self._lexer.token.value
        if isinstance(value, Integer) and value.mask is None:
            self._lexer.advance()
            return value
        if isinstance(value, Hole) and value.type is HoleType.INT:
            self._lexer.advance()
            return value
        raise self._lexer.unexpected("expecting integer")
