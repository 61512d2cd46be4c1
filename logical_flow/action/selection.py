"""The action that chooses: one of several numbers, by a hash of the packet."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from logical_flow.action.base import ENDED, Action, Function
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.action.hashing import (
    KEYWORD,
    bind_hash_fields,
    hash_fields_text,
    parse_hash_fields,
)
from logical_flow.binding import Arguments
from logical_flow.constants import Integer
from logical_flow.errors import TemplateError
from logical_flow.fields import FieldSlice
from logical_flow.holes import Hole, HoleType
from logical_flow.packet import write

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

MAX_MEMBERS = 256
"""Open vSwitch spreads the hashes of packets over no more members than that."""

MAX_NUMBER = 0xFFFF
"""The largest number of a member, and the largest weight."""

NOT_KNOWN_WHICH = (
    "the packet takes one of several next hops or ways, which do not lead to the same end: "
    "the switch chooses by a hash of the packet, and it is not known which"
)

_MEMBER = struct.Struct("!HH")
_WATCHED = struct.Struct("!HH16s")


class Member(NamedTuple):
    """A number that may be chosen, and its share: `weight` of the sum of all weights.

    One with a BFD `session`, by id, may be chosen while that is up.
    """

    number: int
    weight: int = 1
    session: str = ""


def encode_members(members: Sequence[Member]) -> bytes:
    """Return the argument of a ``weights`` hole; equal sets of members are equal bytes.

    Raises TemplateError for members that no switch can choose from.
    """
    problem = _problem(members)
    if problem:
        raise TemplateError(problem)
    return b"".join(_MEMBER.pack(*member[:2]) for member in sorted(members))


def encode_watched(members: Sequence[Member]) -> bytes:
    """Return the argument of a ``watched`` hole; equal sets of members are equal bytes.

    Raises TemplateError for members that no switch can choose from.
    """
    problem = _problem(members)
    if problem:
        raise TemplateError(problem)
    return b"".join(
        _WATCHED.pack(number, weight, UUID(session).bytes if session else bytes(16))
        for number, weight, session in sorted(members)
    )


def decode_watched(argument: object) -> tuple[Member, ...]:
    """Return the members that an argument of a ``watched`` hole stands for.

    Raises TemplateError for an argument that stands for none.
    """
    if not isinstance(argument, bytes) or len(argument) % _WATCHED.size:
        raise TemplateError(f"{argument!r} does not fit a hole of type {HoleType.WATCHED}")
    members = tuple(
        Member(number, weight, str(UUID(bytes=session)) if any(session) else "")
        for number, weight, session in _WATCHED.iter_unpack(argument)
    )
    problem = _problem(members)
    if problem:
        raise TemplateError(problem)
    return members


def members_in(hole: Hole, argument: object) -> tuple[Member, ...]:
    """Return the members that fill a hole of either type; raises TemplateError for none."""
    return (decode_watched if hole.type is HoleType.WATCHED else decode_members)(argument)


def decode_members(argument: object) -> tuple[Member, ...]:
    """Return the members that an argument of a ``weights`` hole stands for.

    Raises TemplateError for an argument that stands for none.
    """
    if not isinstance(argument, bytes) or len(argument) % _MEMBER.size:
        raise TemplateError(f"{argument!r} does not fit a hole of type {HoleType.WEIGHTS}")
    members = tuple(Member(*pair) for pair in _MEMBER.iter_unpack(argument))
    problem = _problem(members)
    if problem:
        raise TemplateError(problem)
    return members


def _problem(members: Sequence[Member]) -> str:
    """Why a switch cannot choose from the members, or nothing where it can."""
    if not 1 <= len(members) <= MAX_MEMBERS:
        return f"the members of select are 1 to {MAX_MEMBERS}, not {len(members)}"
    if len({member.number for member in members}) < len(members):
        return "select has a member twice"
    for number, weight, _ in members:
        if not (0 <= number <= MAX_NUMBER and 1 <= weight <= MAX_NUMBER):
            return f"{number}={weight} is no member with a weight of 1 to {MAX_NUMBER}"
    return ""


@dataclass(frozen=True, slots=True)
class Select(Function):
    """``R = select(1=50, 2=50);``: put one of the numbers into R, and go on at the next stage.

    Which one follows from a hash of the packet's addresses, protocol and ports, so that packets of
    one connection get the same as long as the members stay; over many connections they are in
    proportion to the weights. Replacing members loses no packet.

    With ``select(1=50, 2=50, hash_fields="ip_src")`` it follows from these fields alone, and
    changes for those alone whose member has gone, or who get one that has come.
    """

    words = ("select",)
    forms = ("select(hash_fields)",)
    ends_list = True

    result: FieldSlice
    members: tuple[Member, ...] | Hole
    hash_fields: str | Hole = ""

    @property
    def form(self) -> str:
        return "select(hash_fields)" if self.hash_fields else "select"

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        lexer = parser.lexer
        if result.is_string:
            raise lexer.wrong(
                "The result of select is a number, which needs an integer field.", word
            )
        lexer.expect("(")
        hole = lexer.token.value
        if isinstance(hole, Hole) and hole.type in (HoleType.WEIGHTS, HoleType.WATCHED):
            lexer.advance()
            fields = parse_hash_fields(parser) if lexer.accept(",") else ""
            lexer.expect(")")
            if result.width < MAX_NUMBER.bit_length():
                raise lexer.wrong(f"{result} is too narrow for the members of {hole}.", word)
            return cls(result, hole, fields)
        members = [_member(parser)]
        fields = ""
        while lexer.accept(","):
            if lexer.sees(KEYWORD):
                fields = parse_hash_fields(parser)
                break
            members.append(_member(parser))
        lexer.expect(")")
        problem = _problem(members)
        if not problem and max(members).number >> result.width:
            problem = f"{max(members).number} does not fit {result}"
        if problem:
            raise lexer.wrong(f"{problem[0].upper()}{problem[1:]}.", word)
        return cls(result, tuple(sorted(members)), fields)

    def __str__(self) -> str:
        if isinstance(self.members, Hole):
            members = str(self.members)
        else:
            members = ", ".join(f"{number}={weight}" for number, weight, _ in self.members)
        return f"{self.result} = select({members}{hash_fields_text(self.hash_fields)});"

    def bind(self, arguments: Arguments) -> Select:
        members = self.members
        if isinstance(members, Hole):
            members = members_in(members, arguments[members.name])
        return Select(self.result, members, bind_hash_fields(self.hash_fields, arguments))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Follow a member only if it makes no difference which one the switch chooses."""
        if isinstance(self.members, Hole):
            raise TemplateError(f"{self} is walked before its hole is filled")
        ways: list[MutablePacket] = []
        for number, _, _ in self.members:
            ways.append(dict(packet))
            write(ways[-1], self.result, number)
        if not walker.fare_alike(ways, scene.position.after):
            walker.drop(scene, packet, NOT_KNOWN_WHICH, certain=False)
            return ENDED
        write(packet, self.result, self.members[0].number)
        return scene.position.after


def _member(parser: ActionParser) -> Member:
    number = _integer(parser)
    return Member(number, _integer(parser) if parser.lexer.accept("=") else 1)


def _integer(parser: ActionParser) -> int:
    value = parser.number()
    if not isinstance(value, Integer):
        raise parser.lexer.unexpected("expecting integer")
    return value.value
