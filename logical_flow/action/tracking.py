"""Actions that ask the connection tracker, or tell it something.

Each works in one of a datapath's *zones*: a switch has one for each logical port, a
router one for what it translates the destination of (``dnat``) and one for what it
translates the source of (``snat``), and one that is on one chassis has one in which it remembers
by which way connections came (``route``). An action that names no zone works in the port's on a
switch. On a router it works in that of its own translation, and in ``dnat`` where it has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from logical_flow.action.assignment import Assign, Move
from logical_flow.action.base import CONTINUE, Action, Actions, Statement, format_actions
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments, fill
from logical_flow.connections import (
    Connections,
    Side,
    Tracked,
    Translation,
    translation_record,
)
from logical_flow.constants import Form, Integer, Variable
from logical_flow.endpoints import TRANSLATED_IN, TRANSLATION_FIELDS, Endpoints, Range
from logical_flow.errors import WalkError
from logical_flow.evaluate import Packet, read
from logical_flow.fields import field_slice
from logical_flow.holes import Hole, HoleType
from logical_flow.packet import ETH_IP4, format_value, write

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

_CT_STATE = field_slice("ct_state")
_CT_MARK = field_slice("ct_mark")
_CT_LABEL = field_slice("ct_label")
_ORIGINAL = ("ct_nw_dst", "ct_ip6_dst", "ct_tp_dst", "ct_proto")
_MAX_PORT = 65535

_Number: TypeAlias = Integer | Variable | Hole


class Zone(StrEnum):
    """A kind of conntrack zone."""

    PORT = "port"
    DNAT = "dnat"
    SNAT = "snat"
    ROUTE = "route"


def zone_on(kind: str, zone: Zone | None, own: Zone = Zone.DNAT) -> Zone:
    """Return the zone in which an action works on a datapath of that kind.

    `own` is that of the action where it names none. Raises ValueError for a zone that such a
    datapath doesn't have.
    """
    chosen = zone or (Zone.PORT if kind == "ls" else own)
    if (chosen is Zone.PORT) is not (kind == "ls"):
        datapath = "logical switch" if kind == "ls" else "logical router"
        raise ValueError(f"a {datapath} has no conntrack zone `{chosen}'")
    return chosen


@dataclass(frozen=True, slots=True)
class CtNext(Statement):
    """``ct_next;`` or ``ct_next(snat);``: look the packet up, and go on at the next stage."""

    words = ("ct_next",)
    forms = ("ct_next(zone)",)
    ends_list = True

    zone: Zone | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(_parse_zone(parser))

    @property
    def form(self) -> str:
        return "ct_next" if self.zone is None else "ct_next(zone)"

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        return f"ct_next{_in_parentheses(self.zone)};"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        zone = _zone_name(walker, scene, packet, self.zone)
        _write_tracked(packet, zone, walker.network.connections.look_up(zone, packet))
        return scene.position.after


@dataclass(frozen=True, slots=True)
class CtCommit(Statement):
    """Commit the packet's connection; `actions` set its ``ct_mark`` and ``ct_label``."""

    words = ("ct_commit",)
    forms = ("ct_commit(zone)",)

    actions: tuple[Assign | Move, ...] = ()
    zone: Zone | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        zone = _parse_zone(parser)
        return cls(parser.marks() if parser.lexer.sees("{") else (), zone)

    @property
    def form(self) -> str:
        return "ct_commit" if self.zone is None else "ct_commit(zone)"

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        marks = f" {{ {format_actions(self.actions)} }}" if self.actions else ""
        return f"ct_commit{_in_parentheses(self.zone)}{marks};"

    def bind(self, arguments: Arguments) -> CtCommit:
        return replace(self, actions=tuple(action.bind(arguments) for action in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Give the connection its marks. What was looked up is forgotten: a switch does so."""
        marked = dict(packet)
        for assignment in self.actions:
            assignment.run(walker, scene, marked)
        mark, label = read(marked, _CT_MARK), read(marked, _CT_LABEL)
        zone = _zone_name(walker, scene, packet, self.zone)
        walker.network.connections.commit(zone, packet, mark, label)
        walker.remark("ct_commit", zone, f"ct_mark={format_value('ct_mark', mark)}")
        _write_untracked(packet)
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
        _write_untracked(packet)
        _forget_translation(packet)
        return CONTINUE


@dataclass(frozen=True, slots=True)
class CtNat(Statement):
    """``ct_snat``, ``ct_dnat``: translate the packet, and go on at the next stage.

    ``ct_dnat;`` translates a packet of a connection that is known the way that the
    connection is translated, its replies back, and leaves others alone.
    ``ct_dnat(10.0.0.5, 80);`` commits a connection that isn't known, too, and translates it to
    that address and, if one is given, port. ``ct_snat(10.0.0.5..10.0.0.9, 1024..2047);``
    leaves a choice to the switch. ``ct_dnat(10.0.0.5, zone=snat);`` names the zone.
    """

    words = ("ct_snat", "ct_dnat")
    ends_list = True

    kind: Zone
    first: _Number | None = None
    last: _Number | None = None
    first_port: _Number | None = None
    last_port: _Number | None = None
    zone: Zone | None = None

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        kind = Zone(word.text.removeprefix("ct_"))
        if not parser.lexer.accept("("):
            return cls(kind)
        if parser.lexer.accept("zone"):
            return cls(kind, zone=_parse_zone_value(parser))
        first, last = _parse_range(parser, parser.address, word)
        if last is not None and _family(first) != _family(last):
            raise parser.lexer.wrong(f"Addresses of {word.text} are of two families.", word)
        ports: tuple[Integer | Hole | None, Integer | Hole | None] = None, None
        while parser.lexer.accept(","):
            if parser.lexer.accept("zone"):
                return cls(kind, first, last, *ports, _parse_zone_value(parser))
            if ports[0] is not None:
                raise parser.lexer.unexpected("expecting `zone'")
            ports = _parse_range(parser, lambda: _parse_port(parser), word)
        parser.lexer.expect(")")
        return cls(kind, first, last, *ports)

    @property
    def form(self) -> str:
        return f"ct_{self.kind}"

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip" if self.first is None else f"ip{_family(self.first)}",)

    @property
    def commits(self) -> bool:
        """Whether a connection that isn't known is committed and translated."""
        return self.first is not None

    def __str__(self) -> str:
        parts = self._target()
        parts += [] if self.zone is None else [f"zone={self.zone}"]
        return f"ct_{self.kind}({', '.join(parts)});" if parts else f"ct_{self.kind};"

    def _target(self) -> list[str]:
        """Return the texts of the addresses and the ports, as far as they are given."""
        return [
            str(first) if last is None else f"{first}..{last}"
            for first, last in ((self.first, self.last), (self.first_port, self.last_port))
            if first is not None
        ]

    def bind(self, arguments: Arguments) -> CtNat:
        return replace(
            self,
            first=_bound(self.first, arguments),
            last=_bound(self.last, arguments),
            first_port=_bound(self.first_port, arguments),
            last_port=_bound(self.last_port, arguments),
        )

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        zone = _zone_name(walker, scene, packet, self.zone, self.kind)
        translation = self._translation()
        _translate(packet, zone, walker.network.connections, translation)
        if translation is not None:
            walker.remark(self.form, zone, *self._target())
        return scene.position.after

    def _translation(self) -> Translation | None:
        if self.first is None:
            return None
        addresses = _numbers(self.first, self.last)
        ports = None if self.first_port is None else _numbers(self.first_port, self.last_port)
        side: Side = "source" if self.kind is Zone.SNAT else "destination"
        return Translation(side, addresses, ports)


def translate(
    walker: Walker,
    scene: Scene,
    packet: MutablePacket,
    translation: Translation,
    connections: Connections,
    marks: tuple[Assign | Move, ...],
) -> None:
    """Commit a new connection of `connections` with a translation of its destination, and marks."""
    zone = _zone_name(walker, scene, packet, None)
    marked = dict(packet)
    for mark in marks:
        mark.run(walker, scene, marked)
    _translate(packet, zone, connections, translation)
    if marks:
        mark_now, label = read(marked, _CT_MARK), read(marked, _CT_LABEL)
        connections.commit(zone, packet, mark_now, label)
        write(packet, _CT_MARK, mark_now)
        write(packet, _CT_LABEL, label)


def _translate(
    packet: MutablePacket, zone: str, connections: Connections, translation: Translation | None
) -> None:
    translated = connections.translate(zone, packet, translation)
    _write_tracked(packet, zone, translated.tracked)
    packet.update(translated.fields)
    packet.update(translation_record(zone, translated))


def _parse_zone(parser: ActionParser) -> Zone | None:
    """Read ``(snat)``, if it is there."""
    if not parser.lexer.accept("("):
        return None
    zone = _parse_zone_name(parser)
    parser.lexer.expect(")")
    return zone


def _parse_zone_value(parser: ActionParser) -> Zone:
    """Read what follows ``zone``, up to the end of the arguments."""
    parser.lexer.expect("=")
    zone = _parse_zone_name(parser)
    parser.lexer.expect(")")
    return zone


def _parse_zone_name(parser: ActionParser) -> Zone:
    if parser.lexer.token.text not in tuple(Zone):
        raise parser.lexer.unexpected(f"expecting one of {', '.join(Zone)}")
    return Zone(parser.lexer.advance().text)


def _parse_range(
    parser: ActionParser, parse: Callable[[], Integer | Hole], word: Token
) -> tuple[Integer | Hole, Integer | Hole | None]:
    """Read one value, or ``first..last``."""
    first = parse()
    if not parser.lexer.accept(".."):
        return first, None
    last = parse()
    if isinstance(first, Integer) and isinstance(last, Integer) and first.value > last.value:
        raise parser.lexer.wrong(f"The range {first}..{last} of {word.text} is empty.", word)
    return first, last


def _parse_port(parser: ActionParser) -> Integer | Hole:
    start = parser.lexer.token
    port = parser.number()
    if isinstance(port, Integer) and not 1 <= port.value <= _MAX_PORT:
        raise parser.lexer.wrong(f"{port} is no port from 1 to {_MAX_PORT}.", start)
    return port


def _family(address: _Number) -> int:
    if isinstance(address, Hole | Variable):
        return 4 if address.type is HoleType.IP4 else 6
    return 4 if address.form is Form.IPV4 else 6


def _bound(value: _Number | None, arguments: Arguments) -> Integer | Variable | None:
    filled = None if value is None else fill(value, arguments)
    return filled if isinstance(filled, Integer | Variable) else None


def _numbers(first: _Number, last: _Number | None) -> Range:
    end = first if last is None else last
    if not isinstance(first, Integer) or not isinstance(end, Integer):
        raise WalkError(f"{first} to {end} can't be translated to before it is known what they are")
    return Range(first.value, end.value)


def _in_parentheses(zone: Zone | None) -> str:
    return "" if zone is None else f"({zone})"


def _zone_name(
    walker: Walker, scene: Scene, packet: Packet, zone: Zone | None, own: Zone = Zone.DNAT
) -> str:
    """Return the zone's name in walks: the logical port's, or the router's."""
    datapath = scene.position.datapath
    try:
        chosen = zone_on(walker.network.datapaths[datapath].kind, zone, own)
    except ValueError as error:
        raise WalkError(str(error)) from error
    if chosen is Zone.DNAT:
        return datapath
    if chosen in (Zone.SNAT, Zone.ROUTE):
        return f"{datapath} {chosen}"
    port = packet.get("inport" if scene.position.is_ingress else "outport", "")
    if not isinstance(port, str):
        raise WalkError("the connection of a packet can't be looked up without its port")
    return port


def _write_tracked(packet: MutablePacket, zone: str, tracked: Tracked) -> None:
    write(packet, _CT_STATE, None if tracked.state is None else int(tracked.state))
    write(packet, _CT_MARK, tracked.mark)
    write(packet, _CT_LABEL, tracked.label)
    _write_original(packet, tracked.original)
    if packet.get(TRANSLATED_IN) != zone:
        _forget_translation(packet)


def _write_untracked(packet: MutablePacket) -> None:
    for where in (_CT_STATE, _CT_MARK, _CT_LABEL):
        write(packet, where, 0)
    for name in _ORIGINAL:
        packet.pop(name, None)


def _write_original(packet: MutablePacket, original: Endpoints | None) -> None:
    """Write what the requests of the packet's connection were sent to, None if it isn't known."""
    address = port = protocol = None
    if original is not None:
        address, port, protocol = (
            None if isinstance(part, Range) else part
            for part in (original.destination, original.destination_port, original.protocol)
        )
    packet["ct_nw_dst" if packet.get("eth.type") == ETH_IP4 else "ct_ip6_dst"] = address
    packet["ct_tp_dst"] = port
    packet["ct_proto"] = protocol


def _forget_translation(packet: MutablePacket) -> None:
    for name in TRANSLATION_FIELDS:
        packet.pop(name, None)
