"""Fragments to a virtual address with a port, which no load balancer is sure to take."""

from dataclasses import replace
from typing import Final

from diagnosis.explain.checks import Check, Obstacle, ObstacleKind
from diagnosis.explain.scene import Scene
from diagnosis.trace.causes import Cause
from diagnosis.trace.stored_flows import StoredEntry
from logical_flow.action import Balance
from logical_flow.walk_events import Walk

_DATAPATHS: Final = (
    "the kernel's datapath puts fragments together before, but Open vSwitch's own shows no ports "
    "in them, so that they get no backend unless their connection is known"
)


def balancer(scene: Scene, walk: Walk | None) -> Cause | None:
    """Return the virtual address that a packet was given to a backend of, None without one."""
    for visit in [] if walk is None else walk.visits:
        entry = visit.entry
        if isinstance(entry, StoredEntry) and any(
            isinstance(action, Balance) for action in entry.actions
        ):
            return scene.causes.of(entry.group.cause_kind, entry.group.cause_id)
    return None


def as_fragment(scene: Scene, vip: Cause | None, check: Check) -> Check:
    """Return the check of a fragment of a packet that `vip` took in one piece.

    Where another or none takes the fragment, what becomes of that hangs on the hypervisor's
    datapath, which isn't known here.
    """
    # One of a connection that is known is translated where that is looked up.
    is_elsewhere = not check.passed or balancer(scene, check.walk) is not None
    if vip is not None and is_elsewhere and balancer(scene, check.walk) != vip:
        text = f"not sure to be taken by {vip.sentence}: {_DATAPATHS}"
        obstacle = Obstacle(ObstacleKind.UNKNOWN, text, vip, check.packet or {}, certain=False)
        check = replace(check, text=f"the {check.kind} is {text}", obstacle=obstacle)
    return replace(check, text=f"in fragments: {check.text}")
