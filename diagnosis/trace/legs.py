"""A walk, cut at the tunnels: what each chassis has to do with the packet. Pure.

Terms:

leg
    What one chassis does with a packet from where it enters that chassis' switch, the
    interface of a port or the tunnel, to where copies leave: ports there, other chassis.

All stages from where the packet entered to the first output to a port of another chassis
are one leg: patch ports are on every chassis. Copies of a multicast packet for ports of
one other chassis are one packet in the tunnel, and so one leg there. What the agent makes
of a packet (an ICMP error, a question by ARP) is no part of a leg: a switch that is asked
what it would do doesn't ask its agent. Nor is what goes to a port that is bound nowhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.evaluate import Packet
from logical_flow.walk_events import Crossing, Delivery, Event, Made, Visit, Walk
from southbound.port_types import EXTERNAL, Transport
from southbound.questions import Connection, TracePort, TraceTunnel, headers_of
from southbound.rows import PortBinding

_COPY = "clone"


class Journey(NamedTuple):
    """A packet that was walked: where it entered, as what, and what became of it."""

    entry: PortBinding
    packet: Packet
    connection: Connection
    walk: Walk
    blocked: bool = False


@dataclass
class Leg:
    """What `chassis` has to do; `question` asks it what it would do.

    `ports` are logical ports there that get a copy, `onward` the chassis that do. `native` are
    those that get one by a provider network, each with the network: that goes through a port of
    `ports`, and what they do with it is no leg, since it comes from outside.
    """

    chassis: str
    question: TracePort | TraceTunnel
    packet: Packet
    datapaths: set[str] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)
    ports: set[str] = field(default_factory=set)
    onward: set[str] = field(default_factory=set)
    native: dict[str, str] = field(default_factory=dict)
    punted: bool = False

    @property
    def source(self) -> str:
        """Where the packet comes from, in words."""
        if isinstance(self.question, TraceTunnel):
            return f"through the tunnel from {self.question.sender}"
        return f"from port {self.question.inport}"

    @property
    def groups(self) -> set[int]:
        """The flow groups that the walk met: the cookies of their flows."""
        entries = (visit.entry for visit in self.visits)
        return {entry.group.id for entry in entries if isinstance(entry, StoredEntry)}


def legs(journey: Journey, ports: Mapping[str, PortBinding]) -> list[Leg]:
    """The legs of a journey in the order in which they begin; `ports` are all, by name.

    None where the packet enters through a port that is bound to no chassis, or by a provider
    network, on every chassis.
    """
    entry = journey.entry
    if not entry.chassis or enters_by_network(entry):
        return []
    headers = headers_of(journey.packet)
    question = TracePort(entry.name, headers, journey.connection, journey.blocked)
    first = Leg(entry.chassis, question, journey.packet, {entry.datapath})
    return list(_Cut(first, ports).legs(journey.walk))


def enters_by_network(port: PortBinding) -> bool:
    """Whether a provider network brings a port's packets, to whichever chassis it likes."""
    return port.kind is EXTERNAL or port.kind.is_native


class _Cut:
    """One walk on its way through the chassis.

    The walk is a tree: each copy begins with how it came about, and is followed by all
    that happened to it, which is at least as deep.
    """

    def __init__(self, first: Leg, ports: Mapping[str, PortBinding]):
        self._ports = ports
        self._outside = {
            port.datapath: port
            for port in sorted(ports.values(), key=lambda port: -port.tunnel_key)
            if port.kind.is_native
        }
        self._legs = [first]
        self._path: list[tuple[int, Leg | None]] = [(-1, first)]

    def legs(self, walk: Walk) -> Iterator[Leg]:
        for event in walk.events:
            begins = isinstance(event, Crossing | Made)
            while self._path[-1][0] >= event.depth + (not begins):
                self._path.pop()
            leg = self._path[-1][1]
            if begins:
                self._path.append((event.depth, leg and self._begun(event, leg)))
            elif isinstance(event, Visit) and leg is not None:
                leg.visits.append(event)
            elif isinstance(event, Delivery) and leg is not None:
                leg.ports.add(event.port)
        yield from self._legs

    def _begun(self, event: Event, leg: Leg) -> Leg | None:
        """The leg that a copy belongs to, which begins in `leg`."""
        if isinstance(event, Made):
            leg.punted |= not event.is_copy
            return leg if event.kind == _COPY else None
        if not isinstance(event, Crossing):
            return leg
        port = self._ports.get(event.port)
        if port is None:
            return None
        if port.kind.transport is Transport.HERE or port.chassis == leg.chassis:
            leg.datapaths.add(port.datapath)
            return leg
        outside = self._way_outside(port)
        if port.chassis and outside is not None:
            leg.ports.add(outside.name)
            leg.native[port.chassis] = outside.network
            return None
        return self._beyond(event, port, leg) if port.chassis else None

    def _way_outside(self, port: PortBinding) -> PortBinding | None:
        """Return the port by which a provider network carries packets to another chassis."""
        if port.distributed_port and port.network:
            gateway = self._ports.get(port.distributed_port)
            return None if gateway is None else self._outside.get(gateway.peer_datapath)
        return self._outside.get(port.datapath)

    def _beyond(self, event: Crossing, port: PortBinding, leg: Leg) -> Leg:
        """The leg at the other end of the tunnel."""
        leg.onward.add(port.chassis)
        inport, outport = (str(event.packet.get(name, "")) for name in ("inport", "outport"))
        question = TraceTunnel(
            leg.chassis,
            port.datapath,
            inport,
            outport,
            headers_of(event.packet),
            self._legs[0].question.connection,
            self._legs[0].question.blocked,
        )
        for known in self._legs:
            if known.chassis == port.chassis and known.question == question:
                return known
        found = Leg(port.chassis, question, event.packet, {port.datapath})
        self._legs.append(found)
        return found
