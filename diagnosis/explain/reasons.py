"""From where a packet ended to the object behind it, as a sentence.

The flow that it met there declares why it ends packets; where no flow fitted the stage
does (:mod:`logical_flow.because`). What is found out here is the object that this is about,
and what of the packet the sentence tells. What stands after "the request is" or "the reply is"
is written so that it can.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from diagnosis.explain import packets
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.lookups import closed_port, no_host, patch_to
from diagnosis.explain.nat import without_gateway
from diagnosis.explain.scene import Scene
from diagnosis.trace import discovery
from diagnosis.trace.addressing import NoNeighbour
from diagnosis.trace.causes import Cause
from diagnosis.trace.endings import Ending, deciding
from diagnosis.trace.living_flows import watched_members
from diagnosis.trace.result import NO_PORTS_SEEN, doubt
from diagnosis.trace.routes import ways_of
from diagnosis.trace.stored_flows import StoredEntry
from diagnosis.trace.words import Address
from logical_flow.because import AUTHORED_OBJECT, OBJECT, Because, EndKind, Fact, Opening, Subject
from logical_flow.evaluate import Packet
from logical_flow.flow_table import Entry
from logical_flow.packet import format_value
from logical_flow.roles import Role
from logical_flow.walk_events import FLOW_SAYS_SO, Drop, Made, Visit, Walk
from southbound.bfd_facts import diagnostic_text
from southbound.rows import PortBinding
from translator.pipeline import STAGES


def reason(
    scene: Scene, walk: Walk, end: Ending, wanted: str, *, is_reply: bool = False
) -> Obstacle:
    """Why a packet that was walked did not reach the port `wanted`, or anybody."""
    back = _sent_back(walk, end)
    if back is not None:
        return back
    place = _decisive(walk, end, wanted)
    if place is None:
        return _misled(scene, end, wanted)
    if place.place is not None and place.place.role is Role.ACL_VERDICT:
        return _acl(scene, place, deciding(walk, place), is_reply)
    because = _declared(place)
    return _other(scene, place) if because is None else _obstacle(scene, place, because)


def _declared(place: Visit | Drop) -> Because | None:
    """Return what the flow that ended a packet declares, or its stage where none fitted."""
    if place.entry is not None:
        return place.entry.flow.template.because
    stage = STAGES.get(place.place.name) if place.place else None
    return None if stage is None else stage.because


def _decisive(walk: Walk, end: Ending, wanted: str) -> Visit | Drop | None:
    """The event that kept the packet from where it should have gone."""
    refused = refusal(walk)
    if refused is not None and end.outcome != "delivered":
        return refused
    for drop in walk.drops:
        if wanted and drop.packet.get("outport") == wanted:
            return drop
    if end.place is not None:
        return end.place
    return walk.drops[0] if walk.drops else None


def refusal(walk: Walk) -> Visit | None:
    """Where the packet was answered by one that was made: by a reset, say, or an ICMP error.

    That holds whether or not the answer finds its way. Questions for addresses are none.
    """
    last: Visit | None = None
    for event in walk.events:
        if isinstance(event, Visit):
            last = event
        elif isinstance(event, Made) and not event.is_copy and event.kind not in _ASKING:
            return last
    return None


def _sent_back(walk: Walk, end: Ending) -> Obstacle | None:
    """Return the obstacle that the packet itself left by the port where it came in, if it did."""
    inport = walk.visits[0].packet.get("inport") if walk.visits else None
    returned = [
        delivery for delivery, is_itself in end.deliveries if is_itself and delivery.port == inport
    ]
    if not returned or end.outcome != "answered" or refusal(walk) is not None:
        return None
    packet = returned[0].packet
    way = f"the way to {_destination(packet)} leads there"
    text = f"sent back to {inport}, where it came from: {way}"
    return Obstacle(ObstacleKind.OTHER, text, None, dict(packet))


def _misled(scene: Scene, end: Ending, wanted: str) -> Obstacle:
    """Return the obstacle that the packet was delivered to another port than was asked about."""
    if not end.forwarded:
        return Obstacle(ObstacleKind.OTHER, "delivered to nobody")
    port = scene.ports[end.forwarded[0].port]
    cause = scene.causes.of("logical_switch_port", port.id)
    packet = end.forwarded[0].packet
    text = f"delivered to {scene.authored(cause)}, which has {_claim(packet, 'dst')}"
    return Obstacle(ObstacleKind.OTHER, f"{text}, instead of {wanted}", cause, packet)


def uncertain(scene: Scene, drop: Drop) -> Obstacle:
    """Return the obstacle that it is not known whether a packet goes on."""
    place = f"in {drop.datapath} at {drop.place.name}" if drop.place else f"in {drop.datapath}"
    cause = None if drop.rivals else _cause(scene, drop.entry)
    by = f", by {scene.authored(cause)}" if cause else ""
    text = f"perhaps dropped {place}{by}: {doubt(drop, scene.causes)}"
    return Obstacle(ObstacleKind.UNKNOWN, text, cause, drop.packet, certain=False)


# --- what is known before any packet is sent


def unaddressed(scene: Scene, port: PortBinding) -> Obstacle:
    """Return the obstacle that a port has no IP address to reach it by."""
    cause = scene.causes.of("logical_switch_port", port.id)
    text = f"{scene.authored(cause)}, has no IP address"
    return Obstacle(ObstacleKind.UNKNOWN_DESTINATION, text, cause, {"outport": port.name})


def unknown_address(
    scene: Scene, datapath: str, address: Address, missing: NoNeighbour
) -> Obstacle:
    """Return the obstacle that no port on a switch has an address, nor leads there."""
    idle = without_gateway(scene, address)
    if idle is not None:
        return idle
    cause = scene.causes.of("logical_switch", datapath)
    kind = ObstacleKind.UNKNOWN_DESTINATION if missing.on_link else ObstacleKind.UNATTACHED
    detail = "" if missing.reserved else str(address)
    return Obstacle(kind, f"{cause.text}: {missing.reason}", cause, detail=detail)


def unresolved(
    scene: Scene, address: Address, asked: list[PortBinding], packet: Packet
) -> Obstacle:
    """Return the obstacle that no port answers a router that asks for an address."""
    idle = without_gateway(scene, address)
    if idle is not None:
        return replace(idle, packet=dict(packet))
    cause = scene.causes.of("logical_switch", asked[0].datapath)
    text = f"no port of {cause.text} has the address {address}, which the router asks for"
    return Obstacle(
        ObstacleKind.UNKNOWN_DESTINATION, text, cause, dict(packet), detail=str(address)
    )


def misrouted(scene: Scene, walk: Walk) -> Obstacle | None:
    """Return the obstacle that a router asks for a next hop that no host can have, if it does."""
    if not any(made.kind in _ASKING for made in walk.made):
        return None
    asked = (discovery.asked_address(visit.packet) for visit in reversed(walk.visits))
    address = next((each for each in asked if each is not None), None)
    if address is None:
        return None
    routing = [
        visit
        for visit in walk.visits
        if visit.place.role is Role.ROUTING and isinstance(visit.entry, StoredEntry)
    ]
    if not routing:
        return None
    last = routing[-1]
    port = _port(scene, last.packet, "inport")
    why = None if port is None else no_host(scene, port.datapath, address)
    cause = _cause(scene, last.entry)
    if why is None or cause is None:
        return None
    text = f"lost at {scene.authored(cause)}: its next hop is {why}, which no host has"
    return Obstacle(ObstacleKind.NEXT_HOP, text, cause, last.packet)


def unheard(scene: Scene, owner: PortBinding) -> Obstacle:
    """Return the obstacle that the port that has an address is disabled, so it can't answer."""
    return _disabled(scene, scene.causes.of("logical_switch_port", owner.id), {})


