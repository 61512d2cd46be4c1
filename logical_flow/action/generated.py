"""The packets that actions make from the current one, with their default contents.

Nested actions then change what they want. ``tcp_reset`` and ``sctp_abort`` turn the
ports around, ``reject`` the addresses as well; the others leave the addresses to
their nested actions, as OVN does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from logical_flow.action.base import (
    HANDLED,
    Action,
    Actions,
    Statement,
    bind_actions,
    format_actions,
)
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.addresses import ALL_NODES, multicast_mac, solicited_node
from logical_flow.binding import Arguments
from logical_flow.endpoints import (
    TRANSLATION_FIELDS,
    Part,
    endpoints_of,
    quotation,
    quoted_endpoints,
    requoted,
)
from logical_flow.evaluate import Packet, Value
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
)

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token

_TTL = 255
_TCP_RST, _TCP_ACK = 0x004, 0x010
_ICMP4_ERRORS = (3, 4, 5, 11, 12)
_FIRST_ICMP6_INFORMATION = 128
_ICMP6_REDIRECT = 137
_PAYLOAD = ("tcp.", "udp.", "sctp.", "icmp4.", "icmp6.", "nd.", "quoted.")
_ABORT = "sctp.abort"
"""Set in SCTP packets made here, which all are aborts: matches have no field that tells."""
_ALL_NODES = int.from_bytes(ALL_NODES)


def _arp(packet: Packet) -> MutablePacket:
    made = _without(packet, *_PAYLOAD, "ip.", "ip4.", "ip6.")
    made |= {
        "eth.type": ETH_ARP,
        "arp.op": 1,
        "arp.sha": packet.get("eth.src", 0),
        "arp.spa": packet.get("ip4.src", 0),
        "arp.tha": 0,
        "arp.tpa": packet.get("ip4.dst", 0),
    }
    return made


def _solicitation(packet: Packet) -> MutablePacket:
    target = packet.get("ip6.dst", 0)
    group = solicited_node(target.to_bytes(16)) if isinstance(target, int) else None
    made = _icmp6_of_type(packet, 135)
    made |= {
        "eth.dst": None if group is None else int.from_bytes(multicast_mac(group)),
        "ip6.dst": None if group is None else int.from_bytes(group),
        "nd.target": target,
        "nd.sll": packet.get("eth.src", 0),
    }
    return made


def _advertisement(packet: Packet) -> MutablePacket:
    """Make the answer to the asker, or to all nodes when the asker has no address yet."""
    asker = packet.get("ip6.src", 0)
    made = _icmp6_of_type(packet, 136)
    made |= {
        "eth.src": packet.get("eth.dst", 0),
        "eth.dst": packet.get("eth.src", 0),
        "ip6.src": packet.get("nd.target", 0),
        "ip6.dst": _ALL_NODES if asker == 0 else asker,
        "nd.target": packet.get("nd.target", 0),
        "nd.tll": packet.get("eth.dst", 0),
    }
    return made


def _router_advertisement(packet: Packet) -> MutablePacket:
    """Make the answer to the asker, or to all nodes when the asker has no address yet.

    What it tells is no field of a packet.
    """
    asker = packet.get("ip6.src", 0)
    made = _icmp6_of_type(packet, 134)
    made |= {
        "eth.src": packet.get("eth.dst", 0),
        "eth.dst": packet.get("eth.src", 0),
        "ip6.dst": _ALL_NODES if asker == 0 else asker,
    }
    return made


def _icmp6_of_type(packet: Packet, icmp_type: int) -> MutablePacket:
    made = _without(packet, *_PAYLOAD)
    made |= {
        "eth.type": ETH_IP6,
        "ip.proto": PROTO_ICMP6,
        "ip.frag": 0,
        "ip.ttl": _TTL,
        "icmp6.type": icmp_type,
        "icmp6.code": 0,
    }
    return made


def _icmp4(packet: Packet) -> MutablePacket:
    made = _without(packet, *_PAYLOAD)
    made |= quotation(packet)
    made |= {
        "ip.proto": PROTO_ICMP4,
        "ip.frag": 0,
        "ip.ttl": _TTL,
        "icmp4.type": 3,
        "icmp4.code": 1,
    }
    return made


def _icmp6(packet: Packet) -> MutablePacket:
    return _icmp6_of_type(packet, 1) | quotation(packet) | {"icmp6.code": 1}


def _icmp6_unknown_header(packet: Packet) -> MutablePacket:
    return _icmp6_of_type(packet, 4) | quotation(packet) | {"icmp6.code": 1}


def _tcp_reset(packet: Packet) -> MutablePacket:
    flags = packet.get("tcp.flags", 0)
    reset = None
    if isinstance(flags, int):
        reset = _TCP_RST if flags & _TCP_ACK else _TCP_RST | _TCP_ACK
    return dict(packet) | {
        "ip.frag": 0,
        "ip.ttl": _TTL,
        "tcp.src": _transport(packet, "tcp.dst"),
        "tcp.dst": _transport(packet, "tcp.src"),
        "tcp.flags": reset,
    }


def _sctp_abort(packet: Packet) -> MutablePacket:
    return dict(packet) | {
        "ip.frag": 0,
        "ip.ttl": _TTL,
        "sctp.src": _transport(packet, "sctp.dst"),
        "sctp.dst": _transport(packet, "sctp.src"),
        _ABORT: 1,
    }


def _transport(packet: Packet, name: str) -> Value:
    """Return a transport field as an answer has it; flows don't see it in a fragment."""
    return None if packet.get("ip.frag", 0) else packet.get(name, 0)


