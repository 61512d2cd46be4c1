"""The action that spreads connections: a new one goes to one of several backends."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logical_flow.action.assignment import Assign, Move
from logical_flow.action.base import ENDED, Action, Actions, Statement, format_actions
from logical_flow.action.effect import Effect, Scene, Walker, Way
from logical_flow.action.hashing import bind_hash_fields, hash_fields_text, parse_hash_fields
from logical_flow.action.tracking import translate
from logical_flow.backends import BACKENDS_SIGIL, Backend, backends_of
from logical_flow.binding import Arguments
from logical_flow.connections import Translation
from logical_flow.constants import String
from logical_flow.endpoints import Range
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole, HoleType
from logical_flow.packet import ETH_IP4

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket


@dataclass(frozen=True, slots=True)
class Balance(Statement):
    """``ct_lb("&web");``: give a new connection to a backend, and go on at the next stage.

    Which of the set's members it is follows from a hash of the packet's addresses and ports.
    The connection is committed with its destination translated, so that it stays there
    whatever becomes of the set; without a backend the packet goes on as it is.
    ``ct_lb("&web") { ct_mark.skip_snat = 1; };`` marks the connection, too.

    With ``ct_lb("&web", hash_fields="ip_src")`` the choice follows from these fields alone, and
    changes for those alone whose backend has left the set, or who get one that has come.
    """

    words = ("ct_lb",)
    ends_list = True

    backends: str | Hole
    marks: tuple[Assign | Move, ...] = ()
    hash_fields: str | Hole = ""

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        lexer = parser.lexer
        lexer.expect("(")
        value = lexer.token.value
        name: str | Hole
        if isinstance(value, Hole) and value.type is HoleType.BACKENDS:
            name = value
        elif isinstance(value, String) and HoleType.BACKENDS.accepts(value.value):
            name = value.value
        else:
            raise lexer.unexpected(f"expecting the name of a set that begins with {BACKENDS_SIGIL}")
        lexer.advance()
        fields = parse_hash_fields(parser) if lexer.accept(",") else ""
        lexer.expect(")")
        return cls(name, parser.marks() if lexer.sees("{") else (), fields)

    @property
    def nested(self) -> Actions:
        return self.marks

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        name = self.backends if isinstance(self.backends, Hole) else f'"{self.backends}"'
        marks = f" {{ {format_actions(self.marks)} }}" if self.marks else ""
        return f"ct_lb({name}{hash_fields_text(self.hash_fields)}){marks};"

    def bind(self, arguments: Arguments) -> Balance:
        backends = self.backends
        if isinstance(backends, Hole):
            name = arguments[backends.name]
            if not isinstance(name, str) or not backends.type.accepts(name):
                raise TemplateError(f"{name!r} does not fit {backends}")
            backends = name
        marks = tuple(mark.bind(arguments) for mark in self.marks)
        fields = bind_hash_fields(self.hash_fields, arguments)
        return replace(self, backends=backends, marks=marks, hash_fields=fields)

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Follow the packet to every backend, where it isn't known which one the switch takes."""
        if isinstance(self.backends, Hole):
            raise TemplateError(f"{self} is walked before its hole is filled")
        version = 4 if packet.get("eth.type") == ETH_IP4 else 6
        members = walker.network.sets.members(self.backends)
        backends = [each for each in backends_of(members) if each.address.version == version]
        if not backends:
            walker.remark("ct_lb", self.backends, "has no backend")
            return scene.position.after
        ways = [self._way(walker, scene, packet, backend) for backend in backends]
        walker.remark("ct_lb", self.backends, *(way.label for way in ways))
        if len(ways) > 1:
            walker.follow_one_of(ways, scene.position.after)
            return ENDED
        packet.clear()
        packet.update(ways[0].packet)
        walker.network.connections = ways[0].connections
        return scene.position.after

    def _way(self, walker: Walker, scene: Scene, packet: MutablePacket, backend: Backend) -> Way:
        """Return the packet, and the connections that there are, with that backend chosen."""
        connections = deepcopy(walker.network.connections)
        chosen = dict(packet)
        translate(walker, scene, chosen, _translation(backend), connections, self.marks)
        return Way(str(backend), chosen, connections)


def _translation(backend: Backend) -> Translation:
    address = int(backend.address)
    ports = Range(backend.port, backend.port) if backend.port else None
    return Translation("destination", Range(address, address), ports)
