"""The packets of ARP and neighbour discovery: who has an address, and the answer.

All are mappings from fields to values, as the walk takes them.
"""

from ipaddress import IPv4Address, IPv6Address

from diagnosis.trace.addressing import arp_request
from diagnosis.trace.words import Address
from logical_flow.addresses import multicast_mac, solicited_node
from logical_flow.evaluate import Packet, Value
from logical_flow.packet import ETH_ARP, ETH_IP6, PROTO_ICMP6, MutablePacket

_TTL = 255
_SOLICITATION, _ADVERTISEMENT = 135, 136
_REQUEST, _REPLY = 1, 2


def question(inport: str, mac: int, source: Address, target: Address) -> MutablePacket:
    """Return the question who has `target`, by ARP or neighbour solicitation."""
    if isinstance(target, IPv4Address):
        return arp_request(inport, mac, source, target)
    group = solicited_node(target.packed)
    return {
        "inport": inport,
        "eth.src": mac,
        "eth.dst": int.from_bytes(multicast_mac(group)),
        **_discovery(_SOLICITATION, int(source), int.from_bytes(group), int(target)),
        "nd.sll": mac,
    }


def answer(asked: Packet, inport: str, mac: int) -> MutablePacket:
    """What the owner of the address says to a question that reached it at `inport`."""
    packet: MutablePacket = {"inport": inport, "eth.src": mac, "eth.dst": asked.get("eth.src", 0)}
    if asked.get("eth.type") == ETH_ARP:
        return packet | {
            "eth.type": ETH_ARP,
            "arp.op": _REPLY,
            "arp.sha": mac,
            "arp.spa": asked.get("arp.tpa", 0),
            "arp.tha": asked.get("arp.sha", 0),
            "arp.tpa": asked.get("arp.spa", 0),
        }
    target = asked.get("nd.target", 0)
    fields = _discovery(_ADVERTISEMENT, target, asked.get("ip6.src", 0), target)
    return packet | fields | {"nd.tll": mac}


def asked_address(packet: Packet) -> Address | None:
    """The address that the packet is a question for, if it is one."""
    if packet.get("eth.type") == ETH_ARP and packet.get("arp.op") == _REQUEST:
        target = packet.get("arp.tpa")
        return IPv4Address(target) if isinstance(target, int) else None
    if _is_discovery(packet, _SOLICITATION):
        target = packet.get("nd.target")
        return IPv6Address(target) if isinstance(target, int) else None
    return None


def answered_mac(packet: Packet) -> int | None:
    """Return the MAC address that the packet tells, if it answers a question for one."""
    mac = None
    if packet.get("eth.type") == ETH_ARP and packet.get("arp.op") == _REPLY:
        mac = packet.get("arp.sha")
    elif _is_discovery(packet, _ADVERTISEMENT):
        mac = packet.get("nd.tll")
    return mac if isinstance(mac, int) else None


def _is_discovery(packet: Packet, icmp_type: int) -> bool:
    return packet.get("ip.proto") == PROTO_ICMP6 and packet.get("icmp6.type") == icmp_type


def _discovery(icmp_type: int, source: Value, destination: Value, target: Value) -> MutablePacket:
    fields: MutablePacket = {"eth.type": ETH_IP6, "ip.proto": PROTO_ICMP6}
    fields |= {"ip6.src": source, "ip6.dst": destination, "nd.target": target}
    return fields | {"ip.ttl": _TTL, "icmp6.type": icmp_type, "icmp6.code": 0}
