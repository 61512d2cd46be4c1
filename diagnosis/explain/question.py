"""What is asked: who reaches whom with what, or what becomes of one given packet.

Ends are names of logical ports, or IP addresses; a service is ``tcp/443``, ``udp/53``,
``sctp/5060`` or ``icmp``. Everything wrong with a question is told by its field.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import Final, Literal

from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.trace.addressing import Addressing, Ends, hosts
from diagnosis.trace.nested import entered, tagged, untagged
from diagnosis.trace.words import TRANSPORTS, Address, PacketWords, Place
from logical_flow.action import naming
from logical_flow.errors import LanguageError, LogicalFlowError
from logical_flow.names import TYPE_NAMES
from logical_flow.packet import PROTO_UDP, MutablePacket, packet_from_match
from northbound.errors import FieldProblem, InvalidError
from southbound.port_types import VIRTUAL
from southbound.rows import PortBinding

_SERVICE = re.compile(r"icmp|(?P<protocol>tcp|udp|sctp)/(?P<port>[0-9]{1,5})")
_DNS: Final = 53
_MAX_PORT = 65535
_BROADCAST = IPv4Address("255.255.255.255")


@dataclass(frozen=True)
class Question:
    """A question, understood.

    Either `words` say what is sent, or `packet` is it. `entry` is where it enters,
    `target` the port that it is for, where the question names one. `others` are ends between
    the same ports by other addresses of theirs. `guests` is how workloads are said to send to
    their own subnet, None if nothing is said; `length` how many bytes packets are said to have.
    Where it is `fragmented`, they come in fragments, too. `query` is what a DNS query asks for,
    where the question is about one. `frame` is what the packet has where it comes in and not in
    `entry`: a nested port's, its VLAN tag at the port of the parent.
    """

    service: str
    entry: PortBinding
    target: PortBinding | None
    words: PacketWords | None
    ends: Ends | None
    packet: MutablePacket | None
    others: tuple[Ends, ...] = ()
    guests: Literal["direct", "via-gateway"] | None = None
    length: int | None = None
    fragmented: bool = False
    query: MutablePacket | None = None
    frame: MutablePacket | None = None

    @property
    def via_gateway(self) -> bool:
        """Whether workloads are said to send everything to their gateway."""
        return self.guests == "via-gateway"

    @property
    def client_port_field(self) -> str | None:
        """The field of requests that has the client's port, which the question doesn't give."""
        words = self.words
        if words is None or words.protocol not in TRANSPORTS or words.source.port is not None:
            return None
        return f"{words.protocol}.src"

    @property
    def is_unaddressed(self) -> bool:
        """Whether the one that is to be reached has no address to reach it by."""
        return self.words is not None and self.ends is None


def ports_of(wanted: ReachabilityRequest) -> list[str]:
    """The names of ports, and the addresses, that a question names; right or wrong."""
    named = [wanted.source, wanted.destination, wanted.inport]
    inport = frame_of(wanted).get("inport")
    named.append(inport if isinstance(inport, str) else None)
    return [each for each in named if each is not None]


def frame_of(wanted: ReachabilityRequest) -> MutablePacket:
    """The packet of a match as it comes in by an interface; empty where there is none."""
    try:
        packet = {} if wanted.match is None else packet_from_match(wanted.match)
    except LogicalFlowError:
        return {}  # The question will be refused for it.
    return packet if wanted.inport is None else packet | {"inport": wanted.inport}


def understand(wanted: ReachabilityRequest, ports: Mapping[str, PortBinding]) -> Question:
    """What `wanted` asks; `ports` has those of :func:`ports_of`, by name."""
    if wanted.inport is not None and wanted.inport not in ports:
        raise InvalidError.of("inport", reason="there is no such port", value=wanted.inport)
    if wanted.match is not None:
        if wanted.fragmented:
            reason = "the packet is said by match: let it say ip.frag"
            raise InvalidError.of("fragmented", reason=reason, value=True)
        asked = _about_packet(wanted, ports)
        return replace(asked, length=wanted.length, query=_query(wanted, asked.packet))
    missing = [name for name in ("source", "destination") if getattr(wanted, name) is None]
    if missing:
        raise InvalidError(
            [FieldProblem((name,), "is needed, unless match has the packet") for name in missing]
        )
    query = _query(wanted, None)
    asked = _about_ends(wanted, ports)
    return replace(asked, length=wanted.length, fragmented=wanted.fragmented, query=query)


def _query(wanted: ReachabilityRequest, packet: MutablePacket | None) -> MutablePacket | None:
    """What is asked of a DNS server, as a part of `packet`, or else of one for the service."""
    if wanted.dns_name is None:
        return None
    if packet is None:
        is_query = _service(wanted) == f"udp/{_DNS}"
    else:
        is_query = (packet.get("ip.proto"), packet.get("udp.dst")) == (PROTO_UDP, _DNS)
    if not is_query:
        reason = f"is what a DNS query asks for: the question has to be about udp/{_DNS}"
        raise InvalidError.of("dns_name", reason=reason, value=wanted.dns_name)
    kinds = {text: kind for kind, text in TYPE_NAMES.items()}
    return {naming.NAME: wanted.dns_name, naming.TYPE: kinds[wanted.dns_type]}


def _service(wanted: ReachabilityRequest) -> str:
    """The service that is asked about, which need not be named."""
    if wanted.service is not None:
        return wanted.service
    return "icmp" if wanted.dns_name is None else f"udp/{_DNS}"


def _about_packet(wanted: ReachabilityRequest, ports: Mapping[str, PortBinding]) -> Question:
    for field in ("source", "source_port"):
        if (value := getattr(wanted, field)) is not None:
            raise InvalidError.of(field, reason="says the same as match", value=value)
    text = wanted.match or ""
    try:
        packet = packet_from_match(text)
    except LanguageError as error:
        problem = FieldProblem(("match",), error.message, text, error.position, error.caret())
        raise InvalidError([problem]) from None
    except LogicalFlowError as error:
        raise InvalidError.of("match", reason=str(error)) from None
    inport = wanted.inport or packet.get("inport")
    if not isinstance(inport, str) or inport not in ports:
        raise InvalidError.of("inport", reason="is needed: the match names no port there is")
    target = None
    if wanted.destination is not None:
        target = ports.get(wanted.destination)
        if target is None:
            reason = "has to be a logical port where match has the packet"
            raise InvalidError.of("destination", reason=reason, value=wanted.destination)
    packet["inport"] = inport
    asked = Question("the packet", ports[inport], target, None, None, packet, guests=wanted.guests)
    nested = entered(packet, ports)
    if nested is None:
        return asked
    inside = untagged(packet) | {"inport": nested.name}
    return replace(asked, entry=nested, packet=inside, frame=tagged({"inport": inport}, nested.tag))


def _about_ends(wanted: ReachabilityRequest, ports: Mapping[str, PortBinding]) -> Question:
    service = _service(wanted)
    found = _SERVICE.fullmatch(service)
    if found is None or int(found["port"] or 0) > _MAX_PORT:
        reason = "has to be icmp, or tcp, udp or sctp with a port, as in tcp/443"
        raise InvalidError.of("service", reason=reason, value=service)
    if wanted.source_port is not None and found["port"] is None:
        reason = "icmp has no ports"
        raise InvalidError.of("source_port", reason=reason, value=wanted.source_port)
    source = _place("source", wanted.source or "", wanted.source_port, ports)
    port = int(found["port"]) if found["port"] else None
    destination = _place("destination", wanted.destination or "", port, ports)
    protocol = found["protocol"] or "icmp"
    words = PacketWords(_text(wanted), protocol, source, destination)
    addressing = Addressing(ports, {})
    target = ports[destination.host] if isinstance(destination.host, str) else None
    try:
        entry = addressing.entry(words, wanted.inport)
        _refuse_router(wanted, entry)
        if target is not None and not any(host.addresses for host in hosts(target)):
            return Question(service, entry, target, words, None, None)
        ends = addressing.ends(words, wanted.inport)
    except InvalidError as error:
        raise _by_field(error, wanted, destination) from None
    for field, address in (("source", ends.source), ("destination", ends.destination)):
        if _is_no_hosts(address):
            reason = f"{address} is no single host's address: give the packet as a match"
            raise InvalidError.of(field, reason=reason, value=str(address))
    own = (address for host in hosts(entry) for address in host.addresses)
    if ends.destination in (ends.source, *own):
        reason = "is the source itself: that packet never leaves"
        raise InvalidError.of("destination", reason=reason, value=wanted.destination)
    others = tuple(_others(words, ends, target))
    return Question(service, entry, target, words, ends, None, others, wanted.guests)


def _others(words: PacketWords, ends: Ends, target: PortBinding | None) -> Iterator[Ends]:
    """The ends by other addresses, where the question named a port that has several."""
    senders = [(ends.sender, ends.source)]
    if isinstance(words.source.host, str):
        senders += [(host, each) for host in hosts(ends.entry) for each in host.addresses]
    targets = [ends.destination]
    if target is not None:
        targets += [each for host in hosts(target) for each in host.addresses]
    found = (
        Ends(ends.entry, sender, source, destination)
        for destination in dict.fromkeys(targets)
        for sender, source in senders
        if source.version == destination.version
    )
    seen = {(ends.source, ends.destination)}
    for each in found:
        if (each.source, each.destination) not in seen:
            seen.add((each.source, each.destination))
            yield each


def _place(field: str, text: str, port: int | None, ports: Mapping[str, PortBinding]) -> Place:
    """The place, at position 0 for a source and 1 for a destination.

    A virtual port stands for its address, which one of several workloads has.
    """
    position = int(field == "destination")
    if text in ports and ports[text].kind is VIRTUAL:
        return Place(ip_address(ports[text].virtual_ip), port, position)
    if text in ports:
        return Place(text, port, position)
    address = _address(text)
    if address is None:
        reason = f"there is no logical port {text!r}, nor is it an IP address"
        if field == "destination" and "." in text:
            reason += "; dns_name asks what becomes of a name, at the address of a DNS server"
        raise InvalidError.of(field, reason=reason, value=text)
    return Place(address, port, position)


def _by_field(error: InvalidError, wanted: ReachabilityRequest, destination: Place) -> InvalidError:
    """The faults of the words, as faults of the fields that they were made of."""
    problems = []
    for problem in error.problems:
        if problem.position is None:
            problems.append(problem)
            continue
        field = "destination" if problem.position == destination.position else "source"
        problems.append(FieldProblem((field,), problem.reason, getattr(wanted, field)))
    return InvalidError(problems)


def _refuse_router(wanted: ReachabilityRequest, entry: PortBinding) -> None:
    """Refuse to ask for routers: they send what others gave them."""
    if entry.joins_datapaths:
        field = "source" if wanted.inport is None else "inport"
        reason = f"{entry.name} leads from or to a router: name the port of a workload, or "
        raise InvalidError.of(field, reason=f"{reason}give the packet as a match", value=entry.name)


def _is_no_hosts(address: Address) -> bool:
    """Whether no packet between two hosts has the address."""
    everybody = isinstance(address, IPv4Address) and address == _BROADCAST
    return everybody or address.is_multicast or address.is_loopback or address.is_unspecified


def _text(wanted: ReachabilityRequest) -> str:
    return f"{_service(wanted)} {wanted.source} -> {wanted.destination}"


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
