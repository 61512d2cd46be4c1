"""Logical switches."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import select

from northbound.identity import new_id
from northbound.ipam import AddressBook
from northbound.models import Acl, LogicalSwitch, LogicalSwitchPort
from northbound.services.acls import delete_acl
from northbound.services.base import Filters, Service, by_column
from northbound.services.lookups import refuse_if_referenced, take_name
from northbound.services.switch_ports import delete_switch_ports, readdress
from northbound.specs import LogicalSwitchSpec
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys


class LogicalSwitchService(Service[LogicalSwitch, LogicalSwitchSpec]):
    """A switch's ACLs go with it; its ports stand in the way unless asked to go too.

    When the subnets or exclusions change, ports whose dynamic addresses don't
    fit any more get new ones in the same transaction.
    """

    kind = "logical_switch"
    model = LogicalSwitch
    spec = LogicalSwitchSpec
    filters: ClassVar[Filters] = {"name": by_column(LogicalSwitch.name)}

    def describe(self, _reader: Reader, rows: Sequence[LogicalSwitch]) -> list[dict[str, Any]]:
        return [
            {
                "name": row.name,
                "subnet4": row.subnet4,
                "subnet6": row.subnet6,
                "exclude_ips": row.exclude_ips,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, tx: Transaction, _spec: LogicalSwitchSpec) -> LogicalSwitch:
        return LogicalSwitch(id=new_id(), tunnel_key=tx.helper(TunnelKeys).datapath())

    def _assign(self, tx: Transaction, row: LogicalSwitch, spec: LogicalSwitchSpec) -> None:
        take_name(tx, row, spec.name)
        old = (row.subnet4, row.subnet6, row.exclude_ips)
        row.subnet4, row.subnet6, row.exclude_ips = spec.subnet4, spec.subnet6, spec.exclude_ips
        row.labels, row.external_ids = spec.labels, spec.external_ids
        if row in tx.session and old != (spec.subnet4, spec.subnet6, spec.exclude_ips):
            tx.helper(AddressBook).forget_pool(row.id)
            for port in _ports(tx, row):
                if port.dynamic_addresses is not None:
                    readdress(tx, row, port)

    def _delete(self, tx: Transaction, row: LogicalSwitch, *, cascade: bool) -> None:
        ports = _ports(tx, row)
        if not cascade:
            refuse_if_referenced(row, ports)
        delete_switch_ports(tx, ports)
        for acl in tx.session.scalars(select(Acl).where(Acl.logical_switch_id == row.id)):
            delete_acl(tx, acl)
        tx.delete(row)

    def _facts(self, row: LogicalSwitch) -> dict[str, Any]:
        return {"tunnel_key": row.tunnel_key}


def _ports(reader: Reader, switch: LogicalSwitch) -> Sequence[LogicalSwitchPort]:
    query = select(LogicalSwitchPort).where(LogicalSwitchPort.logical_switch_id == switch.id)
    return reader.session.scalars(query.order_by(LogicalSwitchPort.name)).all()
