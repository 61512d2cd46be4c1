"""Variables of chassis."""

from collections.abc import Mapping
from typing import Any

from northbound.errors import InvalidError
from northbound.models import ChassisTemplateVar
from northbound.services.base import Service
from northbound.specs.chassis_variables import ChassisTemplateVarSpec
from northbound.transaction import Transaction


class ChassisTemplateVarService(Service[ChassisTemplateVar, ChassisTemplateVarSpec]):
    """They have no name; they are addressed by id, and a chassis has them once.

    Load balancers of all projects are written with them, so that none of one project sets them.
    """

    model = ChassisTemplateVar
    spec = ChassisTemplateVarSpec

    def create(
        self,
        tx: Transaction,
        values: Mapping[str, Any] | ChassisTemplateVarSpec,
        *,
        document: str | None = None,
    ) -> ChassisTemplateVar:
        if tx.scope.confined:
            spec = self.read_spec(values)
            reason = (
                f"its variables are those of all projects, and the token is for {tx.scope.home}"
            )
            raise InvalidError.of("chassis", reason=reason, value=spec.chassis)
        return super().create(tx, values, document=document)

    def phrase(self, view: Mapping[str, Any]) -> str:
        return f"of {view['chassis']}"
