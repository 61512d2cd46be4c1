"""Where a router leads, in words, for those whose packets it has no route for."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_interface, ip_network
from typing import Any, Final

from sqlalchemy import select

from diagnosis.trace.words import Address
from northbound.models import LogicalRouterPort, StaticRoute
from northbound.names import MAIN_TABLE
from northbound.transaction import Reader, RowChange

_MOST_TOLD: Final = 8

Image = dict[str, Any]
"""The columns of an object."""


def ways_of(
    reader: Reader, router: str, inport: str, address: Address, changes: Sequence[RowChange] = ()
) -> str:
    """Say where a router leads with what enters at a port of it, in the family of an address.

    Both are ids. Networks of its own come first, then routes of the table that the port names.
    What a reader sees is as it would be with `changes`.
    """
    ports = _of_router(reader, router, LogicalRouterPort, changes)
    table = next((each["route_table"] for each in ports if each["id"] == inport), MAIN_TABLE)
    routes = _of_router(reader, router, StaticRoute, changes)
    ways = [
        *_networks(ports, address.version),
        *_routes([each for each in routes if each["route_table"] == table], address.version),
    ]
    told = ", ".join(ways[:_MOST_TOLD]) or f"nowhere with IPv{address.version}"
    more = f" and {len(ways) - _MOST_TOLD} more" if len(ways) > _MOST_TOLD else ""
    by = "" if table == MAIN_TABLE else f", by its route table {table}"
    return f"it leads {'to ' if ways else ''}{told}{more}{by}"


def _of_router(
    reader: Reader,
    router: str,
    model: type[LogicalRouterPort] | type[StaticRoute],
    changes: Sequence[RowChange],
) -> list[Image]:
    """Return the objects of one kind that a router has."""
    rows = reader.session.scalars(select(model).where(model.logical_router_id == router))
    found: dict[str, Image] = {row.id: row.image() for row in rows}
    for change in changes:
        if change.table == model.__tablename__:
            found.pop(change.object_id, None)
            if change.after is not None and change.after["logical_router_id"] == router:
                found[change.object_id] = dict(change.after)
    return list(found.values())


def _networks(ports: Sequence[Image], version: int) -> Iterator[str]:
    for port in sorted(ports, key=lambda port: str(port["name"])):
        networks = (ip_interface(each).network for each in port["networks"] if port["enabled"])
        yield from (str(each) for each in networks if each.version == version)


def _routes(routes: Sequence[Image], version: int) -> Iterator[str]:
    for route in sorted(routes, key=lambda route: (route["ip_prefix"], route["nexthop"])):
        if ip_network(route["ip_prefix"]).version == version:
            by_source = route["policy"] == "src-ip"
            what = f"from {route['ip_prefix']}" if by_source else route["ip_prefix"]
            yield f"{what} by {route['nexthop']}"
