"""Logical routers."""

from collections.abc import Sequence

from northbound.models import LogicalRouter
from northbound.services.base import Referents, Service
from northbound.services.bfd_sessions import BfdChecks
from northbound.services.gateways import GatewayRouters
from northbound.services.members import (
    ROUTERS_OF_LOAD_BALANCER_GROUPS,
    ROUTERS_OF_LOAD_BALANCERS,
    leave_all,
)
from northbound.services.symmetric_replies import SymmetricReplies
from northbound.specs import LogicalRouterSpec
from northbound.transaction import Transaction
from northbound.tunnel_keys import TunnelKeys


class LogicalRouterService(Service[LogicalRouter, LogicalRouterSpec]):
    """A router's routes go with it; its ports stand in the way unless asked to go too."""

    model = LogicalRouter
    spec = LogicalRouterSpec

    def _new(
        self,
        tx: Transaction,
        spec: LogicalRouterSpec,  # noqa: ARG002
        referents: Referents,  # noqa: ARG002
    ) -> LogicalRouter:
        return LogicalRouter(tunnel_key=tx.helper(TunnelKeys).datapath())

    def _assign(
        self, tx: Transaction, row: LogicalRouter, spec: LogicalRouterSpec, referents: Referents
    ) -> None:
        was_placed = row.chassis is not None
        super()._assign(tx, row, spec, referents)
        if row.chassis is not None:
            tx.helper(GatewayRouters).placed(row)
        elif was_placed:
            tx.helper(BfdChecks).check_router(row.id, "chassis")
            tx.helper(SymmetricReplies).check(row.id, "chassis")

    def remove(
        self, tx: Transaction, rows: Sequence[LogicalRouter], *, cascade: bool = False
    ) -> None:
        ids = [row.id for row in rows]
        leave_all(tx, (ROUTERS_OF_LOAD_BALANCERS, ROUTERS_OF_LOAD_BALANCER_GROUPS), ids)
        super().remove(tx, rows, cascade=cascade)
