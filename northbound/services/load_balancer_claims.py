"""Which load balancer of a switch or router has a virtual address: no two of them the same.

An address may be there with several ports and protocols, and once without a port beside them. On
a router a NAT may have it, too, if all that comes in for it isn't both of that and of a virtual
address without a port.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from logical_flow.variables import has_variable, parse_backend_text
from northbound.errors import ConflictError, InvalidError, PathElement
from northbound.inserting import batched
from northbound.models import (
    LoadBalancer,
    LoadBalancerGroupMember,
    LoadBalancerGroupRouter,
    LoadBalancerGroupSwitch,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LoadBalancerVip,
    Resource,
)
from northbound.models.nat import Nat
from northbound.services.lookups import referent
from northbound.services.nat_claims import INCOMING
from northbound.specs.load_balancing import VERSIONS, version_of
from northbound.transaction import Transaction


def shown_address(address: str, port: int | str | None) -> str:
    """Return a virtual address as people write it.

    >>> shown_address("10.96.0.1", 80), shown_address("fd00::1", 80), shown_address("fd00::1", None)
    ('10.96.0.1:80', '[fd00::1]:80', 'fd00::1')
    """
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def check_template(balancer: LoadBalancer, vip: LoadBalancerVip) -> None:
    """Refuse variables where the load balancer is no template, and in one other families."""
    places: list[tuple[tuple[PathElement, ...], str]] = [(("address",), vip.address)]
    if vip.port_variable is not None:
        places.append((("port_variable",), vip.port_variable))
    places += [(("backends", i), text) for i, text in enumerate(vip.backends)]
    wanted = VERSIONS.get(balancer.address_family or "")
    for path, text in places:
        if not balancer.template:
            if has_variable(text):
                reason = "has a variable, but the load balancer is no template"
                raise InvalidError.of(*path, reason=reason, value=text)
        elif path[0] != "port_variable":
            version = version_of(parse_backend_text(text).address)
            if version not in (None, wanted):
                reason = f"is no {balancer.address_family} address, as the template's are"
                raise InvalidError.of(*path, reason=reason, value=text)


class _Rivals(NamedTuple):
    """Two that claim the same address, unless no switch or router has both."""

    own: Resource
    field: str
    address: str
    other: Resource
    balancer: str
    """The id of a load balancer that has the address."""
    place: str
    """The id of the other load balancer, or of the router of a NAT."""


class VirtualAddressClaims:
    """Refuses what two claim at one place; it looks when the transaction ends.

    So an address may move from one to another.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._balancers: set[str] = set()
        self._nats: set[str] = set()
        self._asked = False

    def check(self, load_balancer_id: str) -> None:
        """Look at the addresses of that load balancer in the end."""
        self._ask()
        self._balancers.add(load_balancer_id)

    def check_nat(self, nat_id: str) -> None:
        """Look at the external address of that NAT in the end."""
        self._ask()
        self._nats.add(nat_id)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._tx.at_end(self._refuse)

    def _refuse(self) -> None:
        balancers, nats = sorted(self._balancers), sorted(self._nats)
        self._asked = False
        self._balancers, self._nats = set(), set()
        self._tx.flush()
        for balancer in balancers:
            self._refuse_misfits(balancer)
        rivals = [*self._among_balancers(balancers), *self._with_nats(balancers, nats)]
        places = self._places({each.balancer for each in rivals} | {r.place for r in rivals})
        for each in rivals:
            # A router is where it is itself.
            if places[each.balancer] & places.get(each.place, {each.place}):
                raise ConflictError(
                    each.own.__tablename__, each.field, each.address, referent(each.other)
                )

    def _refuse_misfits(self, load_balancer_id: str) -> None:
        """Refuse virtual addresses that their load balancer can't have."""
        own = self._tx.by_id(LoadBalancer, load_balancer_id)
        if own is None:
            return
        vips = select(LoadBalancerVip).where(LoadBalancerVip.load_balancer_id == own.id)
        for vip in self._tx.session.scalars(vips):
            if vip.health_check is not None and own.protocol == "sctp":
                reason = "there are none of SCTP, the load balancer's protocol"
                raise InvalidError.of("health_check", reason=reason)
            if vip.health_check is not None and own.template:
                reason = "there are none of a load balancer that is a template"
                raise InvalidError.of("health_check", reason=reason)
            check_template(own, vip)

    def _among_balancers(self, balancers: Sequence[str]) -> Iterator[_Rivals]:
        """Yield virtual addresses that are those of another load balancer, too."""
        own, other = aliased(LoadBalancerVip), aliased(LoadBalancerVip)
        mine, theirs = aliased(LoadBalancer), aliased(LoadBalancer)
        query = (
            select(own, other)
            .join(mine, mine.id == own.load_balancer_id)
            .join(other, other.address == own.address)
            .join(theirs, theirs.id == other.load_balancer_id)
            .where(
                mine.id != theirs.id,
                own.port.is_not_distinct_from(other.port),
                own.port_variable.is_not_distinct_from(other.port_variable),
                (own.port.is_(None) & own.port_variable.is_(None))
                | (mine.protocol == theirs.protocol),
            )
            .order_by(own.id, other.id)
        )
        for some in batched(balancers):
            for vip, rival in self._tx.session.execute(query.where(mine.id.in_(some))).all():
                shown = shown_address(vip.address, vip.port or vip.port_variable)
                yield _Rivals(
                    vip, "address", shown, rival, vip.load_balancer_id, rival.load_balancer_id
                )

    def _with_nats(self, balancers: Sequence[str], nats: Sequence[str]) -> Iterator[_Rivals]:
        """Yield virtual addresses without a port to which a NAT brings all that comes in."""
        query = (
            select(LoadBalancerVip, Nat)
            .join(Nat, Nat.external_ip == LoadBalancerVip.address)
            .where(
                LoadBalancerVip.port.is_(None),
                LoadBalancerVip.port_variable.is_(None),
                Nat.type.in_(INCOMING),
                Nat.match.is_(None),
            )
            .order_by(LoadBalancerVip.id, Nat.id)
        )
        for some in batched(balancers):
            of_these = query.where(LoadBalancerVip.load_balancer_id.in_(some))
            for vip, nat in self._tx.session.execute(of_these).all():
                balancer, router = vip.load_balancer_id, nat.logical_router_id
                yield _Rivals(vip, "address", vip.address, nat, balancer, router)
        for some in batched(nats):
            for vip, nat in self._tx.session.execute(query.where(Nat.id.in_(some))).all():
                balancer, router = vip.load_balancer_id, nat.logical_router_id
                yield _Rivals(nat, "external_ip", nat.external_ip, vip, balancer, router)

    def _places(self, balancers: Collection[str]) -> Mapping[str, set[str]]:
        """Load balancer -> the ids of the switches and routers that it is on.

        Ids that are those of no load balancer are on none, and left out.
        """
        member, in_switch, in_router = (
            LoadBalancerGroupMember,
            LoadBalancerGroupSwitch,
            LoadBalancerGroupRouter,
        )
        queries = (
            (LoadBalancerSwitch.load_balancer_id, LoadBalancerSwitch.logical_switch_id, None),
            (LoadBalancerRouter.load_balancer_id, LoadBalancerRouter.logical_router_id, None),
            (member.load_balancer_id, in_switch.logical_switch_id, in_switch),
            (member.load_balancer_id, in_router.logical_router_id, in_router),
        )
        found: defaultdict[str, set[str]] = defaultdict(set)
        for some in batched(sorted(balancers)):
            for balancer, place, group in queries:
                query = select(balancer, place).where(balancer.in_(some))
                if group is not None:
                    groups = group.load_balancer_group_id
                    query = query.join(group, groups == member.load_balancer_group_id)
                for of, where in self._tx.session.execute(query):
                    found[of].add(where)
        return found
