"""Static routes of logical routers."""

import ipaddress
from collections.abc import Sequence
from typing import Any, ClassVar

from northbound.errors import InvalidError
from northbound.identity import new_id
from northbound.models import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.services.base import Filters, Service, by_column, by_reference
from northbound.services.lookups import NaturalKeys, resolve
from northbound.services.nexthops import ports_of, why_no_nexthop
from northbound.specs import StaticRouteSpec
from northbound.transaction import Reader, Transaction

NATURAL_KEY = ("logical_router_id", "ip_prefix", "policy")
"""No two routes agree in all of these: only one of them could be in force."""


class StaticRouteService(Service[StaticRoute, StaticRouteSpec]):
    """Static routes have no name; they are addressed by id.

    A router has at most one route with the same prefix and policy: packets are not spread
    over several next hops.
    """

    kind = "static_route"
    model = StaticRoute
    spec = StaticRouteSpec
    identifying = ("logical_router", "ip_prefix", "policy", "nexthop", "output_port")
    filters: ClassVar[Filters] = {
        "logical_router": by_reference(StaticRoute.logical_router_id, LogicalRouter),
        "ip_prefix": by_column(StaticRoute.ip_prefix),
        "nexthop": by_column(StaticRoute.nexthop),
        "output_port": by_column(StaticRoute.output_port),
    }

    def describe(self, reader: Reader, rows: Sequence[StaticRoute]) -> list[dict[str, Any]]:
        routers = reader.names(LogicalRouter, (row.logical_router_id for row in rows))
        return [
            {
                "logical_router": routers[row.logical_router_id],
                "ip_prefix": row.ip_prefix,
                "nexthop": row.nexthop,
                "output_port": row.output_port,
                "policy": row.policy,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, tx: Transaction, spec: StaticRouteSpec) -> StaticRoute:
        router = resolve(tx, LogicalRouter, spec.logical_router, "logical_router")
        return StaticRoute(id=new_id(), logical_router_id=router.id)

    def _assign(self, tx: Transaction, row: StaticRoute, spec: StaticRouteSpec) -> None:
        router = resolve(tx, LogicalRouter, spec.logical_router, "logical_router")
        if router.id != row.logical_router_id:
            raise InvalidError.of("logical_router", reason="a route cannot move", value=router.name)
        row.output_port = _output_port(tx, router, spec)
        row.ip_prefix = spec.ip_prefix
        row.nexthop = spec.nexthop
        row.policy = spec.policy
        tx.helper(NaturalKeys).take(row, NATURAL_KEY, "ip_prefix")
        row.labels, row.external_ids = spec.labels, spec.external_ids

    def _delete(self, tx: Transaction, row: StaticRoute, *, cascade: bool) -> None:  # noqa: ARG002
        tx.delete(row)


def _output_port(tx: Transaction, router: LogicalRouter, spec: StaticRouteSpec) -> str | None:
    """The name of the port a route leaves by, if it was said; refuses what leads nowhere."""
    if spec.nexthop == "discard":
        return None
    port = None
    if spec.output_port is not None:
        port = resolve(tx, LogicalRouterPort, spec.output_port, "output_port")
        if port.logical_router_id != router.id:
            raise InvalidError.of(
                "output_port", reason=f"is no port of router {router.name!r}", value=port.name
            )
    nexthop = ipaddress.ip_address(spec.nexthop)
    if reason := why_no_nexthop(nexthop, ports_of(tx, router.id), port):
        raise InvalidError.of("nexthop", reason=reason, value=spec.nexthop)
    return None if port is None else port.name
