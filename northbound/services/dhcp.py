"""DHCP options, and what refers to them."""

import ipaddress
from collections.abc import Iterator, Sequence

from sqlalchemy import or_, select

from northbound.errors import InvalidError
from northbound.models import LogicalSwitch, LogicalSwitchPort, Resource
from northbound.models.dhcp import DhcpOptions
from northbound.services.base import Referents, Service
from northbound.services.lookups import refuse_if_referenced
from northbound.specs.dhcp import DhcpOptionsSpec
from northbound.transaction import Transaction

FIELDS = {4: "dhcpv4_options", 6: "dhcpv6_options"}
"""The fields of switches and their ports that refer to DHCP options, by IP version."""


class DhcpOptionsService(Service[DhcpOptions, DhcpOptionsSpec]):
    """Options stay as long as a port or a switch refers to them, and keep their IP version."""

    model = DhcpOptions
    spec = DhcpOptionsSpec

    def _assign(
        self, tx: Transaction, row: DhcpOptions, spec: DhcpOptionsSpec, referents: Referents
    ) -> None:
        if row.cidr is not None and _version(row.cidr) != _version(spec.cidr):
            raise InvalidError.of("cidr", reason="cannot change its IP version", value=spec.cidr)
        super()._assign(tx, row, spec, referents)

    def remove(
        self,
        tx: Transaction,
        rows: Sequence[DhcpOptions],
        *,
        cascade: bool = False,
    ) -> None:
        for row in rows:
            refuse_if_referenced(row, _referrers(tx, row))
        super().remove(tx, rows, cascade=cascade)


def _referrers(tx: Transaction, row: DhcpOptions) -> Iterator[Resource]:
    for model in (LogicalSwitch, LogicalSwitchPort):
        refers = or_(model.dhcpv4_options_id == row.id, model.dhcpv6_options_id == row.id)
        yield from tx.session.scalars(select(model).where(refers).order_by(model.name))


def check_dhcp_references(referents: Referents) -> None:
    """Refuse DHCP options of another IP version than the field is for."""
    for version, field in FIELDS.items():
        options: DhcpOptions | None = referents.get(field)
        if options is not None and _version(options.cidr) != version:
            reason = f"is for {options.cidr}, which is no IPv{version} network"
            raise InvalidError.of(field, reason=reason, value=options.name)


def _version(cidr: str) -> int:
    return ipaddress.ip_network(cidr).version
