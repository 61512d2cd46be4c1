"""What all tables of intent have in common.

*Tracked* tables hold what a user said. Every change to them is recorded in the
revision log as a pair of *images*: the complete row before and after, without
``version``, the revision in which the object last changed. An image has the
column names as keys and only JSON values, and is the form in which the
translator gets rows.

Foreign keys are checked at commit, not statement by statement, so that one
transaction may write its rows in any order.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from northbound.names import DEFAULT_PROJECT

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Uuid = String(36)
Name = String(255)


class Base(DeclarativeBase):
    """Base of every northbound table."""

    metadata = MetaData(naming_convention=NAMING)
    # Writers come one after the other, so a row to delete is there; and dry runs delete from
    # views, for which SQLite counts no rows.
    __mapper_args__ = {"confirm_deleted_rows": False}  # noqa: RUF012 - as SQLAlchemy has it
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        list[str]: JSON,
        dict[str, str]: JSON,
        dict[str, Any]: JSON(none_as_null=True),
        list[dict[str, Any]]: JSON,
    }


class Tracked(Base):
    """Base of the tables whose changes the revision log records."""

    __abstract__ = True

    @property
    def object_id(self) -> str:
        """What the revision log calls the row: its primary key, parts joined by ``/``."""
        return "/".join(map(str, values_of(self, key_columns(type(self)))))

    def image(self) -> dict[str, Any]:
        """The row as the revision log and the translator see it."""
        names = image_columns(type(self))
        return dict(zip(names, values_of(self, names), strict=True))


class Annex(Tracked):
    """Base of the tables of what an API keeps beside intent, and translation has no use for.

    Their changes are recorded with the others, so that it stays known who made them.
    """

    __abstract__ = True

    version: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=90)


def values_of(row: Tracked, names: Sequence[str]) -> list[Any]:
    """Return what a row has in columns.

    What is loaded is where SQLAlchemy would find it: asked for each value, it would take longer
    than all else that is done with them.
    """
    held = row.__dict__
    return [held[name] if name in held else getattr(row, name) for name in names]


@cache
def image_columns(model: type[Tracked]) -> tuple[str, ...]:
    """The columns that an image of a row of `model` has."""
    return tuple(str(c.key) for c in model.__table__.columns if c.key != "version")


@cache
def key_columns(model: type[Tracked]) -> tuple[str, ...]:
    """The columns that tell the rows of `model` apart."""
    return tuple(str(key.key) for key in model.__mapper__.primary_key)


class Resource(Tracked):
    """A tracked row that users address by id, and by name where it has a unique one.

    `document` names the declarative document that owns the object, if one does; documents of
    different projects are different ones. `display_name` is free, and need not be unique.
    """

    __abstract__ = True

    id: Mapped[str] = mapped_column(Uuid, primary_key=True, sort_order=-10)
    labels: Mapped[dict[str, str]] = mapped_column(default=dict, sort_order=80)
    external_ids: Mapped[dict[str, str]] = mapped_column(default=dict, sort_order=81)
    document: Mapped[str | None] = mapped_column(Name, index=True, default=None, sort_order=82)
    version: Mapped[int] = mapped_column(BigInteger, default=0, sort_order=90)
    project: Mapped[str] = mapped_column(Name, default=DEFAULT_PROJECT, sort_order=91)
    display_name: Mapped[str] = mapped_column(Name, default="", sort_order=92)


def name_within_project() -> UniqueConstraint:
    """Return the constraint that names of a kind are unique within each project."""
    return UniqueConstraint("project", "name")


@cache
def has_names(model: type[Resource]) -> bool:
    """Tell whether objects of a kind have names that are unique within their project."""
    return any(
        isinstance(constraint, UniqueConstraint) and "name" in constraint.columns
        for constraint in model.__table__.constraints  # type: ignore[attr-defined]
    )


def reference(
    column: str, *, nullable: bool = False, primary_key: bool = False, sort_order: int = 0
) -> MappedColumn[Any]:
    """A column that holds the id of another object; `sort_order` as in `mapped_column`."""
    key = ForeignKey(column, deferrable=True, initially="DEFERRED")
    if primary_key:
        return mapped_column(Uuid, key, primary_key=True)
    return mapped_column(Uuid, key, nullable=nullable, index=True, sort_order=sort_order)
