"""What the Neutron API keeps beside intent: attributes that Treadle itself has no use for.

A row beside an object has its id and goes with it. An object that was made through another
API has none. Subnets, subnet pools and quotas stand for nothing else than themselves.

Times are texts as Neutron writes them (``2026-01-31T10:00:00Z``).
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from northbound.models.base import Annex, Name, Uuid


def _beside(table: str) -> MappedColumn[Any]:
    """Return the primary key of rows that are kept beside those of `table`, and go with them."""
    return mapped_column(Uuid, _key(table), primary_key=True, sort_order=-10)


def _part_of(table: str) -> MappedColumn[Any]:
    """Return a column that refers to what a row is part of, and goes with."""
    return mapped_column(Uuid, _key(table), index=True)


def _key(table: str) -> ForeignKey:
    return ForeignKey(f"{table}.id", deferrable=True, initially="DEFERRED", ondelete="CASCADE")


class NeutronAnnex(Annex):
    """What most resources have: a description, tags, and times."""

    __abstract__ = True

    description: Mapped[str] = mapped_column(default="", sort_order=70)
    tags: Mapped[list[str]] = mapped_column(default=list, sort_order=71)
    created_at: Mapped[str] = mapped_column(default="", sort_order=72)
    updated_at: Mapped[str] = mapped_column(default="", sort_order=73)


class NeutronNetwork(NeutronAnnex):
    """Beside a logical switch."""

    __tablename__ = "neutron_network"

    id: Mapped[str] = _beside("logical_switch")
    mtu: Mapped[int]
    port_security_enabled: Mapped[bool] = mapped_column(default=True)
    admin_state_up: Mapped[bool] = mapped_column(default=True)
    external: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    dns_domain: Mapped[str] = mapped_column(default="")
    availability_zone_hints: Mapped[list[str]] = mapped_column(default=list)


class NeutronSubnetPool(NeutronAnnex):
    """Prefixes from which subnets are allocated."""

    __tablename__ = "neutron_subnetpool"

    id: Mapped[str] = mapped_column(Uuid, primary_key=True, sort_order=-10)
    project: Mapped[str] = mapped_column(Name, index=True)
    name: Mapped[str] = mapped_column(Name, default="")
    ip_version: Mapped[int]
    prefixes: Mapped[list[str]] = mapped_column(default=list)
    default_prefixlen: Mapped[int]
    min_prefixlen: Mapped[int]
    max_prefixlen: Mapped[int]
    default_quota: Mapped[int | None] = mapped_column(default=None)
    shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)


class NeutronSubnet(NeutronAnnex):
    """An address block of a network. `allocation_pools` has pairs of first and last address."""

    __tablename__ = "neutron_subnet"

    id: Mapped[str] = mapped_column(Uuid, primary_key=True, sort_order=-10)
    network_id: Mapped[str] = _part_of("logical_switch")
    project: Mapped[str] = mapped_column(Name)
    name: Mapped[str] = mapped_column(Name, default="")
    ip_version: Mapped[int]
    cidr: Mapped[str] = mapped_column(Name, index=True)
    gateway_ip: Mapped[str | None] = mapped_column(default=None)
    enable_dhcp: Mapped[bool] = mapped_column(default=True)
    allocation_pools: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    dns_nameservers: Mapped[list[str]] = mapped_column(default=list)
    host_routes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    ipv6_ra_mode: Mapped[str | None] = mapped_column(default=None)
    ipv6_address_mode: Mapped[str | None] = mapped_column(default=None)
    service_types: Mapped[list[str]] = mapped_column(default=list)
    subnetpool_id: Mapped[str | None] = mapped_column(
        Uuid,
        ForeignKey("neutron_subnetpool.id", deferrable=True, initially="DEFERRED"),
        index=True,
        default=None,
    )


class NeutronPort(NeutronAnnex):
    """Beside a logical switch port, which has its addresses, its host and its port security.

    `more` has attributes that are kept as they were said, by name, where they differ from what
    they are by default.
    """

    __tablename__ = "neutron_port"

    id: Mapped[str] = _beside("logical_switch_port")
    device_id: Mapped[str] = mapped_column(Name, index=True, default="")
    device_owner: Mapped[str] = mapped_column(Name, index=True, default="")
    vnic_type: Mapped[str] = mapped_column(default="normal")
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    allowed_address_pairs: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    more: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class NeutronRouter(NeutronAnnex):
    """Beside a logical router."""

    __tablename__ = "neutron_router"

    id: Mapped[str] = _beside("logical_router")
    availability_zone_hints: Mapped[list[str]] = mapped_column(default=list)


class NeutronSecurityGroup(NeutronAnnex):
    """Beside a port group. Each project has one that is its default."""

    __tablename__ = "neutron_security_group"

    id: Mapped[str] = _beside("port_group")
    project: Mapped[str] = mapped_column(Name, index=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    stateful: Mapped[bool] = mapped_column(default=True)


class NeutronSecurityGroupRule(NeutronAnnex):
    """Beside the ACL that a rule became."""

    __tablename__ = "neutron_security_group_rule"

    id: Mapped[str] = _beside("acl")
    security_group_id: Mapped[str] = _part_of("port_group")
    project: Mapped[str] = mapped_column(Name)
    direction: Mapped[str]
    ethertype: Mapped[str]
    protocol: Mapped[str | None] = mapped_column(default=None)
    port_range_min: Mapped[int | None] = mapped_column(default=None)
    port_range_max: Mapped[int | None] = mapped_column(default=None)
    remote_ip_prefix: Mapped[str | None] = mapped_column(default=None)
    remote_group_id: Mapped[str | None] = mapped_column(Uuid, index=True, default=None)
    remote_address_group_id: Mapped[str | None] = mapped_column(Uuid, index=True, default=None)


class NeutronDefaultRule(Annex):
    """A rule that new security groups begin with: default ones, others, or both.

    Where `remote_group_id` is ``PARENT`` it stands for the group itself.
    """

    __tablename__ = "neutron_default_rule"

    id: Mapped[str] = mapped_column(Uuid, primary_key=True, sort_order=-10)
    direction: Mapped[str]
    ethertype: Mapped[str]
    protocol: Mapped[str | None] = mapped_column(default=None)
    port_range_min: Mapped[int | None] = mapped_column(default=None)
    port_range_max: Mapped[int | None] = mapped_column(default=None)
    remote_ip_prefix: Mapped[str | None] = mapped_column(default=None)
    remote_group_id: Mapped[str | None] = mapped_column(Uuid, default=None)
    remote_address_group_id: Mapped[str | None] = mapped_column(Uuid, default=None)
    used_in_default_sg: Mapped[bool]
    used_in_non_default_sg: Mapped[bool]
    description: Mapped[str] = mapped_column(default="")


class NeutronAddressGroup(NeutronAnnex):
    """Beside an address set."""

    __tablename__ = "neutron_address_group"

    id: Mapped[str] = _beside("address_set")


class NeutronQuota(Annex):
    """How many objects of a resource a project may have, where that isn't the default."""

    __tablename__ = "neutron_quota"

    project: Mapped[str] = mapped_column(Name, primary_key=True)
    resource: Mapped[str] = mapped_column(Name, primary_key=True)
    limit: Mapped[int]
