"""Whether one end reaches another, and what is in the way."""

from fastapi import Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Viewer
from api.openapi import answer, bodies, reference
from api.problems import refusals
from api.requests import JsonObject
from api.routers import new_router
from api.v1.objects import READ_REFUSALS
from api.v1.trace import CAUSE_EXAMPLE
from api.v1.trace import EXAMPLE as TRACE_EXAMPLE
from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.explain.proposing import Explainer
from northbound.specs import parse

router = new_router()

_OPERATION = {
    "action": "create",
    "kind": "acl",
    "values": {
        "port_group": "databases",
        "name": "allow-udp-53",
        "direction": "to-lport",
        "tier": 0,
        "priority": 11,
        "match": 'outport == "db-1" && ip4.src == 10.20.1.11 && ip4.dst == 10.20.2.11 '
        "&& udp.dst == 53",
        "action": "allow-related",
    },
}
_REASON = (
    "dropped by ACL db-silent (to-lport, tier 0, priority 10) of port group databases, "
    "added by alice in revision 42; no ACL of a higher priority allows udp/53 "
    "from 10.20.1.11 to 10.20.2.11"
)
_REMEDY = (
    "add an ACL to port group databases: to-lport, tier 0, priority 11, "
    f"allow-related {_OPERATION['values']['match']}"  # type: ignore[index]
)
_PACKET = {
    "inport": "web-1",
    "packet": "ip4.src=10.20.1.11, ip4.dst=10.20.2.11, ip.proto=17, udp.dst=53",
    "match": 'inport == "web-1" && ip4.src == 10.20.1.11 && ip4.dst == 10.20.2.11 '
    "&& ip.proto == 17 && udp.dst == 53",
    "connection": "new",
    "verdict": TRACE_EXAMPLE["verdict"],
    "steps": None,
}
EXAMPLE = {
    "answer": "no",
    "reachable": False,
    "text": f"no: the request is {_REASON}",
    "unknowns": [],
    "assumptions": [],
    "source": "web-1",
    "destination": "db-1",
    "service": "udp/53",
    "revision": 42,
    "checks": [
        {
            "kind": "binding",
            "port": "web-1",
            "chassis": "hypervisor-1",
            "passed": True,
            "text": "port web-1 is up on chassis hypervisor-1, which is alive",
            "trace": None,
        },
        {
            "kind": "request",
            "port": "web-1",
            "chassis": "hypervisor-1",
            "passed": False,
            "text": f"the request does not arrive: {_REASON}",
            "trace": _PACKET,
        },
    ],
    "obstacles": [
        {
            "kind": "acl",
            "certain": True,
            "text": f"the request is {_REASON}",
            "cause": CAUSE_EXAMPLE,
            "remedy": {
                "text": _REMEDY,
                "operations": [_OPERATION],
                "packet": None,
                "commands": [],
            },
        }
    ],
    "proposal": {
        "text": [_REMEDY],
        "transaction": {"operations": [_OPERATION]},
        "packet": None,
        "commands": [],
        "sufficient": True,
        "unknowns": [],
        "breaks": [],
        "remaining": [],
        "assumptions": [],
    },
    "live": None,
}
REQUESTS = {
    "A service of one port from another": {
        "source": "web-1",
        "destination": "db-1",
        "service": "udp/53",
    },
    "A ping between addresses": {"source": "10.20.1.11", "destination": "10.20.2.11"},
    "From an address that the port does not have": {
        "source": "10.20.1.99",
        "destination": "db-1",
        "service": "tcp/5432",
        "inport": "web-1",
    },
    "Any packet as a match": {
        "match": 'inport == "operator" && eth.src == 0a:00:00:20:01:20 && '
        "eth.dst == 0a:00:00:20:01:01 && ip4.src == 10.20.1.20 && ip4.dst == 10.20.2.11 && "
        "ip.ttl == 1 && tcp.dst == 22",
        "destination": "db-1",
    },
    "What a DNS query for a name is answered": {
        "source": "web-1",
        "destination": "203.0.113.1",
        "dns_name": "db-1.demo.example",
    },
    "With all steps and what the switches would do": {
        "source": "web-1",
        "destination": "db-1",
        "service": "tcp/5432",
        "steps": True,
        "live": True,
    },
}


@router.post(
    "/reachability",
    operation_id="explain_reachability",
    summary="Explain whether one end reaches another",
    description="Walks request and reply through the stored logical flows, with what it takes "
    "to find next hops, and looks at the ports at both ends. If something is in the way it is "
    "named, with the smallest change that takes it away. Changes nothing.",
    tags=["trace"],
    responses={
        200: answer("Whether, and why not.", reference("Reachability"), EXAMPLE),
        **READ_REFUSALS,
        **refusals(
            *(problems.UNREADABLE, problems.TOO_LARGE, problems.UNSUPPORTED_MEDIA),
            *(problems.UNAVAILABLE, problems.BUSY),
        ),
    },
    openapi_extra={"requestBody": bodies(reference("ReachabilityRequest"), REQUESTS)},
)
async def explain_reachability(backend: BackendOf, caller: Viewer, values: JsonObject) -> Response:
    wanted = parse(ReachabilityRequest, values)
    explainer = Explainer(backend, caller.name)
    async with backend.questions.turn():
        return JSONResponse(await explainer.explain(wanted))
