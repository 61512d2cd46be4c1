"""Groups of chassis, as translation reads them."""

from typing import Annotated, NamedTuple

from translator.inputs import Column, input_table, ranked_chassis


class HaChassisGroup(NamedTuple):
    """`chassis` are in the order of their ranks, the highest first."""

    id: str
    chassis: Annotated[tuple[str, ...], Column("chassis", ranked_chassis)]
    preemptive: bool


TABLE = input_table("ha_chassis_group", HaChassisGroup)
