"""Agents and availability zones, as Neutron calls the chassis and what they are in.

A chassis is one agent, which does for its host what several do in Neutron. All are in one zone.
They are for admins: others see none. Nothing is changed here but that a chassis which is gone
can be forgotten.
"""

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.backend import Backend
from api.neutron.attributes import Attributes, read_only
from api.neutron.context import Authenticator, Context
from api.neutron.errors import BadRequestError, NeutronError, ResourceNotFoundError
from api.neutron.operations import Endpoint, answered
from api.neutron.query import ListQuery, page, page_links, read_query
from api.neutron.values import boolean, text
from api.neutron.zones import ZONE, every_chassis, zones_of
from controller.answers import ChassisReport
from southbound.errors import NotAllowedError

AGENT_TYPE: Final = "Treadle agent"
BINARY: Final = "treadle-agent"

_NAMESPACE: Final = uuid.UUID("2d2a1d46-93f7-4b5b-8c46-f4ad0e7b9d31")
_UNSORTED: dict[str, Any] = {"sorted": False}
_UNFILTERED: dict[str, Any] = {"filtered": False}

_AGENT = Attributes(
    "agent",
    (
        read_only("id"),
        read_only("agent_type"),
        read_only("binary"),
        read_only("topic"),
        read_only("host"),
        read_only("admin_state_up", boolean),
        read_only("alive", boolean),
        read_only("description"),
        read_only("availability_zone", **_UNSORTED),
        read_only("created_at", **_UNFILTERED),
        read_only("started_at", **_UNFILTERED),
        read_only("heartbeat_timestamp", **_UNFILTERED),
        read_only("configurations", **_UNFILTERED, **_UNSORTED),
        read_only("resources_synced", **_UNFILTERED, **_UNSORTED),
    ),
)
_AVAILABILITY_ZONE = Attributes(
    "availability_zone", (read_only("name", text()), read_only("resource"), read_only("state"))
)


def agent_routes(backend: Backend, authenticate: Authenticator) -> list[Route]:
    """Return the routes of agents and availability zones."""
    served = _AgentRoutes(backend, authenticate)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "agents", served.list_agents),
        ("POST", "agents", served.create_agent),
        ("GET", "agents/{id}", served.show_agent),
        ("PUT", "agents/{id}", served.update_agent),
        ("DELETE", "agents/{id}", served.delete_agent),
        ("GET", "availability_zones", served.list_zones),
    ]
    return [
        Route(f"/v2.0/{path}", answered(endpoint), methods=[method])
        for method, path, endpoint in table
    ]


class _AgentRoutes:
    """The endpoints."""

    def __init__(self, backend: Backend, authenticate: Authenticator) -> None:
        self._controller = backend.controller
        self._authenticate = authenticate

    async def list_agents(self, request: Request) -> Response:
        context = await self._authenticate(request)
        asked = read_query(_AGENT, request.query_params)
        views = [_agent(each) for each in await self._seen(context)]
        found, more = page([view for view in views if asked.matches(view)], asked)
        body: dict[str, Any] = {"agents": [asked.show(view) for view in found]}
        url = str(request.url.replace(query=""))
        links = page_links(url, request.query_params, found, asked, more)
        return JSONResponse({**body, "agents_links": links} if links else body)

    async def show_agent(self, request: Request) -> Response:
        context = await self._authenticate(request)
        asked = _only_fields(_AGENT, request)
        return JSONResponse({"agent": asked.show(_agent(await self._find(request, context)))})

    async def create_agent(self, request: Request) -> Response:
        await self._authenticate(request)
        reason = "Agent creation using API is not supported."
        raise BadRequestError(f"Bad agents request: {reason}.", "BadRequest")

    async def update_agent(self, request: Request) -> Response:
        context = await self._authenticate(request)
        context.require("update_agent", admin=True)
        await self._find(request, context)
        reason = "agents are as their chassis say"
        raise BadRequestError(f"Bad agents request: {reason}.", "BadRequest")

    async def delete_agent(self, request: Request) -> Response:
        context = await self._authenticate(request)
        context.require("delete_agent", admin=True)
        report = await self._find(request, context)
        try:
            await self._controller.remove_chassis(report.row.name)
        except NotAllowedError as error:
            raise NeutronError(409, "AgentInUse", str(error)) from error
        return Response(status_code=204)

    async def list_zones(self, request: Request) -> Response:
        await self._authenticate(request)
        asked = read_query(_AVAILABILITY_ZONE, request.query_params)
        reports = await every_chassis(self._controller)
        zones = [view for view in zones_of(reports) if asked.matches(view)]
        return JSONResponse({"availability_zones": [asked.show(view) for view in zones]})

    async def _seen(self, context: Context) -> list[ChassisReport]:
        return await every_chassis(self._controller) if context.is_admin else []

    async def _find(self, request: Request, context: Context) -> ChassisReport:
        """Return the chassis whose agent the path names, or raise ResourceNotFoundError."""
        object_id = request.path_params["id"]
        for report in await self._seen(context):
            if agent_id(report.row.name) == object_id.lower():
                return report
        raise ResourceNotFoundError("Agent", object_id[:255])


def agent_id(chassis: str) -> str:
    """Return the id of a chassis' agent, which follows from the chassis' name."""
    return str(uuid.uuid5(_NAMESPACE, chassis))


def _agent(report: ChassisReport) -> dict[str, Any]:
    row, ports, status = report
    heard = None
    if status.heard_at is not None:
        heard = datetime.fromtimestamp(status.heard_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "id": agent_id(row.name),
        "agent_type": AGENT_TYPE,
        "binary": BINARY,
        "topic": "N/A",
        "host": row.hostname or row.name,
        "admin_state_up": True,
        "alive": row.alive,
        "description": "",
        "availability_zone": ZONE,
        "created_at": None,
        "started_at": None,
        "heartbeat_timestamp": heard,
        "configurations": {
            "chassis": row.name,
            "tunnels": [{"type": encap.type, "ip": encap.ip} for encap in row.encaps],
            "ports": ports,
            "degraded": dict(status.conditions),
        },
        "resources_synced": None,
    }


def _only_fields(attributes: Attributes, request: Request) -> ListQuery:
    """Return what of one object is asked for; raises BadRequestError for filters."""
    for name in request.query_params:
        if name != "fields":
            raise BadRequestError(f"['{name[:100]}'] is invalid attribute for filtering")
    return read_query(attributes, request.query_params)
