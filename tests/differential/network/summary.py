"""Reads ``ovn-trace --summary``: its actions, carried out on a packet.

Each pair of braces holds what happens to a copy of the packet: on its way through
another pipeline, as one of many, or as a packet made from it.

Of a made packet ``ovn-trace`` knows less than ``ovn-controller`` fills in: its neighbour
solicitations keep the protocol and TTL of the packet that waits, its resets the ports.
So the packet is made here instead, and traced anew when it comes to another datapath.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from logical_flow import action as act
from logical_flow.action import PacketKind
from logical_flow.action.generated import generate
from logical_flow.action_parser import parse_actions
from logical_flow.backends import parse_backend
from logical_flow.constants import Integer, String
from logical_flow.endpoints import endpoints_of, rewritten
from logical_flow.evaluate import Packet, read
from logical_flow.fields import field_slice
from logical_flow.packet import MutablePacket, packet_from_match, write
from tests.differential.network.outcome import Outcome, delivery, shown_headers

_OUTPUT = re.compile(r'/\* output to "(?P<port>[^"]+)", type "(?P<type>[^"]*)" \*/;')
_BLOCK = re.compile(r"(?P<kind>\w+)(?P<where> ?\(.*\)|: .* = \d+)?( /\*.*\*/)? \{")
_TRANSLATED = re.compile(r"\((?P<field>ip[46]\.(src|dst))=(?P<value>[^,)]*).*\)")
"""In what ``ct_snat`` and ``ct_dnat`` say where they translate."""
_BALANCED = re.compile(r"ct_lb(_mark)?\(backends=(?P<backend>[^,;)]+).*\);")
"""What ``ovn-trace`` says before the block in which connections have the only backend there is."""
_INPORT = re.compile(r'inport="(?P<port>[^"]+)"')
_CHANGE = re.compile(r"(?P<field>[a-z0-9_.]+)(\[[0-9.]+\])? (=|<->) .*;|ip\.ttl--;")
_RESOLVED = re.compile(r"/\* MAC binding to (?P<mac>[0-9a-f:]+)\. \*/")
_GENERATED = {kind.value: kind for kind in PacketKind}
_TRANSPORT = ("tcp.", "sctp.")
_WITH_PORTS = {PacketKind.TCP_RESET.value, PacketKind.SCTP_ABORT.value}
_UNREADABLE = (
    "check_in_port_sec()",
    "check_out_port_sec()",
    "flags.",
    "get_fdb",
    "lookup_",
    "chk_lb",
    "chk_ecmp_nh",
    "put_dhcp_opts",
    "put_dhcpv6_opts",
    "select(",
)
"""What is no header, or leads to none, and which the language here lacks."""

_ENDS_TRACE = ("ct_snat;", "ct_snat_in_czone;")
"""Of connections it knows nothing, and on gateway routers it doesn't go on from there."""

_CROSSINGS = ("patch", "l3gateway")
"""The types of ports that lead to another datapath."""

_MOST_TRACED_ANEW = 20
"""A router's question or answer is at most answered or refused once."""

_TTL = field_slice("ip.ttl")


class UnreadableSummaryError(Exception):
    """A summary says something that :func:`read_summary` does not understand."""


class NoVerdictError(Exception):
    """What ``ovn-trace`` says can't be relied on, or it says nothing."""


class _Block(NamedTuple):
    """Lines, and blocks among them."""

    kind: str
    where: str
    content: "list[str | _Block]"


Trace = Callable[[str], str]
"""Traces a packet given as a match, and returns the summary."""


def traced_outcome(
    trace: Trace, text: str, *, anew: int = 0, transport: Packet = MappingProxyType({})
) -> Outcome:
    """What becomes of a packet given as a match, or of one made of such, traced `anew`.

    `transport` is what is known of a made packet's transport header and no match says:
    a reset or an abort is answered by nobody.
    """
    if anew > _MOST_TRACED_ANEW:
        raise NoVerdictError("packets are made of packets without an end")
    root = _blocks(trace(text))
    packet = packet_from_match(text) | transport
    return Outcome(_deliveries(trace, root, packet, anew=anew, made=False))


def _blocks(summary: str) -> _Block:
    """The summary as a tree; its first line repeats the packet."""
    path = [_Block("", "", [])]
    for line in summary.splitlines()[1:]:
        text = line.strip()
        if text in ("};", "}"):
            path.pop()
        elif (block := _BLOCK.fullmatch(text)) is not None:
            inner = _Block(block["kind"], block["where"] or "", [])
            path[-1].content.append(inner)
            path.append(inner)
        else:
            path[-1].content.append(text)
    if len(path) != 1:
        raise UnreadableSummaryError(summary)
    return path[0]


