"""Ports of logical routers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from northbound.errors import InvalidError
from northbound.ipam import made_up_mac
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    Resource,
    RouterPolicy,
    StaticRoute,
)
from northbound.models.nat import Nat
from northbound.services.applying import Plan
from northbound.services.base import Referents, Service
from northbound.services.bfd_sessions import BfdChecks
from northbound.services.gateways import (
    ResidentPorts,
    field_of_gateway,
    is_gateway_port,
    place_gateway,
    refuse_redirect_name,
)
from northbound.services.lookups import referent, refuse_if_referenced
from northbound.services.nat_addresses import NatNetworks
from northbound.services.nat_claims import AT_GATEWAY_PORT, TRANSLATING
from northbound.services.nexthops import refuse_taking_neighbours, refuse_taking_nexthops
from northbound.services.route_tables import RouteTables
from northbound.services.router_networks import RouterNetworks
from northbound.services.switch_ports import (
    claim_addresses,
    held_addresses,
    release_addresses,
    switch_port_towards,
)
from northbound.services.ties import Ties
from northbound.specs import LogicalRouterPortSpec
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys

_NAME: Any = bindparam("name")
_PROJECT: Any = bindparam("project")
_TOWARDS, _ROUTE, _POLICY = LogicalSwitchPort, StaticRoute, RouterPolicy
_ROUTES = select(_ROUTE).where(_ROUTE.output_port == _NAME, _ROUTE.project == _PROJECT)
_POLICIES = select(_POLICY).where(_POLICY.output_port == _NAME, _POLICY.project == _PROJECT)
_TIES: Ties[type[Resource]] = Ties(
    {
        _TOWARDS: select(_TOWARDS.router_port, _TOWARDS.id).where(
            _TOWARDS.router_port == _NAME, _TOWARDS.project == _PROJECT
        ),
        _ROUTE: _ROUTES.with_only_columns(_ROUTE.output_port, _ROUTE.id),
        _POLICY: _POLICIES.with_only_columns(_POLICY.output_port, _POLICY.id),
        Nat: AT_GATEWAY_PORT,
        LogicalRouter: TRANSLATING,
    }
)
"""What names a port, and whether its router translates anything."""


class LogicalRouterPortService(Service[LogicalRouterPort, LogicalRouterPortSpec]):
    """A link between routers is set from either end, and the other end follows.

    A switch port that leads to the port, a route or policy that leaves by it and a NAT that
    translates there stand in the way of its deletion. A new name reaches all that refer to it.
    """

    model = LogicalRouterPort
    spec = LogicalRouterPortSpec
    assigned_apart = frozenset({"mac", "peer"})

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        mac = wanted["mac"] or present["mac"]
        return present == {**wanted, "mac": mac}

    def _new(
        self, tx: Transaction, spec: LogicalRouterPortSpec, referents: Referents
    ) -> LogicalRouterPort:
        return LogicalRouterPort(
            mac=spec.mac or made_up_mac(str(spec.id)),
            networks=[],
            tunnel_key=tx.helper(TunnelKeys).router_port(referents["logical_router"]),
        )

    def _assign(
        self,
        tx: Transaction,
        row: LogicalRouterPort,
        spec: LogicalRouterPortSpec,
        referents: Referents,
    ) -> None:
        attached = switch_port_towards(tx, row) if row in tx.session else None
        held = held_addresses(tx, attached) if attached is not None else []
        old_name = row.name
        row.mac = spec.mac or row.mac
        refuse_taking_nexthops(tx, row, spec.networks)
        refuse_taking_neighbours(tx, row, spec.networks)
        tx.helper(RouteTables).take(row.logical_router_id, spec.route_table)
        if row.networks != spec.networks:
            tx.helper(RouterNetworks).changed(row)
        if set(row.networks) - set(spec.networks):
            tx.helper(NatNetworks).changed(row.logical_router_id)
        was_gateway_port = row.redirect_key is not None
        field = field_of_gateway(row)
        super()._assign(tx, row, spec, referents)
        refuse_redirect_name(tx, row)
        place_gateway(tx, row, referents["logical_router"])
        if was_gateway_port and row.redirect_key is None:
            tx.helper(BfdChecks).check_router(row.logical_router_id, "gateway_chassis")
        if row.reside_on_redirect_chassis:
            tx.helper(ResidentPorts).changed(row.logical_router_id, "reside_on_redirect_chassis")
        elif is_gateway_port(row) != was_gateway_port:
            field = field_of_gateway(row) or field
            tx.helper(ResidentPorts).changed(row.logical_router_id, field)
        if old_name is not None and old_name != row.name:
            self._follow_name(tx, row, old_name, attached)
        self._set_peer(tx, row, referents["peer"], attached)
        if attached is not None:
            switch = tx.by_id(LogicalSwitch, attached.logical_switch_id)
            if switch is not None:
                claim_addresses(tx, switch, attached, held)

    def _follow_name(
        self,
        tx: Transaction,
        row: LogicalRouterPort,
        old: str,
        attached: LogicalSwitchPort | None,
    ) -> None:
        """Let all that refer to the port by its `old` name do so by the new one."""
        if attached is not None:
            attached.router_port = row.name
        if row.peer is not None:
            peer = tx.named(LogicalRouterPort, row.peer, row.project)
            if peer is not None:
                peer.peer = row.name
        for leaving in _leaving_by(tx, old, row.project):
            leaving.output_port = row.name

    def _set_peer(
        self,
        tx: Transaction,
        row: LogicalRouterPort,
        peer: LogicalRouterPort | None,
        attached: LogicalSwitchPort | None,
    ) -> None:
        if peer is not None:
            reason = None
            if peer is row:
                reason = "a port cannot be its own peer"
            elif peer.peer not in (None, row.name):
                reason = f"has the peer {peer.peer!r} already"
            elif attached is not None:
                reason = f"the port is attached to switch port {attached.name!r}"
            elif (other := switch_port_towards(tx, peer)) is not None:
                reason = f"is attached to switch port {other.name!r}"
            if reason is not None:
                raise InvalidError.of("peer", reason=reason, value=peer.name)
        if row.peer is not None and (peer is None or row.peer != peer.name):
            end_link(tx, row)
        if peer is not None:
            row.peer = peer.name
            peer.peer = row.name

    def complete(self, objects: Sequence[dict[str, Any]]) -> None:
        """Let a link that one end names be named by both."""
        by_name = {values["name"]: values for values in objects}
        for values in objects:
            other = by_name.get(values["peer"])
            if other is not None and other["peer"] is None:
                other["peer"] = values["name"]

    def make_room(self, tx: Transaction, plan: Plan) -> None:
        """Part peers that shall have others, and delete ports that move to other routers."""
        wanted = plan.wanted[self.kind]
        for key, (row, _) in plan.present[self.kind].items():
            peer = wanted[key].values["peer"] if key in wanted else None
            if row.peer is not None and row.peer != peer:
                end_link(tx, row)
                plan.changed[row.id] = row
        names = {values["name"] for _, values in wanted.values()}
        moving = [row for row in plan.unwanted(self.kind) if row.name in names]
        for row in moving:
            attached = switch_port_towards(tx, row)
            if attached is not None and plan.holds(attached):
                release_addresses(tx, attached)
                attached.router_port = None
                plan.changed[attached.id] = attached
            plan.deleted.append(self.referent(row))
            self.remove(tx, [row])
        gone = {row.id for row in moving}
        plan.present[self.kind] = {
            key: found for key, found in plan.present[self.kind].items() if found.row.id not in gone
        }

    def remove(
        self, tx: Transaction, rows: Sequence[LogicalRouterPort], *, cascade: bool = False
    ) -> None:
        for port in rows:
            names = {"name": port.name, "project": port.project, "router": port.logical_router_id}
            ties = _TIES.of(tx, [port.id], **names)
            translates = ties.pop(LogicalRouter, ())
            users = [tx.by_id(kind, user) for kind, found in ties.items() for _, user in found]
            refuse_if_referenced(port, filter(None, users))
            end_link(tx, port)
            if translates:
                tx.helper(NatNetworks).changed(port.logical_router_id, gone=referent(port))
            if is_gateway_port(port):
                field = field_of_gateway(port)
                tx.helper(ResidentPorts).changed(port.logical_router_id, field, referent(port))
            super().remove(tx, [port], cascade=cascade)


def end_link(tx: Transaction, port: LogicalRouterPort) -> None:
    """Part `port` from its peer, if it has one."""
    if port.peer is not None:
        peer = tx.named(LogicalRouterPort, port.peer, port.project)
        if peer is not None:
            peer.peer = None
        port.peer = None


def _leaving_by(tx: Reader, port: str, project: str) -> Sequence[StaticRoute | RouterPolicy]:
    """Return the routes and policies that name a port as their output port."""
    values = {"name": port, "project": project}
    return [*tx.session.scalars(_ROUTES, values), *tx.session.scalars(_POLICIES, values)]
