"""Load balancers and their virtual addresses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.errors import ConflictError, InvalidError
from northbound.models import (
    LoadBalancer,
    LoadBalancerBackend,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LoadBalancerVip,
)
from northbound.services.base import Referents, Service
from northbound.services.lookups import referent
from northbound.services.members import (
    ROUTERS_OF_LOAD_BALANCERS,
    SWITCHES_OF_LOAD_BALANCERS,
    Members,
)
from northbound.specs.backends import LoadBalancerBackendSpec
from northbound.specs.load_balancing import LoadBalancerSpec, LoadBalancerVipSpec
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
        tx.helper(_Claims).check(row.id)


class LoadBalancerVipService(Service[LoadBalancerVip, LoadBalancerVipSpec]):
    """Virtual addresses have no name; they are addressed by id, and go with their balancer."""

    model = LoadBalancerVip
    spec = LoadBalancerVipSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"{shown_address(view['address'], view['port'])} of {self.owner_phrase(view)}"

    def _assign(
        self,
        tx: Transaction,
        row: LoadBalancerVip,
        spec: LoadBalancerVipSpec,
        referents: Referents,
    ) -> None:
        super()._assign(tx, row, spec, referents)
        tx.helper(_Claims).check(row.load_balancer_id)


class LoadBalancerBackendService(Service[LoadBalancerBackend, LoadBalancerBackendSpec]):
    """They have no name; they are addressed by id, and go with their balancer."""

    model = LoadBalancerBackend
    spec = LoadBalancerBackendSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"backend {view['address']} of {self.owner_phrase(view)}"


def shown_address(address: str, port: int | None) -> str:
    """Return a virtual address as people write it.

    >>> shown_address("10.96.0.1", 80), shown_address("fd00::1", 80), shown_address("fd00::1", None)
    ('10.96.0.1:80', '[fd00::1]:80', 'fd00::1')
    """
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class _Claims:
    """Refuses what two load balancers of one switch or router claim: an address and port.

    It looks when the transaction ends, so that an address may move from one to another.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changed: set[str] = set()

    def check(self, load_balancer_id: str) -> None:
        """Look at the addresses of that load balancer in the end."""
        if not self._changed:
            self._tx.at_end(self._refuse)
        self._changed.add(load_balancer_id)

    def _refuse(self) -> None:
        changed, self._changed = self._changed, set()
        if changed:
            self._tx.flush()
        for load_balancer_id in sorted(changed):
            self._refuse_unchecked(load_balancer_id)
            for own, other in self._rivals(load_balancer_id):
                raise ConflictError(
                    own.__tablename__,
                    "address",
                    shown_address(own.address, own.port),
                    referent(other),
                )

    def _refuse_unchecked(self, load_balancer_id: str) -> None:
        """Refuse checks of a protocol that has none."""
        own = self._tx.by_id(LoadBalancer, load_balancer_id)
        if own is None or own.protocol != "sctp":
            return
        vips = select(LoadBalancerVip).where(LoadBalancerVip.load_balancer_id == own.id)
        for vip in self._tx.session.scalars(vips):
            if vip.health_check is not None:
                reason = "there are none of SCTP, the load balancer's protocol"
                raise InvalidError.of("health_check", reason=reason)

    def _rivals(self, load_balancer_id: str) -> Iterator[tuple[LoadBalancerVip, LoadBalancerVip]]:
        """Yield pairs of virtual addresses that are the same, of this load balancer and another."""
        own = self._tx.by_id(LoadBalancer, load_balancer_id)
        if own is None:
            return
        places = self._places(own.id)
        session = self._tx.session
        for vip in session.scalars(
            select(LoadBalancerVip).where(LoadBalancerVip.load_balancer_id == own.id)
        ):
            same = select(LoadBalancerVip).where(
                LoadBalancerVip.address == vip.address,
                LoadBalancerVip.port == vip.port
                if vip.port is not None
                else LoadBalancerVip.port.is_(None),
                LoadBalancerVip.load_balancer_id != own.id,
            )
            for rival in session.scalars(same):
                other = self._tx.by_id(LoadBalancer, rival.load_balancer_id)
                if other is None or (vip.port is not None and other.protocol != own.protocol):
                    continue
                if places & self._places(other.id):
                    yield vip, rival

    def _places(self, load_balancer_id: str) -> set[str]:
        """Return the ids of the switches and routers that a load balancer is on."""
        switches = select(LoadBalancerSwitch.logical_switch_id).where(
            LoadBalancerSwitch.load_balancer_id == load_balancer_id
        )
        routers = select(LoadBalancerRouter.logical_router_id).where(
            LoadBalancerRouter.load_balancer_id == load_balancer_id
        )
        return {*self._tx.session.scalars(switches), *self._tx.session.scalars(routers)}


def leave_load_balancers(tx: Transaction, members: Members, ids: Sequence[str]) -> None:
    """Take switches or routers that go out of the load balancers that they have."""
    for owner_id in members.leave(tx, ids):
        balancer = tx.by_id(LoadBalancer, owner_id)
        if balancer is not None:
            tx.touch(balancer)
