"""Logical routers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.identity import new_id
from northbound.models import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.services.base import Filters, Service, by_column
from northbound.services.lookups import refuse_if_referenced, take_name
from northbound.services.router_ports import delete_router_port
from northbound.specs import LogicalRouterSpec
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys


class LogicalRouterService(Service[LogicalRouter, LogicalRouterSpec]):
    """A router's routes go with it; its ports stand in the way unless asked to go too."""

    kind = "logical_router"
    model = LogicalRouter
    spec = LogicalRouterSpec
    filters: ClassVar[Filters] = {"name": by_column(LogicalRouter.name)}

    def describe(self, _reader: Reader, rows: Sequence[LogicalRouter]) -> list[dict[str, Any]]:
        return [
            {
                "name": row.name,
                "enabled": row.enabled,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, tx: Transaction, _spec: LogicalRouterSpec) -> LogicalRouter:
        return LogicalRouter(id=new_id(), tunnel_key=tx.helper(TunnelKeys).datapath())

    def _assign(self, tx: Transaction, row: LogicalRouter, spec: LogicalRouterSpec) -> None:
        take_name(tx, row, spec.name)
        row.enabled = spec.enabled
        row.labels, row.external_ids = spec.labels, spec.external_ids

    def _delete(self, tx: Transaction, row: LogicalRouter, *, cascade: bool) -> None:
        query = select(LogicalRouterPort).where(LogicalRouterPort.logical_router_id == row.id)
        ports = tx.session.scalars(query.order_by(LogicalRouterPort.name)).all()
        if not cascade:
            refuse_if_referenced(row, ports)
        routes = select(StaticRoute).where(StaticRoute.logical_router_id == row.id)
        for route in tx.session.scalars(routes).all():
            tx.delete(route)
        tx.flush()
        for port in ports:
            delete_router_port(tx, port)
        tx.delete(row)

    def _facts(self, row: LogicalRouter) -> dict[str, Any]:
        return {"tunnel_key": row.tunnel_key}
