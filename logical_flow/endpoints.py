"""Who speaks with whom: the endpoints of connections, of packets, and of packets quoted in errors.

Two things of a walked packet have no field that matches could name, and stand beside its
fields under names of their own:

* ``quoted.…``: the endpoints of the packet that an ICMP error is about, which it carries;
* ``ct.zone``, ``ct.connection``, ``ct.reply``: in which zone it was translated last, as
  a packet of which connection, and in which of its directions. The tracker finds the
  connection again by that, as the packet's own addresses are no longer the connection's.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from logical_flow.evaluate import Packet, Value
from logical_flow.packet import (
    ETH_IP4,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
)

TRANSLATED_IN: Final = "ct.zone"
TRANSLATED_AS: Final = "ct.connection"
TRANSLATED_REPLY: Final = "ct.reply"
TRANSLATION_FIELDS: Final = (TRANSLATED_IN, TRANSLATED_AS, TRANSLATED_REPLY)

_PORTS: Final = {PROTO_TCP: "tcp", PROTO_UDP: "udp", PROTO_SCTP: "sctp"}
_ICMP_ERRORS: Final = {
    PROTO_ICMP4: ("icmp4.type", (3, 4, 5, 11, 12)),
    PROTO_ICMP6: ("icmp6.type", (1, 2, 3, 4)),
}
_ICMP_REQUESTS: Final = {
    PROTO_ICMP4: ("icmp4.type", (8, 13, 15)),
    PROTO_ICMP6: ("icmp6.type", (128,)),
}
_SYN_ACK: Final = 0x012
_QUOTED: Final = ("protocol", "source", "destination", "source_port", "destination_port")


class Range(NamedTuple):
    """One of these values, both ends included; which one is up to the switch."""

    first: int
    last: int


Part: TypeAlias = Value | Range


class Endpoints(NamedTuple):
    """Protocol, addresses and ports of one direction; ports are 0 where there are none."""

    protocol: Part
    source: Part
    destination: Part
    source_port: Part
    destination_port: Part

    @property
    def reversed(self) -> "Endpoints":
        return Endpoints(
            self.protocol,
            self.destination,
            self.source,
            self.destination_port,
            self.source_port,
        )

    @property
    def has_ports(self) -> bool:
        return self.protocol in _PORTS

    @property
    def is_known(self) -> bool:
        """Whether the switch has chosen nothing of it."""
        return not any(isinstance(part, Range) for part in self)

    def overlaps(self, other: "Endpoints") -> bool:
        """Return whether both may stand for the same."""
        return all(map(_overlap, self, other))


def _overlap(one: Part, other: Part) -> bool:
    if not isinstance(one, Range) and not isinstance(other, Range):
        return one == other
    first, second = (
        part if isinstance(part, Range) else Range(part, part) if isinstance(part, int) else None
        for part in (one, other)
    )
    if first is None or second is None:
        return True
    return first.first <= second.last and second.first <= first.last


def endpoints_of(packet: Packet) -> Endpoints:
    """Return a packet's own endpoints, in the direction in which it goes."""
    family = _family(packet)
    protocol = packet.get("ip.proto", 0)
    ports = _PORTS.get(protocol) if isinstance(protocol, int) else None
    return Endpoints(
        protocol,
        packet.get(f"{family}.src", 0),
        packet.get(f"{family}.dst", 0),
        packet.get(f"{ports}.src", 0),
        packet.get(f"{ports}.dst", 0),
    )


def rewritten(packet: Packet, target: Endpoints) -> dict[str, Value]:
    """Return the fields of `packet` that differ from `target`, with the values of that.

    What the switch chooses is not known.
    """
    family = _family(packet)
    names = {"source": f"{family}.src", "destination": f"{family}.dst"}
    protocol = packet.get("ip.proto")
    if isinstance(protocol, int) and (ports := _PORTS.get(protocol)):
        names |= {"source_port": f"{ports}.src", "destination_port": f"{ports}.dst"}
    return _changes(packet, {name: getattr(target, part) for part, name in names.items()})


def is_error(packet: Packet) -> bool:
    """Return whether the packet is an ICMP error, which is about another packet."""
    protocol = packet.get("ip.proto")
    name, errors = _ICMP_ERRORS.get(protocol, ("", ())) if isinstance(protocol, int) else ("", ())
    return packet.get(name) in errors


def may_begin(packet: Packet) -> bool:
    """Return whether trackers take the packet for the first of a connection.

    Answers are none: to a SYN, and to the requests of ICMP. What has no flags or no
    type is given the benefit of the doubt.
    """
    protocol = packet.get("ip.proto")
    flags = packet.get("tcp.flags")
    if protocol == PROTO_TCP and isinstance(flags, int):
        return flags & _SYN_ACK != _SYN_ACK
    if not isinstance(protocol, int) or protocol not in _ICMP_REQUESTS:
        return True
    name, requests = _ICMP_REQUESTS[protocol]
    return packet.get(name) is None or packet.get(name) in requests


def quotation(packet: Packet) -> dict[str, Value]:
    """Return what an ICMP error about `packet` carries beside its fields."""
    return requoted({}, endpoints_of(packet))


def quoted_endpoints(packet: Packet) -> Endpoints | None:
    """Return the endpoints of the packet that an error is about, None where it isn't known."""
    if "quoted.protocol" not in packet:
        return None
    return Endpoints(*(packet[f"quoted.{part}"] for part in _QUOTED))


def requoted(packet: Packet, target: Endpoints) -> dict[str, Value]:
    """Return what of an error's quotation has to change so that it quotes `target`."""
    return _changes(packet, {f"quoted.{part}": getattr(target, part) for part in _QUOTED})


def _changes(packet: Packet, target: Mapping[str, Part]) -> dict[str, Value]:
    values = {name: None if isinstance(p, Range) else p for name, p in target.items()}
    return {name: v for name, v in values.items() if name not in packet or packet[name] != v}


def _family(packet: Packet) -> str:
    return "ip4" if packet.get("eth.type") == ETH_IP4 else "ip6"
