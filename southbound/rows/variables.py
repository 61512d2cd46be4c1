"""Rows of variables of chassis."""

from typing import ClassVar

from southbound.rows.base import Row, chassis_scope


class ChassisVariable(Row, frozen=True, array_like=True, tag="chassis_variable"):
    """What a variable is on a chassis. `name` has no sigil."""

    table: ClassVar[str] = "chassis_variable"

    chassis: str
    name: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.chassis}/{self.name}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (chassis_scope(self.chassis),)
