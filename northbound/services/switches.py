"""Logical switches."""

import ipaddress
from collections.abc import Sequence

from sqlalchemy import select

from northbound.allocation import forget_cursors, subnet_pool, switch_pool
from northbound.errors import InvalidError
from northbound.inserting import batched
from northbound.ipam import AddressBook
from northbound.models import LogicalSwitch, LogicalSwitchPort, NeutronSubnet
from northbound.services.base import Referents, Service
from northbound.services.dhcp import check_dhcp_references
from northbound.services.dns import SWITCHES_OF_RECORD_SETS
from northbound.services.lookups import refuse_if_referenced
from northbound.services.members import (
    SWITCHES_OF_LOAD_BALANCER_GROUPS,
    SWITCHES_OF_LOAD_BALANCERS,
    leave_all,
)
from northbound.services.switch_ports import readdress
from northbound.specs import LogicalSwitchSpec
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys

_GROUPS = (
    SWITCHES_OF_LOAD_BALANCERS,
    SWITCHES_OF_LOAD_BALANCER_GROUPS,
    SWITCHES_OF_RECORD_SETS,
)
"""What switches are members of."""


class LogicalSwitchService(Service[LogicalSwitch, LogicalSwitchSpec]):
    """A switch's ACLs go with it; its ports stand in the way unless asked to go too.

    When the subnets or exclusions change, ports whose dynamic addresses don't
    fit any more get new ones in the same transaction.
    """

    model = LogicalSwitch
    spec = LogicalSwitchSpec

    def _new(
        self,
        tx: Transaction,
        spec: LogicalSwitchSpec,  # noqa: ARG002
        referents: Referents,  # noqa: ARG002
    ) -> LogicalSwitch:
        return LogicalSwitch(tunnel_key=tx.helper(TunnelKeys).datapath())

    def _assign(
        self, tx: Transaction, row: LogicalSwitch, spec: LogicalSwitchSpec, referents: Referents
    ) -> None:
        old = (row.subnet4, row.subnet6, row.exclude_ips)
        if row in tx.session:
            _refuse_overlaps(tx, row, spec)
        if row.shared and not spec.shared:
            foreign = (port for port in _ports(tx, row) if port.project != row.project)
            refuse_if_referenced(row, foreign)
        check_dhcp_references(referents)
        super()._assign(tx, row, spec, referents)
        if row in tx.session and old != (spec.subnet4, spec.subnet6, spec.exclude_ips):
            tx.helper(AddressBook).forget_pool(row.id)
            for port in _ports(tx, row):
                if port.dynamic_addresses is not None:
                    readdress(tx, row, port)

    def remove(
        self, tx: Transaction, rows: Sequence[LogicalSwitch], *, cascade: bool = False
    ) -> None:
        ids = [row.id for row in rows]
        subnets: list[str] = []
        for some in batched(ids):
            query = select(NeutronSubnet.id).where(NeutronSubnet.network_id.in_(some))
            subnets += tx.session.scalars(query)
        leave_all(tx, _GROUPS, ids)
        super().remove(tx, rows, cascade=cascade)
        forget_cursors(tx, [*map(switch_pool, ids), *map(subnet_pool, subnets)])


def _refuse_overlaps(tx: Transaction, row: LogicalSwitch, spec: LogicalSwitchSpec) -> None:
    """Refuse new subnets that overlap with those that the Neutron API gave the network.

    Which subnet an address is of would not be known.
    """
    new = {
        name: ipaddress.ip_network(block)
        for name in ("subnet4", "subnet6")
        if (block := getattr(spec, name)) not in (None, getattr(row, name))
    }
    if not new:
        return
    query = select(NeutronSubnet.id, NeutronSubnet.cidr)
    for subnet_id, cidr in tx.session.execute(query.where(NeutronSubnet.network_id == row.id)):
        for name, network in new.items():
            if network.overlaps(ipaddress.ip_network(cidr)):
                reason = f"overlaps with {cidr}, which is subnet {subnet_id} of the Neutron API"
                raise InvalidError.of(name, reason=reason, value=str(network))


def _ports(reader: Reader, switch: LogicalSwitch) -> Sequence[LogicalSwitchPort]:
    query = select(LogicalSwitchPort).where(LogicalSwitchPort.logical_switch_id == switch.id)
    return reader.session.scalars(query.order_by(LogicalSwitchPort.name)).all()
