"""An ACL that lets through just what another one drops."""

import re
from typing import Final

from sqlalchemy import select

from diagnosis.explain import packets
from diagnosis.explain.remedies.case import Case, Operation, Remedy, reference
from diagnosis.explain.scene import Scene
from logical_flow.constants import quote
from logical_flow.evaluate import Packet
from logical_flow.packet import ETH_ARP, format_value
from northbound.models import Acl

MAX_PRIORITY: Final = 32767


def allow(case: Case) -> Remedy:
    """Add an ACL right before the one that drops, making room for it where there is none."""
    acl = case.view()
    owner = "port_group" if acl["port_group"] else "logical_switch"
    owner_ref = reference(acl[owner], acl)
    tier, priority = acl["tier"], acl["priority"] + 1
    lowered: tuple[Operation, ...] = ()
    told = ""
    if priority > MAX_PRIORITY:
        priority = MAX_PRIORITY
        if tier > 0:
            tier -= 1
        elif _is_taken(case.scene, acl["direction"], priority - 1):
            text = f"lower the priority of {case.cause_text}, so that an ACL can come before it"
            return Remedy(text)
        else:
            lower = {"priority": priority - 1}
            lowered = case.update("", lower).operations
            told = f"lower the priority of {case.cause_text} to {priority - 1}, and "
    match = _exactly(case.packet, acl["direction"], is_reply=case.is_reply)
    action = "allow-related" if packets.addresses(case.packet) else "allow"
    speaks = packets.service(case.packet, is_reply=case.is_reply)
    values = {
        owner: owner_ref,
        "name": re.sub("[^a-z0-9]+", "-", f"allow-{speaks}".lower())[:63],
        "direction": acl["direction"],
        "tier": tier,
        "priority": priority,
        "match": match,
        "action": action,
    }
    if acl["apply_after_lb"]:
        values["apply_after_lb"] = True
    text = (
        f"{told}add an ACL to {owner.replace('_', ' ')} {owner_ref}: {acl['direction']}, "
        f"tier {tier}, priority {priority}, {action} {match}"
    )
    return Remedy(text, (*lowered, {"action": "create", "kind": "acl", "values": values}))


def _is_taken(scene: Scene, direction: str, priority: int) -> bool:
    """Whether an ACL of the first tier has a priority: another one there might tie with it."""
    query = select(Acl.id).where(
        Acl.direction == direction, Acl.tier == 0, Acl.priority == priority
    )
    return scene.reader.session.scalar(query.limit(1)) is not None


def _exactly(packet: Packet, direction: str, *, is_reply: bool) -> str:
    """A match for this port, source, destination and service, and nothing else.

    The service is where requests go to and replies come from; the other port is the
    client's, of which the next client has another.
    """
    side = "outport" if direction == "to-lport" else "inport"
    terms = [f"{side} == {quote(str(packet.get(side, '')))}"]
    if packet.get("eth.type") == ETH_ARP:
        names: tuple[str, ...] = ("arp.op", "arp.spa", "arp.tpa")
    elif ends := packets.addresses(packet):
        family = f"ip{ends[0].version}"
        names = (f"{family}.src", f"{family}.dst", _service_field(packet, is_reply))
    else:
        names = ("eth.src", "eth.dst", "eth.type")
    return " && ".join(
        [*terms, *(f"{name} == {format_value(name, packet.get(name, 0))}" for name in names)]
    )


def _service_field(packet: Packet, is_reply: bool) -> str:
    if packets.is_fragment(packet):
        return "ip.proto"
    protocol = packet.get("ip.proto")
    if isinstance(protocol, int) and (transport := packets.TRANSPORTS.get(protocol)):
        return f"{transport}.src" if is_reply else f"{transport}.dst"
    types = (name for name in ("icmp4.type", "icmp6.type") if name in packet)
    return next(types, "ip.proto")
