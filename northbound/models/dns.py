"""DNS record sets, their records, and the switches where they are known."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, Tracked, name_within_project, reference


class DnsRecordSet(Resource):
    """Names that workloads on some switches can look up.

    One that is `owned` alone speaks for its names, and for all names in its `domain`.
    """

    __tablename__ = "dns_record_set"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    owned: Mapped[bool] = mapped_column(default=False)
    domain: Mapped[str | None] = mapped_column(Name, default=None)
    ttl: Mapped[int] = mapped_column(default=60)


class DnsRecordSetSwitch(Tracked):
    """A switch on which a record set is known."""

    __tablename__ = "dns_record_set_switch"

    dns_record_set_id: Mapped[str] = reference("dns_record_set.id", primary_key=True)
    logical_switch_id: Mapped[str] = reference("logical_switch.id", primary_key=True)

    __table_args__ = (Index(None, "logical_switch_id"),)


class DnsRecord(Resource):
    """A name with its addresses; or with a `pointer` to the name that it stands for."""

    __tablename__ = "dns_record"

    dns_record_set_id: Mapped[str] = reference("dns_record_set.id")
    hostname: Mapped[str] = mapped_column(Name)
    addresses: Mapped[list[str]] = mapped_column(default=list)
    pointer: Mapped[str | None] = mapped_column(Name, default=None)
