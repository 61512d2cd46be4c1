"""Port groups and their members."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.identity import new_id
from northbound.models import Acl, LogicalSwitchPort, PortGroup, PortGroupPort
from northbound.services.acls import delete_acl
from northbound.services.base import Filters, Service, by_column
from northbound.services.lookups import acls_naming, refuse_if_referenced, resolve, take_name
from northbound.services.members import PORTS_OF_GROUPS
from northbound.specs import PortGroupSpec
from northbound.transaction import Reader, Transaction, batched

_MANY = 200
"""From so many ports on, all are read at once."""


class PortGroupService(Service[PortGroup, PortGroupSpec]):
    """A group's own ACLs go with it; ACLs elsewhere that name it stand in the way."""

    kind = "port_group"
    model = PortGroup
    spec = PortGroupSpec
    filters: ClassVar[Filters] = {"name": by_column(PortGroup.name)}

    def add_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports into the group; those already in it stay."""
        group = self.get(tx, ref)
        PORTS_OF_GROUPS.add(tx, group, _port_ids(tx, ports))
        return group

    def remove_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports out of the group; those not in it don't matter."""
        group = self.get(tx, ref)
        PORTS_OF_GROUPS.remove(tx, group, _port_ids(tx, ports))
        return group

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        return present == {**wanted, "ports": sorted(wanted["ports"])}

    def describe(self, reader: Reader, rows: Sequence[PortGroup]) -> list[dict[str, Any]]:
        members = _member_names(reader, rows)
        return [
            {
                "name": row.name,
                "ports": members[row.id],
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, _tx: Transaction, _spec: PortGroupSpec) -> PortGroup:
        return PortGroup(id=new_id())

    def _assign(self, tx: Transaction, row: PortGroup, spec: PortGroupSpec) -> None:
        if row.name is not None and row.name != spec.name:
            refuse_if_referenced(row, acls_naming(tx, f"@{row.name}"))
        take_name(tx, row, spec.name)
        row.labels, row.external_ids = spec.labels, spec.external_ids

    def _written(self, tx: Transaction, row: PortGroup, spec: PortGroupSpec) -> None:
        PORTS_OF_GROUPS.set(tx, row, _port_ids(tx, spec.ports))

    def _delete(self, tx: Transaction, row: PortGroup, *, cascade: bool) -> None:  # noqa: ARG002
        users = acls_naming(tx, f"@{row.name}")
        refuse_if_referenced(row, (acl for acl in users if acl.port_group_id != row.id))
        for acl in tx.session.scalars(select(Acl).where(Acl.port_group_id == row.id)).all():
            delete_acl(tx, acl)
        PORTS_OF_GROUPS.clear(tx, row)
        tx.delete(row)


def _port_ids(tx: Transaction, ports: Iterable[str]) -> set[str]:
    refs = list(ports)
    if len(refs) >= _MANY:
        tx.warm(LogicalSwitchPort)
    return {resolve(tx, LogicalSwitchPort, ref, "ports", i).id for i, ref in enumerate(refs)}


def _member_names(reader: Reader, groups: Sequence[PortGroup]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = defaultdict(list)
    for some in batched([group.id for group in groups]):
        query = (
            select(PortGroupPort.port_group_id, LogicalSwitchPort.name)
            .join(LogicalSwitchPort, LogicalSwitchPort.id == PortGroupPort.logical_switch_port_id)
            .where(PortGroupPort.port_group_id.in_(some))
            .order_by(LogicalSwitchPort.name)
        )
        for group_id, name in reader.session.execute(query):
            members[group_id].append(name)
    return members