# --- ACLs and connections


def _acl(scene: Scene, place: Visit | Drop, entry: Entry | None, is_reply: bool) -> Obstacle:
    cause = _cause(scene, entry)
    verb = "dropped" if isinstance(place, Drop) else "rejected"
    if cause is None or cause.kind != "acl":
        return _other(scene, place)
    speaks = packets.service(place.packet, is_reply=is_reply)
    ends = packets.addresses(place.packet)
    whom = f"{speaks} from {ends[0]} to {ends[1]}" if ends else f"this {speaks}"
    text = f"{verb} by {scene.authored(cause)}; no ACL of a higher priority allows {whom}"
    if packets.is_fragment(place.packet):
        text += f"; {NO_PORTS_SEEN}"
    return Obstacle(ObstacleKind.ACL, text, cause, place.packet)


# --- declared reasons


def _obstacle(scene: Scene, place: Visit | Drop, because: Because) -> Obstacle:
    """Return the obstacle that a declared reason is for the packet that ended there."""
    packet = place.packet
    closed = _closed(scene, packet, because.if_open)
    if closed is not None:
        return _disabled(scene, closed, packet)
    if because.kind in _WITHOUT_ANOTHER_WAY and place.place is not None:
        dead = scene.dead_flow(_datapath(scene, packet), place.place.name, packet)
        if dead is not None and _comes_before(dead, place.entry):
            cause = _cause(scene, dead)
            if cause is not None:
                return _dead_next_hop(scene, place, dead, cause)
    subject = _subject(scene, place, because.about)
    text = because.text.format_map(_Facts(scene, packet, subject))
    ends = packets.addresses(packet)
    port = _port(scene, packet, "inport")
    if because.kind is EndKind.NO_ROUTE and ends is not None and port is not None:
        text += f"; {ways_of(scene.reader, port.datapath, port.id, ends[1])}"
    detail = ""
    if because.kind is EndKind.PORT_SECURITY:
        detail = because.about.value
    elif because.kind in (EndKind.NO_ROUTE, EndKind.DISCARDED):
        detail = _datapath(scene, packet)
    return Obstacle(ObstacleKind(because.kind), text, subject, packet, detail=detail)


