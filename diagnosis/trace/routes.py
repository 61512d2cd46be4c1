"""Where a router leads, in words, for those whose packets it has no route for."""

from collections.abc import Iterator
from ipaddress import ip_interface, ip_network
from typing import Final

from sqlalchemy import select

from diagnosis.trace.words import Address
from northbound.models import LogicalRouterPort, StaticRoute
from northbound.names import MAIN_TABLE
from northbound.transaction import Reader

_MOST_TOLD: Final = 8


def ways_of(reader: Reader, router: str, inport: str, address: Address) -> str:
    """Say where a router leads with what enters at a port of it, in the family of an address.

    Both are ids. Networks of its own come first, then routes of the table that the port names.
    """
    port = reader.by_id(LogicalRouterPort, inport)
    table = MAIN_TABLE if port is None else port.route_table or MAIN_TABLE
    ways = [*_networks(reader, router, address.version), *_routes(reader, router, address, table)]
    told = ", ".join(ways[:_MOST_TOLD]) or f"nowhere with IPv{address.version}"
    more = f" and {len(ways) - _MOST_TOLD} more" if len(ways) > _MOST_TOLD else ""
    by = "" if table == MAIN_TABLE else f", by its route table {table}"
    return f"it leads to {told}{more}{by}" if ways else f"it leads {told}{by}"


def _networks(reader: Reader, router: str, version: int) -> Iterator[str]:
    query = select(LogicalRouterPort).where(LogicalRouterPort.logical_router_id == router)
    for port in reader.session.scalars(query.order_by(LogicalRouterPort.name)):
        networks = (ip_interface(each).network for each in port.networks if port.enabled)
        yield from (str(each) for each in networks if each.version == version)


def _routes(reader: Reader, router: str, address: Address, table: str) -> Iterator[str]:
    query = (
        select(StaticRoute)
        .where(StaticRoute.logical_router_id == router, StaticRoute.route_table == table)
        .order_by(StaticRoute.ip_prefix, StaticRoute.id)
    )
    for route in reader.session.scalars(query):
        if ip_network(route.ip_prefix).version == address.version:
            what = f"from {route.ip_prefix}" if route.policy == "src-ip" else route.ip_prefix
            yield f"{what} by {route.nexthop}"
