"""Variables of chassis, which load balancers that are templates are written with.

A variable that Treadle can't have is left out by itself: what is written with it is then on no
chassis, and said to be so.
"""

from cli.import_ovn.draft import Draft, Values
from northbound.specs.chassis_variables import ChassisTemplateVarProperties


def chassis_variables(draft: Draft) -> list[Values]:
    """Return the variables of each chassis, in the order of their names."""
    found = []
    for row in draft.snapshot.rows("Chassis_Template_Var"):
        said = row.mapping("variables")
        chassis = row.text("chassis")
        kept = {
            name: value
            for name, value in sorted(said.items())
            if draft.accepted(
                row,
                ChassisTemplateVarProperties,
                {"chassis": chassis, "variables": {name: value}},
                {"variables": f"variables:{name}"},
            )
        }
        values = {"chassis": chassis, "variables": kept}
        accepted = draft.accepted(row, ChassisTemplateVarProperties, values)
        if accepted is not None:
            found.append(accepted)
    return sorted(found, key=lambda values: str(values["chassis"]))
