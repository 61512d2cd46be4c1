"""What a packet walk asks about connections: an oracle, and two that answer.

Zones are names: a switch tracks by logical port, a router by datapath.

Of a translated connection the table keeps both directions: the original one as requests
come, and the reply as answers come, with the translated addresses. Where Open vSwitch would
choose among several addresses or ports, what it chooses is *not known*: the packet gets a
field without a value, and a packet that may be an answer to what was chosen has no known state.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Literal, NamedTuple, Protocol

from logical_flow.endpoints import (
    TRANSLATED_AS,
    TRANSLATED_IN,
    TRANSLATED_REPLY,
    Endpoints,
    Part,
    Range,
    endpoints_of,
    is_error,
    may_begin,
    quoted_endpoints,
    requoted,
    rewritten,
)
from logical_flow.evaluate import Packet, Value
from logical_flow.fields import field_slice


class State(IntFlag):
    """The bits of ``ct_state``."""

    NEW = 1 << 0
    EST = 1 << 1
    REL = 1 << 2
    RPL = 1 << 3
    INV = 1 << 4
    TRK = 1 << 5
    SNAT = 1 << 6
    DNAT = 1 << 7


class Tracked(NamedTuple):
    """What the tracker says of a packet; all None where that isn't known."""

    state: State | None
    mark: Value = 0
    label: Value = 0
    original: Endpoints | None = None
    """Those of the connection's requests before anything was translated, where that is known."""


Side = Literal["source", "destination"]
"""Which endpoint of a connection's requests is translated."""


class Translation(NamedTuple):
    """What a new connection is translated to: an address and, perhaps, a port, of each a range."""

    side: Side
    addresses: Range
    ports: Range | None = None


class Translated(NamedTuple):
    """What the tracker says of a packet that it translated, or had nothing to translate of.

    `fields` are those that it rewrote. `connection` numbers the translated connection; the
    packet is one of its replies if `is_reply`.
    """

    tracked: Tracked
    fields: Mapping[str, Value] = {}
    connection: int | None = None
    is_reply: bool = False


class Connections(Protocol):
    """Answers ``ct_next``, ``ct_snat`` and ``ct_dnat``, and takes note of ``ct_commit``."""

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        """Return what is known of the packet's connection."""

    def commit(self, zone: str, packet: Packet, mark: Value, label: Value) -> None:
        """Remember the packet's connection, with these marks from now on; None is not known."""

    def translate(self, zone: str, packet: Packet, translation: Translation | None) -> Translated:
        """Look the packet up, and translate it as its connection says.

        With a `translation`, a connection that isn't known is committed with that.
        """


class ScriptedConnections:
    """Gives prepared answers one after the other, then the last one again."""

    def __init__(self, answers: Iterable[Tracked]) -> None:
        self._answers = list(answers)

    def look_up(self, zone: str, packet: Packet) -> Tracked:  # noqa: ARG002
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def commit(self, zone: str, packet: Packet, mark: Value, label: Value) -> None:
        """Prepared answers don't depend on what is committed."""

    def translate(self, zone: str, packet: Packet, translation: Translation | None) -> Translated:  # noqa: ARG002
        """Prepared answers translate nothing."""
        return Translated(self.look_up(zone, packet))


_BLOCKED = field_slice("ct_mark.blocked")
_BITS: dict[Side, State] = {"source": State.SNAT, "destination": State.DNAT}
_OTHER: dict[Side, Side] = {"source": "destination", "destination": "source"}
_NOT_KNOWN = Tracked(None, None, None)
_ANY_PORT = Range(1, 65535)
_ANY = Range(0, (1 << 128) - 1)
_CHOSEN = Endpoints(None, _ANY, _ANY, _ANY, _ANY)


