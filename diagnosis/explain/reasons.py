"""From where a packet ended to the object behind it, as a sentence.

Which flow it met there says what kind of obstacle it is; where no flow fitted the stage
does, and intent tells the rest: of a port without flows whether it is disabled, of a
missing route whether the port that had it is. What stands after "the request is" or "the
reply is" is written so that it can.
"""

from collections.abc import Callable, Mapping

from diagnosis.explain import packets
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.lookups import closed_port, no_host, patch_to
from diagnosis.explain.scene import Scene
from diagnosis.trace.addressing import Nobody
from diagnosis.trace.causes import Cause
from diagnosis.trace.result import Ending, deciding, doubt
from diagnosis.trace.stored_flows import StoredEntry
from diagnosis.trace.words import Address
from logical_flow.evaluate import Packet
from logical_flow.flow_table import Entry
from logical_flow.packet import format_value
from logical_flow.template import Template
from logical_flow.walk_events import FLOW_SAYS_SO, Drop, Made, Visit, Walk
from southbound.rows import PortBinding
from translator.features.acl.stages import (
    LsInAclAction,
    LsInAclPre,
    LsInAclState,
    LsOutAclAction,
    LsOutAclPre,
    LsOutAclState,
)
from translator.features.neighbours.stages import LrInArpRequest, LrInArpResolve
from translator.features.port_security.stages import (
    LsInPortSecIp,
    LsInPortSecL2,
    LsInPortSecNd,
    LsOutPortSecIp,
    LsOutPortSecL2,
)
from translator.features.router.stages import LrInAdmission, LrInIpInput, LrOutDelivery
from translator.features.routing.stages import LrInIpRouting
from translator.features.switching.stages import LsInL2Lookup, LsInL2Unknown

Reason = Callable[[Scene, Packet, Entry | None], Obstacle]


def reason(
    scene: Scene, walk: Walk, end: Ending, wanted: str, *, is_reply: bool = False
) -> Obstacle:
    """Why a packet that was walked did not reach the port `wanted`, or anybody."""
    place = _decisive(walk, end, wanted)
    if place is None:
        return _misled(scene, end, wanted)
    stage = place.place.name if place.place else ""
    if stage in ACL_ACTIONS:
        return _acl(scene, place, deciding(walk, place), is_reply)
    found: Reason | None = None
    if place.entry is not None:
        found = BY_FLOW.get(place.entry.flow.template.id)
    elif place.place is not None and place.place.default == "drop":
        found = BY_DEFAULT.get(stage)
    if found is not None:
        return found(scene, place.packet, place.entry)
    return _other(scene, place)


def _decisive(walk: Walk, end: Ending, wanted: str) -> Visit | Drop | None:
    """The event that kept the packet from where it should have gone."""
    refused = refusal(walk)
    if refused is not None and end.outcome != "delivered":
        return refused
    for drop in walk.drops:
        if wanted and drop.packet.get("outport") == wanted:
            return drop
    if isinstance(end.place, Visit | Drop):
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
        elif isinstance(event, Made) and event.kind not in _NO_ANSWERS:
            return last
    return None


def _misled(scene: Scene, end: Ending, wanted: str) -> Obstacle:
    """That the packet was delivered, but not to the port that was asked about."""
    if not end.forwarded:
        return Obstacle(ObstacleKind.OTHER, "delivered to nobody")
    port = scene.ports[end.forwarded[0].port]
    cause = scene.causes.of("logical_switch_port", port.id)
    packet = end.forwarded[0].packet
    text = f"delivered to {scene.authored(cause)}, which has {_claim(packet, 'dst')}"
    return Obstacle(ObstacleKind.OTHER, f"{text}, instead of {wanted}", cause, packet)


def uncertain(scene: Scene, drop: Drop) -> Obstacle:
    """That it is not known whether a packet goes on."""
    place = f"in {drop.datapath} at {drop.place.name}" if drop.place else f"in {drop.datapath}"
    cause = None if drop.rivals else _cause(scene, drop.entry)
    by = f", by {scene.authored(cause)}" if cause else ""
    text = f"perhaps dropped {place}{by}: {doubt(drop, scene.causes)}"
    return Obstacle(ObstacleKind.UNKNOWN, text, cause, drop.packet, certain=False)


# --- what is known before any packet is sent


def unaddressed(scene: Scene, port: PortBinding) -> Obstacle:
    """That a port has no IP address to reach it by."""
    cause = scene.causes.of("logical_switch_port", port.id)
    text = f"{scene.authored(cause)}, has no IP address"
    return Obstacle(ObstacleKind.UNKNOWN_DESTINATION, text, cause, {"outport": port.name})


