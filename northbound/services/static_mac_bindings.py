"""Static MAC bindings of router ports."""

import ipaddress

from northbound.errors import InvalidError
from northbound.models import LogicalRouterPort
from northbound.models.routing import StaticMacBinding
from northbound.services.base import Referents, Service
from northbound.services.nexthops import why_no_host
from northbound.specs.routing import StaticMacBindingSpec
from northbound.transaction import Transaction


class StaticMacBindingService(Service[StaticMacBinding, StaticMacBindingSpec]):
    """Bindings have no name; they are addressed by id, and go with their port."""

    model = StaticMacBinding
    spec = StaticMacBindingSpec

    def _assign(
        self,
        tx: Transaction,
        row: StaticMacBinding,
        spec: StaticMacBindingSpec,
        referents: Referents,
    ) -> None:
        port: LogicalRouterPort = referents["logical_router_port"]
        neighbour = ipaddress.ip_address(spec.ip)
        if reason := why_no_host(neighbour, port.name, port.mac, port.networks):
            raise InvalidError.of("ip", reason=reason, value=spec.ip)
        super()._assign(tx, row, spec, referents)