_WITHOUT_ANOTHER_WAY = frozenset({EndKind.NO_ROUTE, EndKind.DISCARDED, EndKind.POLICY})
"""Ends that a route or a policy would have prevented, had one of its next hops been alive."""


def _comes_before(dead: StoredEntry, end: Entry | None) -> bool:
    """Tell whether a flow would have come before the one that ended the packet."""
    return not isinstance(end, StoredEntry) or dead.priority > end.priority


def _dead_next_hop(scene: Scene, place: Visit | Drop, entry: StoredEntry, cause: Cause) -> Obstacle:
    """Return the obstacle that a route or policy is out: no BFD session that it goes by is up."""
    sessions = [member.session for member in watched_members(entry)]
    why = "; ".join(_session_text(scene, each) for each in sessions)
    text = f"dropped: {scene.authored(cause)}, is out, as its next hop is dead: {why}"
    if len(sessions) > 1:
        text = f"dropped: {scene.authored(cause)}, is out, as all its next hops are dead: {why}"
    return Obstacle(ObstacleKind.DEAD_NEXT_HOP, text, cause, place.packet)


def _session_text(scene: Scene, session: str) -> str:
    """Say how a BFD session is, and since when."""
    phrase = scene.causes.of("bfd_session", session).text
    status = scene.snapshot.bfd.get(session)
    if status is None:
        return f"no chassis has said anything of {phrase}"
    since = datetime.fromtimestamp(int(status.since), UTC).isoformat()
    why = diagnostic_text(status.diagnostic)
    return f"{phrase} is {status.state} since {since} on {status.chassis} ({why})"


def _subject(scene: Scene, place: Visit | Drop, about: Subject) -> Cause | None:
    """Return the object that a reason is about."""
    if about is Subject.CAUSE:
        return _cause(scene, place.entry)
    if about is Subject.DATAPATH:
        datapath = _datapath(scene, place.packet)
        known = scene.snapshot.datapaths.get(datapath)
        is_router = known is not None and known.kind == "lr"
        return scene.causes.of("logical_router" if is_router else "logical_switch", datapath)
    port = _port(scene, place.packet, about.value)
    return None if port is None else scene.causes.of(_kind(scene, port), port.id)


def _closed(scene: Scene, packet: Packet, opening: Opening | None) -> Cause | None:
    """Return the port that has to be open, or its router, if that is disabled."""
    if opening is None:
        return None
    if opening is Opening.DESTINATION:
        port = patch_to(scene, _datapath(scene, packet), packet.get("eth.dst", 0))
    else:
        port = _port(scene, packet, opening.value)
    if port is None:
        return None
    closed = closed_port(scene, port)
    if closed is None and not port.enabled:
        closed = scene.causes.of(_kind(scene, port), port.id)
    return closed


