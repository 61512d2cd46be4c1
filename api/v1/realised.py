"""What has become of the network: chassis, port bindings, and how far changes have come.

These handlers run on the event loop that realised state belongs to, and only read
what is in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Operator, Viewer
from api.kinds import EXAMPLE_ID
from api.openapi import answer, page_of, reference
from api.problems import refusals
from api.requests import PageOf
from api.routers import new_router
from api.v1.listing import page_by_key
from api.v1.objects import READ_ONE_REFUSALS, READ_REFUSALS, Ref
from api.version import __version__
from northbound.errors import NotFoundError
from southbound.port_types import PlacedBy
from southbound.rows import Chassis, Datapath, FlowGroup, PortBinding, port_scope
from southbound.state import RealisedState
from southbound.tunnels import TunnelReport
from southbound.watch.server import ChassisStatus

router = new_router()

CHASSIS_EXAMPLE = {
    "name": "hypervisor-1",
    "hostname": "hypervisor-1.example.net",
    "encaps": [{"type": "geneve", "ip": "192.0.2.11"}],
    "external_ids": {},
    "alive": True,
    "connected": True,
    "applied_revision": 42,
    "last_heard": "2026-11-26T12:00:03+00:00",
    "ports": 3,
    "degraded": {"tunnels": "no answer from 192.0.2.13 of hypervisor-3"},
    "unknown_to_agent": [],
    "unknown_to_server": {},
    "tunnels": {
        "probed": True,
        "unreachable": [
            {
                "chassis": "hypervisor-3",
                "reason": "no-answer",
                "address": "192.0.2.13",
                "answered_by": None,
                "since": "2026-11-26T11:58:20+00:00",
                "text": "hypervisor-1 gets no answer from hypervisor-3's tunnel address 192.0.2.13",
            }
        ],
        "pending": [],
    },
}
BINDING_EXAMPLE = {
    "id": EXAMPLE_ID,
    "name": "web-1",
    "datapath": "web",
    "datapath_id": "5b0e3f2c-7d7e-4a57-8a44-0d6f6a1f3c55",
    "type": "vif",
    "tunnel_key": 1,
    "addresses": ["0a:00:00:00:00:01 10.0.0.11"],
    "enabled": True,
    "requested_chassis": [],
    "peer": None,
    "chassis": "hypervisor-1",
    "up": True,
    "problems": [],
}
STATUS_EXAMPLE = {
    "version": "0.1.0",
    "revision": 42,
    "translated_revision": 42,
    "logical_flow_groups": 118,
    "chassis": 3,
    "chassis_alive": 3,
    "chassis_degraded": 1,
    "ports_up": 8,
    "faults": [],
    "trouble": "",
    "port_problems": [{"port": "web-9", "text": "there is no chassis or host named hypervisor-9"}],
    "port_problems_total": 1,
}

_MOST_PORT_PROBLEMS = 100
"""How many the status lists; it always counts all."""


@router.get(
    "/chassis",
    operation_id="list_chassis",
    summary="List chassis",
    tags=["chassis"],
    responses={
        200: answer(
            "A page of the list.",
            page_of("Chassis"),
            {"items": [CHASSIS_EXAMPLE], "next_cursor": None},
        ),
        **READ_REFUSALS,
    },
)
async def list_chassis(
    backend: BackendOf,
    _caller: Viewer,
    page: PageOf,
    alive: Annotated[bool | None, Query(description="Only those alive, or not.")] = None,
) -> Response:
    bound = _ports_by_chassis(backend.realised)
    found = (
        chassis
        for chassis in backend.realised.rows(Chassis).values()
        if alive is None or chassis.alive == alive
    )
    return page_by_key(
        found,
        page,
        lambda row: row.name,
        lambda row: _chassis(row, bound, backend.agents.status(row.name)),
    )


@router.get(
    "/chassis/{ref}",
    operation_id="get_chassis",
    summary="Read a chassis",
    tags=["chassis"],
    responses={
        200: answer("The chassis.", reference("Chassis"), CHASSIS_EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def get_chassis(ref: Ref, backend: BackendOf, _caller: Viewer) -> Response:
    found = backend.realised.rows(Chassis).get(ref)
    if found is None:
        raise NotFoundError("chassis", ref)
    bound = _ports_by_chassis(backend.realised)
    return JSONResponse(_chassis(found, bound, backend.agents.status(ref)))


@router.delete(
    "/chassis/{ref}",
    operation_id="remove_chassis",
    summary="Forget a chassis that is gone for good",
    description="Its ports are no longer bound. A chassis whose agent is connected stays.",
    tags=["chassis"],
    status_code=204,
    responses={
        204: {"description": "Forgotten."},
        **READ_ONE_REFUSALS,
        **refusals(problems.CONNECTED),
    },
)
async def remove_chassis(ref: Ref, backend: BackendOf, _caller: Operator) -> Response:
    if ref not in backend.realised.rows(Chassis):
        raise NotFoundError("chassis", ref)
    backend.agents.remove_chassis(ref)
    return Response(status_code=204)


@router.get(
    "/port-bindings",
    operation_id="list_port_bindings",
    summary="List port bindings",
    tags=["port bindings"],
    responses={
        200: answer(
            "A page of the list.",
            page_of("PortBinding"),
            {"items": [BINDING_EXAMPLE], "next_cursor": None},
        ),
        **READ_ONE_REFUSALS,
    },
)
async def list_port_bindings(
    backend: BackendOf,
    _caller: Viewer,
    page: PageOf,
    datapath: Annotated[
        str | None, Query(description="Only those of this switch or router, by id or name.")
    ] = None,
    chassis: Annotated[str | None, Query(description="Only those bound there.")] = None,
    up: Annotated[bool | None, Query(description="Only those up, or not.")] = None,
) -> Response:
    realised = backend.realised
    found: Iterable[PortBinding] = realised.rows(PortBinding).values()
    if datapath is not None:
        wanted = find_datapath(realised, datapath).id
        found = (port for port in found if port.datapath == wanted)
    matching = (
        port
        for port in found
        if (chassis is None or port.chassis == chassis) and (up is None or port.up == up)
    )
    return page_by_key(
        matching, page, lambda row: row.name, lambda row: _port_binding(row, realised)
    )


@router.get(
    "/port-bindings/{ref}",
    operation_id="get_port_binding",
    summary="Read the binding of a port",
    tags=["port bindings"],
    responses={
        200: answer("The port binding.", reference("PortBinding"), BINDING_EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def get_port_binding(ref: Ref, backend: BackendOf, _caller: Viewer) -> Response:
    realised = backend.realised
    return JSONResponse(_port_binding(find_port(realised, ref), realised))


@router.get(
    "/status",
    operation_id="get_status",
    summary="Read how far the last change has come",
    tags=["status"],
    responses={200: answer("The status.", reference("Status"), STATUS_EXAMPLE), **READ_REFUSALS},
)
async def get_status(backend: BackendOf, _caller: Viewer) -> Response:
    realised = backend.realised
    committed = await backend.committed_revision()
    chassis = realised.rows(Chassis).values()
    problems_of_ports = list(realised.facts.problem_ports())
    return JSONResponse(
        {
            "version": __version__,
            "revision": committed,
            "translated_revision": realised.revision,
            "logical_flow_groups": len(realised.rows(FlowGroup)),
            "chassis": len(chassis),
            "chassis_alive": sum(row.alive for row in chassis),
            "chassis_degraded": sum(
                bool(backend.agents.status(row.name).conditions) for row in chassis
            ),
            "ports_up": count_up(realised),
            "faults": [
                {"derivation": failure.node, "key": str(failure.key), "message": failure.error}
                for failure in backend.translator.failures
            ],
            "trouble": backend.translator.progress.trouble,
            "port_problems": [
                {"port": port, "text": text}
                for port, text in problems_of_ports[:_MOST_PORT_PROBLEMS]
            ],
            "port_problems_total": len(problems_of_ports),
        }
    )


@router.get(
    "/status/differences",
    operation_id="get_differences",
    summary="Compare realised state with a full translation",
    description="Translates all intent anew and compares, which takes a while in a large "
    "network. Changes nothing.",
    tags=["status"],
    responses={
        200: answer("What differs.", reference("Differences"), {"differences": []}),
        **READ_REFUSALS,
    },
)
async def get_differences(backend: BackendOf, _caller: Operator) -> Response:
    return JSONResponse({"differences": await backend.translator.differences()})


def count_up(realised: RealisedState) -> int:
    """How many ports of workloads are up; patch ports always are."""
    ports = realised.rows(PortBinding).values()
    return sum(port.up for port in ports if port.kind.placed_by is PlacedBy.PLUG)


def find_datapath(realised: RealisedState, ref: str) -> Datapath:
    """The datapath with that id or name, or NotFoundError."""
    datapaths = realised.rows(Datapath)
    found = datapaths.get(ref) or next((d for d in datapaths.values() if d.name == ref), None)
    if found is None:
        raise NotFoundError("datapath", ref)
    return found


def find_port(realised: RealisedState, ref: str) -> PortBinding:
    """The port binding with that id or name, or NotFoundError."""
    found = realised.rows(PortBinding).get(ref) or next(_ports_named(realised, ref), None)
    if found is None:
        raise NotFoundError("port_binding", ref)
    return found


def _ports_named(realised: RealisedState, name: str) -> Iterator[PortBinding]:
    rows = realised.in_scope(port_scope(name))
    return (row for row in rows if isinstance(row, PortBinding))


def _ports_by_chassis(realised: RealisedState) -> Counter[str]:
    return Counter(port.chassis for port in realised.rows(PortBinding).values())


def _chassis(row: Chassis, bound: Counter[str], status: ChassisStatus) -> dict[str, Any]:
    return {
        "name": row.name,
        "hostname": row.hostname,
        "encaps": [{"type": encap.type, "ip": encap.ip} for encap in row.encaps],
        "external_ids": row.external_ids,
        "alive": row.alive,
        "connected": status.connected,
        "applied_revision": status.applied_revision,
        "last_heard": None if status.heard_at is None else _time(status.heard_at),
        "ports": bound[row.name],
        "degraded": dict(status.conditions),
        "unknown_to_agent": list(status.lacks),
        "unknown_to_server": dict(status.skipped),
        "tunnels": _tunnels(row.name, status.tunnels),
    }


def _tunnels(chassis: str, report: TunnelReport | None) -> dict[str, Any]:
    faults = report.unreachable.values() if report else ()
    return {
        "probed": report is not None,
        "unreachable": [
            {
                "chassis": fault.chassis,
                "reason": fault.reason,
                "address": fault.address or None,
                "answered_by": fault.other or None,
                "since": _time(fault.since),
                "text": fault.sentence(chassis),
            }
            for fault in sorted(faults)
        ],
        "pending": sorted(report.pending) if report else [],
    }


def _time(seconds: float) -> str:
    """Seconds since the epoch as a timestamp, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _port_binding(row: PortBinding, realised: RealisedState) -> dict[str, Any]:
    datapath = realised.rows(Datapath).get(row.datapath)
    return {
        "id": row.id,
        "name": row.name,
        "datapath": datapath.name if datapath else row.datapath,
        "datapath_id": row.datapath,
        "type": row.type,
        "tunnel_key": row.tunnel_key,
        "addresses": list(row.addresses),
        "enabled": row.enabled,
        "requested_chassis": list(row.requested_chassis),
        "peer": row.peer or None,
        "chassis": row.chassis or None,
        "up": row.up,
        "problems": list(realised.facts.problems(row)),
    }
