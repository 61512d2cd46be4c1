"""The smallest change that takes an obstacle away, for each kind of obstacle.

Most are changes of intent, as operations of a batch for ``POST /v1/transactions``. Where
the packet itself is wrong it is the packet to send instead, and where a hypervisor is,
the words to run there. Some obstacles have no remedy that could be named.

======================  =========================================================
an ACL                  an ACL of the same owner and tier, one priority higher, for
                        this source, destination and service alone; if no priority is
                        left, in the tier before, or above the ACL that makes room
port security           the address that is missing, in the port's ``port_security``
no route                a route to the one address, by the nearest router towards it
policy                  one that lets these two addresses pass, one priority higher
disabled                ``enabled`` again
DHCP                    it, switched on; the only options for an address of the port
unknown destination     the address, for the port that uses it or for a new port
NAT without gateway     a gateway port around the external address
no backend              which ones there are, and why each is not in use; no health check
======================  =========================================================
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from sqlalchemy import select

from diagnosis.explain import packets
from diagnosis.explain.checks import Check, CheckKind, Obstacle, ObstacleKind
from diagnosis.explain.dhcp import fitting_options
from diagnosis.explain.lookups import next_hop
from diagnosis.explain.lost_backends import advice
from diagnosis.explain.mending import MENDING
from diagnosis.explain.nat import gateway_for
from diagnosis.explain.question import Question
from diagnosis.explain.scene import Scene
from diagnosis.trace import discovery
from diagnosis.trace.addressing import NoNeighbour, hosts
from diagnosis.trace.endings import ending
from diagnosis.trace.words import Address
from logical_flow.constants import quote
from logical_flow.evaluate import Packet
from logical_flow.packet import ETH_ARP, MutablePacket, format_value
from northbound.ipam import made_up_mac
from northbound.models import Acl, LogicalRouter, LogicalRouterPort, LogicalSwitchPort
from northbound.names import DEFAULT_PROJECT, parse_name, qualified_name
from northbound.services import SERVICES

Operation = dict[str, Any]

MAX_PRIORITY = 32767
_HIGHEST_OF_POLICIES = 32767
_PLENTY = 255
_USUAL = 64
"""Time to live: of the longest way, and of what hosts send."""


@dataclass(frozen=True)
class Remedy:
    """What to do: `operations` of a batch, a `packet` to send instead, `commands` to run."""

    text: str
    operations: tuple[Operation, ...] = ()
    packet: MutablePacket | None = None
    commands: tuple[str, ...] = ()


def remedy(scene: Scene, question: Question, check: Check) -> Remedy | None:
    """What takes the obstacle away that a check has found."""
    if check.obstacle is None:
        return None
    mend = MENDING.get(check.obstacle.kind)
    if mend is not None:
        text, commands = mend(check.obstacle, scene.ports)
        return Remedy(text, commands=commands)
    find = _REMEDIES.get(check.obstacle.kind)
    if find is None:
        return None
    is_reply = check.kind is CheckKind.REPLY
    return find(_Case(scene, question, check.obstacle, check.packet, is_reply))


@dataclass(frozen=True)
class _Case:
    scene: Scene
    question: Question
    obstacle: Obstacle
    sent: Packet | None
    is_reply: bool

    @property
    def packet(self) -> Packet:
        """What met the obstacle, as it was there."""
        return self.obstacle.packet

    def view(self) -> dict[str, Any]:
        """The object to change, as users see it."""
        cause = self.obstacle.cause
        if cause is None:
            raise ValueError(f"an obstacle without an object: {self.obstacle.text}")
        service = SERVICES[cause.kind]
        return service.view(self.scene.reader, service.get(self.scene.reader, cause.id))

    def update(self, text: str, values: Mapping[str, Any]) -> Remedy:
        """Change the object behind the obstacle."""
        cause = self.obstacle.cause
        if cause is None:
            raise ValueError(f"an obstacle without an object: {self.obstacle.text}")
        view = self.view() if cause.name and SERVICES[cause.kind].named else None
        ref = cause.id if view is None else _ref(view["name"], view)
        operation = {"action": "update", "kind": cause.kind, "ref": ref, "values": dict(values)}
        return Remedy(text, (operation,))


def _ref(name: str, view: Mapping[str, Any]) -> str:
    """Return what refers to an object from everywhere, given how `view` names it."""
    project, own = parse_name(name)
    return qualified_name(project or view["project"], own, DEFAULT_PROJECT)


# --- ACLs


def _allow(case: _Case) -> Remedy:
    acl = case.view()
    owner = "port_group" if acl["port_group"] else "logical_switch"
    owner_ref = _ref(acl[owner], acl)
    tier, priority = acl["tier"], acl["priority"] + 1
    lowered: tuple[Operation, ...] = ()
    told = ""
    if priority > MAX_PRIORITY:
        priority = MAX_PRIORITY
        if tier > 0:
            tier -= 1
        elif _is_taken(case.scene, acl["direction"], priority - 1):
            text = f"lower the priority of {_cause_text(case)}, so that an ACL can come before it"
            return Remedy(text)
        else:
            lower = {"priority": priority - 1}
            lowered = case.update("", lower).operations
            told = f"lower the priority of {_cause_text(case)} to {priority - 1}, and "
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


# --- port security, disabled objects


def _secure(case: _Case) -> Remedy:
    port = case.view()
    mac, address = _claimed(case.packet, case.obstacle.detail == "inport")
    elements: list[str] = list(port["port_security"])
    for number, element in enumerate(elements):
        if element.split()[0] == mac and address is not None:
            elements[number] = f"{element} {address}"
            break
    else:
        elements.append(mac if address is None else f"{mac} {address}")
    what = f"{mac} {address}" if address else mac
    text = f"add {what} to port_security of logical switch port {port['name']}"
    return case.update(text, {"port_security": elements})


def _claimed(packet: Packet, sends: bool) -> tuple[str, Address | None]:
    """The MAC and IP address that port security has to allow for the packet."""
    end = "src" if sends else "dst"
    mac = format_value(f"eth.{end}", packet.get(f"eth.{end}", 0))
    if packet.get("eth.type") == ETH_ARP:
        sender = packet.get("arp.spa", 0)
        return mac, IPv4Address(sender) if isinstance(sender, int) else None
    ends = packets.addresses(packet)
    if ends is None:
        return mac, None
    target = packet.get("nd.target")
    if discovery.answered_mac(packet) is not None and isinstance(target, int):
        return mac, IPv6Address(target)
    return mac, ends[0] if sends else ends[1]


def _enable(case: _Case) -> Remedy:
    return case.update(f"enable {_cause_text(case)}", {"enabled": True})


# --- routes


def _route(case: _Case) -> Remedy | None:
    ends = packets.addresses(case.packet)
    if ends is None:
        return None
    destination = ends[1]
    router = _router(case)
    hop = next_hop(case.scene, case.obstacle.detail, destination)
    prefix = str(ip_network(destination))
    if hop is None:
        return Remedy(
            f"add a static route to {prefix} to logical router {router}: no router next to it "
            "leads there, so the address of the next hop is yours to say"
        )
    values = {"logical_router": router, "ip_prefix": prefix, "nexthop": str(hop)}
    text = f"add a static route to logical router {router}: {prefix} via {hop}"
    return Remedy(text, ({"action": "create", "kind": "static_route", "values": values},))


def _router(case: _Case) -> str:
    """Return what refers to the router that has no route."""
    row = case.scene.reader.by_id(LogicalRouter, case.obstacle.detail)
    if row is None:
        return case.scene.datapath_name(case.obstacle.detail)
    return qualified_name(row.project, row.name, DEFAULT_PROJECT)


def _undiscard(case: _Case) -> Remedy | None:
    route, cause = case.view(), case.obstacle.cause
    around = _route(case)
    is_network = "/" in route["ip_prefix"] and not route["ip_prefix"].endswith(("/32", "/128"))
    if around is not None and around.operations and is_network:
        return around
    operation = {"action": "delete", "kind": "static_route", "ref": cause.id if cause else ""}
    return Remedy(f"delete {_cause_text(case)}", (operation,))


def _unwatch(case: _Case) -> Remedy:
    """Let the route hold whatever its session says: the neighbour is not ours to revive."""
    text = f"bring the next hop back, or let {_cause_text(case)} hold without its BFD session"
    return case.update(text, {"bfd": False})


def _except_from_policy(case: _Case) -> Remedy | None:
    """A policy that lets just these two addresses pass, before the one that drops."""
    policy, cause = case.view(), case.obstacle.cause
    ends = packets.addresses(case.packet)
    if ends is None or policy["priority"] >= _HIGHEST_OF_POLICIES:
        ref = cause.id if cause else ""
        operation = {"action": "delete", "kind": "router_policy", "ref": ref}
        return Remedy(f"delete {_cause_text(case)}", (operation,))
    family = f"ip{ends[0].version}"
    values = {
        "logical_router": policy["logical_router"],
        "chain": policy["chain"],
        "priority": policy["priority"] + 1,
        "match": f"{family}.src == {ends[0]} && {family}.dst == {ends[1]}",
        "action": "allow",
    }
    text = (
        f"add a policy of priority {values['priority']} to logical router "
        f"{policy['logical_router']} that allows {values['match']}"
    )
    return Remedy(text, ({"action": "create", "kind": "router_policy", "values": values},))


# --- what is wrong with the packet


def _more_hops(case: _Case) -> Remedy | None:
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


def _as_admitted(case: _Case) -> Remedy | None:
    if case.sent is None:
        return None
    packet = {name: value for name, value in case.sent.items() if not name.startswith("vlan.")}
    if len(packet) < len(case.sent):
        return Remedy("send it without a VLAN tag", packet=packet)
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
    return _to_next_hop(case)


def _to_next_hop(case: _Case) -> Remedy | None:
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


# --- addresses that nobody has


def _address(case: _Case) -> Remedy | None:
    cause = case.obstacle.cause
    if cause is None:
        return None
    if cause.kind == "logical_switch_port":
        return _give_address(case)
    if not case.obstacle.detail:
        return _to_next_hop(case)
    ends = case.question.ends
    address = case.obstacle.detail
    if ends is not None and str(ends.source) == address:
        return _claim(case, address)
    return _new_port(case, address)


def _give_address(case: _Case) -> Remedy:
    """An address of the switch's subnet for a port that has none."""
    port = case.view()
    switch = SERVICES["logical_switch"]
    ref = _ref(port["logical_switch"], port)
    view = switch.view(case.scene.reader, switch.get(case.scene.reader, ref))
    text = f"give logical switch port {port['name']} an IP address"
    if not (view["subnet4"] or view["subnet6"]):
        return Remedy(f"{text}: its switch has no subnet to take one from")
    kept = [element for element in port["addresses"] if ":" not in element]
    macs = [element.split()[0] for element in port["addresses"] if ":" in element]
    elements = [*(f"{mac} dynamic" for mac in macs[:1]), *kept] if macs else ["dynamic", *kept]
    return case.update(f"{text} of its switch's subnet", {"addresses": elements})


