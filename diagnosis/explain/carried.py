"""Whether chassis carry a packet that logical flows pass on, as an obstacle where they don't."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from diagnosis.explain.checks import Check, CheckKind, Obstacle, ObstacleKind
from diagnosis.explain.gateways import without_chassis
from diagnosis.explain.scene import Scene
from southbound.rows import PortBinding

_KIND_OF_PROBLEM: Final[Mapping[str, ObstacleKind]] = {
    "no-bridge": ObstacleKind.NO_BRIDGE,
    "no-gateway": ObstacleKind.NO_GATEWAY,
    "too-big": ObstacleKind.TUNNEL_MTU,
    "stays-local": ObstacleKind.OTHER,
    "over-share": ObstacleKind.FLOOD,
}


def carried(scene: Scene, check: Check, destination: PortBinding | None) -> Check:
    """The check, and whether chassis carry the packet to `destination`, where it gets on.

    A check that failed anyway stays as it is. How a next hop is found hangs on nothing but what
    agents have to do for it.
    """
    journey = check.journey
    if not check.passed or journey is None:
        return check
    towards = {destination.chassis} if destination is not None and destination.chassis else None
    found = scene.hosting.carriers.hindrances(journey, scene.ports, towards)
    if check.kind is CheckKind.RESOLUTION:
        found = [each for each in found if each.problem == "over-share"]
    if not found:
        return check
    worst = min(found, key=lambda each: not each.certain)
    otherwise = ObstacleKind.UNREACHABLE if worst.peer else ObstacleKind.AGENT
    kind = _KIND_OF_PROBLEM.get(worst.problem, otherwise)
    obstacle = Obstacle(kind, worst.text, detail=worst.chassis, certain=worst.certain)
    if kind is ObstacleKind.NO_GATEWAY:
        obstacle = without_chassis(scene, check, obstacle)
    if obstacle.certain:
        text = f"the {check.kind} does not arrive: it is {obstacle.text}"
    else:
        text = f"it is not known whether the {check.kind} arrives: it is {obstacle.text}"
    return replace(check, text=text, obstacle=obstacle)
