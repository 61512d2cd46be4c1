"""Names that a switch doesn't know, though they are declared."""

from diagnosis.explain.names import has_record, reference_to, sets_elsewhere
from diagnosis.explain.remedies.case import Case, Remedy
from logical_flow.action import naming
from northbound.models import LogicalSwitch
from northbound.services import SERVICES


def make_known(case: Case) -> Remedy | None:
    """Make the only record set of the project that has the name known on the switch."""
    scene = case.scene
    switch = scene.reader.by_id(LogicalSwitch, case.obstacle.detail)
    if switch is None:
        return None
    name = str(case.packet[naming.NAME])
    found = [
        each
        for each in sets_elsewhere(scene, switch.id, name)
        if each.project == switch.project and has_record(scene, each, name)
    ]
    if len(found) != 1:
        return None
    view = SERVICES["dns_record_set"].view(scene.reader, found[0])
    values = {"switches": [*view["switches"], switch.name]}
    ref = reference_to(found[0])
    operation = {"action": "update", "kind": "dns_record_set", "ref": ref, "values": values}
    text = f"let DNS record set {ref} be known on logical switch {switch.name}, too"
    return Remedy(text, (operation,))
