"""Ports of logical routers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.errors import InvalidError
from northbound.identity import new_id
from northbound.ipam import made_up_mac
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    Resource,
    StaticRoute,
)
from northbound.services.base import Filters, Service, by_column, by_reference
from northbound.services.lookups import PORT_MODELS, refuse_if_referenced, resolve, take_name
from northbound.services.nexthops import refuse_taking_nexthops
from northbound.services.switch_ports import (
    claim_addresses,
    held_addresses,
    switch_port_towards,
)
from northbound.specs import LogicalRouterPortSpec
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys


class LogicalRouterPortService(Service[LogicalRouterPort, LogicalRouterPortSpec]):
    """A link between routers is set from either end, and the other end follows.

    A switch port that leads to the port, and a static route that leaves by it,
    stand in the way of its deletion. A new name reaches all that refer to it.
    """

    kind = "logical_router_port"
    model = LogicalRouterPort
    spec = LogicalRouterPortSpec
    identifying = ("name", "logical_router")
    filters: ClassVar[Filters] = {
        "name": by_column(LogicalRouterPort.name),
        "logical_router": by_reference(LogicalRouterPort.logical_router_id, LogicalRouter),
        "peer": by_column(LogicalRouterPort.peer),
    }

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        mac = wanted["mac"] or present["mac"]
        return present == {**wanted, "mac": mac}

    def describe(self, reader: Reader, rows: Sequence[LogicalRouterPort]) -> list[dict[str, Any]]:
        routers = reader.names(LogicalRouter, (row.logical_router_id for row in rows))
        return [
            {
                "name": row.name,
                "logical_router": routers[row.logical_router_id],
                "mac": row.mac,
                "networks": row.networks,
                "peer": row.peer,
                "enabled": row.enabled,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, tx: Transaction, spec: LogicalRouterPortSpec) -> LogicalRouterPort:
        router = resolve(tx, LogicalRouter, spec.logical_router, "logical_router")
        port_id = new_id()
        return LogicalRouterPort(
            id=port_id,
            logical_router_id=router.id,
            mac=spec.mac or made_up_mac(port_id),
            networks=[],
            tunnel_key=tx.helper(TunnelKeys).router_port(router),
        )

    def _assign(self, tx: Transaction, row: LogicalRouterPort, spec: LogicalRouterPortSpec) -> None:
        router = resolve(tx, LogicalRouter, spec.logical_router, "logical_router")
        if router.id != row.logical_router_id:
            raise InvalidError.of("logical_router", reason="a port cannot move", value=router.name)
        attached = switch_port_towards(tx, row) if row in tx.session else None
        held = held_addresses(tx, attached) if attached is not None else []
        self._rename(tx, row, spec.name, attached)
        row.mac = spec.mac or row.mac
        refuse_taking_nexthops(tx, row, spec.networks)
        row.networks = spec.networks
        row.enabled = spec.enabled
        row.labels, row.external_ids = spec.labels, spec.external_ids
        self._set_peer(tx, row, spec.peer, attached)
        if attached is not None:
            switch = tx.by_id(LogicalSwitch, attached.logical_switch_id)
            if switch is not None:
                claim_addresses(tx, switch, attached, held)

    def _rename(
        self,
        tx: Transaction,
        row: LogicalRouterPort,
        name: str,
        attached: LogicalSwitchPort | None,
    ) -> None:
        old = row.name
        take_name(tx, row, name, PORT_MODELS)
        if old is None or old == name:
            return
        if attached is not None:
            attached.router_port = name
        if row.peer is not None:
            peer = tx.named(LogicalRouterPort, row.peer)
            if peer is not None:
                peer.peer = name
        for route in _routes_by(tx, old):
            route.output_port = name

    def _set_peer(
        self,
        tx: Transaction,
        row: LogicalRouterPort,
        ref: str | None,
        attached: LogicalSwitchPort | None,
    ) -> None:
        peer = None if ref is None else resolve(tx, LogicalRouterPort, ref, "peer")
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
                raise InvalidError.of("peer", reason=reason, value=ref)
        if row.peer is not None and (peer is None or row.peer != peer.name):
            end_link(tx, row)
        if peer is not None:
            row.peer = peer.name
            peer.peer = row.name

    def _delete(self, tx: Transaction, row: LogicalRouterPort, *, cascade: bool) -> None:  # noqa: ARG002
        delete_router_port(tx, row)

    def _facts(self, row: LogicalRouterPort) -> dict[str, Any]:
        return {"tunnel_key": row.tunnel_key}


def delete_router_port(tx: Transaction, port: LogicalRouterPort) -> None:
    """Delete `port` and end the link to its peer, unless something still uses it."""
    users: list[Resource] = []
    attached = switch_port_towards(tx, port)
    if attached is not None:
        users.append(attached)
    users.extend(_routes_by(tx, port.name))
    refuse_if_referenced(port, users)
    end_link(tx, port)
    tx.delete(port)


def end_link(tx: Transaction, port: LogicalRouterPort) -> None:
    """Part `port` from its peer, if it has one."""
    if port.peer is not None:
        peer = tx.named(LogicalRouterPort, port.peer)
        if peer is not None:
            peer.peer = None
        port.peer = None


def _routes_by(tx: Reader, port: str) -> Sequence[StaticRoute]:
    return tx.session.scalars(select(StaticRoute).where(StaticRoute.output_port == port)).all()
