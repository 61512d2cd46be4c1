"""What becomes of a packet, by the logical flows that are stored."""

from fastapi import Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Viewer
from api.kinds import EXAMPLE_ID
from api.openapi import answer, bodies, reference
from api.problems import refusals
from api.requests import JsonObject
from api.routers import new_router
from api.v1.objects import READ_REFUSALS
from diagnosis.documents import TraceRequest
from diagnosis.tracing import trace_packet
from northbound.specs import parse

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
    "A packet in words": {"packet": "udp web-1 -> db-1:123"},
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
        "packet": "udp web-1 -> db-1:123",
        "with": {
            "operations": [
                {
                    "action": "create",
                    "kind": "acl",
                    "values": {
                        "port_group": "databases",
                        "name": "db-ntp",
                        "direction": "to-lport",
                        "priority": 1000,
                        "match": "outport == @databases && udp.dst == 123",
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
        return JSONResponse(await trace_packet(backend, wanted, author=caller.name))