def _claim(case: _Case, address: str) -> Remedy | None:
    """The address for the port that sends from it, so that replies find it."""
    entry, ends = case.question.entry, case.question.ends
    row = case.scene.reader.by_id(LogicalSwitchPort, entry.id)
    if row is None or ends is None:
        return None
    mac = format_value("eth.src", ends.sender.mac)
    elements = list(row.addresses)
    for number, element in enumerate(elements):
        if element.split()[0] == mac:
            elements[number] = f"{element} {address}"
            break
    else:
        elements.append(f"{mac} {address}")
    values = {"addresses": elements}
    operation = {
        "action": "update",
        "kind": "logical_switch_port",
        "ref": entry.name,
        "values": values,
    }
    text = f"add {address} to the addresses of logical switch port {entry.name}, which uses it"
    return Remedy(text, (operation,))


def _new_port(case: _Case, address: str) -> Remedy:
    """A port for the workload that has the address."""
    switch = case.view()
    ref = _ref(switch["name"], switch)
    name = f"{switch['name']}-{address.replace(':', '-').replace('.', '-')}"
    values = {
        "name": name,
        "logical_switch": ref,
        "addresses": [f"{made_up_mac(name)} {address}"],
    }
    text = f"declare the workload that has {address} as a port of logical switch {ref}"
    operation = {"action": "create", "kind": "logical_switch_port", "values": values}
    return Remedy(text, (operation,))


