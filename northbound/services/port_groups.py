"""Port groups and their members."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.models import Acl, LogicalSwitchPort, PortGroup, PortGroupPort
from northbound.services.acls import delete_acl
from northbound.services.base import Filters, Service, by_column, new_id
from northbound.services.lookups import acls_naming, refuse_if_referenced, resolve, take_name
from northbound.specs import PortGroupSpec
from northbound.transaction import Reader, Transaction, batched


class PortGroupService(Service[PortGroup, PortGroupSpec]):
    """A group's own ACLs go with it; ACLs elsewhere that name it stand in the way."""

    kind = "port_group"
    model = PortGroup
    spec = PortGroupSpec
    filters: ClassVar[Filters] = {"name": by_column(PortGroup.name)}

    def add_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports into the group; those already in it stay."""
        group = self.get(tx, ref)
        for i, name in enumerate(ports):
            port = resolve(tx, LogicalSwitchPort, name, "ports", i)
            if tx.session.get(PortGroupPort, (group.id, port.id)) is None:
                _add_member(tx, group, port.id)
        return group

    def remove_ports(self, tx: Transaction, ref: str, ports: Iterable[str]) -> PortGroup:
        """Take ports out of the group; those not in it don't matter."""
        group = self.get(tx, ref)
        for i, name in enumerate(ports):
            port = resolve(tx, LogicalSwitchPort, name, "ports", i)
            member = tx.session.get(PortGroupPort, (group.id, port.id))
            if member is not None:
                tx.delete(member)
                tx.touch(group)
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
        wanted = {
            resolve(tx, LogicalSwitchPort, name, "ports", i).id for i, name in enumerate(spec.ports)
        }
        query = select(PortGroupPort).where(PortGroupPort.port_group_id == row.id)
        present = {member.logical_switch_port_id: member for member in tx.session.scalars(query)}
        for port_id in present.keys() - wanted:
            tx.delete(present[port_id])
            tx.touch(row)
        for port_id in sorted(wanted - present.keys()):
            _add_member(tx, row, port_id)

    def _delete(self, tx: Transaction, row: PortGroup, *, cascade: bool) -> None:  # noqa: ARG002
        users = acls_naming(tx, f"@{row.name}")
        refuse_if_referenced(row, (acl for acl in users if acl.port_group_id != row.id))
        for acl in tx.session.scalars(select(Acl).where(Acl.port_group_id == row.id)).all():
            delete_acl(tx, acl)
        query = select(PortGroupPort).where(PortGroupPort.port_group_id == row.id)
        for member in tx.session.scalars(query).all():
            tx.delete(member)
        tx.delete(row)


def _add_member(tx: Transaction, group: PortGroup, port_id: str) -> None:
    tx.add(PortGroupPort(port_group_id=group.id, logical_switch_port_id=port_id))
    tx.touch(group)


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
