"""What one owner wants of the switch: flows, and the groups and meters that they refer to."""

from typing import NamedTuple

from chassis_agent.desired.flow import Flow
from chassis_agent.desired.objects import Group, Meter


class Wanted(NamedTuple):
    """The result of a derivation of which flows refer to objects, or that makes only these."""

    flows: tuple[Flow, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
