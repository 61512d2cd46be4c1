"""What becomes of a packet: where it, or what was made of it, comes out, and how it looks there.

Nothing at all is a drop. Packets made on the way come out like others, so that an answer
is told by its headers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from logical_flow.evaluate import Packet
from logical_flow.packet import (
    ETH_ARP,
    ETH_IP4,
    ETH_IP6,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
    format_value,
)

Outcome = Counter[str]
"""``port: field=value, …`` and how often."""

_PORTS = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}
_ICMP = {PROTO_ICMP4: "icmp4", PROTO_ICMP6: "icmp6"}
_ND_ADDRESS = {135: "nd.sll", 136: "nd.tll"}


def delivery(port: str, packet: Packet) -> str:
    """How a packet that comes out is written."""
    shown = ", ".join(f"{name}={value}" for name, value in shown_headers(packet))
    return f"{port}: {shown}"


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """What becomes of a packet if a hash chooses one of these, as one outcome.

    Equal whichever the order of the ways was, and however many of them end alike.
    """
    different = sorted({tuple(sorted(outcome.items())) for outcome in outcomes})
    if len(different) == 1:
        return Outcome(dict(different[0]))
    return Outcome(
        {
            f"{text} (in {number} of {len(different)})": count
            for number, outcome in enumerate(different, 1)
            for text, count in outcome
        }
    )


def shown_headers(packet: Packet) -> Iterator[tuple[str, str]]:
    """The headers that the packet really has, and their values as matches write them."""
    for name in _headers(packet):
        yield name, format_value(name, packet.get(name, 0))


def _headers(packet: Packet) -> Iterator[str]:
    yield from ("eth.src", "eth.dst", "vlan.tci", "eth.type")
    kind, protocol = packet.get("eth.type"), packet.get("ip.proto", 0)
    if kind == ETH_ARP:
        yield from (f"arp.{name}" for name in ("op", "spa", "tpa", "sha", "tha"))
    if kind not in (ETH_IP4, ETH_IP6) or not isinstance(protocol, int):
        return
    version = "ip4" if kind == ETH_IP4 else "ip6"
    yield from (f"{version}.src", f"{version}.dst", "ip.proto", "ip.ttl")
    if protocol in _PORTS:
        yield from (f"{_PORTS[protocol]}.{end}" for end in ("src", "dst"))
    if protocol in _ICMP:
        yield from (f"{_ICMP[protocol]}.{part}" for part in ("type", "code"))
    if protocol == PROTO_ICMP6 and (icmp_type := packet.get("icmp6.type")) in _ND_ADDRESS:
        yield from ("nd.target", _ND_ADDRESS[icmp_type])