@dataclass
class _Connection:
    """A connection; what of it depends on an unknown packet is None."""

    original: Endpoints
    reply: Endpoints
    mark: Value
    label: Value
    is_answered: bool | None = False
    side: Side | None = None

    def bits(self, *, is_reply: bool) -> State:
        """Return which address of a packet of that direction is translated."""
        if self.side is None:
            return State(0)
        return _BITS[_OTHER[self.side] if is_reply else self.side]


class _Match(NamedTuple):
    """The connection that a packet belongs to, and in which direction.

    It is a guess for an error of which only the host is known that it is sent to.
    """

    number: int
    is_reply: bool
    is_guess: bool = False


@dataclass
class _Zone:
    """The connections of a zone: numbers by endpoints, and those whose replies aren't known.

    `doubtful` are endpoints of connections of which it isn't known whether they exist.
    """

    by_endpoints: dict[Endpoints, _Match] = field(default_factory=dict)
    uncertain: list[int] = field(default_factory=list)
    doubtful: list[Endpoints] = field(default_factory=list)


class ConnectionTable:
    """A tracker with a memory, so that walks one after the other see each other's commits.

    As in Open vSwitch, a connection is new until a packet of its reply direction was
    seen. An ICMP error is related to the connection of the packet that it quotes; where
    that isn't known, to any connection of the host that it is sent to.
    """

    def __init__(self) -> None:
        self._connections: list[_Connection] = []
        self._zones: dict[str, _Zone] = defaultdict(_Zone)

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        before = _translated_before(zone, packet)
        if before is not None:
            return self._seen(before, packet, is_translated=True)
        match = self._find(zone, packet)
        return self._unseen(zone, packet) if match is None else self._seen(match, packet)

    def commit(self, zone: str, packet: Packet, mark: Value, label: Value) -> None:
        match = _translated_before(zone, packet) or self._find(zone, packet)
        endpoints = endpoints_of(packet)
        if match is not None:
            connection = self._connections[match.number]
            connection.mark, connection.label = mark, label
        elif is_error(packet) or not may_begin(packet):
            return
        elif self._is_doubtful(zone, endpoints):
            self._commit_perhaps(zone, endpoints, endpoints.reversed)
        else:
            self._add(zone, _Connection(endpoints, endpoints.reversed, mark, label))

    def translate(self, zone: str, packet: Packet, translation: Translation | None) -> Translated:
        before = _translated_before(zone, packet)
        if before is not None:
            tracked = self._seen(before, packet, is_translated=True)
            return Translated(tracked, {}, before.number, before.is_reply)
        match = self._find(zone, packet)
        if match is not None:
            return self._translate_known(match, packet)
        tracked = self._unseen(zone, packet)
        if tracked.state is None:
            if translation is not None and not is_error(packet) and may_begin(packet):
                original = endpoints_of(packet)
                self._commit_perhaps(zone, original, _target(original, translation).reversed)
            return Translated(tracked, rewritten(packet, _CHOSEN))
        if translation is None or tracked.state & State.INV:
            return Translated(tracked)
        return self._translate_new(zone, packet, translation)

    def _find(self, zone: str, packet: Packet) -> _Match | None:
        here = self._zones[zone]
        if not is_error(packet):
            return here.by_endpoints.get(endpoints_of(packet))
        quoted = quoted_endpoints(packet)
        if quoted is not None:
            return here.by_endpoints.get(quoted.reversed)
        host = endpoints_of(packet).destination
        for endpoints, match in here.by_endpoints.items():
            if host in (endpoints.source, endpoints.destination):
                return _Match(match.number, is_reply=False, is_guess=True)
        return None

    def _unseen(self, zone: str, packet: Packet) -> Tracked:
        """Take note of a packet of no connection that is known for sure."""
        quoted = quoted_endpoints(packet)
        endpoints = endpoints_of(packet) if quoted is None else quoted.reversed
        if not self._is_doubtful(zone, endpoints):
            is_new = may_begin(packet) and not is_error(packet)
            state = State.TRK | (State.NEW if is_new else State.INV)
            return Tracked(state, original=endpoints_of(packet))
        if not is_error(packet):
            for connection in self._perhaps_answered(zone, endpoints):
                connection.is_answered = connection.is_answered or None
        return _NOT_KNOWN

    def _is_doubtful(self, zone: str, endpoints: Endpoints) -> bool:
        """Return whether it is not known if these are the endpoints of a connection."""
        if any(map(endpoints.overlaps, self._zones[zone].doubtful)):
            return True
        return any(True for _ in self._perhaps_answered(zone, endpoints))

    def _perhaps_answered(self, zone: str, endpoints: Endpoints) -> Iterator[_Connection]:
        """Yield the connections of which a packet with these endpoints may be a reply."""
        for number in self._zones[zone].uncertain:
            connection = self._connections[number]
            if connection.reply.overlaps(endpoints):
                yield connection

    def _commit_perhaps(self, zone: str, original: Endpoints, reply: Endpoints) -> None:
        """Take note that a connection was committed, or one that is known got other marks."""
        for connection in self._perhaps_answered(zone, original):
            connection.mark = connection.label = None
        if reply.has_ports:
            # The switch may have had to look for a free source port.
            reply = reply._replace(destination_port=_ANY_PORT)
        self._zones[zone].doubtful += [original, reply]

    def _seen(self, match: _Match, packet: Packet, *, is_translated: bool = False) -> Tracked:
        """Take note of a packet of a connection."""
        connection = self._connections[match.number]
        state = State.TRK
        if is_error(packet):
            state |= State.REL
        else:
            connection.is_answered = match.is_reply or connection.is_answered
            if connection.is_answered is None:
                return Tracked(None, connection.mark, connection.label)
            state |= State.EST if connection.is_answered else State.NEW
        if match.is_reply:
            state |= State.RPL
        if is_translated:
            state |= connection.bits(is_reply=match.is_reply)
        return Tracked(state, connection.mark, connection.label, connection.original)

    def _translate_known(self, match: _Match, packet: Packet) -> Translated:
        connection = self._connections[match.number]
        if connection.side is None:
            return Translated(self._seen(match, packet))
        tracked = self._seen(match, packet, is_translated=True)
        if is_error(packet):
            side = _OTHER[connection.side] if match.is_reply else connection.side
            fields = _rewrite_error(connection, match, side, packet)
        else:
            target = connection.original if match.is_reply else connection.reply
            fields = rewritten(packet, target.reversed)
        return Translated(tracked, fields, match.number, match.is_reply)

    def _translate_new(self, zone: str, packet: Packet, translation: Translation) -> Translated:
        original = endpoints_of(packet)
        target = _target(original, translation)
        if self._is_taken(zone, target.reversed):
            # Another connection is answered there: the switch looks for a free source port.
            if not original.has_ports:
                return self._leave_alone(zone, packet, target.reversed)
            target = target._replace(source_port=_ANY_PORT)
        connection = _Connection(original, target.reversed, 0, 0, side=translation.side)
        number = self._add(zone, connection)
        state = State.TRK | State.NEW | connection.bits(is_reply=False)
        tracked = Tracked(state, original=original)
        return Translated(tracked, rewritten(packet, target), number)

    def _leave_alone(self, zone: str, packet: Packet, reply: Endpoints) -> Translated:
        """Return what becomes of a packet without ports whose translation is taken, or perhaps."""
        if reply in self._zones[zone].by_endpoints:
            return Translated(Tracked(State.TRK | State.NEW))
        self._commit_perhaps(zone, endpoints_of(packet), reply)
        return Translated(_NOT_KNOWN, rewritten(packet, _CHOSEN))

    def _is_taken(self, zone: str, reply: Endpoints) -> bool:
        """Return whether another connection's packets may have these endpoints."""
        here = self._zones[zone].by_endpoints
        if reply in here or self._is_doubtful(zone, reply):
            return True
        return not reply.is_known and any(map(reply.overlaps, here))

    def _add(self, zone: str, connection: _Connection) -> int:
        number = len(self._connections)
        self._connections.append(connection)
        here = self._zones[zone]
        here.by_endpoints[connection.original] = _Match(number, is_reply=False)
        if connection.reply.is_known and not self._is_doubtful(zone, connection.reply):
            here.by_endpoints.setdefault(connection.reply, _Match(number, is_reply=True))
        else:
            here.uncertain.append(number)
        return number


