"""What becomes of a packet, by the logical flows that are stored."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Viewer
from api.backend import Backend
from api.kinds import EXAMPLE_ID
from api.openapi import answer, bodies, reference
from api.problems import refusals
from api.requests import JsonObject
from api.routers import new_router
from api.v1.objects import READ_REFUSALS
from diagnosis.documents import TraceRequest
from diagnosis.live.check import check_live
from diagnosis.sources import settle
from diagnosis.trace.addressing import Addressing
from diagnosis.trace.assumed import WordedPacket
from diagnosis.trace.causes import Causes
from diagnosis.trace.hindrances import Carriers
from diagnosis.trace.legs import Journey
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.network import TABLES, take_snapshot
from diagnosis.trace.proposal import Proposal, change_of, propose
from diagnosis.trace.result import steps, verdict
from diagnosis.trace.words import PacketWords, fault, parse_words
from logical_flow.connections import AssumedConnections, Connections, ConnectionTable
from logical_flow.errors import LanguageError, LogicalFlowError
from logical_flow.packet import MutablePacket, format_packet, packet_from_match
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.specs import parse
from northbound.transaction import Reader
from southbound.questions import Connection
from southbound.rows import Chassis, Datapath, PortBinding

router = new_router()

CAUSE_EXAMPLE = {
    "kind": "acl",
    "id": EXAMPLE_ID,
    "name": "db-silent",
    "text": "ACL db-silent (to-lport, tier 0, priority 10) of port group databases",
    "revision": 42,
    "author": "alice",
    "proposed": False,
}
_FLOW = "table=8(ls_out_acl_action), priority=90, match=(reg8[17] == 1), action=(drop;)"
EXAMPLE = {
    "inport": "web-1",
    "packet": 'inport="web-1", ip4.dst=10.20.2.11, ip.proto=17, udp.dst=53',
    "connection": "new",
    "blocked": False,
    "revision": 42,
    "proposed": None,
    "verdict": {
        "outcome": "dropped",
        "text": "dropped in data at ls_out_acl_action, by "
        "ACL db-silent (to-lport, tier 0, priority 10) of port group databases, "
        "last changed by alice in revision 42",
        "datapath": "data",
        "stage": "ls_out_acl_action",
        "flow": _FLOW,
        "cause": CAUSE_EXAMPLE,
        "deliveries": [],
        "hindrances": [],
        "absences": [
            {
                "port": "web-1",
                "chassis": None,
                "problem": "unbound",
                "text": "port web-1 is not bound to any chassis",
            }
        ],
    },
    "steps": [],
    "alternatives": [],
    "assumptions": [],
    "live": None,
}
REQUESTS = {
    "A packet in words": {"packet": "udp web-1 -> db-1:53"},
    "Of a new connection and of an established one": {
        "packet": "tcp web-1 -> db-1:5432",
        "connection": "both",
    },
    "A reply of a connection that an ACL has stopped": {
        "packet": "tcp db-1:5432 -> web-1:50000",
        "connection": "reply",
        "blocked": True,
    },
    "Any packet as a match": {
        "inport": "operator",
        "match": "eth.src == 0a:00:00:20:01:20 && eth.dst == 0a:00:00:20:01:01 && "
        "ip4.src == 10.20.1.20 && ip4.dst == 10.20.2.11 && ip.ttl == 1 && tcp.dst == 22",
    },
    "With an ACL that is only proposed": {
        "packet": "udp web-1 -> db-1:53",
        "with": {
            "operations": [
                {
                    "action": "create",
                    "kind": "acl",
                    "values": {
                        "port_group": "databases",
                        "name": "db-dns",
                        "direction": "to-lport",
                        "priority": 1000,
                        "match": "outport == @databases && udp.dst == 53",
                        "action": "allow-related",
                    },
                }
            ]
        },
    },
    "Between ports of a document that is not applied": {
        "packet": "icmp guest-1 -> guest-2",
        "with": {
            "document": "guests",
            "logical_switches": {
                "guests": {
                    "subnet4": "10.20.9.0/24",
                    "ports": {
                        "guest-1": {"addresses": ["dynamic"]},
                        "guest-2": {"addresses": ["dynamic"]},
                    },
                }
            },
        },
    },
    "Beside what the switches would do": {"packet": "tcp web-1 -> db-1:5432", "live": True},
}


@router.post(
    "/trace",
    operation_id="trace",
    summary="Trace a packet",
    description="Walks a packet through the stored logical flows, and tells what happens to it "
    "and which objects are behind that. Changes nothing.",
    tags=["trace"],
    responses={
        200: answer("What becomes of it.", reference("Trace"), EXAMPLE),
        **READ_REFUSALS,
        **refusals(
            *(problems.UNREADABLE, problems.TOO_LARGE, problems.UNSUPPORTED_MEDIA),
            *(problems.UNAVAILABLE, problems.BUSY),
        ),
    },
    openapi_extra={"requestBody": bodies(reference("TraceRequest"), REQUESTS)},
)
async def trace(backend: BackendOf, caller: Viewer, values: JsonObject) -> Response:
    wanted = parse(TraceRequest, values)
    async with backend.questions.turn():
        return JSONResponse(await _traced(backend, wanted, caller.name))


async def _traced(backend: Backend, wanted: TraceRequest, author: str) -> dict[str, Any]:
    connections = _connections(wanted)
    _refuse_unreal(wanted)
    proposal: Proposal | None = None
    if wanted.change is None:
        now = {port.name: port for port in backend.realised.rows(PortBinding).values()}
        await settle(backend, (_packet(wanted, now)[2],))
    else:
        change = change_of(wanted.change, adopt=wanted.adopt)
        proposal = await propose(backend, change, author=author)
    realised = backend.realised if proposal is None else proposal.realised
    ports = {port.name: port for port in realised.rows(PortBinding).values()}
    carriers = Carriers.now(dict(realised.rows(Chassis)), backend.agents, backend.realised.revision)
    hosting = Hosting(ports, carriers)
    packet, words, entry = _packet(wanted, ports)
    if words is not None and realised.rows(Datapath)[entry.datapath].kind == "lr":
        raise _inside_router(wanted, words, entry)
    snapshot = take_snapshot(realised, entry.datapath)
    datapaths = frozenset(backend.realised.rows(Datapath))

    def work(reader: Reader) -> tuple[dict[str, Any], list[Journey]]:
        sent, worded = packet, None
        if words is not None:
            networks = _networks(reader, ports, entry.datapath, proposal)
            worded = WordedPacket(reader, snapshot, ports, networks, words)
            sent = worded.made(wanted.inport, via_gateway=wanted.guests == "via-gateway")
        TABLES.keep_only(datapaths)
        causes = Causes(reader, proposal.causes if proposal else None)
        traced, journeys = [], []
        for connection, blocked in connections:
            tracker = _tracker(connection, blocked)
            walked = _walk(TABLES.network(snapshot, tracker), sent, words)
            if worded is not None:
                any_port = TABLES.network(snapshot, _tracker(connection, blocked))
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

    document, journeys = await backend.read(work)
    if wanted.live:
        document["live"] = await check_live(backend, journeys, ports)
    return document


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
    return packet, None, ports[name]


def _inside_router(wanted: TraceRequest, words: PacketWords, entry: PortBinding) -> InvalidError:
    """That words don't say how a packet looks that a router gets from its neighbour."""
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


def _refuse_unreal(wanted: TraceRequest) -> None:
    """Refuse to ask switches for what none of them has."""
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
