"""The packets of an explanation: replies, and what packets are in words.

All are mappings from fields to values, as the walk takes them. :func:`as_match` writes
one as a match that :func:`logical_flow.packet.packet_from_match` makes the same of.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Literal

from diagnosis.trace.addressing import addresses as addresses
from logical_flow.evaluate import Packet
from logical_flow.fields import SYMBOLS
from logical_flow.fragments import as_switch_sees
from logical_flow.packet import (
    ETH_ARP,
    ETH_IP4,
    ETH_IP6,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
    MutablePacket,
    changes,
    format_value,
)

_SYN_ACK = 0x012
_TTL = 64
_FIRST_FRAGMENT, _LATER_FRAGMENT = 0b01, 0b11
_ECHOES = {PROTO_ICMP4: ("icmp4", 8, 0), PROTO_ICMP6: ("icmp6", 128, 129)}
_SOLICITATION, _ADVERTISEMENT = 133, 134
_ALL_ROUTERS = int(IPv6Address("ff02::2"))
_DHCP4, _DHCP6 = (68, 67), (546, 547)
"""The UDP ports of clients and servers."""
TRANSPORTS = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}


def is_echo_reply(packet: Packet) -> bool:
    """Whether a ping was answered by this."""
    return any(
        packet.get("ip.proto") == protocol and packet.get(f"{name}.type") == reply
        for protocol, (name, _, reply) in _ECHOES.items()
    )


def is_fragment(packet: Packet) -> bool:
    """Whether a packet is part of a larger one, and known to be."""
    return bool(packet.get("ip.frag"))


def in_fragments(packet: Packet) -> Iterator[MutablePacket]:
    """Yield a packet's first fragment and a later one, as a switch sees them."""
    for fragment in (_FIRST_FRAGMENT, _LATER_FRAGMENT):
        yield as_switch_sees({**packet, "ip.frag": fragment})


def dhcp_version(packet: Packet) -> Literal[4, 6] | None:
    """The version of DHCP that a client speaks to all servers; None for any other packet."""
    ends = (packet.get("ip.proto"), packet.get("udp.src"), packet.get("udp.dst"))
    if ends == (PROTO_UDP, *_DHCP4) and packet.get("eth.type") == ETH_IP4:
        return 4
    return 6 if ends == (PROTO_UDP, *_DHCP6) and packet.get("eth.type") == ETH_IP6 else None


def is_dhcp_answer(packet: Packet) -> bool:
    """Whether a client of DHCP was answered by this."""
    ends = (packet.get("udp.dst"), packet.get("udp.src"))
    return packet.get("ip.proto") == PROTO_UDP and ends in (_DHCP4, _DHCP6)


def is_router_solicitation(packet: Packet) -> bool:
    """Whether a host asks all routers to advertise themselves by this."""
    return _is_icmp6(packet, _SOLICITATION) and packet.get("ip6.dst") == _ALL_ROUTERS


def is_advertisement(packet: Packet) -> bool:
    """Whether a router advertises itself by this."""
    return _is_icmp6(packet, _ADVERTISEMENT)


def _is_icmp6(packet: Packet, icmp_type: int) -> bool:
    return packet.get("ip.proto") == PROTO_ICMP6 and packet.get("icmp6.type") == icmp_type


def reply_to(request: Packet, inport: str, next_hop: int) -> MutablePacket | None:
    """Return what the one who got `request` at `inport` sends back; None if nothing is due."""
    ends = addresses(request)
    if ends is None or ends[1].is_multicast:
        return None
    prefix = f"ip{ends[0].version}"
    packet: MutablePacket = {
        "inport": inport,
        "eth.src": request.get("eth.dst", 0),
        "eth.dst": next_hop,
        "eth.type": request["eth.type"],
        f"{prefix}.src": int(ends[1]),
        f"{prefix}.dst": int(ends[0]),
        "ip.ttl": _TTL,
        "ip.proto": request.get("ip.proto", 0),
    }
    protocol = request.get("ip.proto")
    if isinstance(protocol, int) and (transport := TRANSPORTS.get(protocol)):
        packet[f"{transport}.src"] = request.get(f"{transport}.dst", 0)
        packet[f"{transport}.dst"] = request.get(f"{transport}.src", 0)
        return packet | ({"tcp.flags": _SYN_ACK} if protocol == PROTO_TCP else {})
    if isinstance(protocol, int) and (echo := _ECHOES.get(protocol)):
        name, asks, replies = echo
        if request.get(f"{name}.type") == asks:
            return packet | {f"{name}.type": replies, f"{name}.code": 0}
    return None


def service(packet: Packet, *, is_reply: bool = False) -> str:
    """What the packet speaks; the other port is the client's.

    >>> service({"eth.type": 0x800, "ip.proto": 6, "tcp.dst": 443})
    'tcp/443'
    >>> service({"eth.type": 0x800, "ip.proto": 6, "tcp.src": 443}, is_reply=True)
    'replies of tcp/443'
    >>> service({"eth.type": 0x800, "ip.proto": 17, "ip.frag": 3})
    'fragments of udp'
    """
    if packet.get("eth.type") == ETH_ARP:
        return "ARP"
    protocol = packet.get("ip.proto")
    if is_fragment(packet):
        names = {**TRANSPORTS, PROTO_ICMP4: "icmp", PROTO_ICMP6: "icmp"}
        known = names.get(protocol) if isinstance(protocol, int) else None
        return "fragments" if known is None else f"fragments of {known}"
    if isinstance(protocol, int) and (transport := TRANSPORTS.get(protocol)):
        end = "src" if is_reply else "dst"
        return "replies of " * is_reply + f"{transport}/{packet.get(f'{transport}.{end}', 0)}"
    if protocol in (PROTO_ICMP4, PROTO_ICMP6):
        return "icmp"
    if addresses(packet):
        return f"IP protocol {protocol}"
    return f"Ethernet type {format_value('eth.type', packet.get('eth.type', 0))}"


def as_match(packet: Packet) -> str:
    """The packet as a match that no other packet fits in the fields that it has.

    >>> as_match({"inport": "web-1", "eth.type": 0x800, "ip4.src": 0x0A000001, "ip.ttl": 64})
    'inport == "web-1" && eth.type == 0x800 && ip4.src == 10.0.0.1 && ip.ttl == 64'

    What a packet carries that isn't a field, such as what an ICMP error quotes, is left out.

    >>> as_match({"eth.type": 0x806, "quoted.protocol": 17})
    'eth.type == 0x806'
    """
    return " && ".join(
        f"{name} == {format_value(name, value)}"
        for name, value in sorted(packet.items(), key=lambda item: _layer(item[0]))
        if name in SYMBOLS
        and value not in (None, "")
        and (value != 0 or name.startswith(_ZERO_COUNTS))
    )


def described(packet: Packet) -> str:
    """The packet's headers, without what a pipeline keeps beside it."""
    headers = {name: value for name, value in packet.items() if _layer(name) < len(_LAYERS)}
    return ", ".join(
        f"{change.name}={format_value(change.name, change.after)}"
        for change in changes({}, headers)
    )


_ZERO_COUNTS = ("ip.ttl", "icmp4.type", "ip4.src", "ip6.src")
_LAYERS = (
    *("inport", "eth.", "vlan.", "arp.", "ip4.", "ip6.", "ip."),
    *("tcp.", "udp.", "sctp.", "icmp4.", "icmp6.", "nd."),
)


def _layer(name: str) -> int:
    """Outer headers come first."""
    return next((n for n, layer in enumerate(_LAYERS) if name.startswith(layer)), len(_LAYERS))
