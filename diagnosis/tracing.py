"""Answers the question for a trace: walks the packet, and tells what becomes of it.

Each kind of connection that is asked about is a walk of its own.
"""

from collections.abc import Mapping
from typing import Any

from diagnosis.documents import TraceRequest
from diagnosis.live.check import check_live, refuse_unasked
from diagnosis.sources import Sources, settle, stored_view
from diagnosis.trace.addressing import Addressing
from diagnosis.trace.assumed import WordedPacket
from diagnosis.trace.causes import Causes
from diagnosis.trace.hindrances import Carriers
from diagnosis.trace.legs import Journey
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.nested import entered, ports_of_frame, untagged
from diagnosis.trace.network import ports_by_name, take_snapshot
from diagnosis.trace.proposal import Proposal, change_of, propose
from diagnosis.trace.result import steps, verdict
from diagnosis.trace.words import PacketWords, fault, mentioned, parse_words
from logical_flow.action import naming
from logical_flow.action.sizes import LENGTH
from logical_flow.connections import AssumedConnections, Connections, ConnectionTable
from logical_flow.errors import LanguageError, LogicalFlowError
from logical_flow.names import TYPE_NAMES
from logical_flow.packet import MutablePacket, format_packet, packet_from_match
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.transaction import Reader
from southbound.questions import Connection
from southbound.rows import PortBinding


async def trace_packet(sources: Sources, wanted: TraceRequest, *, author: str) -> dict[str, Any]:
    """Return what becomes of a packet, as a :class:`diagnosis.documents.Trace`.

    `author` is who would make a change that is proposed. Raises InvalidError for what is wrong
    with the question, and what a change raises that can't be made.
    """
    connections = _connections(wanted)
    _reject_live_with_proposal(wanted)
    refuse_unasked(wanted.entry_chassis, live=wanted.live)
    named = [*_ports_of(wanted), *await ports_of_frame(sources, _frame(wanted))]
    proposal: Proposal | None = None
    if wanted.change is None:
        await settle(sources, named)
        view = await stored_view(sources, named)
    else:
        change = change_of(wanted.change, adopt=wanted.adopt)
        proposal = await propose(sources, change, named, author=author)
        view = proposal.view
    ports = ports_by_name(view)
    hosting = Hosting(ports, Carriers.of(view))
    packet, words, entry = _packet(wanted, ports)
    asked = _asked(wanted)
    snapshot = take_snapshot(view, entry.datapath)
    if words is not None and snapshot.datapaths[entry.datapath].kind == "lr":
        raise _inside_router(wanted, words, entry)

    def work(reader: Reader) -> tuple[dict[str, Any], list[Journey]]:
        sent, worded = packet, None
        if words is not None:
            asked_of = sources.tables.network(snapshot, ConnectionTable())
            networks = _networks(reader, ports, entry.datapath, proposal)
            worded = WordedPacket(reader, snapshot, ports, networks, words, asked_of)
            sent = worded.made(wanted.inport, via_gateway=wanted.guests == "via-gateway")
        sent = sent | asked
        causes = Causes(reader)
        if proposal is not None:
            causes = Causes(reader, proposal.causes, proposal.changes)
        traced, journeys = [], []
        for connection, blocked in connections:
            tracker = _tracker(connection, blocked)
            walked = _walk(sources.tables.network(snapshot, tracker), sent, words)
            if worded is not None:
                any_port = sources.tables.network(snapshot, _tracker(connection, blocked))
                worded.note_client_port(any_port, sent, walked)
            journey = Journey(entry, sent, connection, walked, blocked)
            journeys.append(journey)
            traced.append(
                {
                    "connection": connection,
                    "blocked": blocked,
                    "verdict": verdict(journey, causes, hosting),
                    "steps": steps(walked, causes),
                }
            )
        first, *others = traced
        document = {
            "inport": entry.name,
            "packet": format_packet(sent),
            "revision": snapshot.revision,
            "proposed": proposal.document() if proposal else None,
            **first,
            "alternatives": others,
            "assumptions": [each.document() for each in worded.assumptions] if worded else [],
            "live": None,
        }
        return document, journeys

    document, journeys = await sources.read(work)
    if wanted.live:
        document["live"] = await check_live(sources, journeys, hosting, wanted.entry_chassis)
    return document


def _ports_of(wanted: TraceRequest) -> list[str]:
    """The names of ports, and the addresses, that a question names; right or wrong."""
    named: list[object] = [wanted.inport, *mentioned(wanted.packet or "")]
    if wanted.match is not None:
        named.append(_packet_of_match(wanted.match, None).get("inport"))
    return [each for each in named if isinstance(each, str)]


