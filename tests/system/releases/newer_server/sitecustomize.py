"""Makes a server that starts with this directory on its path one of a newer release.

Its pipeline has a stage between two of today's, and every logical switch a flow in it with an
action that no agent of today knows.
"""

from types import SimpleNamespace

import msgspec

from logical_flow.roles import Role
from logical_flow.template import Stage, TemplateText
from southbound.rows import FlowGroup
from translator import realise
from translator.pipeline import LS_IN, PIPELINES

PLACE = 3
WEIGHING = 0x77656967


class LsInWeighing(Stage, name="ls_in_weighing", role=Role.OTHER):
    """What a newer release has between port security and the ACLs."""


STAGES = [*LS_IN.stages[:PLACE], LsInWeighing, *LS_IN.stages[PLACE:]]
PLACES = {stage.name: place for place, stage in enumerate(STAGES)}
TEXTS = [
    template.as_text()._replace(table_number=PLACES[template.stage]) for template in LS_IN.templates
]
TEXTS.append(
    TemplateText(
        WEIGHING,
        "ls_in",
        "ls_in_weighing",
        PLACE,
        "next",
        "50",
        "ip4",
        "reg0[5] = weigh(); next;",
        "",
    )
)
NEWER = SimpleNamespace(
    name="ls_in",
    stages=STAGES,
    templates=[SimpleNamespace(as_text=lambda text=text: text) for text in TEXTS],
)
realise.PIPELINES = (NEWER, *(pipeline for pipeline in PIPELINES if pipeline is not LS_IN))
_group_of_today = realise._group


def _group(*arguments: object) -> FlowGroup | None:
    group = _group_of_today(*arguments)
    if group is None or group.cause_kind != "logical_switch":
        return group
    flows = [*msgspec.msgpack.decode(group.payload), [WEIGHING]]
    return msgspec.structs.replace(group, payload=msgspec.msgpack.encode(flows))


realise._group = _group
