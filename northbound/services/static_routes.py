"""Static routes of logical routers."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from northbound.errors import InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.services.base import Referents, Service
from northbound.services.nexthops import ports_of, why_no_nexthop
from northbound.specs import StaticRouteSpec
from northbound.transaction import Transaction


class StaticRouteService(Service[StaticRoute, StaticRouteSpec]):
    """Static routes have no name; they are addressed by id.

    A router has at most one route with the same prefix and policy: packets are not spread
    over several next hops.
    """

    model = StaticRoute
    spec = StaticRouteSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"{view['ip_prefix']} via {view['nexthop']} of {self.owner_phrase(view)}"

    def _assign(
        self, tx: Transaction, row: StaticRoute, spec: StaticRouteSpec, referents: Referents
    ) -> None:
        _check_way(tx, referents["logical_router"], referents["output_port"], spec)
        super()._assign(tx, row, spec, referents)


def _check_way(
    tx: Transaction, router: LogicalRouter, port: LogicalRouterPort | None, spec: StaticRouteSpec
) -> None:
    """Refuse a route that leads nowhere."""
    if spec.nexthop == "discard":
        return
    if port is not None and port.logical_router_id != router.id:
        raise InvalidError.of(
            "output_port", reason=f"is no port of router {router.name!r}", value=port.name
        )
    nexthop = ipaddress.ip_address(spec.nexthop)
    if reason := why_no_nexthop(nexthop, ports_of(tx, router.id), port):
        raise InvalidError.of("nexthop", reason=reason, value=spec.nexthop)
