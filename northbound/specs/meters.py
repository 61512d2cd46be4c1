"""Specs of meters: how much something may happen."""

from typing import Annotated, ClassVar

from pydantic import Field

from northbound.specs.base import ObjectName, Spec
from northbound.specs.declaration import Declaration

MOST_A_SECOND = 1_000_000


class MeterProperties(Spec):
    """How many log lines a second there may be, on each hypervisor."""

    rate: Annotated[int, Field(ge=1, le=MOST_A_SECOND)]
    """Lines a second; what is more is not logged."""
    burst: Annotated[int, Field(ge=0, le=MOST_A_SECOND)] = 0
    """Lines at once after a pause; 0 is as many as in a second."""
    fair: bool = True
    """Whether each ACL that names the meter may have as much; else they share it."""


class MeterSpec(MeterProperties):
    """A limit on what ACLs log."""

    declaration: ClassVar = Declaration(
        "meter",
        "meters",
        MeterProperties,
        columns=("name", "rate", "burst", "fair"),
        example={"name": "audit", "rate": 10, "burst": 50},
        patch={"rate": 20},
    )

    name: ObjectName | None = None


KINDS: tuple[type[Spec], ...] = (MeterSpec,)
"""Meters."""
