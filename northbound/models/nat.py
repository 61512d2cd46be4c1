"""Network address translation on routers."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, reference


class Nat(Resource):
    """What of a router's packets is translated to what.

    `external_ip` is what the outside sees of `logical_ip`, an address or, for ``snat``, a
    network. With `logical_port`, the name of a switch port, and `external_mac` it is
    translated where that port is.
    """

    __tablename__ = "nat"
    __table_args__ = (
        Index("ix_nat_external_ip", "external_ip"),
        Index("ix_nat_logical_router_id_logical_ip", "logical_router_id", "logical_ip"),
    )

    logical_router_id: Mapped[str] = reference("logical_router.id")
    type: Mapped[str]
    external_ip: Mapped[str]
    routed: Mapped[bool] = mapped_column(default=False)
    logical_ip: Mapped[str]
    external_port_range: Mapped[str | None] = mapped_column(default=None)
    logical_port: Mapped[str | None] = mapped_column(Name, index=True, default=None)
    external_mac: Mapped[str | None] = mapped_column(default=None)
    allowed_external_ips_id: Mapped[str | None] = reference(
        "address_set.id", nullable=True, sort_order=93
    )
    exempted_external_ips_id: Mapped[str | None] = reference(
        "address_set.id", nullable=True, sort_order=94
    )
    gateway_port_id: Mapped[str | None] = reference("logical_router_port.id", nullable=True)
    stateless: Mapped[bool] = mapped_column(default=False)
    match: Mapped[str | None] = mapped_column(default=None, sort_order=95)
    priority: Mapped[int] = mapped_column(default=0, sort_order=96)
