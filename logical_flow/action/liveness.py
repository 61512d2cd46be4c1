"""The action that tells the agent of a neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.base import HANDLED, Action, Statement
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments, fill
from logical_flow.constants import Integer
from logical_flow.errors import TemplateError
from logical_flow.evaluate import read
from logical_flow.fields import field_slice
from logical_flow.holes import Hole
from logical_flow.packet import format_value

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

_INPORT = field_slice("inport")
_SOURCES = ("ip4.src", "ip6.src")


@dataclass(frozen=True, slots=True)
class HandleBfd(Statement):
    """``handle_bfd(rate);``: the agent takes a packet of a BFD session of router port `inport`.

    The flow's packets have a meter of their own, of `rate` packets a second: what floods one
    session leaves the others alone.
    """

    words = ("handle_bfd",)

    rate: Integer | Hole

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        parser.lexer.expect("(")
        rate = parser.number()
        parser.lexer.expect(")")
        return cls(rate)

    def __str__(self) -> str:
        return f"handle_bfd({self.rate});"

    def bind(self, arguments: Arguments) -> HandleBfd:
        rate = fill(self.rate, arguments)
        if not isinstance(rate, Integer):
            raise TemplateError(f"{rate} is not a number")
        return HandleBfd(rate)

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        source = next((name for name in _SOURCES if packet.get(name)), "ip4.src")
        neighbour = format_value(source, packet.get(source))
        walker.remark("handle_bfd", str(read(packet, _INPORT)), neighbour)
        return HANDLED