def _deliveries(
    trace: Trace, block: _Block, packet: MutablePacket, *, anew: int, made: bool
) -> Iterator[str]:
    """What comes out of a block; `made` says that it works on a packet made on the way."""
    crosses = False
    if block.content and block.content[-1] in _ENDS_TRACE:
        raise NoVerdictError("ovn-trace stops where gateway routers translate replies back")
    for before, item in pairwise(["", *block.content]):
        if isinstance(item, _Block):
            if made and crosses:
                yield from _traced_anew(trace, item, packet, anew + 1)
                continue
            rejected = isinstance(before, str) and before.startswith("reject {")
            if rejected and item.kind in _WITH_PORTS and _starts_with(item, "ingress"):
                raise NoVerdictError("ACLs were asked about a reset with its ports the wrong way")
            inside = _inside(item, packet, rejected=rejected)
            if inside is not None and isinstance(before, str):
                _balance(before, inside)
            if inside is not None:
                is_made = made or item.kind in _GENERATED
                yield from _deliveries(trace, item, inside, anew=anew, made=is_made)
        elif (output := _OUTPUT.fullmatch(item)) is not None:
            crosses = output["type"] in _CROSSINGS
            if not crosses:
                yield delivery(output["port"], packet)
        elif "put_nd_ra_opts(" in item:
            _change("icmp6.type = 134; ip.ttl = 255;", packet)
        elif _CHANGE.fullmatch(item) and not any(word in item for word in _UNREADABLE):
            _change(item, packet)
        elif (resolved := _RESOLVED.fullmatch(item)) is not None:
            _change(f"eth.dst = {resolved['mac']};", packet)


def _starts_with(block: _Block, kind: str) -> bool:
    inner = next((item for item in block.content if isinstance(item, _Block)), None)
    return inner is not None and inner.kind == kind


def _traced_anew(trace: Trace, block: _Block, packet: MutablePacket, anew: int) -> Iterator[str]:
    port = _INPORT.search(block.where)
    if port is None:
        raise UnreadableSummaryError(f"{block.kind}{block.where}")
    headers = " && ".join(f"{name} == {value}" for name, value in shown_headers(packet))
    text = f'inport == "{port["port"]}" && {headers}'
    transport = {name: value for name, value in packet.items() if name.startswith(_TRANSPORT)}
    yield from traced_outcome(trace, text, anew=anew, transport=transport).elements()


def _inside(block: _Block, packet: MutablePacket, *, rejected: bool) -> MutablePacket | None:
    """What a block works on; None for an answer that ``ovn-controller`` wouldn't give.

    ``ovn-trace`` names the action ``reject`` before the block of what it comes to.
    """
    if block.kind in _GENERATED:
        return generate(PacketKind.REJECT if rejected else _GENERATED[block.kind], packet)
    inside = dict(packet)
    if block.kind.startswith("ct_") and (translated := _TRANSLATED.search(block.where)):
        _change(f"{translated['field']} = {translated['value']};", inside)
    return inside


def _balance(text: str, packet: MutablePacket) -> None:
    """Give a packet the backend that the action `text` names, if it balances."""
    balanced = _BALANCED.fullmatch(text)
    if balanced is None:
        return
    backend = parse_backend(balanced["backend"])
    ends = endpoints_of(packet)._replace(destination=int(backend.address))
    if backend.port:
        ends = ends._replace(destination_port=backend.port)
    packet.update(rewritten(packet, ends))


def _change(text: str, packet: MutablePacket) -> None:
    for action in parse_actions(text):
        match action:
            case act.Assign(target, Integer(value, None)):
                write(packet, target, value)
            case act.Assign(target, String(value)):
                write(packet, target, value)
            case act.Move(target, source):
                write(packet, target, read(packet, source))
            case act.Exchange(left, right):
                left_value, right_value = read(packet, left), read(packet, right)
                write(packet, left, right_value)
                write(packet, right, left_value)
            case act.DecrementTtl():
                ttl = read(packet, _TTL)
                if ttl == 1:
                    raise NoVerdictError("ovn-trace sends on what has no TTL left")
                write(packet, _TTL, ttl - 1 if isinstance(ttl, int) else None)
            case _:
                raise UnreadableSummaryError(text)