def _packet(
    wanted: TraceRequest, ports: Mapping[str, PortBinding]
) -> tuple[MutablePacket, PacketWords | None, PortBinding]:
    """The packet, or the words that it is to be made of, and where it enters."""
    if wanted.inport is not None and wanted.inport not in ports:
        raise InvalidError.of("inport", reason="there is no such port", value=wanted.inport)
    if (wanted.packet is None) == (wanted.match is None):
        raise InvalidError.of(reason="has to have either packet or match")
    if wanted.packet is not None:
        words = parse_words(wanted.packet, ports)
        return {}, words, Addressing(ports, {}).entry(words, wanted.inport)
    packet = _packet_of_match(wanted.match or "", wanted.inport)
    name = packet.get("inport")
    if not isinstance(name, str) or name not in ports:
        raise InvalidError.of("inport", reason="is needed: the match names no port there is")
    nested = entered(packet, ports)
    if nested is not None:
        return untagged(packet) | {"inport": nested.name}, None, nested
    return packet, None, ports[name]


def _frame(wanted: TraceRequest) -> MutablePacket:
    """The packet of a match, as it comes in by an interface; empty where there is none."""
    return {} if wanted.match is None else _packet_of_match(wanted.match, wanted.inport)


def _asked(wanted: TraceRequest) -> MutablePacket:
    """What is said of the packet that matches can't see: its length, what a DNS query asks for."""
    asked: MutablePacket = {} if wanted.length is None else {LENGTH: wanted.length}
    if wanted.dns_name is not None:
        kinds = {text: kind for kind, text in TYPE_NAMES.items()}
        asked |= {naming.NAME: wanted.dns_name, naming.TYPE: kinds[wanted.dns_type]}
    return asked


def _inside_router(wanted: TraceRequest, words: PacketWords, entry: PortBinding) -> InvalidError:
    """Return the error that the word form cannot describe what enters at a router port."""
    reason = f"{entry.name} is a router's port: describe the packet that it gets as a match"
    if wanted.inport is not None:
        return InvalidError.of("inport", reason=reason, value=wanted.inport)
    return fault(words.text, words.source.position, reason)


def _walk(network: Network, packet: MutablePacket, words: PacketWords | None) -> Walk:
    try:
        return walk(network, packet)
    except LogicalFlowError as error:
        field = "match" if words is None else "packet"
        raise InvalidError.of(field, reason=f"can't be walked: {error}") from error


def _packet_of_match(text: str, inport: str | None) -> MutablePacket:
    try:
        packet = packet_from_match(text)
    except LanguageError as error:
        fault = FieldProblem(("match",), error.message, text, error.position, error.caret())
        raise InvalidError([fault]) from None
    except LogicalFlowError as error:
        raise InvalidError.of("match", reason=str(error)) from None
    return packet if inport is None else packet | {"inport": inport}


def _networks(
    reader: Reader, ports: Mapping[str, PortBinding], datapath: str, proposal: Proposal | None
) -> dict[str, tuple[str, ...]]:
    """The networks of the router ports that a datapath leads to."""
    proposed = proposal.networks if proposal else {}
    found = {}
    for port in ports.values():
        if port.datapath == datapath and port.peer:
            if port.peer in proposed:
                found[port.peer] = proposed[port.peer]
            elif (router_port := reader.find(LogicalRouterPort, port.peer)) is not None:
                found[port.peer] = tuple(router_port.networks)
    return found


def _reject_live_with_proposal(wanted: TraceRequest) -> None:
    """Refuse to ask switches for a change that none of them has."""
    if wanted.live and wanted.change is not None:
        reason = "the change in with is not made, so it is in no switch: ask without one of them"
        raise InvalidError.of("live", reason=reason)


def _connections(wanted: TraceRequest) -> list[tuple[Connection, bool]]:
    """The kinds of connection to assume, each with whether it is blocked."""
    if wanted.connection == "new" and wanted.blocked:
        raise InvalidError.of("blocked", reason="a new connection can't be blocked yet")
    if wanted.connection == "both":
        return [("new", False), ("established", wanted.blocked)]
    return [(wanted.connection, wanted.blocked)]


def _tracker(connection: Connection, blocked: bool) -> Connections:
    if connection == "new":
        return ConnectionTable()
    return AssumedConnections(reply=connection == "reply", blocked=blocked)
