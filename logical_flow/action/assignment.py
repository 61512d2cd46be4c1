"""Actions that change fields of the packet at hand, written with signs instead of words.

The parser reads them by itself: what they begin with is the name of a field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logical_flow.action.base import CONTINUE, ENDED, Action
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments, fill
from logical_flow.constants import Constant, Integer, String
from logical_flow.errors import WalkError
from logical_flow.evaluate import read
from logical_flow.fields import FieldSlice, field_slice
from logical_flow.packet import write

if TYPE_CHECKING:
    from logical_flow.packet import MutablePacket

_TTL = field_slice("ip.ttl")


@dataclass(frozen=True, slots=True)
class Assign(Action):
    """``field = constant;``; a masked constant sets only the bits in its mask."""

    forms = ("=",)

    target: FieldSlice
    value: Constant

    @property
    def form(self) -> str:
        return "="

    def __str__(self) -> str:
        return f"{self.target} = {self.value};"

    def bind(self, arguments: Arguments) -> Assign:
        return replace(self, value=fill(self.value, arguments))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        match self.value:
            case String(text):
                write(packet, self.target, text)
            case Integer(number, None):
                write(packet, self.target, number)
            case Integer(number, int(mask)):
                old = read(packet, self.target)
                new = old & ~mask | number if isinstance(old, int) else None
                write(packet, self.target, new)
            case _:
                raise WalkError(f"{self.value} can't be assigned to {self.target}")
        return CONTINUE


@dataclass(frozen=True, slots=True)
class Move(Action):
    """``field = other_field;``"""

    forms = ("=",)

    target: FieldSlice
    source: FieldSlice

    @property
    def form(self) -> str:
        return "="

    def __str__(self) -> str:
        return f"{self.target} = {self.source};"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        write(packet, self.target, read(packet, self.source))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class Exchange(Action):
    """``field <-> other_field;``"""

    forms = ("<->",)

    left: FieldSlice
    right: FieldSlice

    @property
    def form(self) -> str:
        return "<->"

    def __str__(self) -> str:
        return f"{self.left} <-> {self.right};"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        left, right = read(packet, self.left), read(packet, self.right)
        write(packet, self.left, right)
        write(packet, self.right, left)
        return CONTINUE


@dataclass(frozen=True, slots=True)
class DecrementTtl(Action):
    """``ip.ttl--;``: the packet ends here if that leaves nothing."""

    forms = ("ip.ttl--",)

    @property
    def form(self) -> str:
        return "ip.ttl--"

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        return "ip.ttl--;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        ttl = read(packet, _TTL)
        if isinstance(ttl, int) and ttl <= 1:
            walker.drop(scene, packet, "the time to live is over")
            return ENDED
        write(packet, _TTL, ttl - 1 if isinstance(ttl, int) else None)
        return CONTINUE
