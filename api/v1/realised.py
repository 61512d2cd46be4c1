"""What has become of the network: chassis, port bindings, and how far changes have come.

All of it is asked of the controller.
"""

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from api import problems
from api.auth import BackendOf, Operator, Viewer
from api.backend import Backend
from api.kinds import EXAMPLE_ID
from api.openapi import answer, page_of, reference
from api.problems import refusals
from api.requests import PageOf
from api.routers import new_router
from api.timestamps import timestamp
from api.v1.listing import name_before, page_by_name
from api.v1.objects import READ_ONE_REFUSALS, READ_REFUSALS, Ref
from api.version import __version__
from controller.answers import MOST_PROBLEMS, BoundPort, ChassisReport, PortFilter
from diagnosis.told_mtus import MtuProblem, mtu_problems
from northbound.errors import NotFoundError
from southbound.rows import Datapath
from southbound.tunnels import TunnelReport

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
        "mtus": {"hypervisor-2": 1442},
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
    "hosting_chassis": None,
    "additional_chassis": [],
    "activated": [],
    "virtual_parent": None,
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
    "chassis_problems": [
        {
            "chassis": "hypervisor-2",
            "text": "provider_networks: no bridge leads to dc: none is mapped",
        }
    ],
    "chassis_problems_total": 1,
    "mtu_problems": [
        {
            "kind": "dhcp_options",
            "id": EXAMPLE_ID,
            "name": "web",
            "mtu": 1500,
            "tunnel_mtu": 1442,
            "chassis": "hypervisor-1",
            "peer": "hypervisor-2",
            "text": "the DHCP options web tell workloads an MTU of 1500, and the tunnel from "
            "hypervisor-1 to hypervisor-2 carries 1442",
        }
    ],
    "mtu_problems_total": 1,
}


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
    found = await backend.controller.chassis(
        after=name_before(page), limit=page.limit + 1, alive=alive
    )
    return page_by_name([*map(_chassis, found)], page)


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
    found = await backend.controller.one_chassis(ref)
    if found is None:
        raise NotFoundError("chassis", ref)
    return JSONResponse(_chassis(found))


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
    if not await backend.controller.remove_chassis(ref):
        raise NotFoundError("chassis", ref)
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
    datapath_id = None if datapath is None else (await find_datapath(backend, datapath)).id
    found = await backend.controller.ports(
        PortFilter(datapath_id, chassis, up), after=name_before(page), limit=page.limit + 1
    )
    return page_by_name([*map(_port_binding, found)], page)


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
    return JSONResponse(_port_binding(await find_port(backend, ref)))


@router.get(
    "/status",
    operation_id="get_status",
    summary="Read how far the last change has come",
    tags=["status"],
    responses={200: answer("The status.", reference("Status"), STATUS_EXAMPLE), **READ_REFUSALS},
)
async def get_status(backend: BackendOf, _caller: Viewer) -> Response:
    committed = await backend.committed_revision()
    progress = await backend.controller.progress()
    mtus = await mtu_problems(backend)
    return JSONResponse(
        {
            "version": __version__,
            "revision": committed,
            "translated_revision": progress.revision,
            "logical_flow_groups": progress.flow_groups,
            "chassis": progress.chassis,
            "chassis_alive": progress.chassis_alive,
            "chassis_degraded": progress.chassis_degraded,
            "ports_up": progress.ports_up,
            "faults": [fault._asdict() for fault in progress.faults],
            "trouble": progress.trouble,
            "port_problems": [
                {"port": port, "text": text} for port, text in progress.port_problems
            ],
            "port_problems_total": progress.port_problems_total,
            "chassis_problems": [
                {"chassis": chassis, "text": text} for chassis, text in progress.chassis_problems
            ],
            "chassis_problems_total": progress.chassis_problems_total,
            "mtu_problems": [_mtu_problem(each) for each in mtus[:MOST_PROBLEMS]],
            "mtu_problems_total": len(mtus),
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
    return JSONResponse({"differences": await backend.controller.differences()})


async def find_datapath(backend: Backend, ref: str) -> Datapath:
    """The datapath with that id or name, or NotFoundError."""
    found = await backend.controller.datapath(ref)
    if found is None:
        raise NotFoundError("datapath", ref)
    return found


async def find_port(backend: Backend, ref: str) -> BoundPort:
    """The port binding with that id or name, or NotFoundError."""
    found = await backend.controller.port(ref)
    if found is None:
        raise NotFoundError("port_binding", ref)
    return found


def _chassis(report: ChassisReport) -> dict[str, Any]:
    row, ports, status = report
    return {
        "name": row.name,
        "hostname": row.hostname,
        "encaps": [{"type": encap.type, "ip": encap.ip} for encap in row.encaps],
        "external_ids": row.external_ids,
        "alive": row.alive,
        "connected": status.connected,
        "applied_revision": status.applied_revision,
        "last_heard": None if status.heard_at is None else timestamp(status.heard_at),
        "ports": ports,
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
                "since": timestamp(fault.since),
                "text": fault.sentence(chassis),
            }
            for fault in sorted(faults)
        ],
        "pending": sorted(report.pending) if report else [],
        "mtus": dict(sorted(report.mtus.items())) if report else {},
    }


def _mtu_problem(problem: MtuProblem) -> dict[str, Any]:
    return problem._asdict() | {"mtu": problem.mtu or None, "text": problem.text}


def _port_binding(port: BoundPort) -> dict[str, Any]:
    row = port.row
    return {
        "id": row.id,
        "name": row.name,
        "datapath": port.datapath,
        "datapath_id": row.datapath,
        "type": row.type,
        "tunnel_key": row.tunnel_key,
        "addresses": list(row.addresses),
        "enabled": row.enabled,
        "requested_chassis": list(row.requested_chassis),
        "peer": row.peer or None,
        "chassis": row.chassis or None,
        "hosting_chassis": port.hosting_chassis or None,
        "additional_chassis": list(row.additional_chassis),
        "activated": list(row.activated),
        "virtual_parent": row.virtual_parent or None,
        "up": row.up,
        "problems": list(port.problems),
    }
