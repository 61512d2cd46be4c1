"""Routing policies, and the sets that their matches name."""

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Base, Name, Resource, reference


class RouterPolicy(Resource):
    """A policy of a router. `number` tells those of a router apart that spread packets."""

    __tablename__ = "router_policy"
    __table_args__ = (UniqueConstraint("logical_router_id", "number"),)

    logical_router_id: Mapped[str] = reference("logical_router.id")
    priority: Mapped[int]
    match: Mapped[str]
    action: Mapped[str]
    nexthops: Mapped[list[str]] = mapped_column(JSON, default=list)
    output_port: Mapped[str | None] = mapped_column(Name, index=True, default=None)
    pkt_mark: Mapped[int | None] = mapped_column(BigInteger, default=None)
    chain: Mapped[str] = mapped_column(Name, default="main")
    jump_chain: Mapped[str | None] = mapped_column(Name, default=None)
    number: Mapped[int]
    bfd: Mapped[bool] = mapped_column(default=False, sort_order=93)
    selection_fields: Mapped[list[str]] = mapped_column(default=list, sort_order=94)


class RouterPolicyReference(Base):
    """That a policy's match names a set: ``$`` or ``@``, and the set's id.

    Derived from the match; it protects sets that are in use.
    """

    __tablename__ = "router_policy_reference"

    router_policy_id: Mapped[str] = reference("router_policy.id", primary_key=True)
    target: Mapped[str] = mapped_column(Name, primary_key=True, index=True)
