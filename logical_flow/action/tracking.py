"""Actions that ask the connection tracker, or tell it something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.assignment import Assign, Move
from logical_flow.action.base import CONTINUE, Action, Actions, Statement
from logical_flow.action.base import format_actions as _format
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments
from logical_flow.errors import WalkError
from logical_flow.evaluate import Packet, read
from logical_flow.fields import field_slice
from logical_flow.packet import write

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

_CT_STATE = field_slice("ct_state")
_CT_MARK = field_slice("ct_mark")
_CT_LABEL = field_slice("ct_label")


@dataclass(frozen=True, slots=True)
class CtNext(Statement):
    """Look the packet up in the connection tracker and go on at the next stage.

    The zone is the logical port's on a switch and the datapath's on a router.
    """

    words = ("ct_next",)
    ends_list = True

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls()

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        return "ct_next;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        tracked = walker.network.connections.look_up(_zone(walker, scene, packet), packet)
        write(packet, _CT_STATE, int(tracked.state))
        write(packet, _CT_MARK, tracked.mark)
        write(packet, _CT_LABEL, tracked.label)
        return scene.position.after


@dataclass(frozen=True, slots=True)
class CtCommit(Statement):
    """Commit the packet's connection; `actions` set its ``ct_mark`` and ``ct_label``."""

    words = ("ct_commit",)

    actions: tuple[Assign | Move, ...] = ()

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(parser.marks() if parser.lexer.sees("{") else ())

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        return f"ct_commit {{ {_format(self.actions)} }};" if self.actions else "ct_commit;"

    def bind(self, arguments: Arguments) -> CtCommit:
        return CtCommit(tuple(action.bind(arguments) for action in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """The connection gets the new marks; the packet keeps those it was looked up with."""
        marked = dict(packet)
        for assignment in self.actions:
            assignment.run(walker, scene, marked)
        mark, label = read(marked, _CT_MARK), read(marked, _CT_LABEL)
        if not isinstance(mark, int) or not isinstance(label, int):
            raise WalkError("a connection can't be committed with marks that aren't known")
        zone = _zone(walker, scene, packet)
        walker.network.connections.commit(zone, packet, mark, label)
        walker.remark("ct_commit", zone, f"ct_mark={mark:#x}")
        return CONTINUE


@dataclass(frozen=True, slots=True)
class CtClear(Statement):
    """Forget what the connection tracker said."""

    words = ("ct_clear",)

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls()

    def __str__(self) -> str:
        return "ct_clear;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        for where in (_CT_STATE, _CT_MARK, _CT_LABEL):
            write(packet, where, 0)
        return CONTINUE


def _zone(walker: Walker, scene: Scene, packet: Packet) -> str:
    """Switches track by logical port, routers by datapath."""
    datapath = scene.position.datapath
    if walker.network.datapaths[datapath].kind == "lr":
        return datapath
    port = packet.get("inport" if scene.position.is_ingress else "outport", "")
    if not isinstance(port, str):
        raise WalkError("the connection of a packet can't be looked up without its port")
    return port
