"""Address sets and their members."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.models import AddressSet, AddressSetAddress
from northbound.services.base import Filters, Service, by_column, new_id
from northbound.services.lookups import acls_naming, refuse_if_referenced, take_name
from northbound.specs import AddressSetSpec, validate
from northbound.transaction import Reader, Transaction, batched


class AddressSetService(Service[AddressSet, AddressSetSpec]):
    """ACLs that name a set stand in the way of its deletion and of a new name."""

    kind = "address_set"
    model = AddressSet
    spec = AddressSetSpec
    filters: ClassVar[Filters] = {"name": by_column(AddressSet.name)}

    def add_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses into the set; those already in it stay."""
        row = self.get(tx, ref)
        for address in self._canonical(row, addresses):
            if tx.session.get(AddressSetAddress, (row.id, address)) is None:
                _add_member(tx, row, address)
        return row

    def remove_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses out of the set; those not in it don't matter."""
        row = self.get(tx, ref)
        for address in self._canonical(row, addresses):
            member = tx.session.get(AddressSetAddress, (row.id, address))
            if member is not None:
                tx.delete(member)
                tx.touch(row)
        return row

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        return present == {**wanted, "addresses": sorted(wanted["addresses"])}

    def describe(self, reader: Reader, rows: Sequence[AddressSet]) -> list[dict[str, Any]]:
        members = _members(reader, rows)
        return [
            {
                "name": row.name,
                "addresses": members[row.id],
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, _tx: Transaction, _spec: AddressSetSpec) -> AddressSet:
        return AddressSet(id=new_id())

    def _assign(self, tx: Transaction, row: AddressSet, spec: AddressSetSpec) -> None:
        if row.name is not None and row.name != spec.name:
            refuse_if_referenced(row, acls_naming(tx, f"${row.name}"))
        take_name(tx, row, spec.name)
        row.labels, row.external_ids = spec.labels, spec.external_ids

    def _written(self, tx: Transaction, row: AddressSet, spec: AddressSetSpec) -> None:
        query = select(AddressSetAddress).where(AddressSetAddress.address_set_id == row.id)
        present = {member.address: member for member in tx.session.scalars(query)}
        wanted = set(spec.addresses)
        for address in present.keys() - wanted:
            tx.delete(present[address])
            tx.touch(row)
        for address in sorted(wanted - present.keys()):
            _add_member(tx, row, address)

    def _delete(self, tx: Transaction, row: AddressSet, *, cascade: bool) -> None:  # noqa: ARG002
        refuse_if_referenced(row, acls_naming(tx, f"${row.name}"))
        query = select(AddressSetAddress).where(AddressSetAddress.address_set_id == row.id)
        for member in tx.session.scalars(query).all():
            tx.delete(member)
        tx.delete(row)

    def _canonical(self, row: AddressSet, addresses: Iterable[str]) -> list[str]:
        return validate(AddressSetSpec, {"name": row.name, "addresses": list(addresses)}).addresses


def _add_member(tx: Transaction, row: AddressSet, address: str) -> None:
    tx.add(AddressSetAddress(address_set_id=row.id, address=address))
    tx.touch(row)


def _members(reader: Reader, rows: Sequence[AddressSet]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = defaultdict(list)
    for some in batched([row.id for row in rows]):
        query = select(AddressSetAddress.address_set_id, AddressSetAddress.address).where(
            AddressSetAddress.address_set_id.in_(some)
        )
        for set_id, address in reader.session.execute(query.order_by(AddressSetAddress.address)):
            members[set_id].append(address)
    return members
