"""What keeps a packet from being carried as logical flows say, as far as the server knows.

Logical flows are carried out by the switches of the chassis on the way. The server knows of
each what its agent has acknowledged, whether it is connected, what it says is wrong with its
switch, and which of its tunnels lead nowhere. A packet that has to pass a tunnel that leads
nowhere is lost, that is certain; the rest are reasons for which it is not known what the
switch does.

That a port is nowhere, or on a chassis that is dead, is told by :mod:`diagnosis.trace.liveness`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from controller.answers import View
from diagnosis.trace.legs import Journey, Leg, legs
from logical_flow.action.sizes import LENGTH
from logical_flow.evaluate import Value
from logical_flow.walk_events import Crossing
from southbound.chassis_status import ChassisStatus, utc_time
from southbound.conditions import REFUSED, doubts_about_flows, lacking_bridge, over_share
from southbound.encaps import no_way, way_to
from southbound.port_types import CHASSIS_REDIRECT, L3_GATEWAY
from southbound.questions import TracePort
from southbound.requested import unresolved
from southbound.rows import GLOBAL_SCOPE, Chassis, PortBinding, datapath_scope, set_scope

Problem = Literal[
    "not-connected",
    "unacknowledged",
    "degraded",
    "unreachable",
    "unprobed",
    "no-bridge",
    "too-big",
    "no-gateway",
    "stays-local",
    "over-share",
]

_SETS = set_scope("")
_ETHERNET_HEADER: Final = 14


class Hindrance(NamedTuple):
    """What is in the way on `chassis`, or between it and `peer`.

    `text` says what becomes of the packet: it follows on "the packet is". Where it isn't
    `certain` the packet may get on or not.
    """

    chassis: str
    peer: str | None
    problem: Problem
    certain: bool
    text: str

    def document(self) -> dict[str, Any]:
        return {**self._asdict(), "text": f"the packet is {self.text}"}


@dataclass(frozen=True)
class Carriers:
    """All chassis by name, what is known of their agents, and the revision that holds."""

    chassis: Mapping[str, Chassis]
    statuses: Mapping[str, ChassisStatus]
    revision: int

    @classmethod
    def of(cls, view: View) -> "Carriers":
        """Those of a view."""
        chassis = {row.name: row for row in view.shared if isinstance(row, Chassis)}
        return cls(chassis, view.statuses, view.revision)

    def hindrances(
        self,
        journey: Journey,
        ports: Mapping[str, PortBinding],
        towards: Collection[str] | None = None,
    ) -> list[Hindrance]:
        """What hinders a packet; with `towards`, on its way to these chassis alone."""
        found: dict[Hindrance, None] = dict.fromkeys(_of_local_port(journey, ports))
        found |= dict.fromkeys(self._of_gateways(journey, ports))
        for number, leg in enumerate(legs(journey, ports)):
            if number and towards is not None and leg.chassis not in towards:
                continue
            onward = leg.onward if towards is None else leg.onward & set(towards)
            native = {
                peer: network
                for peer, network in leg.native.items()
                if towards is None or peer in towards
            }
            for each in (
                *self._of_chassis(leg),
                *self._of_tunnels(leg.chassis, onward, leg.packet.get(LENGTH)),
                *self._of_networks(leg.chassis, native),
                *self._of_bridge(leg, ports),
            ):
                found[each] = None
        return list(found)

    def uncharged(
        self, journey: Journey, ports: Mapping[str, PortBinding]
    ) -> Iterator[PortBinding]:
        """Yield the gateways that the packet passes of which no chassis can be in charge."""
        crossed = (event.port for event in journey.walk.events if isinstance(event, Crossing))
        for name in dict.fromkeys(crossed):
            port = ports.get(name)
            if port is None or port.kind not in (CHASSIS_REDIRECT, L3_GATEWAY):
                continue
            if not any(map(self._is_alive, port.electorate)):
                yield port

    def why_uncharged(self, port: PortBinding) -> str:
        """Say of each chassis that may be in charge of a gateway why it isn't."""
        problems = [*unresolved(port, self.chassis), *_silent(port)]
        return " and ".join(dict.fromkeys(problems))

    def _is_alive(self, name: str) -> bool:
        return name in self.chassis and self.chassis[name].alive

    def _of_gateways(
        self, journey: Journey, ports: Mapping[str, PortBinding]
    ) -> Iterator[Hindrance]:
        """Whether a chassis is there for each gateway that the packet passes.

        Of chassis whose agents are not heard of it isn't known: the switches see each other.
        """
        for port in self.uncharged(journey, ports):
            certain = not _silent(port)
            lost = "lost" if certain else "perhaps lost"
            text = (
                f"{lost} at port {port.distributed_port or port.name}, of which no chassis is in "
                f"charge: {self.why_uncharged(port)}"
            )
            may_be = ",".join(port.requested_chassis)
            yield Hindrance(may_be, None, "no-gateway", certain, text)

    def _of_chassis(self, leg: Leg) -> Iterator[Hindrance]:
        """Whether the switch of a chassis has what is wanted."""
        name = leg.chassis
        if not self._is_alive(name):
            return
        status = self.statuses[name]
        if not status.connected:
            text = f"handled by {name}, whose agent is not connected"
            if status.heard_at is not None:
                text += f", and was last heard of at {utc_time(status.heard_at)}"
            if REFUSED in status.conditions:
                text += f"; it is turned away: {status.conditions[REFUSED]}"
            yield Hindrance(name, None, "not-connected", False, text)
            return
        concerned = {GLOBAL_SCOPE, *map(datapath_scope, leg.datapaths)}
        if any(scope in concerned or scope.startswith(_SETS) for scope in status.unapplied):
            text = (
                f"handled by {name}, whose agent has not acknowledged revision {self.revision} "
                f"(its switch has {status.applied_revision})"
            )
            yield Hindrance(name, None, "unacknowledged", False, text)
        if leg.punted and isinstance(leg.question, TracePort):
            sender = leg.question.inport
            if flood := over_share(status.conditions, sender):
                text = f"perhaps lost before the agent of {name}, of which {sender} asks too much"
                yield Hindrance(name, None, "over-share", False, f"{text}: {flood}")
        for doubt in doubts_about_flows(status.conditions):
            text = f"handled by {name}, whose agent says: {doubt}"
            yield Hindrance(name, None, "degraded", False, text)

    def _of_networks(self, name: str, peers: Mapping[str, str]) -> Iterator[Hindrance]:
        """Whether both chassis have a bridge to the provider network between them."""
        for peer, network in sorted(peers.items()):
            for end in (name, peer):
                status = self.statuses.get(end)
                why = None if status is None else lacking_bridge(status.conditions, network)
                if why and self._is_alive(end):
                    text = f"lost on its way from {name} to {peer}: on {end}, {why}"
                    yield Hindrance(end, None, "no-bridge", True, text)

    def _of_bridge(self, leg: Leg, ports: Mapping[str, PortBinding]) -> Iterator[Hindrance]:
        """Whether a chassis has a bridge to the provider network for which a packet leaves it."""
        if len(leg.ports) != 1 or leg.onward or leg.native or leg.punted:
            return
        port = ports.get(next(iter(leg.ports)))
        status = self.statuses.get(leg.chassis)
        if port is None or not port.kind.leads_outside or status is None:
            return
        why = lacking_bridge(status.conditions, port.network)
        if why and self._is_alive(leg.chassis):
            where = f"the provider network {port.network}: on {leg.chassis}, {why}"
            text = f"lost on its way to {where}"
            yield Hindrance(leg.chassis, None, "no-bridge", True, text)

    def _of_tunnels(
        self, name: str, peers: Collection[str], length: Value | None
    ) -> Iterator[Hindrance]:
        """Whether the tunnels to other chassis lead there, and carry what is that long."""
        for peer in sorted(peers):
            if not (self._is_alive(name) and self._is_alive(peer)):
                continue
            lost = f"lost on its way from {name} to {peer}"
            own, other = self.chassis[name], self.chassis[peer]
            if way_to(other, own) is None:
                text = f"{lost}: {no_way(own, other)}"
                yield Hindrance(name, peer, "unreachable", True, text)
                continue
            status = self.statuses[name]
            if not status.connected:
                continue
            if status.tunnels is None:
                text = f"sent from {name} to {peer} by a tunnel of which the agent says nothing"
                yield Hindrance(name, peer, "unprobed", False, text)
            elif (fault := status.tunnels.unreachable.get(peer)) is not None:
                text = f"{lost}: {fault.sentence(name)} since {utc_time(fault.since)}"
                yield Hindrance(name, peer, "unreachable", True, text)
            elif peer in status.tunnels.pending:
                text = f"sent from {name} to {peer} by a tunnel that has not been probed yet"
                yield Hindrance(name, peer, "unprobed", False, text)
            elif _exceeds(length, mtu := status.tunnels.mtus.get(peer, 0)):
                text = (
                    f"too big for the tunnel from {name} to {peer}, whose MTU is {mtu}; its "
                    f"sender is told so"
                )
                yield Hindrance(name, peer, "too-big", True, text)


def _of_local_port(journey: Journey, ports: Mapping[str, PortBinding]) -> Iterator[Hindrance]:
    """Whether what a local port sends would have to leave its chassis, which it never does."""
    if not journey.entry.kind.stays_local:
        return
    for delivery in journey.walk.deliveries:
        port = ports.get(delivery.port)
        if port is not None and port.kind.leads_outside:
            stays = f"what local port {journey.entry.name} sends stays on its chassis"
            text = f"lost at port {port.name}: {stays}, and goes to no provider network"
            yield Hindrance(port.chassis, None, "stays-local", True, text)


def _silent(gateway: PortBinding) -> list[str]:
    return [f"the agent of {each} is not heard of" for each in gateway.electorate]


def _exceeds(length: Value | None, mtu: int) -> bool:
    """Whether a frame of that length has an IP packet bigger than `mtu`, where that is known."""
    return isinstance(length, int) and 0 < mtu < length - _ETHERNET_HEADER
