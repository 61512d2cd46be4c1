"""What a packet walk asks about connections: an oracle, and two that answer.

Zones are names: a switch tracks by logical port, a router by datapath.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple, Protocol

from logical_flow.evaluate import Packet, Value
from logical_flow.fields import field_slice
from logical_flow.packet import ETH_IP4, PROTO_ICMP4, PROTO_ICMP6, PROTO_SCTP, PROTO_TCP, PROTO_UDP


class State(IntFlag):
    """The bits of ``ct_state``."""

    NEW = 1 << 0
    EST = 1 << 1
    REL = 1 << 2
    RPL = 1 << 3
    INV = 1 << 4
    TRK = 1 << 5


class Tracked(NamedTuple):
    """What the tracker says of a packet."""

    state: State
    mark: int = 0
    label: int = 0


class Connections(Protocol):
    """Answers ``ct_next`` and takes note of ``ct_commit``."""

    def look_up(self, zone: str, packet: Packet) -> Tracked: ...

    def commit(self, zone: str, packet: Packet, mark: int, label: int) -> None: ...


class ScriptedConnections:
    """Gives prepared answers one after the other, then the last one again."""

    def __init__(self, answers: Iterable[Tracked]) -> None:
        self._answers = list(answers)

    def look_up(self, zone: str, packet: Packet) -> Tracked:  # noqa: ARG002
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def commit(self, zone: str, packet: Packet, mark: int, label: int) -> None:
        """Prepared answers don't depend on what is committed."""


_BLOCKED = field_slice("ct_mark.blocked")

_PORTS = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}
_ICMP_ERRORS = {
    PROTO_ICMP4: ("icmp4.type", (3, 4, 5, 11, 12)),
    PROTO_ICMP6: ("icmp6.type", (1, 2, 3, 4)),
}


class _Endpoints(NamedTuple):
    protocol: Value
    source: Value
    destination: Value
    source_port: Value
    destination_port: Value

    @property
    def reversed(self) -> "_Endpoints":
        return _Endpoints(
            self.protocol,
            self.destination,
            self.source,
            self.destination_port,
            self.source_port,
        )


@dataclass
class _Connection:
    mark: int
    label: int
    is_answered: bool = False


class ConnectionTable:
    """A tracker with a memory, so that walks one after the other see each other's commits.

    As in Open vSwitch, a connection is new until a packet of its reply direction was
    seen. ICMP errors are related to any connection of the host that they are sent to.
    """

    def __init__(self) -> None:
        self._connections: dict[tuple[str, _Endpoints], _Connection] = {}

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        endpoints = _endpoints(packet)
        if _is_error(packet):
            return self._related(zone, endpoints.destination)
        if (connection := self._connections.get((zone, endpoints))) is not None:
            state = State.TRK | (State.EST if connection.is_answered else State.NEW)
            return Tracked(state, connection.mark, connection.label)
        if (connection := self._connections.get((zone, endpoints.reversed))) is not None:
            connection.is_answered = True
            state = State.TRK | State.EST | State.RPL
            return Tracked(state, connection.mark, connection.label)
        return Tracked(State.TRK | State.NEW)

    def commit(self, zone: str, packet: Packet, mark: int, label: int) -> None:
        endpoints = _endpoints(packet)
        for key in ((zone, endpoints), (zone, endpoints.reversed)):
            if (connection := self._connections.get(key)) is not None:
                connection.mark, connection.label = mark, label
                return
        self._connections[zone, endpoints] = _Connection(mark, label)

    def _related(self, zone: str, host: Value) -> Tracked:
        for (other_zone, endpoints), connection in self._connections.items():
            if other_zone == zone and host in (endpoints.source, endpoints.destination):
                state = State.TRK | State.REL
                return Tracked(state, connection.mark, connection.label)
        return Tracked(State.TRK | State.INV)


class AssumedConnections(ConnectionTable):
    """A tracker that knew each connection already when its first packet was looked up.

    The packet is one of the connection's request direction, or with `reply` of the other.
    With `blocked` the connections are marked as ones that an ACL has stopped.
    """

    def __init__(self, *, reply: bool, blocked: bool = False) -> None:
        super().__init__()
        self._reply = reply
        self._mark = _BLOCKED.mask if blocked else 0

    def look_up(self, zone: str, packet: Packet) -> Tracked:
        endpoints = _endpoints(packet)
        known = {(zone, endpoints), (zone, endpoints.reversed)} & self._connections.keys()
        if not known and not _is_error(packet):
            key = endpoints.reversed if self._reply else endpoints
            self._connections[zone, key] = _Connection(self._mark, 0, is_answered=True)
        return super().look_up(zone, packet)


def _is_error(packet: Packet) -> bool:
    protocol = packet.get("ip.proto")
    name, errors = _ICMP_ERRORS.get(protocol, ("", ())) if isinstance(protocol, int) else ("", ())
    return packet.get(name) in errors


def _endpoints(packet: Packet) -> _Endpoints:
    family = "ip4" if packet.get("eth.type") == ETH_IP4 else "ip6"
    protocol = packet.get("ip.proto", 0)
    ports = _PORTS.get(protocol) if isinstance(protocol, int) else None
    return _Endpoints(
        protocol,
        packet.get(f"{family}.src", 0),
        packet.get(f"{family}.dst", 0),
        packet.get(f"{ports}.src", 0),
        packet.get(f"{ports}.dst", 0),
    )