class AssumedConnections(ConnectionTable):
    """A tracker that knew each connection already when its first packet was looked up.

    The packet is one of the connection's request direction, or with `reply` of the other.
    With `blocked` the connections are marked as ones that an ACL has stopped. What they were
    translated to is only known where a flow that would translate them anew says so.
    """

    def __init__(self, *, reply: bool, blocked: bool = False) -> None:
        super().__init__()
        self._reply = reply
        self._mark = _BLOCKED.mask if blocked else 0

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        self._assume(zone, packet)
        return super().look_up(zone, packet)

    def translate(self, zone: str, packet: Packet, translation: Translation | None) -> Translated:
        is_known = self._is_known(zone, packet)
        if is_known or is_error(packet):
            return super().translate(zone, packet, translation)
        if translation is None or self._reply:
            return Translated(self.look_up(zone, packet), rewritten(packet, _CHOSEN))
        translated = self._translate_new(zone, packet, translation)
        if translated.connection is None:
            return translated
        connection = self._connections[translated.connection]
        connection.mark, connection.is_answered = self._mark, True
        match = _Match(translated.connection, is_reply=False)
        return translated._replace(tracked=self._seen(match, packet, is_translated=True))

    def _is_known(self, zone: str, packet: Packet) -> bool:
        match = _translated_before(zone, packet) or self._find(zone, packet)
        return match is not None

    def _assume(self, zone: str, packet: Packet) -> None:
        if not self._is_known(zone, packet) and not is_error(packet):
            endpoints = endpoints_of(packet)
            original = endpoints.reversed if self._reply else endpoints
            connection = _Connection(original, original.reversed, self._mark, 0, is_answered=True)
            self._add(zone, connection)


