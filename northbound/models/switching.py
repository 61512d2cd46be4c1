"""Logical switches, their ports, and the addresses claimed on them."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Base, Name, Resource, Uuid, name_within_project, reference


class LogicalSwitch(Resource):
    """A layer-2 network.

    `subnet4` and `subnet6` are what dynamic addresses are taken from;
    `exclude_ips` lists IPv4 addresses and ranges (``10.0.0.2..10.0.0.9``) that
    are never given out. A `shared` one may be used by all projects: they see it and may have
    ports on it.
    """

    __tablename__ = "logical_switch"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    tunnel_key: Mapped[int] = mapped_column(unique=True)
    subnet4: Mapped[str | None] = mapped_column(default=None)
    subnet6: Mapped[str | None] = mapped_column(default=None)
    exclude_ips: Mapped[list[str]] = mapped_column(default=list)
    shared: Mapped[bool] = mapped_column(default=False, sort_order=93)
    vlan_passthru: Mapped[bool] = mapped_column(default=False, sort_order=120)
    dhcpv4_options_id: Mapped[str | None] = reference(
        "dhcp_options.id", nullable=True, sort_order=94
    )
    dhcpv6_options_id: Mapped[str | None] = reference(
        "dhcp_options.id", nullable=True, sort_order=95
    )


class LogicalSwitchPort(Resource):
    """A port of a switch: of a workload (``vif``), a router (``router``) or a provider network.

    `addresses` holds OVN's address strings in canonical form; what ``dynamic``
    in them stands for is in `dynamic_addresses` (``MAC IP IP6``). A port of type
    ``router`` has the one address ``router``: that of the router port it names. One that is
    nested in another port has that as its parent, and `allocated_tag` tells its frames there.
    One of type ``localnet`` leads to the provider network `network_name`, with the VLAN tag `tag`.
    """

    __tablename__ = "logical_switch_port"
    __table_args__ = (
        name_within_project(),
        UniqueConstraint("logical_switch_id", "tunnel_key"),
    )

    logical_switch_id: Mapped[str] = reference("logical_switch.id")
    name: Mapped[str] = mapped_column(Name)
    type: Mapped[str]
    addresses: Mapped[list[str]] = mapped_column(default=list)
    dynamic_addresses: Mapped[str | None] = mapped_column(default=None)
    port_security: Mapped[list[str]] = mapped_column(default=list)
    enabled: Mapped[bool] = mapped_column(default=True)
    router_port: Mapped[str | None] = mapped_column(Name, index=True, default=None)
    requested_chassis: Mapped[list[str]] = mapped_column(default=list)
    tunnel_key: Mapped[int]
    parent_id: Mapped[str | None] = mapped_column(
        Uuid,
        ForeignKey("logical_switch_port.id", deferrable=True, initially="DEFERRED"),
        index=True,
        default=None,
        sort_order=94,
    )
    tag: Mapped[int | None] = mapped_column(default=None, sort_order=95)
    allocated_tag: Mapped[int | None] = mapped_column(default=None, sort_order=96)
    dhcp: Mapped[bool] = mapped_column(default=True, sort_order=102)
    hostname: Mapped[str | None] = mapped_column(Name, default=None, sort_order=103)
    dhcpv4_options_id: Mapped[str | None] = reference(
        "dhcp_options.id", nullable=True, sort_order=100
    )
    dhcpv6_options_id: Mapped[str | None] = reference(
        "dhcp_options.id", nullable=True, sort_order=101
    )
    virtual_ip: Mapped[str | None] = mapped_column(default=None, sort_order=130)
    virtual_parents: Mapped[list[str]] = mapped_column(default=list, sort_order=131)
    activation_strategy: Mapped[list[str]] = mapped_column(default=list, sort_order=110)
    ha_chassis_group_id: Mapped[str | None] = reference(
        "ha_chassis_group.id", nullable=True, sort_order=140
    )
    network_name: Mapped[str | None] = mapped_column(Name, default=None, sort_order=120)
    learn_fdb: Mapped[bool] = mapped_column(default=False, sort_order=121)
    vlan_protocol: Mapped[str | None] = mapped_column(default=None, sort_order=141)


class AddressClaim(Base):
    """An address that a port holds on a switch, whether static or dynamic.

    Derived from the ports; it makes "is it taken?" and "which one is free next?"
    index look-ups. `number` is the value of an IPv4 address.
    """

    __tablename__ = "address_claim"
    __table_args__ = (Index(None, "logical_switch_id", "number"),)

    logical_switch_id: Mapped[str] = reference("logical_switch.id", primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True, index=True)
    logical_switch_port_id: Mapped[str] = reference("logical_switch_port.id")
    number: Mapped[int | None] = mapped_column(BigInteger, default=None)


class AllocationCursor(Base):
    """Where the search for the next free number of a pool begins.

    The cursor moves on and wraps, so a number that was freed stays unused for
    as long as possible.
    """

    __tablename__ = "allocation_cursor"

    pool: Mapped[str] = mapped_column(Name, primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)
