"""What one owner wants of the switch: flows, what they refer to, and rows of its database."""

from typing import NamedTuple

from chassis_agent.desired.flow import Flow
from chassis_agent.desired.objects import Group, Meter
from chassis_agent.ovsdb.rows import WantedRow


class Wanted(NamedTuple):
    """The result of a derivation of which flows refer to objects, or that makes only these."""

    flows: tuple[Flow, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
    rows: tuple[WantedRow, ...] = ()
