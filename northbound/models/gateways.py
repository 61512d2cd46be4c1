"""Groups of chassis that stand in for each other."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource, name_within_project


class HaChassisGroup(Resource):
    """Chassis of which the highest-ranked one that is alive is in charge of gateway ports.

    `chassis` lists them as ``{"chassis": name, "priority": rank}``, the highest rank first.
    """

    __tablename__ = "ha_chassis_group"
    __table_args__ = (name_within_project(),)

    name: Mapped[str] = mapped_column(Name)
    chassis: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    preemptive: Mapped[bool] = mapped_column(default=True)
