"""What DHCP clients are told."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, name_within_project


class DhcpOptions(Resource):
    """DHCP options for the addresses of one network, which ports and switches refer to."""

    __tablename__ = "dhcp_options"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    cidr: Mapped[str]
    dhcpv4: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    dhcpv6: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
