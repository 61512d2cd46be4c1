"""Static routes of logical routers."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from northbound.errors import InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.services.base import Referents, Service
from northbound.services.bfd_sessions import BfdChecks
from northbound.services.nexthops import why_no_nexthop
from northbound.services.route_tables import RouteTables
from northbound.services.router_networks import networked_ports
from northbound.services.symmetric_replies import SymmetricReplies
from northbound.specs import StaticRouteSpec
from northbound.transaction import Transaction
from northbound.tunnel_keys import TunnelKeys

MOST_MEMBERS = 64
"""Over so many routes of one prefix packets are spread at most."""


class StaticRouteService(Service[StaticRoute, StaticRouteSpec]):
    """Static routes have no name; they are addressed by id.

    Routes of a router that agree in prefix, policy, table, and in what decides among equal
    prefixes, are members of one group, over which packets are spread. Its next hops are all of
    one family, and none discards beside others.
    """

    model = StaticRoute
    spec = StaticRouteSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"{view['ip_prefix']} via {view['nexthop']} of {self.owner_phrase(view)}"

    def _new(
        self,
        tx: Transaction,
        spec: StaticRouteSpec,  # noqa: ARG002
        referents: Referents,
    ) -> StaticRoute:
        return StaticRoute(number=tx.helper(TunnelKeys).static_route(referents["logical_router"]))

    def _assign(
        self, tx: Transaction, row: StaticRoute, spec: StaticRouteSpec, referents: Referents
    ) -> None:
        router: LogicalRouter = referents["logical_router"]
        _check_way(tx, router, referents["output_port"], spec)
        tx.helper(RouteTables).take(router.id, spec.route_table)
        _check_group(tx, row, spec)
        super()._assign(tx, row, spec, referents)
        tx.helper(BfdChecks).check(row)
        if row.ecmp_symmetric_reply:
            tx.helper(SymmetricReplies).check(router.id)


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
    if reason := why_no_nexthop(nexthop, networked_ports(tx, router.id), port):
        raise InvalidError.of("nexthop", reason=reason, value=spec.nexthop)


def _check_group(tx: Transaction, row: StaticRoute, spec: StaticRouteSpec) -> None:
    """Refuse a route over which packets cannot be spread together with others."""
    others = _others_of_group(tx, row, spec)
    if not others:
        return
    nexthop, other = spec.nexthop, others[0].nexthop
    reason = None
    if "discard" in (nexthop, other):
        reason = f"packets for {spec.ip_prefix} can't be both discarded and sent on: "
        reason += f"the router has the next hop {other} for them"
    elif _version(nexthop) != _version(other):
        reason = f"is not of the family of {other}, to which the router sends packets for "
        reason += f"{spec.ip_prefix}, too"
    elif len(others) >= MOST_MEMBERS:
        reason = f"the router has {MOST_MEMBERS} next hops for {spec.ip_prefix} already"
    if reason is not None and (nexthop, spec.output_port) not in {
        (each.nexthop, each.output_port) for each in others
    }:
        raise InvalidError.of("nexthop", reason=reason, value=nexthop)


def _others_of_group(
    tx: Transaction, row: StaticRoute, spec: StaticRouteSpec
) -> Sequence[StaticRoute]:
    query = select(StaticRoute).where(
        StaticRoute.id != row.id,
        StaticRoute.logical_router_id == row.logical_router_id,
        StaticRoute.ip_prefix == spec.ip_prefix,
        StaticRoute.policy == spec.policy,
        StaticRoute.route_table == spec.route_table,
        StaticRoute.origin == spec.origin,
        StaticRoute.override_connected == spec.override_connected,
    )
    found = tx.session.scalars(query.order_by(StaticRoute.number))
    return [each for each in found if not tx.is_deleted(each)]


def _version(nexthop: str) -> int:
    return ipaddress.ip_address(nexthop).version
