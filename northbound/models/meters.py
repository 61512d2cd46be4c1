"""Meters."""

from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, name_within_project


class Meter(Resource):
    """A limit on what ACLs log: so many lines a second, and so many at once."""

    __tablename__ = "meter"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    rate: Mapped[int]
    burst: Mapped[int] = mapped_column(default=0)
    fair: Mapped[bool] = mapped_column(default=True)
