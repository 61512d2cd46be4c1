"""Load balancers and their virtual addresses."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from northbound.models import (
    LoadBalancer,
    LoadBalancerBackend,
    LoadBalancerGroup,
    LoadBalancerVip,
)
from northbound.services.base import Referents, Service
from northbound.services.load_balancer_claims import VirtualAddressClaims, shown_address
from northbound.services.members import (
    LOAD_BALANCERS_OF_GROUPS,
    ROUTERS_OF_LOAD_BALANCER_GROUPS,
    ROUTERS_OF_LOAD_BALANCERS,
    SWITCHES_OF_LOAD_BALANCER_GROUPS,
    SWITCHES_OF_LOAD_BALANCERS,
    Members,
    leave_all,
)
from northbound.specs.backends import LoadBalancerBackendSpec
from northbound.specs.load_balancing import (
    LoadBalancerGroupSpec,
    LoadBalancerSpec,
    LoadBalancerVipSpec,
)
from northbound.transaction import Transaction


class LoadBalancerService(Service[LoadBalancer, LoadBalancerSpec]):
    """A load balancer's virtual addresses go with it."""

    model = LoadBalancer
    spec = LoadBalancerSpec
    members: ClassVar[dict[str, Members]] = {
        "switches": SWITCHES_OF_LOAD_BALANCERS,
        "routers": ROUTERS_OF_LOAD_BALANCERS,
    }

    def _written(
        self, tx: Transaction, row: LoadBalancer, spec: LoadBalancerSpec, kept: Any = ()
    ) -> None:
        super()._written(tx, row, spec, kept)
        tx.helper(VirtualAddressClaims).check(row.id)

    def remove(
        self, tx: Transaction, rows: Sequence[LoadBalancer], *, cascade: bool = False
    ) -> None:
        ids = [row.id for row in rows]
        leave_all(tx, (LOAD_BALANCERS_OF_GROUPS,), ids)
        super().remove(tx, rows, cascade=cascade)


class LoadBalancerVipService(Service[LoadBalancerVip, LoadBalancerVipSpec]):
    """Virtual addresses have no name; they are addressed by id, and go with their balancer."""

    model = LoadBalancerVip
    spec = LoadBalancerVipSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        shown = shown_address(view["address"], view["port"] or view["port_variable"])
        return f"{shown} of {self.owner_phrase(view)}"

    def _assign(
        self,
        tx: Transaction,
        row: LoadBalancerVip,
        spec: LoadBalancerVipSpec,
        referents: Referents,
    ) -> None:
        super()._assign(tx, row, spec, referents)
        tx.helper(VirtualAddressClaims).check(row.load_balancer_id)


class LoadBalancerBackendService(Service[LoadBalancerBackend, LoadBalancerBackendSpec]):
    """They have no name; they are addressed by id, and go with their balancer."""

    model = LoadBalancerBackend
    spec = LoadBalancerBackendSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"backend {view['address']} of {self.owner_phrase(view)}"


class LoadBalancerGroupService(Service[LoadBalancerGroup, LoadBalancerGroupSpec]):
    """What is in a group is on all switches and routers of the group."""

    model = LoadBalancerGroup
    spec = LoadBalancerGroupSpec
    members: ClassVar[dict[str, Members]] = {
        "load_balancers": LOAD_BALANCERS_OF_GROUPS,
        "switches": SWITCHES_OF_LOAD_BALANCER_GROUPS,
        "routers": ROUTERS_OF_LOAD_BALANCER_GROUPS,
    }

    def _written(
        self, tx: Transaction, row: LoadBalancerGroup, spec: LoadBalancerGroupSpec, kept: Any = ()
    ) -> None:
        super()._written(tx, row, spec, kept)
        claims = tx.helper(VirtualAddressClaims)
        for member in LOAD_BALANCERS_OF_GROUPS.of(tx, row.id):
            claims.check(member)
