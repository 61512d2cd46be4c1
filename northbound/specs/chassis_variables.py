"""Specs of variables of chassis, which virtual addresses and backends are written with."""

from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field, StringConstraints

from logical_flow.variables import LONGEST_VALUE
from northbound.specs.base import PRINTABLE, Reference, Spec
from northbound.specs.declaration import Declaration, Filtered, Fixed

MOST_VARIABLES: Final = 4096
"""Of one chassis."""
MOST_CHARACTERS: Final = 1 << 20
"""Of all variables of a chassis, names and values."""

VariableName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_.\-]*$", max_length=200)
]
VariableValue = Annotated[str, StringConstraints(pattern=PRINTABLE, max_length=LONGEST_VALUE)]


def _bounded(variables: dict[str, str]) -> dict[str, str]:
    """Return the same variables; raise ValueError for too many or too much."""
    if len(variables) > MOST_VARIABLES:
        raise ValueError(f"a chassis has at most {MOST_VARIABLES} variables")
    if sum(map(len, variables)) + sum(map(len, variables.values())) > MOST_CHARACTERS:
        raise ValueError(f"a chassis has at most {MOST_CHARACTERS} characters of variables")
    return dict(sorted(variables.items()))


class ChassisTemplateVarProperties(Spec):
    """What variables are on a chassis."""

    chassis: Annotated[Reference, Filtered(), Fixed()]
    """The chassis's name (the `system-id`); it may register later."""
    variables: Annotated[
        dict[VariableName, VariableValue],
        AfterValidator(_bounded),
        Field(default_factory=dict),
    ]
    """Values by name, where `NODE` is what load balancers call `^NODE`: an address, a port, or
    backends with commas between them."""


class ChassisTemplateVarSpec(ChassisTemplateVarProperties):
    """The variables of a chassis, which stand in load balancers that are templates."""

    declaration: ClassVar = Declaration(
        "chassis_template_var",
        "chassis template vars",
        ChassisTemplateVarProperties,
        columns=("chassis", "variables", "id"),
        example={"chassis": "hv1", "variables": {"NODE": "192.0.2.1", "WEB": "10.0.0.11:8080"}},
        patch={"variables": {"NODE": "192.0.2.11", "WEB": "10.0.0.11:8080"}},
        identifying=("chassis",),
        natural_key=("chassis",),
        title="chassis template variables",
    )


KINDS: tuple[type[Spec], ...] = (ChassisTemplateVarSpec,)
