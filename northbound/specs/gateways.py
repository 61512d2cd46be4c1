"""Specs of gateways: the chassis on which routers meet what is outside of the overlay."""

from collections import Counter
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from northbound.specs.base import ObjectName, Reference, Spec, StrictModel
from northbound.specs.declaration import Declaration

HIGHEST_PRIORITY = 32767
MOST_CHASSIS = 32
"""Each of them watches over all others."""


class RankedChassis(StrictModel):
    """A chassis, and its rank among others."""

    chassis: Reference
    """Its name (the `system-id`) or the name of its host; it may register later."""
    priority: Annotated[int, Field(ge=0, le=HIGHEST_PRIORITY)] = 0
    """The living chassis with the highest one is in charge; of equal ones the first by name."""


def _ranked(entries: list[RankedChassis]) -> list[RankedChassis]:
    """Return the entries, the highest rank first; raise ValueError for a chassis named twice."""
    for name, times in Counter(entry.chassis for entry in entries).items():
        if times > 1:
            raise ValueError(f"chassis {name!r} is named {times} times")
    return sorted(entries, key=lambda entry: (-entry.priority, entry.chassis))


RankedList = Annotated[list[RankedChassis], AfterValidator(_ranked), Field(max_length=MOST_CHASSIS)]


class HaChassisGroupProperties(Spec):
    """Which chassis stand in for each other."""

    chassis: Annotated[RankedList, Field(default_factory=list)]
    """The chassis that may be in charge, with their ranks."""
    preemptive: bool = True
    """Whether a chassis of a higher rank takes over again when it comes back."""


class HaChassisGroupSpec(HaChassisGroupProperties):
    """Chassis of which the highest-ranked one that is alive is in charge of gateway ports."""

    declaration: ClassVar = Declaration(
        "ha_chassis_group",
        "HA chassis groups",
        HaChassisGroupProperties,
        columns=("name", "chassis", "preemptive", "id"),
        example={
            "name": "gateways",
            "chassis": [
                {"chassis": "gw-1", "priority": 20},
                {"chassis": "gw-2", "priority": 10},
            ],
        },
        patch={"preemptive": False},
        title="HA chassis group",
    )

    name: ObjectName | None = None


KINDS: tuple[type[Spec], ...] = (HaChassisGroupSpec,)
