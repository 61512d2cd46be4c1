"""What Open vSwitch dropped because a packet exceeded its limits, as it counts it itself.

The agent makes flows that stay within the limits (:mod:`chassis_agent.bridge.limits`). What it did
not foresee is noticed here: every `LOOK_SECONDS` the switch's counters of such events are
read, and those that went up since the last look are told, until it has been quiet. The
counters are the whole daemon's, other bridges included. Drops are counted by the userspace
datapath; what exceeds the kernel's is in the log of ``ovs-vswitchd`` only.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from chassis_agent.bridge import unixctl
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.rising import RisingCounters

LOOK_SECONDS: Final = 10.0

LIMITS: Final[Mapping[str, str]] = {
    "drop_action_too_many_resubmit": "for too many resubmits",
    "drop_action_recursion_too_deep": "for too deep recursion",
    "drop_action_stack_too_deep": "for a too deep stack",
    "drop_action_no_recirculation_context": "for want of a recirculation id",
    "datapath_drop_recirc_error": "for too many recirculations",
    "xlate_actions_oversize": "done slowly, for too many actions",
}
"""The counters that are looked at, and what each is for."""

_TOTAL: Final = re.compile(r"^(\w+) .*total: (\d+)$", re.MULTILINE)


def read_counters(text: str) -> dict[str, int]:
    """The totals in what ``coverage/show`` prints, of the counters that are looked at.

    >>> read_counters("xlate_actions_oversize  0.0/sec 0.000/sec 0.1/sec   total: 3\\n")
    {'xlate_actions_oversize': 3}
    """
    return {name: int(total) for name, total in _TOTAL.findall(text) if name in LIMITS}


class LimitDrops:
    """Looks at the switch's counters, and tells which went up."""

    def __init__(self, control: Callable[[], Path], health: Health) -> None:
        """`control` finds the switch's control socket."""
        self._control = control
        self._rising = RisingCounters(
            health,
            "switch_limits",
            "packets_at_switch_limits",
            "Open vSwitch met its limits",
            LIMITS.__getitem__,
        )

    async def run(self) -> None:
        while True:
            try:
                printed = await unixctl.call(self._control(), "coverage/show")
            except ControlError:
                # The condition of the switch's connection says that it is away.
                self._rising.begin_anew()
            else:
                self._rising.look(read_counters(printed))
            await asyncio.sleep(LOOK_SECONDS)
