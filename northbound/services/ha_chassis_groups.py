"""Groups of chassis that stand in for each other."""

from northbound.models import HaChassisGroup
from northbound.services.base import Service
from northbound.specs.gateways import HaChassisGroupSpec


class HaChassisGroupService(Service[HaChassisGroup, HaChassisGroupSpec]):
    """A group that gateway ports name stands until they name another one."""

    model = HaChassisGroup
    spec = HaChassisGroupSpec
