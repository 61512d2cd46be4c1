"""The revision log: what changed, when, and who did it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Base, Name


class RevisionCounter(Base):
    """The one row that says which revision was committed last.

    A writer holds its lock from start to commit, hence revisions appear in
    commit order.
    """

    __tablename__ = "revision_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class Revision(Base):
    """One committed transaction that changed something."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    author: Mapped[str] = mapped_column(Name)
    comment: Mapped[str] = mapped_column(default="")


class Change(Base):
    """What one revision did to one row.

    `before` is null for a new row, `after` for a deleted one; both are images
    (see :mod:`northbound.models.base`).
    """

    __tablename__ = "change"
    __table_args__ = (Index(None, "table", "object_id"),)

    revision: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("revision.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    table: Mapped[str] = mapped_column(Name)
    object_id: Mapped[str] = mapped_column(Name)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
