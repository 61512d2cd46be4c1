"""Logical routers."""

from northbound.models import LogicalRouter
from northbound.services.base import Referents, Service
from northbound.services.gateways import refuse_gateway_router
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
        super()._assign(tx, row, spec, referents)
        refuse_gateway_router(tx, row)
