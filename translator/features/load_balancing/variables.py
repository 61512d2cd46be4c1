"""Variables of chassis, a row each: one that changes costs the chassis whose it is, and no other.

Flows and sets have the names of variables; what they are each agent puts in for itself.
"""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from incremental import Read
from southbound.rows import ChassisVariable
from translator.inputs import Column, input_table


def _pairs(values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(values.items())


class ChassisTemplateVar(NamedTuple):
    """The variables of a chassis, by name, each with its value."""

    id: str
    chassis: str
    variables: Annotated[tuple[tuple[str, str], ...], Column("variables", _pairs)]


TABLE = input_table("chassis_template_var", ChassisTemplateVar)


def variables_of_chassis(
    _key: str, row: ChassisTemplateVar
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Chassis -> its variables, each with its value."""
    for variable in row.variables:
        yield row.chassis, variable


def values_of_variable(_key: str, row: ChassisTemplateVar) -> Iterator[tuple[tuple[str, str], str]]:
    """Chassis and name of a variable -> its value."""
    for name, value in row.variables:
        yield (row.chassis, name), value


def chassis_variable(_read: Read, pair: tuple[str, tuple[str, str]]) -> ChassisVariable:
    """What a variable is on a chassis."""
    chassis, (name, value) = pair
    return ChassisVariable(chassis, name, value)
