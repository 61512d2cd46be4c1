"""Address sets and their members."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from northbound.identity import new_id
from northbound.models import AddressSet
from northbound.services.base import Filters, Service, by_column
from northbound.services.lookups import acls_naming, refuse_if_referenced, take_name
from northbound.services.members import ADDRESSES_OF_SETS
from northbound.specs import AddressSetSpec, validate
from northbound.transaction import Reader, Transaction


class AddressSetService(Service[AddressSet, AddressSetSpec]):
    """ACLs that name a set stand in the way of its deletion and of a new name."""

    kind = "address_set"
    model = AddressSet
    spec = AddressSetSpec
    filters: ClassVar[Filters] = {"name": by_column(AddressSet.name)}

    def add_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses into the set; those already in it stay."""
        row = self.get(tx, ref)
        ADDRESSES_OF_SETS.add(tx, row, self._canonical(row, addresses))
        return row

    def remove_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses out of the set; those not in it don't matter."""
        row = self.get(tx, ref)
        ADDRESSES_OF_SETS.remove(tx, row, self._canonical(row, addresses))
        return row

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        return present == {**wanted, "addresses": sorted(wanted["addresses"])}

    def describe(self, reader: Reader, rows: Sequence[AddressSet]) -> list[dict[str, Any]]:
        members = ADDRESSES_OF_SETS.by_owner(reader, (row.id for row in rows))
        return [
            {
                "name": row.name,
                "addresses": members.get(row.id, []),
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
        ADDRESSES_OF_SETS.set(tx, row, spec.addresses)

    def _delete(self, tx: Transaction, row: AddressSet, *, cascade: bool) -> None:  # noqa: ARG002
        refuse_if_referenced(row, acls_naming(tx, f"${row.name}"))
        ADDRESSES_OF_SETS.clear(tx, row)
        tx.delete(row)

    def _canonical(self, row: AddressSet, addresses: Iterable[str]) -> list[str]:
        return validate(AddressSetSpec, {"name": row.name, "addresses": list(addresses)}).addresses