class _Facts(dict[str, str]):
    """The facts of a sentence by name, each found out when the sentence asks for it."""

    def __init__(self, scene: Scene, packet: Packet, subject: Cause | None) -> None:
        super().__init__()
        self._scene = scene
        self._packet = packet
        self._subject = subject

    def __missing__(self, name: str) -> str:
        if name not in (OBJECT, AUTHORED_OBJECT):
            return FACTS[Fact(name)](self._packet)
        if self._subject is None:
            return "an object that is not known"
        return self._subject.text if name == OBJECT else self._scene.authored(self._subject)


def _mac(packet: Packet, end: str) -> str:
    return format_value(f"eth.{end}", packet.get(f"eth.{end}", 0))


def _destination(packet: Packet) -> str:
    ends = packets.addresses(packet)
    return str(ends[1]) if ends else "anywhere"


def _ends(packet: Packet) -> str:
    ends = packets.addresses(packet)
    return f"from {ends[0]} to {ends[1]}" if ends else "like this"


def _claim(packet: Packet, end: str) -> str:
    """Return the addresses that the packet says it is from, or for."""
    mac = _mac(packet, end)
    ends = packets.addresses(packet)
    if "arp.spa" in packet:
        return f"{format_value('arp.spa', packet['arp.spa'])} with MAC {mac}"
    return f"{ends[end == 'dst']} with MAC {mac}" if ends else mac


FACTS: Mapping[Fact, Callable[[Packet], str]] = {
    Fact.MAC_SOURCE: lambda packet: _mac(packet, "src"),
    Fact.MAC_DESTINATION: lambda packet: _mac(packet, "dst"),
    Fact.SENDER: lambda packet: _claim(packet, "src"),
    Fact.RECEIVER: lambda packet: _claim(packet, "dst"),
    Fact.DESTINATION: _destination,
    Fact.ENDS: _ends,
    Fact.TTL: lambda packet: str(packet.get("ip.ttl", 0)),
    Fact.SERVICE: packets.service,
}
"""How each fact that a sentence may tell is read from a packet."""


# --- other obstacles


def _disabled(scene: Scene, cause: Cause, packet: Packet) -> Obstacle:
    text = f"dropped, because {scene.authored(cause)}, is disabled"
    return Obstacle(ObstacleKind.DISABLED, text, cause, packet)


def _other(scene: Scene, place: Visit | Drop) -> Obstacle:
    stage = place.place.name if place.place else "the end of the pipeline"
    cause = _cause(scene, place.entry)
    why = place.reason if isinstance(place, Drop) else FLOW_SAYS_SO
    by = f", by {scene.authored(cause)}" if cause else ""
    text = f"dropped in {place.datapath} at {stage}: {why}{by}"
    kind = ObstacleKind.OTHER
    if isinstance(place, Drop):
        port = _port(scene, place.packet, "outport")
        if port is not None and port.joins_datapaths and not port.peer:
            cause = scene.causes.of(_kind(scene, port), port.id)
            kind, text = ObstacleKind.UNATTACHED, f"dropped: {cause.text} leads nowhere"
    return Obstacle(kind, text, cause, place.packet)


def _kind(scene: Scene, port: PortBinding) -> str:
    datapath = scene.snapshot.datapaths[port.datapath]
    return "logical_router_port" if datapath.kind == "lr" else "logical_switch_port"


def _cause(scene: Scene, entry: Entry | None) -> Cause | None:
    if not isinstance(entry, StoredEntry):
        return None
    return scene.causes.of(entry.group.cause_kind, entry.group.cause_id)


def _datapath(scene: Scene, packet: Packet) -> str:
    """The datapath that a packet was in: that of the port where it came in, empty without one."""
    port = _port(scene, packet, "inport")
    return "" if port is None else port.datapath


def _port(scene: Scene, packet: Packet, side: str) -> PortBinding | None:
    name = packet.get(side)
    return scene.ports.get(name) if isinstance(name, str) else None


_ASKING = ("arp", "nd_ns")
