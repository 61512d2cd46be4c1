"""What becomes of a packet, by the logical flows that are stored."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Viewer
from api.documents import TraceRequest
from api.kinds import EXAMPLE_ID
from api.openapi import answer, body, reference
from api.problems import refusals
from api.requests import JsonObject, parse
from api.trace.addressing import Addressing
from api.trace.causes import Causes
from api.trace.network import FlowTables, take_snapshot
from api.trace.result import steps, verdict
from api.trace.words import PacketWords, parse_words
from api.v1.objects import READ_REFUSALS
from logical_flow.connections import AssumedConnections, Connections, ConnectionTable
from logical_flow.errors import LanguageError, LogicalFlowError
from logical_flow.packet import MutablePacket, format_packet, packet_from_match
from logical_flow.walk import walk
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouterPort
from northbound.transaction import Reader
from southbound.rows import Datapath, PortBinding

router = APIRouter(prefix="/v1")

CAUSE_EXAMPLE = {
    "kind": "acl",
    "id": EXAMPLE_ID,
    "name": "db-silent",
    "text": "ACL db-silent (to-lport, tier 0, priority 10) of port group databases",
    "revision": 42,
    "author": "alice",
}
_FLOW = "table=8(ls_out_acl_action), priority=90, match=(reg8[17] == 1), action=(drop;)"
EXAMPLE = {
    "inport": "web-1",
    "packet": 'inport="web-1", ip4.dst=10.20.2.11, ip.proto=17, udp.dst=53',
    "connection": "new",
    "revision": 42,
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
    },
    "steps": [],
}

_tables = FlowTables()


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
        **refusals(problems.UNREADABLE, problems.TOO_LARGE, problems.UNSUPPORTED_MEDIA),
    },
    openapi_extra={
        "requestBody": body(reference("TraceRequest"), {"packet": "udp web-1 -> db-1:53"})
    },
)
async def trace(backend: BackendOf, _caller: Viewer, values: JsonObject) -> Response:
    wanted = parse(TraceRequest, values)
    ports = {port.name: port for port in backend.realised.rows(PortBinding).values()}
    if wanted.inport is not None and wanted.inport not in ports:
        raise InvalidError.of("inport", reason="there is no such port", value=wanted.inport)
    words: PacketWords | None = None
    if (wanted.packet is None) == (wanted.match is None):
        raise InvalidError.of(reason="has to have either packet or match")
    if wanted.packet is not None:
        words = parse_words(wanted.packet, ports)
        entry = Addressing(ports, {}).entry(words, wanted.inport)
        packet: MutablePacket = {}
    else:
        packet = _packet_of_match(wanted.match or "", wanted.inport)
        name = packet.get("inport")
        if not isinstance(name, str) or name not in ports:
            raise InvalidError.of("inport", reason="is needed: the match names no port there is")
        entry = ports[name]
    snapshot = take_snapshot(backend.realised, entry.datapath)
    datapaths = frozenset(backend.realised.rows(Datapath))

    def work(reader: Reader) -> Response:
        sent = packet
        if words is not None:
            addressing = Addressing(ports, _networks(reader, ports, entry.datapath))
            sent = addressing.packet(words, wanted.inport)
        _tables.keep_only(datapaths)
        network = _tables.network(snapshot, _connections(wanted.connection))
        try:
            walked = walk(network, sent)
        except LogicalFlowError as error:
            field = "match" if words is None else "packet"
            raise InvalidError.of(field, reason=f"can't be walked: {error}") from error
        causes = Causes(reader)
        document = {
            "inport": entry.name,
            "packet": format_packet(sent),
            "connection": wanted.connection,
            "revision": snapshot.revision,
            "verdict": verdict(walked, entry.name, causes),
            "steps": steps(walked, causes),
        }
        return JSONResponse(document)

    return await backend.read(work)


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
    reader: Reader, ports: dict[str, PortBinding], datapath: str
) -> dict[str, tuple[str, ...]]:
    """The networks of the router ports that a datapath leads to."""
    found = {}
    for port in ports.values():
        if port.datapath == datapath and port.peer:
            router_port = reader.named(LogicalRouterPort, port.peer)
            if router_port is not None:
                found[port.peer] = tuple(router_port.networks)
    return found


def _connections(assumed: str) -> Connections:
    return ConnectionTable() if assumed == "new" else AssumedConnections(reply=assumed == "reply")