def translation_record(zone: str, translated: Translated) -> dict[str, Value]:
    """Return what a packet carries beside its fields once it was translated in a zone."""
    if translated.connection is None:
        return {}
    return {
        TRANSLATED_IN: zone,
        TRANSLATED_AS: translated.connection,
        TRANSLATED_REPLY: int(translated.is_reply),
    }


def _translated_before(zone: str, packet: Packet) -> _Match | None:
    """Return the connection as which the packet was translated in this zone, if it was."""
    number = packet.get(TRANSLATED_AS)
    if packet.get(TRANSLATED_IN) != zone or not isinstance(number, int):
        return None
    return _Match(number, is_reply=packet.get(TRANSLATED_REPLY) == 1)


def _target(original: Endpoints, translation: Translation) -> Endpoints:
    """Return the endpoints of a connection's requests once they are translated."""
    parts: dict[str, Part] = {translation.side: _one_of(translation.addresses)}
    if translation.ports is not None and original.has_ports:
        parts[f"{translation.side}_port"] = _one_of(translation.ports)
    return original._replace(**parts)


def _one_of(values: Range) -> Part:
    return values.first if values.first == values.last else values


def _rewrite_error(
    connection: _Connection, match: _Match, side: Side, packet: Packet
) -> dict[str, Value]:
    """Return the fields of a translated ICMP error, and what it quotes then.

    Its own address on `side` becomes the connection's, whatever its sender: so it does in
    Open vSwitch.
    """
    outer = endpoints_of(packet)
    if match.is_guess:
        return rewritten(packet, outer._replace(source=_ANY, destination=_ANY))
    quoted = connection.original if match.is_reply else connection.reply
    own = quoted.destination if side == "source" else quoted.source
    outer = outer._replace(**{side: own})
    return {**rewritten(packet, outer), **requoted(packet, quoted)}
