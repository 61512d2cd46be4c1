"""The members of port groups, address sets and their like, as rows of a table of their own.

There may be tens of thousands, so they are read and written many at once, as images.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select

from northbound.errors import InvalidError, LimitError
from northbound.inserting import batched
from northbound.models import (
    AddressSetAddress,
    LoadBalancer,
    LoadBalancerGroupMember,
    LoadBalancerGroupRouter,
    LoadBalancerGroupSwitch,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LogicalRouter,
    LogicalSwitch,
    LogicalSwitchPort,
    PortGroupPort,
    Resource,
    Tracked,
    resource_model,
)
from northbound.services.lookups import resolve
from northbound.services.ties import Tie, Ties
from northbound.transaction import Reader, Transaction


class Members:
    """The memberships of one kind of group: `owner` and `member` are columns of `model`.

    `field` is what a spec calls the members.
    """

    def __init__(self, model: type[Tracked], owner: str, member: str, field: str) -> None:
        self._model = model
        self._owner = model.__mapper__.columns[owner]
        self._member = model.__mapper__.columns[member]
        self._field = field
        # Built once: see `northbound.transaction`.
        of_owner = self._owner == bindparam("owner")
        among = self._member.in_(bindparam("members", expanding=True))
        ids: Any = bindparam("ids", expanding=True)
        self._all = select(self._member).where(of_owner).order_by(self._member)
        self._some = select(self._member).where(of_owner, among)
        self._count = select(func.count()).select_from(model).where(of_owner)
        self.ties = select(self._member, self._owner).where(self._member.in_(ids))
        """Which members are in which groups (:mod:`northbound.services.ties`)."""

    def of(self, reader: Reader, owner_id: str) -> set[str]:
        """All members of one group."""
        return set(self._sorted(reader, owner_id))

    def by_owner(self, reader: Reader, owner_ids: Iterable[str]) -> Mapping[str, list[str]]:
        """The members of many groups, sorted."""
        owners = list(owner_ids)
        if len(owners) == 1:
            return {owners[0]: self._sorted(reader, owners[0])}
        members: dict[str, list[str]] = defaultdict(list)
        for some in batched(owners):
            query = select(self._owner, self._member).where(self._owner.in_(some))
            for owner, member in reader.session.execute(query.order_by(self._member)):
                members[owner].append(member)
        return members

    def _sorted(self, reader: Reader, owner_id: str) -> list[str]:
        found = reader.session.connection().execute(self._all, {"owner": owner_id})
        return list(found.scalars().all())

    def shown(self, reader: Reader, owner_ids: Sequence[str]) -> Mapping[str, list[str]]:
        """The members of many groups as users see them, sorted."""
        return self.by_owner(reader, owner_ids)

    def stored(
        self,
        tx: Transaction,  # noqa: ARG002
        owner: Resource,  # noqa: ARG002
        values: Collection[str],
    ) -> Collection[str]:
        """What is stored of the members that a spec lists; InvalidError if there is no such."""
        return values

    def set(self, tx: Transaction, owner: Resource, wanted: Collection[str]) -> None:
        """Let `owner` have the members `wanted`, and no others."""
        present = self.of(tx, owner.id)
        self._remove(tx, owner, present.difference(wanted))
        self._add(tx, owner, set(wanted) - present)

    def add(self, tx: Transaction, owner: Resource, members: Collection[str]) -> None:
        """Take in those of `members` that are not there."""
        self._add(tx, owner, set(members) - self._present(tx, owner, members))

    def remove(self, tx: Transaction, owner: Resource, members: Collection[str]) -> None:
        """Take out those of `members` that are there."""
        self._remove(tx, owner, self._present(tx, owner, members))

    def clear(self, tx: Transaction, owner: Resource) -> None:
        """Take all out, of a group that goes."""
        tx.delete_images(self._model, self._images(owner.id, self.of(tx, owner.id)))

    def leave(self, tx: Transaction, ties: Iterable[Tie]) -> None:
        """Take members that go out of groups; `ties` are all that there are of them."""
        (key,) = self._owner.foreign_keys
        groups = resource_model(key.column.table.name)
        leaving: dict[str, list[str]] = defaultdict(list)
        for member, group_id in ties:
            leaving[group_id].append(member)
        for group_id, members in leaving.items():
            tx.delete_images(self._model, self._images(group_id, members))
            group = tx.by_id(groups, group_id)
            if group is not None:
                tx.touch(group)

    def _present(
        self, tx: Transaction, owner: Resource, members: Collection[str]
    ) -> frozenset[str]:
        found: list[str] = []
        for some in batched(list(members)):
            values = {"owner": owner.id, "members": some}
            found += tx.connection.execute(self._some, values).scalars()
        return frozenset(found)

    def _add(self, tx: Transaction, owner: Resource, members: Collection[str]) -> None:
        if not members:
            return
        count: int = tx.connection.execute(self._count, {"owner": owner.id}).scalar_one()
        after = count + len(members)
        if after > tx.limits.members:
            kind = owner.__tablename__.replace("_", " ")
            raise LimitError(
                f"{after} are more {self._field} than the {tx.limits.members} of one {kind}"
            ).under(self._field)
        tx.insert_images(self._model, self._images(owner.id, members))
        tx.touch(owner)

    def _remove(self, tx: Transaction, owner: Resource, members: Collection[str]) -> None:
        if members:
            tx.delete_images(self._model, self._images(owner.id, members))
            tx.touch(owner)

    def _images(self, owner_id: str, members: Iterable[str]) -> list[dict[str, Any]]:
        owner, member = str(self._owner.key), str(self._member.key)
        return [{owner: owner_id, member: each} for each in sorted(members)]


class NamedMembers(Members):
    """Memberships of objects of the kind `of`, which users know by name."""

    def __init__(
        self,
        model: type[Tracked],
        owner: str,
        member: str,
        field: str,
        of: type[LogicalSwitchPort | LogicalSwitch | LogicalRouter | LoadBalancer],
    ) -> None:
        super().__init__(model, owner, member, field)
        self._of = of
        self._names = (
            select(self._owner, of.name)
            .join(of, of.id == self._member)
            .where(self._owner.in_(bindparam("groups", expanding=True)))
            .order_by(of.name)
        )

    def shown(self, reader: Reader, owner_ids: Sequence[str]) -> Mapping[str, list[str]]:
        members: dict[str, list[str]] = defaultdict(list)
        for some in batched(owner_ids):
            for group_id, name in reader.session.execute(self._names, {"groups": some}):
                members[group_id].append(name)
        return members

    def stored(self, tx: Transaction, owner: Resource, values: Collection[str]) -> Collection[str]:
        if len(values) >= _MANY:
            tx.warm(self._of)
        ids: dict[str, None] = {}
        for i, ref in enumerate(values):
            member = resolve(tx, self._of, ref, self._field, i, home=owner.project)
            if member.project != owner.project:
                reason = "belongs to another project"
                raise InvalidError.of(self._field, i, reason=reason, value=ref)
            ids[member.id] = None
        return ids.keys()


_MANY = 200
"""From so many members on, all of their kind are read at once."""

ADDRESSES_OF_SETS = Members(AddressSetAddress, "address_set_id", "address", "addresses")
PORTS_OF_GROUPS = NamedMembers(
    PortGroupPort, "port_group_id", "logical_switch_port_id", "ports", LogicalSwitchPort
)
SWITCHES_OF_LOAD_BALANCERS = NamedMembers(
    LoadBalancerSwitch, "load_balancer_id", "logical_switch_id", "switches", LogicalSwitch
)
ROUTERS_OF_LOAD_BALANCERS = NamedMembers(
    LoadBalancerRouter, "load_balancer_id", "logical_router_id", "routers", LogicalRouter
)
LOAD_BALANCERS_OF_GROUPS = NamedMembers(
    LoadBalancerGroupMember,
    "load_balancer_group_id",
    "load_balancer_id",
    "load_balancers",
    LoadBalancer,
)
SWITCHES_OF_LOAD_BALANCER_GROUPS = NamedMembers(
    LoadBalancerGroupSwitch,
    "load_balancer_group_id",
    "logical_switch_id",
    "switches",
    LogicalSwitch,
)
ROUTERS_OF_LOAD_BALANCER_GROUPS = NamedMembers(
    LoadBalancerGroupRouter, "load_balancer_group_id", "logical_router_id", "routers", LogicalRouter
)


def leave_all(tx: Transaction, memberships: tuple[Members, ...], ids: Sequence[str]) -> None:
    """Take what goes out of all groups that it is in, whichever of `memberships` say so."""
    for members, ties in _ties_of(memberships).of(tx, ids).items():
        members.leave(tx, ties)


@cache
def _ties_of(memberships: tuple[Members, ...]) -> Ties[Members]:
    return Ties({members: members.ties for members in memberships})
