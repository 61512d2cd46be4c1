"""Address groups: an address set each, of the same id, which rules may name as their other end.

Address sets of /v1 are shown, too. What is a MAC address in one isn't seen here.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, or_, select

from api.neutron.attributes import (
    ID,
    NAME,
    PROJECT,
    UNTAGGED,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.errors import BadRequestError, InvalidInputError, NeutronError
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, Resource, View, now, owned, standard_view
from api.neutron.values import boolean, cidr, list_of
from northbound.errors import ReferencedError
from northbound.identity import new_id
from northbound.limits import DEFAULT_WRITE_LIMITS
from northbound.models import AddressSet, NeutronAddressGroup
from northbound.services import ADDRESS_SETS
from northbound.transaction import Reader, Transaction

GroupRow = tuple[AddressSet, NeutronAddressGroup | None]

_NETWORKS: Final = list_of(cidr, maximum=DEFAULT_WRITE_LIMITS.members)


def _addresses(value: Any) -> list[str]:
    """Take networks, of which none is written twice; the same one in two forms is one."""
    networks = _NETWORKS(value)
    if value and len(set(value)) < len(value):
        raise ValueError(f"Duplicate items in the list: '{value}'")
    return list(dict.fromkeys(networks))


class AddressGroups(Resource[GroupRow]):
    name = "address_group"
    collection = "address_groups"
    path = "address-groups"
    title = "Address group"
    attributes = Attributes(
        "address_group",
        (
            ID,
            NAME,
            PROJECT,
            read_only("shared", boolean, visible=False, filtered=False, sorted=False),
            Attribute("addresses", _addresses, (), put=False, filtered=False, sorted=False),
            *UNTAGGED,
        ),
    )
    id_column = AddressSet.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": AddressSet.id.expression,
        "project_id": AddressSet.project.expression,
    }

    def __init__(self) -> None:
        self.actions = {"add_addresses": self._add, "remove_addresses": self._remove}

    def select(self, context: Context) -> AnySelect:
        query = select(AddressSet, NeutronAddressGroup).outerjoin(
            NeutronAddressGroup, NeutronAddressGroup.id == AddressSet.id
        )
        return query.where(context.scope.visible(AddressSet))

    def narrowed(self, query: AnySelect, asked: ListQuery) -> AnySelect:
        query = super().narrowed(query, asked)
        names = asked.filters.get("name")
        if names and "" not in names:
            query = query.where(or_(AddressSet.display_name.in_(names), AddressSet.name.in_(names)))
        return query

    def views(self, reader: Reader, context: Context, rows: Sequence[GroupRow]) -> list[View]:
        members = ADDRESS_SETS.members["addresses"].by_owner(reader, [row.id for row, _ in rows])
        return [_view(row, annex, members.get(row.id, [])) for row, annex in rows]

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        group_id = new_id()
        ADDRESS_SETS.create(
            tx,
            {
                "id": group_id,
                "name": _own_name(group_id),
                "project": values["project_id"],
                "display_name": values["name"],
                "addresses": list(values["addresses"]),
            },
        )
        time = now()
        annex = NeutronAddressGroup(
            id=group_id, description=values["description"], created_at=time, updated_at=time
        )
        tx.add(annex)
        return group_id

    def update(
        self, tx: Transaction, context: Context, row: GroupRow, changes: Mapping[str, Any]
    ) -> None:
        group, _ = row
        if "name" in changes and changes["name"] != _shown_name(group):
            ADDRESS_SETS.update(tx, group.id, {"display_name": changes["name"]})
        if "description" in changes:
            self.annex(tx, row).description = changes["description"]

    def delete(self, tx: Transaction, context: Context, row: GroupRow) -> None:
        group, annex = row
        if annex is not None:
            tx.delete(annex)
            tx.flush()
        try:
            ADDRESS_SETS.delete(tx, group.id)
        except ReferencedError:
            message = f"Address group {group.id} is in use on one or more security group rules."
            raise NeutronError(409, "AddressGroupInUse", message) from None

    def annex(self, tx: Transaction, row: GroupRow) -> NeutronAddressGroup:
        group, annex = row
        if annex is None:
            annex = NeutronAddressGroup(id=group.id)
            tx.add(annex)
        return annex

    def project_of(self, row: GroupRow) -> str:
        return row[0].project

    def _add(
        self, tx: Transaction, context: Context, row: GroupRow, body: Mapping[str, Any]
    ) -> View:
        def add(present: set[str], addresses: list[str]) -> None:
            twice = [each for each in addresses if each in present]
            if twice:
                message = f"Addresses {twice} already exist in the address group {row[0].id}."
                raise BadRequestError(message, "AddressesAlreadyExist")
            ADDRESS_SETS.add_addresses(tx, row[0].id, addresses)

        return self._changed(tx, context, row, body, add)

    def _remove(
        self, tx: Transaction, context: Context, row: GroupRow, body: Mapping[str, Any]
    ) -> View:
        def remove(present: set[str], addresses: list[str]) -> None:
            missing = [each for each in addresses if each not in present]
            if missing:
                message = f"Addresses {missing} not found in the address group {row[0].id}."
                raise NeutronError(404, "AddressesNotFound", message)
            ADDRESS_SETS.remove_addresses(tx, row[0].id, addresses)

        return self._changed(tx, context, row, body, remove)

    def _changed(
        self,
        tx: Transaction,
        context: Context,
        row: GroupRow,
        body: Mapping[str, Any],
        change: Callable[[set[str], list[str]], None],
    ) -> View:
        """Let `change` do something with the addresses that a body lists."""
        if set(body) != {"addresses"} or not isinstance(body["addresses"], list):
            reason = "the body has to have a list 'addresses' and nothing else"
            raise InvalidInputError("addresses", reason)
        try:
            addresses = _addresses(body["addresses"])
        except ValueError as error:
            raise InvalidInputError("addresses", str(error)) from None
        before = self.views(tx, context, [row])[0]
        change(set(before["addresses"]), addresses)
        if addresses:
            self.annex(tx, row).updated_at = now()
        tx.flush()
        return {self.name: self.view(tx, context, row[0].id)}


def _view(row: AddressSet, annex: NeutronAddressGroup | None, members: Sequence[str]) -> View:
    view = {
        "id": row.id,
        "name": _shown_name(row),
        "addresses": [str(ipaddress.ip_network(each)) for each in members if not _is_mac(each)],
        **standard_view(annex, row.version),
    }
    del view["tags"]
    return owned(view, row.project)


def _own_name(group_id: str) -> str:
    """Return the name that the address set of an address group has in matches."""
    return f"ag_{group_id.replace('-', '')}"


def _shown_name(row: AddressSet) -> str:
    """Return what its maker called a group, or /v1 an address set."""
    return row.display_name or ("" if row.name == _own_name(row.id) else row.name)


def _is_mac(member: str) -> bool:
    return member.count(":") == 5 and "::" not in member and "/" not in member