def _connect(case: _Case) -> Remedy | None:
    cause = case.obstacle.cause
    if cause is None or cause.kind != "logical_switch":
        return None
    return Remedy(f"connect {cause.text} to a router that leads to {case.obstacle.detail}")


def _serve(case: _Case) -> Remedy | None:
    """Switch DHCP on, or refer to the only options that are for an address of the port."""
    view = case.view()
    if not view["dhcp"]:
        return case.update(f"let DHCP clients of {_cause_text(case)} be answered", {"dhcp": True})
    version = int(case.obstacle.detail)
    field = f"dhcpv{version}_options"
    port = case.scene.ports[str(case.packet["inport"])]
    fitting = fitting_options(case.scene, port, version)
    if len(fitting) != 1 or view[field] is not None:
        return None
    name = fitting[0].name
    return case.update(f"give {_cause_text(case)} the DHCP options {name}", {field: name})


def _bring_back(case: _Case) -> Remedy | None:
    cause = case.obstacle.cause
    if cause is None or cause.kind != "load_balancer_vip":
        return None
    view, down = case.view(), case.scene.snapshot.down.get(f"&{cause.id}", {})
    text = advice(cause.text, view["backends"], down)
    if not view["backends"] or view["health_check"] is None:
        return Remedy(text)
    # Whether a backend is to be had is for its owner to say; what keeps packets from it isn't.
    return case.update(
        f"{text}; or have it asked by clients, without health_check", {"health_check": None}
    )


