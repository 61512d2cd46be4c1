"""Groups of chassis that stand in for each other."""

from collections.abc import Sequence

from sqlalchemy import select

from northbound.models import HaChassisGroup, LogicalRouterPort, LogicalSwitchPort
from northbound.services.base import Service
from northbound.services.lookups import refuse_if_referenced
from northbound.specs.gateways import HaChassisGroupSpec
from northbound.transaction import Transaction


class HaChassisGroupService(Service[HaChassisGroup, HaChassisGroupSpec]):
    """A group that ports name stands until they name another one."""

    model = HaChassisGroup
    spec = HaChassisGroupSpec

    def remove(
        self, tx: Transaction, rows: Sequence[HaChassisGroup], *, cascade: bool = False
    ) -> None:
        for group in rows:
            for model in (LogicalRouterPort, LogicalSwitchPort):
                ports = select(model).where(model.ha_chassis_group_id == group.id)
                refuse_if_referenced(group, tx.session.scalars(ports).all())
        super().remove(tx, rows, cascade=cascade)
