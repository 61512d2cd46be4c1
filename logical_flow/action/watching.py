"""Actions that have no part in what becomes of a packet: lines in a log, rates, queues."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from logical_flow.action.base import CONTINUE, Action, Statement
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments, fill
from logical_flow.constants import Integer, String, quote
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole, HoleType

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

SEVERITIES = ("alert", "warning", "notice", "info", "debug")
"""From the most serious to the least; a hole takes the index."""

VERDICTS = ("allow", "drop", "reject", "pass")
"""What an ACL can decide; a hole takes the index."""

_WORDS = {"severity": SEVERITIES, "verdict": VERDICTS}
_HOLES = {"name": HoleType.BYTES, "meter": HoleType.METER}


class LogMeter(NamedTuple):
    """What a line's ``meter="NAME RATE BURST"`` says: all lines of one text share one meter.

    `rate` is in lines a second, `burst` in lines.

    >>> str(LogMeter("audit", 10, 50)), LogMeter.read("audit 10 50").rate
    ('audit 10 50', 10)
    """

    name: str
    rate: int
    burst: int

    def __str__(self) -> str:
        return f"{self.name} {self.rate} {self.burst}"

    @classmethod
    def read(cls, text: str) -> LogMeter:
        """Return what `text` says; raises :class:`TemplateError`."""
        found = _METER.fullmatch(text)
        if found is None:
            raise TemplateError(f"{text!r} is no meter: NAME RATE BURST")
        return cls(found["name"], int(found["rate"]), int(found["burst"]))


_METER = re.compile(r"(?P<name>.+) (?P<rate>[0-9]{1,9}) (?P<burst>[0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Log(Statement):
    """``log(name="…", severity=info, verdict=drop, meter="…");``, each part optional.

    `meter` says who shares it, and what it lets pass: see :class:`LogMeter`. As holes, `name` is
    UTF-8 in ``bytes``, `severity` and `verdict` are the ``int`` index in :data:`SEVERITIES` and
    :data:`VERDICTS`.
    """

    words = ("log",)
    decides = False
    binds_early = True

    name: str | Hole | None = None
    severity: str | Hole | None = None
    verdict: str | Hole | None = None
    meter: str | Hole | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        values: dict[str, str | Hole] = {}
        lexer = parser.lexer
        lexer.expect("(")
        while not lexer.sees(")"):
            key = lexer.token
            if key.text not in ("name", "severity", "verdict", "meter") or key.text in values:
                raise lexer.unexpected("expecting name, severity, verdict or meter, each once")
            lexer.advance()
            lexer.expect("=")
            values[key.text] = _log_value(parser, key.text)
            if not lexer.sees(")"):
                lexer.expect(",")
        lexer.expect(")")
        return cls(**values)

    def __str__(self) -> str:
        parts = [
            f"{key}={quote(value) if isinstance(value, str) else value}"
            for key, value in (("name", self.name), ("meter", self.meter))
            if value is not None
        ]
        parts[1 if self.name is not None else 0 : 0] = [
            f"{key}={value}"
            for key, value in (("severity", self.severity), ("verdict", self.verdict))
            if value is not None
        ]
        return f"log({', '.join(parts)});"

    def bind(self, arguments: Arguments) -> Log:
        return Log(
            name=_text(self.name, arguments),
            severity=_word(self.severity, SEVERITIES, arguments),
            verdict=_word(self.verdict, VERDICTS, arguments),
            meter=_text(self.meter, arguments),
        )

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        walker.remark("log", str(self))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class SetMeter(Statement):
    """``set_meter(rate);`` or ``set_meter(rate, burst);``, in kbit/s and kbit."""

    words = ("set_meter",)
    decides = False
    binds_early = True

    rate: Integer | Hole
    burst: Integer | Hole | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        parser.lexer.expect("(")
        rate = parser.number()
        burst = parser.number() if parser.lexer.accept(",") else None
        parser.lexer.expect(")")
        return cls(rate, burst)

    def __str__(self) -> str:
        arguments = f"{self.rate}" if self.burst is None else f"{self.rate}, {self.burst}"
        return f"set_meter({arguments});"

    def bind(self, arguments: Arguments) -> SetMeter:
        return SetMeter(
            _number(self.rate, arguments), self.burst and _number(self.burst, arguments)
        )

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Let the packet pass: a walk is one packet, and exceeds no rate."""
        return CONTINUE


@dataclass(frozen=True, slots=True)
class SetQueue(Statement):
    """``set_queue("port", rate);`` or ``set_queue("port", rate, burst);``, in kbit/s and kbit.

    The packet takes a queue of that port's interface when it leaves through it. The queue is the
    flow's own and sends at most `rate`; where the port isn't on this host there is none.
    """

    words = ("set_queue",)
    decides = False

    port: str | Hole
    rate: Integer | Hole
    burst: Integer | Hole | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        parser.lexer.expect("(")
        port = parser.port()
        parser.lexer.expect(",")
        rate = parser.number()
        burst = parser.number() if parser.lexer.accept(",") else None
        parser.lexer.expect(")")
        return cls(port, rate, burst)

    def __str__(self) -> str:
        port = quote(self.port) if isinstance(self.port, str) else self.port
        arguments = [port, self.rate] + ([] if self.burst is None else [self.burst])
        return f"set_queue({', '.join(map(str, arguments))});"

    def bind(self, arguments: Arguments) -> SetQueue:
        port = self.port
        if isinstance(port, Hole):
            name = arguments[port.name]
            if not isinstance(name, str):
                raise TemplateError(f"{name!r} does not fit {port}")
            port = name
        rate = _number(self.rate, arguments)
        return SetQueue(port, rate, self.burst and _number(self.burst, arguments))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Let the packet pass: a queue delays it, and a walk knows no time."""
        return CONTINUE


def _log_value(parser: ActionParser, key: str) -> str | Hole:
    hole_type, words = _HOLES.get(key, HoleType.INT), _WORDS.get(key)
    token = parser.lexer.token
    match token.value:
        case Hole() if token.value.type is hole_type:
            parser.lexer.advance()
            return token.value
        case String(text) if words is None:
            parser.lexer.advance()
            return text
    if words is None:
        raise parser.lexer.unexpected(f"expecting string or hole of type {hole_type}")
    if token.text not in words:
        raise parser.lexer.unexpected(f"expecting one of {', '.join(words)}")
    parser.lexer.advance()
    return token.text


def _number(value: Integer | Hole, arguments: Arguments) -> Integer:
    filled = fill(value, arguments)
    if not isinstance(filled, Integer):
        raise TemplateError(f"{filled} is not a number")
    return filled


def _text(value: str | Hole | None, arguments: Arguments) -> str | None:
    if not isinstance(value, Hole):
        return value
    argument = arguments[value.name]
    match argument:
        case bytes():
            return argument.decode(errors="replace")
        case str():
            return argument
        case _:
            raise TemplateError(f"{argument!r} does not fit {value}")


def _word(value: str | Hole | None, words: tuple[str, ...], arguments: Arguments) -> str | None:
    if not isinstance(value, Hole):
        return value
    argument = arguments[value.name]
    if not isinstance(argument, int) or not 0 <= argument < len(words):
        raise TemplateError(f"{argument!r} does not fit {value}: not in 0 to {len(words) - 1}")
    return words[argument]
