"""The packet to send instead, where the one that was sent is what is wrong."""

from typing import Final

from diagnosis.explain import packets
from diagnosis.explain.remedies.case import Case, Remedy
from diagnosis.trace.addressing import NoNeighbour, hosts
from diagnosis.trace.endings import ending
from diagnosis.trace.nested import nested_in, tag_of, tagged, untagged
from logical_flow.evaluate import Packet
from logical_flow.packet import format_value
from southbound.rows import PortBinding

_PLENTY: Final = 255
_USUAL: Final = 64
"""Time to live: of the longest way, and of what hosts send."""


def more_hops(case: Case) -> Remedy | None:
    """Enough hops for the way that the packet takes if it has plenty, else as many as usual."""
    if case.sent is None or case.question.packet is None:
        return None
    entry = case.question.entry.name
    end = ending(case.scene.walk({**case.sent, "ip.ttl": _PLENTY}), entry)
    left = [each.packet.get("ip.ttl") for each in end.forwarded]
    needed = _PLENTY - min((ttl for ttl in left if isinstance(ttl, int)), default=0) + 1
    if not left:
        ttl = case.sent.get("ip.ttl", 0)
        if isinstance(ttl, int) and ttl >= _USUAL:
            return None
        text = f"send it with a TTL of {_USUAL}, as hosts do"
        return Remedy(text, packet={**case.sent, "ip.ttl": _USUAL})
    text = f"send it with a TTL of {needed} at least: the way takes {needed - 1} routers"
    return Remedy(text, packet={**case.sent, "ip.ttl": needed})


def as_admitted(case: Case) -> Remedy | None:
    """Send it as who it arrives at takes it: without a tag, to its MAC address, from one's own."""
    if case.sent is None:
        return None
    tag = tag_of(case.sent)
    packet = untagged(case.sent)
    if tag is not None:
        return as_its_own(case) or Remedy("send it without a VLAN tag", packet=packet)
    cause = case.obstacle.cause
    if cause is not None and cause.kind == "logical_router_port":
        mac = case.view()["mac"]
        text = f"send it to {mac}, the MAC address of {cause.text}"
        return Remedy(text, packet={**packet, "eth.dst": int(mac.replace(":", ""), 16)})
    source = packet.get("eth.src", 0)
    if isinstance(source, int) and source >> 40 & 1:
        own = hosts(case.question.entry)
        if not own:
            return None
        text = f"send it from the port's own MAC address, {format_value('eth.src', own[0].mac)}"
        return Remedy(text, packet={**packet, "eth.src": own[0].mac})
    return to_next_hop(case)


def as_its_own(case: Case) -> Remedy | None:
    """The packet in the VLAN of the nested port whose addresses it is sent from.

    None if that is where it comes in, or if the sender is no port that is nested there.
    """
    question = case.question
    frame = {**(case.sent or {}), **(question.frame or {})}
    parent = str(frame.get("inport"))
    for port in nested_in(parent, case.scene.ports.values()):
        if port.tag != tag_of(frame) and _is_from(frame, port):
            means = f"by which {parent} tells frames of {port.name}"
            text = f"send it with the VLAN tag {port.tag}, {means}"
            return Remedy(text, packet=tagged(frame, port.tag))
    return None


def _is_from(packet: Packet, port: PortBinding) -> bool:
    """Whether a packet has the addresses of a port as its source."""
    ends = packets.addresses(packet)
    return any(
        host.mac == packet.get("eth.src") and (ends is None or ends[0] in host.addresses)
        for host in hosts(port)
    )


def to_next_hop(case: Case) -> Remedy | None:
    """The packet in a frame to whom its sender would find as the next hop."""
    ends = packets.addresses(case.packet)
    if ends is None or case.sent is None:
        return None
    datapath = case.question.entry.datapath
    found = case.scene.addressing(datapath).neighbour(datapath, *ends)
    if isinstance(found, NoNeighbour) or found.mac == case.sent.get("eth.dst"):
        return None
    mac = format_value("eth.dst", found.mac)
    text = f"send it to {mac}, the MAC address of {found.address}"
    return Remedy(text, packet={**case.sent, "eth.dst": found.mac})
