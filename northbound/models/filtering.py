"""Port groups, address sets and ACLs."""

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Base, Name, Resource, Tracked, name_within_project, reference


class PortGroup(Resource):
    """A named set of switch ports, of any switches; ``@name`` in a match."""

    __tablename__ = "port_group"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)


class PortGroupPort(Tracked):
    """One membership in a port group."""

    __tablename__ = "port_group_port"

    port_group_id: Mapped[str] = reference("port_group.id", primary_key=True)
    logical_switch_port_id: Mapped[str] = reference("logical_switch_port.id", primary_key=True)

    __table_args__ = (Index(None, "logical_switch_port_id"),)


class AddressSet(Resource):
    """A named set of addresses; ``$name`` in a match.

    The matches of all projects may name a `shared` one.
    """

    __tablename__ = "address_set"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    shared: Mapped[bool] = mapped_column(default=False, sort_order=93)


class AddressSetAddress(Tracked):
    """One address, or network, of an address set."""

    __tablename__ = "address_set_address"

    address_set_id: Mapped[str] = reference("address_set.id", primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)


class Acl(Resource):
    """A rule on the ports of one switch, or of one port group."""

    __tablename__ = "acl"
    __table_args__ = (
        CheckConstraint("(logical_switch_id IS NULL) <> (port_group_id IS NULL)", name="one_owner"),
    )

    logical_switch_id: Mapped[str | None] = reference("logical_switch.id", nullable=True)
    port_group_id: Mapped[str | None] = reference("port_group.id", nullable=True)
    name: Mapped[str] = mapped_column(Name, default="")
    direction: Mapped[str]
    tier: Mapped[int] = mapped_column(default=0)
    priority: Mapped[int]
    match: Mapped[str]
    action: Mapped[str]
    log: Mapped[bool] = mapped_column(default=False)
    severity: Mapped[str] = mapped_column(default="info")
    meter_id: Mapped[str | None] = reference("meter.id", nullable=True, sort_order=93)
    label: Mapped[int] = mapped_column(BigInteger, default=0)
    apply_after_lb: Mapped[bool] = mapped_column(default=False, sort_order=94)


class AclReference(Base):
    """That an ACL's match names a set: ``$`` or ``@``, and the set's id.

    Derived from the match; it protects sets that are in use.
    """

    __tablename__ = "acl_reference"

    acl_id: Mapped[str] = reference("acl.id", primary_key=True)
    target: Mapped[str] = mapped_column(Name, primary_key=True, index=True)
