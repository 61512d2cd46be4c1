"""Variables of chassis."""

from collections.abc import Mapping
from typing import Any

from northbound.models import ChassisTemplateVar
from northbound.services.base import Service
from northbound.specs.chassis_variables import ChassisTemplateVarSpec


class ChassisTemplateVarService(Service[ChassisTemplateVar, ChassisTemplateVarSpec]):
    """They have no name; they are addressed by id, and a chassis has them once."""

    model = ChassisTemplateVar
    spec = ChassisTemplateVarSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"of {view['chassis']}"
