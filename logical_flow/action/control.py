"""Actions that say where a packet goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.base import ENDED, HANDLED, Action, Actions, Statement, bind_actions
from logical_flow.action.base import format_actions as _format
from logical_flow.action.effect import FLOW_SAYS_SO, Effect, Position, Scene, Walker
from logical_flow.binding import Arguments

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket


@dataclass(frozen=True, slots=True)
class Next(Statement):
    """Go on at the next stage, or at the stage named `stage` further down the pipeline.

    A named stage that has no flows in the datapath is passed over like any other.
    """

    words = ("next",)
    ends_list = True

    stage: str | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        if not parser.lexer.accept("("):
            return cls()
        stage = parser.name("name of stage")
        parser.lexer.expect(")")
        return cls(stage)

    def __str__(self) -> str:
        return "next;" if self.stage is None else f"next({self.stage});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        if self.stage is None:
            return scene.position.after
        place = walker.network.layout.named(self.stage)
        if place is None:
            walker.drop(scene, packet, f"there is no stage {self.stage}")
            return ENDED
        return Position(scene.position.datapath, place.pipeline, place.table)


@dataclass(frozen=True, slots=True)
class Output(Statement):
    """Hand the packet to the egress pipeline, or at its end to the port itself."""

    words = ("output",)

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls()

    def __str__(self) -> str:
        return "output;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        walker.send(scene, packet)
        return HANDLED


@dataclass(frozen=True, slots=True)
class Drop(Statement):
    """Do nothing; the only action of its list."""

    words = ("drop",)
    ends_list = True

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls()

    def __str__(self) -> str:
        return "drop;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        walker.drop(scene, packet, FLOW_SAYS_SO)
        return ENDED


@dataclass(frozen=True, slots=True)
class Clone(Statement):
    """Run `actions` on a copy of the packet."""

    words = ("clone",)

    actions: Actions

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(parser.nested())

    @property
    def nested(self) -> Actions:
        return self.actions

    def __str__(self) -> str:
        return f"clone {{ {_format(self.actions)} }};"

    def bind(self, arguments: Arguments) -> Clone:
        return Clone(bind_actions(self.actions, arguments))

    def bind_early(self, arguments: Arguments) -> Clone:
        return Clone(tuple(action.bind_early(arguments) for action in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        walker.branch(scene, "clone", self.actions, dict(packet))
        return HANDLED
