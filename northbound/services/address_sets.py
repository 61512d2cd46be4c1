"""Address sets and their members."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from northbound.models import AddressSet
from northbound.services.base import Referents, Service
from northbound.services.lookups import matches_naming, refuse_if_referenced
from northbound.services.members import ADDRESSES_OF_SETS, Members
from northbound.services.nat_claims import nats_for
from northbound.specs import AddressSetSpec, validate
from northbound.transaction import Transaction


class AddressSetService(Service[AddressSet, AddressSetSpec]):
    """ACLs and policies that name a set stand in the way of its deletion and of a new name."""

    model = AddressSet
    spec = AddressSetSpec
    members: ClassVar[dict[str, Members]] = {"addresses": ADDRESSES_OF_SETS}

    def add_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses into the set; those already in it stay."""
        row = self.get_own(tx, ref)
        ADDRESSES_OF_SETS.add(tx, row, self._canonical(row, addresses))
        return row

    def remove_addresses(self, tx: Transaction, ref: str, addresses: Iterable[str]) -> AddressSet:
        """Take addresses out of the set; those not in it don't matter."""
        row = self.get_own(tx, ref)
        ADDRESSES_OF_SETS.remove(tx, row, self._canonical(row, addresses))
        return row

    def _assign(
        self, tx: Transaction, row: AddressSet, spec: AddressSetSpec, referents: Referents
    ) -> None:
        if row.name is not None and row.name != spec.name:
            refuse_if_referenced(row, matches_naming(tx, f"${row.id}"))
        if row.shared and not spec.shared:
            users = matches_naming(tx, f"${row.id}")
            refuse_if_referenced(row, (user for user in users if user.project != row.project))
        super()._assign(tx, row, spec, referents)

    def remove(self, tx: Transaction, rows: Sequence[AddressSet], *, cascade: bool = False) -> None:
        for row in rows:
            refuse_if_referenced(row, [*matches_naming(tx, f"${row.id}"), *nats_for(tx, row)])
        super().remove(tx, rows, cascade=cascade)

    def _canonical(self, row: AddressSet, addresses: Iterable[str]) -> list[str]:
        return validate(AddressSetSpec, {"name": row.name, "addresses": list(addresses)}).addresses
