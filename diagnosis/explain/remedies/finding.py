"""Which remedy is for which kind of obstacle."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from diagnosis.explain.checks import Check, CheckKind, ObstacleKind
from diagnosis.explain.mending import MENDING
from diagnosis.explain.question import Question
from diagnosis.explain.remedies.acls import allow
from diagnosis.explain.remedies.addresses import connect, give_address
from diagnosis.explain.remedies.case import Case, Remedy
from diagnosis.explain.remedies.frames import as_admitted, more_hops
from diagnosis.explain.remedies.gateways import give_gateway, put_in_charge
from diagnosis.explain.remedies.names import make_known
from diagnosis.explain.remedies.ports import enable, secure, serve
from diagnosis.explain.remedies.routes import add_route, except_from_policy, undiscard, unwatch
from diagnosis.explain.remedies.services import advertise, bring_backend_back, send_less
from diagnosis.explain.scene import Scene

_REMEDIES: Mapping[ObstacleKind, Callable[[Case], Remedy | None]] = {
    ObstacleKind.ACL: allow,
    ObstacleKind.PORT_SECURITY: secure,
    ObstacleKind.DISABLED: enable,
    ObstacleKind.DHCP: serve,
    ObstacleKind.DNS: make_known,
    ObstacleKind.UNADVERTISED: advertise,
    ObstacleKind.NO_ROUTE: add_route,
    ObstacleKind.DISCARDED: undiscard,
    ObstacleKind.DEAD_NEXT_HOP: unwatch,
    ObstacleKind.POLICY: except_from_policy,
    ObstacleKind.TTL: more_hops,
    ObstacleKind.ADMISSION: as_admitted,
    ObstacleKind.UNKNOWN_DESTINATION: give_address,
    ObstacleKind.UNATTACHED: connect,
    ObstacleKind.NAT: give_gateway,
    ObstacleKind.NO_GATEWAY: put_in_charge,
    ObstacleKind.NO_BACKEND: bring_backend_back,
    ObstacleKind.TOO_BIG: send_less,
}


def remedy(scene: Scene, question: Question, check: Check) -> Remedy | None:
    """Return what takes the obstacle away that a check has found."""
    if check.obstacle is None:
        return None
    mend = MENDING.get(check.obstacle.kind)
    if mend is not None:
        text, commands = mend(check.obstacle, scene.ports)
        return Remedy(text, commands=commands)
    find = _REMEDIES.get(check.obstacle.kind)
    if find is None:
        return None
    is_reply = check.kind is CheckKind.REPLY
    found = find(Case(scene, question, check.obstacle, check.packet, is_reply))
    if found is None or found.packet is None or question.frame is None:
        return found
    if found.packet.get("inport") != question.entry.name:
        return found
    return replace(found, packet={**found.packet, **question.frame})
