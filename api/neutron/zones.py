"""Availability zones: what networks and routers may ask to be in.

All chassis are in one zone, and what Treadle makes is wherever its ports are: a hint is kept, and
has to name a zone that there is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.neutron.errors import NeutronError
from controller.answers import ChassisReport
from controller.interface import Controller

ZONE: Final = "nova"
"""The zone of every chassis: Neutron's name for that of agents that say none."""
ZONED: Final = ("network", "router")
"""What is in availability zones."""

_PAGE: Final = 1000


async def every_chassis(controller: Controller) -> list[ChassisReport]:
    """Return all chassis, by name."""
    found: list[ChassisReport] = []
    while True:
        after = found[-1].row.name if found else ""
        some = await controller.chassis(after=after, limit=_PAGE)
        found += some
        if len(some) < _PAGE:
            return found


def zones_of(reports: Sequence[ChassisReport]) -> list[Mapping[str, Any]]:
    """Return the zone for each of what is in zones; none where there is no chassis."""
    if not reports:
        return []
    state = "available" if any(report.row.alive for report in reports) else "unavailable"
    return [{"name": ZONE, "resource": resource, "state": state} for resource in ZONED]


def check_hints(hints: Sequence[str]) -> None:
    """Raise AvailabilityZoneNotFound where a hint names no zone."""
    for hint in hints:
        if hint != ZONE:
            message = f"AvailabilityZone {hint} could not be found."
            raise NeutronError(404, "AvailabilityZoneNotFound", message)