def _requote_source(packet: Packet) -> MutablePacket:
    """Make an error about a packet of the one that it is for."""
    return _requote(packet, source=endpoints_of(packet).destination)


def _requote_destination(packet: Packet) -> MutablePacket:
    """Make an error about a packet for the one that it is from."""
    return _requote(packet, destination=endpoints_of(packet).source)


def _requote(packet: Packet, **ends: Part) -> MutablePacket:
    quoted = quoted_endpoints(packet)
    if quoted is None:
        return dict(packet)
    return dict(packet) | requoted(packet, quoted._replace(**ends))


def _reject(packet: Packet) -> MutablePacket:
    """Make a refusal to the sender, in the way that its protocol has for that."""
    protocol = packet.get("ip.proto")
    is_ip4 = packet.get("eth.type") == ETH_IP4
    if protocol == PROTO_TCP:
        made = _tcp_reset(packet)
    elif protocol == PROTO_SCTP:
        made = _sctp_abort(packet)
    elif is_ip4:
        made = _icmp4(packet) | ({"icmp4.code": 3} if protocol == PROTO_UDP else {})
    else:
        made = _icmp6(packet) | ({"icmp6.code": 4} if protocol == PROTO_UDP else {})
    for family in ("eth", "ip4" if is_ip4 else "ip6"):
        made[f"{family}.src"] = packet.get(f"{family}.dst", 0)
        made[f"{family}.dst"] = packet.get(f"{family}.src", 0)
    return made


def _is_refusal(packet: Packet) -> bool:
    match packet.get("ip.proto"):
        case 6:
            flags = packet.get("tcp.flags", 0)
            return isinstance(flags, int) and bool(flags & _TCP_RST)
        case 132:
            return packet.get(_ABORT) == 1
        case 1:
            return packet.get("icmp4.type") in _ICMP4_ERRORS
        case 58:
            icmp_type = packet.get("icmp6.type", 0)
            return isinstance(icmp_type, int) and (
                icmp_type < _FIRST_ICMP6_INFORMATION or icmp_type == _ICMP6_REDIRECT
            )
    return False


def _may_not_be_refused(packet: Packet) -> bool:
    """Return whether it was sent to many, has no or many senders, or is a refusal itself."""
    if _is_refusal(packet) or _has(packet, "eth.dst", 40, 1) or _has(packet, "ip.frag", 1, 1):
        return True
    if packet.get("eth.type") == ETH_IP4:
        groups = (_has(packet, name, 29, 0b111) for name in ("ip4.src", "ip4.dst"))
        return any(groups) or packet.get("ip4.src", 0) == 0
    groups = (_has(packet, name, 120, 0xFF) for name in ("ip6.src", "ip6.dst"))
    return any(groups) or packet.get("ip6.src", 0) == 0