def unknown_address(scene: Scene, datapath: str, address: Address, nobody: Nobody) -> Obstacle:
    """That nobody on a switch has an address, nor leads there."""
    cause = scene.causes.of("logical_switch", datapath)
    kind = ObstacleKind.UNKNOWN_DESTINATION if nobody.on_link else ObstacleKind.UNATTACHED
    detail = "" if nobody.reserved else str(address)
    return Obstacle(kind, f"{cause.text}: {nobody.reason}", cause, detail=detail)


def unresolved(
    scene: Scene, address: Address, asked: list[PortBinding], packet: Packet
) -> Obstacle:
    """That nobody answers a router that asks for an address."""
    cause = scene.causes.of("logical_switch", asked[0].datapath)
    text = f"no port of {cause.text} has the address {address}, which the router asks for"
    return Obstacle(
        ObstacleKind.UNKNOWN_DESTINATION, text, cause, dict(packet), detail=str(address)
    )


def misrouted(scene: Scene, walk: Walk) -> Obstacle | None:
    """That a router asks for a next hop that no host can have."""
    if not any(made.kind in _ASKING for made in walk.made):
        return None
    asked = (packets.asked_address(visit.packet) for visit in reversed(walk.visits))
    address = next((each for each in asked if each is not None), None)
    if address is None:
        return None
    routing = [
        visit
        for visit in walk.visits
        if visit.place.name == LrInIpRouting.name and isinstance(visit.entry, StoredEntry)
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
    """That the owner of an address is not there to answer for it: its port is disabled."""
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
    return Obstacle(ObstacleKind.ACL, text, cause, place.packet)


def _connection(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    cause = _cause(scene, entry)
    where = cause.text if cause else "the switch"
    text = f"dropped by {where}: by its connection's state it belongs to none that is allowed"
    return Obstacle(ObstacleKind.CONNECTION, text, cause, packet)


# --- port security and admission


def _spoofed(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "inport")
    if port is not None and not port.enabled:
        return _disabled(scene, scene.causes.of("logical_switch_port", port.id), packet)
    claim = _claim(packet, "src")
    return _secured(scene, packet, port, f"it may not send as {claim}", "inport")


def _misdirected(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "outport")
    if port is not None and not port.enabled:
        return _disabled(scene, scene.causes.of("logical_switch_port", port.id), packet)
    claim = _claim(packet, "dst")
    return _secured(scene, packet, port, f"it may not receive as {claim}", "outport")


def _secured(
    scene: Scene, packet: Packet, port: PortBinding | None, why: str, side: str
) -> Obstacle:
    cause = scene.causes.of("logical_switch_port", port.id if port else "")
    text = f"dropped by port security of {scene.authored(cause)}: {why}"
    return Obstacle(ObstacleKind.PORT_SECURITY, text, cause, packet, detail=side)


def _claim(packet: Packet, end: str) -> str:
    """Who the packet says it is from, or for."""
    mac = format_value(f"eth.{end}", packet.get(f"eth.{end}", 0))
    ends = packets.addresses(packet)
    if "arp.spa" in packet:
        return f"{format_value('arp.spa', packet['arp.spa'])} with MAC {mac}"
    return f"{ends[end == 'dst']} with MAC {mac}" if ends else mac


def _vlan_tagged(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    return _admission(scene, packet, entry, "frames with a VLAN tag are not admitted")


def _multicast_source(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    mac = format_value("eth.src", packet.get("eth.src", 0))
    why = f"the source MAC address {mac} is a multicast one, which nobody can have"
    return _admission(scene, packet, entry, why)


def _unreadable(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    why = "its IPv6 headers are cut short, so that no ACL can judge it"
    return _admission(scene, packet, entry, why)


def _no_router(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    why = "a port with port security is no router, and this advertises one or redirects to one"
    return _admission(scene, packet, entry, why)


def _no_dhcp_server(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    why = "a port with port security is no DHCP server, and this answers a DHCP client"
    return _admission(scene, packet, entry, why)


def _admission(scene: Scene, packet: Packet, entry: Entry | None, why: str) -> Obstacle:
    cause = _cause(scene, entry)
    where = f" by {cause.text}" if cause else ""
    return Obstacle(ObstacleKind.ADMISSION, f"dropped{where}: {why}", cause, packet)


def _fault(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    cause = _cause(scene, entry)
    where = cause.text if cause else "an object"
    text = f"dropped because {where} could not be translated: faults of the status say why"
    return Obstacle(ObstacleKind.FAULT, text, cause, packet)


# --- where it should go


def _disabled_by_flow(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    cause = _cause(scene, entry)
    return _disabled(scene, cause, packet) if cause else _nobody(scene, packet, entry)


def _disabled(scene: Scene, cause: Cause, packet: Packet) -> Obstacle:
    text = f"dropped, because {scene.authored(cause)} is disabled"
    return Obstacle(ObstacleKind.DISABLED, text, cause, packet)


def _nobody(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "inport")
    mac = packet.get("eth.dst", 0)
    gateway = patch_to(scene, port.datapath if port else "", mac)
    if gateway is not None and not gateway.enabled:
        return _disabled(scene, scene.causes.of("logical_switch_port", gateway.id), packet)
    cause = scene.causes.of("logical_switch", port.datapath if port else "")
    text = f"dropped: no port of {cause.text} has the MAC address {format_value('eth.dst', mac)}"
    return Obstacle(ObstacleKind.UNKNOWN_DESTINATION, text, cause, packet)


def _not_admitted(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "inport")
    closed = None if port is None else closed_port(scene, port)
    if closed is not None:
        return _disabled(scene, closed, packet)
    cause = scene.causes.of("logical_router_port", port.id if port else "")
    mac = format_value("eth.dst", packet.get("eth.dst", 0))
    text = f"dropped by {cause.text}: {mac} is not its MAC address"
    return Obstacle(ObstacleKind.ADMISSION, text, cause, packet)


def _not_delivered(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "outport")
    closed = None if port is None else closed_port(scene, port)
    return _disabled(scene, closed, packet) if closed else _not_admitted(scene, packet, entry)


def _no_route(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "inport")
    router = port.datapath if port else ""
    ends = packets.addresses(packet)
    cause = scene.causes.of("logical_router", router)
    text = f"dropped: {scene.authored(cause)}, has no route to {ends[1] if ends else 'anywhere'}"
    return Obstacle(ObstacleKind.NO_ROUTE, text, cause, packet, detail=router)


def _discarded(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    cause = _cause(scene, entry)
    port = _port(scene, packet, "inport")
    text = f"discarded by {scene.authored(cause)}" if cause else "discarded by a route"
    router = port.datapath if port else ""
    return Obstacle(ObstacleKind.DISCARDED, text, cause, packet, detail=router)


# --- what routers don't forward


def _expired(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    port = _port(scene, packet, "inport")
    cause = scene.causes.of("logical_router", port.datapath if port else "")
    ttl = packet.get("ip.ttl", 0)
    text = f"dropped by {cause.text}: its time to live is over, it came there with {ttl}"
    return Obstacle(ObstacleKind.TTL, text, cause, packet)


def _not_forwarded(scene: Scene, packet: Packet, why: str) -> Obstacle:
    port = _port(scene, packet, "inport")
    cause = scene.causes.of("logical_router", port.datapath if port else "")
    return Obstacle(ObstacleKind.ROUTER, f"not forwarded by {cause.text}: {why}", cause, packet)


def _martian(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    ends = packets.addresses(packet)
    pair = f"from {ends[0]} to {ends[1]}" if ends else "like this"
    return _not_forwarded(scene, packet, f"no network has packets {pair} for another")


def _own_source(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    return _not_forwarded(scene, packet, f"its own address is the source, {_claim(packet, 'src')}")


def _broadcast_source(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    why = f"a broadcast address is the source, {_claim(packet, 'src')}"
    return _not_forwarded(scene, packet, why)


def _neighbours_only(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    why = "ARP and neighbour discovery stay where they are, and this asks for none of its addresses"
    return _not_forwarded(scene, packet, why)


def _multicast(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    return _not_forwarded(scene, packet, "multicast and broadcast stay where they are")


def _unspecified(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    return _not_forwarded(scene, packet, "its source is ::, whose packets stay where they are")


def _off_link(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    why = "packets from and to link-local addresses stay on their link"
    return _not_forwarded(scene, packet, why)


def _no_next_hop(scene: Scene, packet: Packet, _entry: Entry | None) -> Obstacle:
    why = "it has no means to find the MAC address of the next hop"
    return _not_forwarded(scene, packet, why)


def _refused(scene: Scene, packet: Packet, entry: Entry | None) -> Obstacle:
    cause = _cause(scene, entry)
    where = cause.text if cause else "the router"
    text = f"refused by {where}: the address is its own, and nothing there takes "
    return Obstacle(ObstacleKind.ROUTER, text + packets.service(packet), cause, packet)


def _other(scene: Scene, place: Visit | Drop) -> Obstacle:
    stage = place.place.name if place.place else "the end of the pipeline"
    cause = _cause(scene, place.entry)
    why = place.reason if isinstance(place, Drop) else FLOW_SAYS_SO
    by = f", by {scene.authored(cause)}" if cause else ""
    text = f"dropped in {place.datapath} at {stage}: {why}{by}"
    kind = ObstacleKind.OTHER
    if isinstance(place, Drop):
        port = _port(scene, place.packet, "outport")
        if port is not None and port.type == "patch" and not port.peer:
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


def _port(scene: Scene, packet: Packet, side: str) -> PortBinding | None:
    name = packet.get(side)
    return scene.ports.get(name) if isinstance(name, str) else None


_ASKING = ("arp", "nd_ns")
_NO_ANSWERS = ("clone", *_ASKING)

ACL_ACTIONS = (LsInAclAction.name, LsOutAclAction.name)
"""Stages that carry out what an ACL decided: that ACL is the reason."""


def _of(reason: Reason, *templates: Template) -> dict[int, Reason]:
    return {template.id: reason for template in templates}


BY_FLOW: Mapping[int, Reason] = {
    **_of(_vlan_tagged, LsInPortSecL2.vlan_tagged, LrInAdmission.vlan_tagged),
    **_of(_multicast_source, LsInPortSecL2.multicast_source, LrInAdmission.multicast_source),
    **_of(_unreadable, LsInAclPre.unreadable, LsOutAclPre.unreadable),
    **_of(_fault, LsInPortSecL2.closed, LrInAdmission.closed),
    **_of(_spoofed, LsInPortSecNd.other, LsInPortSecIp.other),
    **_of(_no_router, LsInPortSecNd.router),
    **_of(_no_dhcp_server, LsInPortSecNd.dhcp_server),
    **_of(_misdirected, LsOutPortSecIp.other),
    **_of(_connection, LsInAclState.invalid, LsOutAclState.invalid),
    **_of(_connection, LsInAclState.blocked_reply, LsOutAclState.blocked_reply),
    **_of(_connection, LsInAclState.blocked_related, LsOutAclState.blocked_related),
    **_of(
        _disabled_by_flow, LsInL2Lookup.disabled, LsOutPortSecL2.disabled, LrOutDelivery.disabled
    ),
    **_of(_martian, LrInIpInput.martian4, LrInIpInput.martian6),
    **_of(_own_source, LrInIpInput.spoofed4, LrInIpInput.spoofed6),
    **_of(_broadcast_source, LrInIpInput.broadcast_source),
    **_of(_neighbours_only, LrInIpInput.other_neighbour),
    **_of(_multicast, LrInIpInput.multicast),
    **_of(_unspecified, LrInIpInput.unspecified6),
    **_of(_off_link, LrInIpRouting.off_link),
    **_of(
        _refused,
        *(LrInIpInput.udp4, LrInIpInput.udp6, LrInIpInput.udp6_link_local),
        *(LrInIpInput.tcp4, LrInIpInput.tcp6, LrInIpInput.tcp6_link_local),
        *(LrInIpInput.sctp4, LrInIpInput.sctp6, LrInIpInput.sctp6_link_local),
        *(LrInIpInput.icmp4, LrInIpInput.icmp6, LrInIpInput.icmp6_link_local),
        *(LrInIpInput.protocol4, LrInIpInput.protocol6, LrInIpInput.protocol6_link_local),
        *(LrInIpInput.own4, LrInIpInput.own6, LrInIpInput.own6_link_local),
    ),
    **_of(
        _expired,
        *(LrInIpInput.expired4, LrInIpInput.expired4_from),
        *(LrInIpInput.expired6, LrInIpInput.expired6_from),
        LrInIpInput.expired,
    ),
    **_of(
        _discarded,
        *(LrInIpRouting.discard4, LrInIpRouting.discard6),
        *(LrInIpRouting.discard_by_source4, LrInIpRouting.discard_by_source6),
    ),
}
"""What it means to have ended at a flow of these templates; all that end packets are here."""

BY_DEFAULT: Mapping[str, Reason] = {
    LsInPortSecL2.name: _spoofed,
    LsInL2Lookup.name: _nobody,
    LsInL2Unknown.name: _nobody,
    LsOutPortSecL2.name: _misdirected,
    LrInAdmission.name: _not_admitted,
    LrInIpRouting.name: _no_route,
    LrInArpResolve.name: _no_next_hop,
    LrInArpRequest.name: _no_next_hop,
    LrOutDelivery.name: _not_delivered,
}
"""What it means that no flow of a stage fitted; all stages that drop by default are here."""
