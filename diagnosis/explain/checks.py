"""What an explanation checks, and what is true of ports and chassis.

A port of a workload has to be enabled, bound to a chassis that is alive, and up. Each
check that fails has an :class:`Obstacle`: the kind of trouble, told in a sentence, and
the object behind it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from diagnosis.answers import Answer
from diagnosis.explain.scene import Scene
from diagnosis.trace.causes import Cause
from diagnosis.trace.legs import Journey
from logical_flow.evaluate import Packet
from logical_flow.packet import MutablePacket
from logical_flow.walk_events import Walk
from southbound.port_types import NESTED
from southbound.requested import unresolved
from southbound.rows import PortBinding


class ObstacleKind(StrEnum):
    """Why a packet doesn't get on."""

    PORT_SECURITY = "port-security"
    ACL = "acl"
    NO_ROUTE = "no-route"
    DISCARDED = "discarded"
    POLICY = "policy"
    NEXT_HOP = "next-hop"
    DEAD_NEXT_HOP = "dead-next-hop"
    TTL = "ttl"
    UNKNOWN_DESTINATION = "unknown-destination"
    ADMISSION = "admission"
    DISABLED = "disabled"
    ROUTER = "router"
    UNATTACHED = "unattached"
    CONNECTION = "connection"
    NAT = "nat"
    NO_BACKEND = "no-backend"
    DHCP = "dhcp"
    DNS = "dns"
    UNADVERTISED = "unadvertised"
    TOO_BIG = "too-big"
    TUNNEL_MTU = "tunnel-mtu"
    FAULT = "fault"
    UNBOUND = "unbound"
    NOT_UP = "not-up"
    DEAD_CHASSIS = "dead-chassis"
    AGENT = "agent"
    FLOOD = "flood"
    UNREACHABLE = "unreachable"
    NO_BRIDGE = "no-bridge"
    NO_GATEWAY = "no-gateway"
    UNKNOWN = "unknown"
    OTHER = "other"


@dataclass(frozen=True)
class Obstacle:
    """What is in the way: `cause` is the object to change, `packet` what met it.

    `detail` is what the kind has to be told to find a remedy: for an unknown
    destination the address that nobody has. Where it is not `certain` it may be in the way
    or not, and `text` says why that is not known.
    """

    kind: ObstacleKind
    text: str
    cause: Cause | None = None
    packet: Packet = field(default_factory=dict)
    detail: str = ""
    certain: bool = True


class CheckKind(StrEnum):
    """What a check is about."""

    BINDING = "binding"
    RESOLUTION = "resolution"
    REQUEST = "request"
    REPLY = "reply"


@dataclass(frozen=True)
class Check:
    """One thing that has to hold, and whether it does.

    `port` is the port that it is about, or where `packet` enters. For packets there is
    the `walk` that was taken.
    """

    kind: CheckKind
    port: PortBinding
    text: str
    obstacle: Obstacle | None = None
    packet: MutablePacket | None = None
    walk: Walk | None = None

    @property
    def answer(self) -> Answer:
        """Whether it holds."""
        if self.obstacle is None:
            return Answer.YES
        return Answer.NO if self.obstacle.certain else Answer.UNKNOWN

    @property
    def passed(self) -> bool:
        """Whether it is known to hold."""
        return self.obstacle is None

    @property
    def journey(self) -> Journey | None:
        """The packet on its way, if there is one."""
        if self.packet is None or self.walk is None:
            return None
        return Journey(self.port, self.packet, self.connection, self.walk)

    @property
    def connection(self) -> Literal["new", "reply"]:
        return "reply" if self.kind is CheckKind.REPLY else "new"


def sentence(check: Check, obstacle: Obstacle) -> str:
    """What is in the way, and of whom."""
    match check.kind:
        case CheckKind.BINDING:
            return obstacle.text
        case CheckKind.RESOLUTION:
            return f"the next hop of {check.port.name} is not found: {obstacle.text}"
    return f"the {check.kind} is {obstacle.text}"


def binding(scene: Scene, port: PortBinding) -> Check:
    """Whether the port of a workload is plugged in somewhere that is alive."""
    obstacle = _not_there(scene, port)
    if obstacle is not None:
        return Check(CheckKind.BINDING, port, obstacle.text, obstacle)
    text = f"port {port.name} is up on chassis {port.chassis}, which is alive"
    if port.kind.is_everywhere:
        text = f"port {port.name} is on each chassis that has an interface for it"
    return Check(CheckKind.BINDING, port, text)


def _not_there(scene: Scene, port: PortBinding) -> Obstacle | None:
    cause = scene.causes.of("logical_switch_port", port.id)
    if not port.enabled:
        text = f"{scene.authored(cause)}, is disabled"
        return Obstacle(ObstacleKind.DISABLED, text, cause)
    absence = next(scene.hosting.absences([port.name]), None)
    if absence is None:
        return None
    text, kind = absence.text, ObstacleKind(absence.problem)
    if kind is ObstacleKind.UNBOUND and port.kind is NESTED:
        text += f", as its parent {port.parent_name} isn't"
    if kind is ObstacleKind.UNBOUND and port.requested_chassis:
        only = " or ".join(port.requested_chassis)
        text += f"; its requested_chassis lets only {only} bind it"
        wrong = unresolved(port, scene.hosting.chassis)
        text += "".join(f", and {problem}" for problem in wrong)
    if kind is ObstacleKind.DEAD_CHASSIS:
        text += "; if its switch is alive it goes on by old flows, which nothing brings up to date"
    known = kind is not ObstacleKind.DEAD_CHASSIS
    return Obstacle(kind, text, None if absence.chassis else cause, detail=port.name, certain=known)
