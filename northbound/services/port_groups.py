"""Port groups and their members."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from northbound.models import PortGroup
from northbound.services.base import Referents, Service
from northbound.services.lookups import (
    acls_naming,
    matches_naming,
    policies_naming,
    refuse_if_referenced,
)
from northbound.services.members import PORTS_OF_GROUPS, Members
from northbound.specs import PortGroupSpec
from northbound.transaction import Transaction


class PortGroupService(Service[PortGroup, PortGroupSpec]):
    """A group's own ACLs go with it; ACLs elsewhere that name it stand in the way."""

    model = PortGroup
    spec = PortGroupSpec
    members: ClassVar[dict[str, Members]] = {"ports": PORTS_OF_GROUPS}

    def add_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports into the group; those already in it stay."""
        group = self.get_own(tx, ref)
        PORTS_OF_GROUPS.add(tx, group, PORTS_OF_GROUPS.stored(tx, group, list(ports)))
        return group

    def remove_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports out of the group; those not in it don't matter."""
        group = self.get_own(tx, ref)
        PORTS_OF_GROUPS.remove(tx, group, PORTS_OF_GROUPS.stored(tx, group, list(ports)))
        return group

    def _assign(
        self, tx: Transaction, row: PortGroup, spec: PortGroupSpec, referents: Referents
    ) -> None:
        if row.name is not None and row.name != spec.name:
            refuse_if_referenced(row, matches_naming(tx, f"@{row.id}"))
        super()._assign(tx, row, spec, referents)

    def remove(self, tx: Transaction, rows: Sequence[PortGroup], *, cascade: bool = False) -> None:
        for row in rows:
            users = acls_naming(tx, f"@{row.id}")
            refuse_if_referenced(row, (acl for acl in users if acl.port_group_id != row.id))
            refuse_if_referenced(row, policies_naming(tx, f"@{row.id}"))
        super().remove(tx, rows, cascade=cascade)
