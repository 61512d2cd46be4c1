"""Variables of chassis."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from northbound.models.base import Name, Resource


class ChassisTemplateVar(Resource):
    """What variables are on a chassis, which is named by its ``system-id``."""

    __tablename__ = "chassis_template_var"
    __table_args__ = (UniqueConstraint("chassis"),)

    chassis: Mapped[str] = mapped_column(Name)
    variables: Mapped[dict[str, str]] = mapped_column(default=dict)
