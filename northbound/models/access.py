"""API tokens."""

from datetime import datetime

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Base, Name, Uuid


class ApiToken(Base):
    """A bearer token, of which only a hash is kept.

    `role` is ``admin``, ``operator``, ``viewer`` or ``chassis``; a token of the
    last is good for the chassis named in `chassis` alone, and if it names a host name or
    tunnel addresses (a JSON list), then with these alone. One of the others with a `project` is
    good for that project alone.
    """

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    role: Mapped[str]
    chassis: Mapped[str | None] = mapped_column(Name, default=None)
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), default=None)
    hostname: Mapped[str | None] = mapped_column(Name, default=None)
    encap_ips: Mapped[str] = mapped_column(Text, default="[]", server_default="[]")
    project: Mapped[str | None] = mapped_column(Name, default=None)