def _send_less(case: _Case) -> Remedy | None:
    """Have workloads send what the network beyond a router port carries, and no more."""
    name = case.packet.get("outport")
    port = case.scene.ports.get(name) if isinstance(name, str) else None
    row = None if port is None else case.scene.reader.by_id(LogicalRouterPort, port.id)
    if row is None or row.gateway_mtu is None:
        return None
    return Remedy(
        f"tell workloads an MTU of {row.gateway_mtu}, by DHCP and router advertisements; or, if "
        "the network beyond carries more, say so as gateway_mtu of logical router port "
        f"{row.name}"
    )


def _give_gateway(case: _Case) -> Remedy | None:
    cause = case.obstacle.cause
    gateway = gateway_for(case.scene, cause.id) if cause and cause.kind == "nat" else None
    if gateway is None:
        return None
    kind, ref, values = "logical_router_port", gateway.ref, gateway.values
    operation = {"action": "update", "kind": kind, "ref": ref, "values": values}
    return Remedy(gateway.text, (operation,))


def _cause_text(case: _Case) -> str:
    return case.obstacle.cause.text if case.obstacle.cause else ""


_REMEDIES: Mapping[ObstacleKind, Callable[[_Case], Remedy | None]] = {
    ObstacleKind.ACL: _allow,
    ObstacleKind.PORT_SECURITY: _secure,
    ObstacleKind.DISABLED: _enable,
    ObstacleKind.DHCP: _serve,
    ObstacleKind.NO_ROUTE: _route,
    ObstacleKind.DISCARDED: _undiscard,
    ObstacleKind.DEAD_NEXT_HOP: _unwatch,
    ObstacleKind.POLICY: _except_from_policy,
    ObstacleKind.TTL: _more_hops,
    ObstacleKind.ADMISSION: _as_admitted,
    ObstacleKind.UNKNOWN_DESTINATION: _address,
    ObstacleKind.UNATTACHED: _connect,
    ObstacleKind.NAT: _give_gateway,
    ObstacleKind.NO_BACKEND: _bring_back,
    ObstacleKind.TOO_BIG: _send_less,
}