def _has(packet: Packet, name: str, low: int, bits: int) -> bool:
    """Return whether all of `bits`, from bit `low` of a field, are known to be set."""
    value = packet.get(name, 0)
    return isinstance(value, int) and value >> low & bits == bits


def _without(packet: Packet, *prefixes: str) -> MutablePacket:
    return {name: value for name, value in packet.items() if not name.startswith(prefixes)}


class PacketKind(StrEnum):
    """The packets that actions make from the current one; values are the actions' words."""

    ARP = "arp"
    ND_NS = "nd_ns"
    ND_NA = "nd_na"
    ND_NA_ROUTER = "nd_na_router"
    ND_RA = "nd_ra"
    ICMP4 = "icmp4"
    ICMP6 = "icmp6"
    ICMP6_UNKNOWN_HEADER = "icmp6_unknown_header"
    TCP_RESET = "tcp_reset"
    SCTP_ABORT = "sctp_abort"
    REJECT = "reject"
    WHOLE_ERROR = "whole_error"
    REQUOTE_SOURCE = "requote_source"
    REQUOTE_DESTINATION = "requote_destination"


class _Recipe(NamedTuple):
    """How a kind of packet is made: of which packets, by what, and whether it refuses them."""

    prerequisite: str
    make: Callable[[Packet], MutablePacket]
    refuses: bool = False


_RECIPES = {
    PacketKind.ARP: _Recipe("ip4", _arp),
    PacketKind.ND_NS: _Recipe("ip", _solicitation),
    PacketKind.ND_NA: _Recipe("nd_ns", _advertisement),
    PacketKind.ND_NA_ROUTER: _Recipe("nd_ns", _advertisement),
    PacketKind.ND_RA: _Recipe("nd_rs", _router_advertisement),
    PacketKind.ICMP4: _Recipe("ip4", _icmp4, refuses=True),
    PacketKind.ICMP6: _Recipe("ip6", _icmp6, refuses=True),
    PacketKind.ICMP6_UNKNOWN_HEADER: _Recipe("ip6", _icmp6_unknown_header, refuses=True),
    PacketKind.TCP_RESET: _Recipe("tcp", _tcp_reset, refuses=True),
    PacketKind.SCTP_ABORT: _Recipe("sctp", _sctp_abort, refuses=True),
    PacketKind.REJECT: _Recipe("ip", _reject, refuses=True),
    PacketKind.WHOLE_ERROR: _Recipe("icmp", dict),
    PacketKind.REQUOTE_SOURCE: _Recipe("icmp", _requote_source),
    PacketKind.REQUOTE_DESTINATION: _Recipe("icmp", _requote_destination),
}


def generate(kind: PacketKind, packet: Packet) -> MutablePacket | None:
    """Return the packet that the action of that kind makes, or None when it makes none."""
    recipe = _RECIPES[kind]
    if recipe.refuses and _may_not_be_refused(packet):
        return None
    return _without(recipe.make(packet), *TRANSLATION_FIELDS)


@dataclass(frozen=True, slots=True)
class Generate(Statement):
    """Make a packet of `kind` from the current one and run `actions` on it."""

    words = tuple(kind.value for kind in PacketKind)

    kind: PacketKind
    actions: Actions

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(PacketKind(word.text), parser.nested())

    @property
    def form(self) -> str:
        return self.kind

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def is_on_other_packet(self) -> bool:
        return True

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return (_RECIPES[self.kind].prerequisite,)

    def __str__(self) -> str:
        return f"{self.kind} {{ {format_actions(self.actions)} }};"

    def bind(self, arguments: Arguments) -> Generate:
        return Generate(self.kind, bind_actions(self.actions, arguments))

    def bind_early(self, arguments: Arguments) -> Generate:
        return Generate(self.kind, tuple(a.bind_early(arguments) for a in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        made = generate(self.kind, packet)
        if made is None:
            walker.drop(scene, packet, f"{self.kind} doesn't answer such a packet")
        else:
            walker.branch(scene, self.kind, self.actions, made)
        return HANDLED
