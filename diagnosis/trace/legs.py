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

What a provider network brings may come in on any chassis that is on it, so which one it is has to
be said. Some flows are on one chassis only, such as those of a gateway: where the walk of such a
packet meets one that is elsewhere, it goes on as that other chassis would, and the rest of that
copy is no part of the leg.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.evaluate import Packet, read
from logical_flow.fields import field_slice
from logical_flow.template import Resident
from logical_flow.walk_events import Crossing, Delivery, Event, Made, Noted, Visit, Walk
from southbound.port_types import EXTERNAL, Transport
from southbound.questions import Connection, TracePort, TraceTunnel, headers_of
from southbound.rows import PortBinding

_COPY = "clone"
_PUNTED = ("dns_lookup",)
"""What the agent does with a packet that then goes on, if it gets it."""
_LOOPBACK = field_slice("flags.loopback")
_IN_CHARGE = field_slice("flags.in_charge")


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
    `ports`, and what they do with it is no leg, since it comes from outside. `beside` are
    chassis that get a copy of what came from there as this one does. `left_to` is another chassis
    that has flows which the walk meets, and this one hasn't.
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
    beside: set[str] = field(default_factory=set)
    left_to: str = ""

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


def legs(journey: Journey, ports: Mapping[str, PortBinding], entry_chassis: str = "") -> list[Leg]:
    """The legs of a journey in the order in which they begin; `ports` are all, by name.

    None where the packet enters through a port that is bound to no chassis, or by a provider
    network and it isn't said on which chassis: `entry_chassis`.
    """
    entry = journey.entry
    chassis = entry_chassis if enters_by_network(entry) else entry.chassis
    inport = _way_in(entry, ports)
    if not chassis or inport is None:
        return []
    headers = headers_of(journey.packet)
    question = TracePort(inport.name, headers, journey.connection, journey.blocked)
    first = Leg(chassis, question, journey.packet, {entry.datapath})
    return list(_Cut(entry, first, ports).legs(journey.walk))


def enters_by_network(port: PortBinding) -> bool:
    """Whether a provider network brings a port's packets, to whichever chassis it likes."""
    return port.kind is EXTERNAL or port.kind.is_native


def taken_in(journey: Journey, ports: Mapping[str, PortBinding]) -> str:
    """Return the chassis that does what the walk says of a packet from a provider network.

    That is where the first flow is that is on one chassis only, such as that of a gateway, or where
    the first port is that gets the packet. Of an external port it is the one in charge of it, where
    the packet is for a router, or for neither. Empty where there is none.
    """
    server = journey.entry.chassis if journey.entry.kind is EXTERNAL else ""
    for event in journey.walk.events:
        if isinstance(event, Visit):
            port = ports.get(_resident(event))
        elif isinstance(event, Crossing | Delivery):
            port = ports.get(event.port)
        else:
            continue
        if port is not None and port.kind.is_bound and port.chassis:
            return port.chassis
        if port is not None and port.kind.joins_datapaths and server:
            return server
    return server


def _way_in(entry: PortBinding, ports: Mapping[str, PortBinding]) -> PortBinding | None:
    """Return the port behind whose interface packets come in: of external ports the way outside."""
    return _ways_outside(ports).get(entry.datapath) if entry.kind is EXTERNAL else entry


def _ways_outside(ports: Mapping[str, PortBinding]) -> dict[str, PortBinding]:
    """Return the port by which each datapath is on a provider network."""
    return {
        port.datapath: port
        for port in sorted(ports.values(), key=lambda port: -port.tunnel_key)
        if port.kind.is_native
    }


def _resident(visit: Visit) -> str:
    """Return the port where the flow of a visit is only; empty where it isn't so."""
    flow = visit.entry.flow if isinstance(visit.entry, StoredEntry) else None
    only = None if flow is None else flow.template.only
    if flow is None or not isinstance(only, Resident):
        return ""
    return str(flow.named_args[only.hole])


def _leaves_elsewhere(port: PortBinding, packet: Packet) -> bool:
    """Whether a packet leaves by the chassis in charge of an external port, which all reach."""
    return bool(port.chassis) and port.kind is EXTERNAL and read(packet, _IN_CHARGE) == 1


class _Cut:
    """One walk on its way through the chassis.

    The walk is a tree: each copy begins with how it came about, and is followed by all
    that happened to it, which is at least as deep.
    """

    def __init__(self, entry: PortBinding, first: Leg, ports: Mapping[str, PortBinding]):
        self._entry = entry
        self._ports = ports
        self._server = entry.name if entry.kind is EXTERNAL else ""
        self._outside = _ways_outside(ports)
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
                if self._is_left_to(leg, _resident(event)):
                    self._path[-1] = (self._path[-1][0], None)
            elif isinstance(event, Noted) and leg is not None:
                leg.punted |= event.what in _PUNTED
            elif isinstance(event, Delivery) and leg is not None:
                leg.ports.update(self._way_of(event))
        yield from self._legs

    def _begun(self, event: Event, leg: Leg) -> Leg | None:
        """The leg that a copy belongs to, which begins in `leg`."""
        if isinstance(event, Made):
            leg.punted |= not event.is_copy
            return leg if event.kind == _COPY else None
        if not isinstance(event, Crossing):
            return leg
        port = self._goes_to(event)
        if port is None:
            return None
        if port.kind.joins_datapaths and self._is_left_to(leg, self._server):
            return None
        if port.chassis == leg.chassis or (
            port.kind.transport is Transport.HERE and not _leaves_elsewhere(port, event.packet)
        ):
            leg.datapaths.add(port.datapath)
            return leg
        if port.kind.transport is Transport.HERE:
            return self._beyond(event, port, leg)
        outside = self._way_outside(port)
        if port.chassis and outside is not None:
            if self._came_by(outside, event.packet):
                leg.beside.add(port.chassis)
            else:
                leg.ports.add(outside.name)
                leg.native[port.chassis] = outside.network
            return None
        return self._beyond(event, port, leg) if port.chassis else None

    def _goes_to(self, event: Crossing) -> PortBinding | None:
        """Return where a packet goes: what stands for a gateway port, where it is sent there."""
        sent = self._ports.get(str(event.packet.get("outport", "")))
        if sent is not None and sent.distributed_port == event.port:
            return sent
        return self._ports.get(event.port)

    def _is_left_to(self, leg: Leg, name: str) -> bool:
        """Whether what the walk meets is where a port is, and that isn't this chassis."""
        if leg is not self._legs[0] or not enters_by_network(self._entry):
            return False
        port = self._ports.get(name)
        if port is None or not port.chassis or port.chassis == leg.chassis:
            return False
        leg.left_to = port.chassis
        return True

    def _way_of(self, delivery: Delivery) -> Iterator[str]:
        """Yield the port by which a copy leaves the switch: for external ports the way outside."""
        port = self._ports.get(delivery.port)
        if port is None or not enters_by_network(port):
            yield delivery.port
            return
        outside = self._outside.get(port.datapath)
        if outside is not None and not self._came_by(outside, delivery.packet):
            yield outside.name

    def _came_by(self, outside: PortBinding, packet: Packet) -> bool:
        """Whether a packet came by a way outside, and so isn't sent back there."""
        inport = self._ports.get(str(packet.get("inport", "")))
        if inport is None or inport.datapath != outside.datapath:
            return False
        return enters_by_network(inport) and read(packet, _LOOPBACK) != 1

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
