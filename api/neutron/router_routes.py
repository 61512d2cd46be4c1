"""Extra routes of routers: static routes that choose by destination and lead to a next hop.

Those that ``/v1`` made and that Neutron has no words for (by source, of another table, or that
discard) are neither shown nor touched. Packets for a destination with several next hops are
spread over them.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from api.neutron.errors import BadRequestError, InvalidInputError
from api.neutron.router_interfaces import Interface
from api.neutron.values import ip_address, list_of, strict_cidr, struct
from northbound.inserting import batched
from northbound.models import LogicalRouter, StaticRoute
from northbound.names import MAIN_TABLE
from northbound.services import STATIC_ROUTES
from northbound.transaction import Reader, Transaction

Route = Mapping[str, str]
"""A `destination` and a `nexthop`."""

read_routes = list_of(struct({"destination": strict_cidr, "nexthop": ip_address}), unique=True)
"""Takes a list of routes."""


def routes_of(reader: Reader, router_ids: Collection[str]) -> dict[str, list[StaticRoute]]:
    """Return the extra routes of each router, in the order in which they are shown."""
    found: dict[str, list[StaticRoute]] = {each: [] for each in router_ids}
    for some in batched(list(found)):
        query = select(StaticRoute).where(
            StaticRoute.logical_router_id.in_(some),
            StaticRoute.policy == "dst-ip",
            StaticRoute.route_table == MAIN_TABLE,
            StaticRoute.nexthop != "discard",
        )
        for route in reader.session.scalars(
            query.order_by(StaticRoute.ip_prefix, StaticRoute.nexthop)
        ):
            found[route.logical_router_id].append(route)
    return found


def shown_route(route: StaticRoute) -> dict[str, str]:
    """Return a route as Neutron's clients see it."""
    return {"destination": route.ip_prefix, "nexthop": route.nexthop}


def read_action_body(body: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the routes of ``{"router": {"routes": […]}}``, or raise."""
    router = body.get("router")
    if len(body) != 1 or not isinstance(router, dict) or set(router) != {"routes"}:
        raise BadRequestError("Resource body required: an object 'router' with 'routes' alone")
    try:
        routes: list[dict[str, str]] = read_routes(router["routes"])
    except ValueError as error:
        raise InvalidInputError("routes", str(error)) from None
    return routes


def set_routes(
    tx: Transaction, router: LogicalRouter, interfaces: Sequence[Interface], routes: Sequence[Route]
) -> None:
    """Let a router have exactly these extra routes; raises a refusal of those that it can't.

    A route that stays is not touched, one with another next hop is changed in place.
    """
    present: dict[str, list[StaticRoute]] = defaultdict(list)
    for row in routes_of(tx, [router.id])[router.id]:
        present[row.ip_prefix].append(row)
    wanted: dict[str, list[Route]] = defaultdict(list)
    for route in routes:
        wanted[route["destination"]].append(route)
        if all(route["nexthop"] != row.nexthop for row in present[route["destination"]]):
            _check_nexthop(routes, route, interfaces)
    changes = [
        _Change(present[destination], wanted[destination])
        for destination in dict.fromkeys([*present, *wanted])
    ]
    for change in changes:
        for row in change.gone:
            STATIC_ROUTES.remove(tx, [row])
    tx.flush()
    for change in changes:
        for row, route in change.moved:
            patch = {"nexthop": route["nexthop"], "output_port": None}
            STATIC_ROUTES.amend(tx, row, patch)
        for route in change.new:
            values = {
                "project": router.project,
                "logical_router": router.id,
                "ip_prefix": route["destination"],
                "nexthop": route["nexthop"],
            }
            STATIC_ROUTES.create(tx, values)
    tx.flush()


class _Change:
    """What becomes of the routes to one destination."""

    def __init__(self, present: Sequence[StaticRoute], wanted: Sequence[Route]) -> None:
        hops = {route["nexthop"] for route in wanted}
        there = {row.nexthop for row in present}
        free = [row for row in present if row.nexthop not in hops]
        missing = [route for route in wanted if route["nexthop"] not in there]
        count = min(len(free), len(missing))
        self.moved = list(zip(free[:count], missing[:count], strict=True))
        """Routes that get another next hop."""
        self.gone = free[count:]
        self.new = missing[count:]


def needs_subnet(routes: Iterable[StaticRoute], cidr: str) -> bool:
    """Tell whether one of `routes` has its next hop in a network."""
    network = ipaddress.ip_network(cidr)
    return any(ipaddress.ip_address(route.nexthop) in network for route in routes)


def _check_nexthop(routes: Sequence[Route], route: Route, interfaces: Iterable[Interface]) -> None:
    nexthop = ipaddress.ip_address(route["nexthop"])
    own = [
        ipaddress.ip_interface(network)
        for interface in interfaces
        for network in interface.router_port.networks
    ]
    if not any(nexthop in each.network for each in own):
        raise _invalid(routes, "the nexthop is not connected with router")
    if any(nexthop == each.ip for each in own):
        raise _invalid(routes, "the nexthop is used by router")
    if ipaddress.ip_network(route["destination"]).version == 6 and nexthop.version == 4:
        raise _invalid(routes, "an IPv6 destination isn't reached through an IPv4 nexthop")


def _invalid(routes: Sequence[Route], reason: str) -> BadRequestError:
    shown = [dict(route) for route in routes[:10]]
    return BadRequestError(f"Invalid format for routes: {shown}, {reason}", "InvalidRoutes")
