"""What Open vSwitch dropped because a packet exceeded its limits, as it counts it itself.

The agent makes flows that stay within the limits (:mod:`chassis_agent.limits`). What it did
not foresee is noticed here: every `LOOK_SECONDS` the switch's counters of such events are
read, and those that went up since the last look are told, until it has been quiet. The
counters are the whole daemon's, other bridges included. Drops are counted by the userspace
datapath; what exceeds the kernel's is in the log of ``ovs-vswitchd`` only.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from chassis_agent import unixctl
from chassis_agent.errors import ControlError
from chassis_agent.health import Health

LOOK_SECONDS: Final = 10.0
QUIET_SECONDS: Final = 60.0

LIMITS: Final[Mapping[str, str]] = {
    "drop_action_too_many_resubmit": "too many resubmits",
    "drop_action_recursion_too_deep": "too deep recursion",
    "drop_action_stack_too_deep": "too deep stack",
    "drop_action_no_recirculation_context": "no recirculation id left",
    "datapath_drop_recirc_error": "too many recirculations",
    "xlate_actions_oversize": "too many actions for the datapath, done slowly",
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

    def __init__(
        self,
        control: Callable[[], Path],
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`control` finds the switch's control socket."""
        self._control = control
        self._health = health
        self._clock = clock
        self._before: dict[str, int] | None = None
        self._last = 0.0

    async def run(self) -> None:
        while True:
            try:
                printed = await unixctl.call(self._control(), "coverage/show")
            except ControlError:
                # The condition of the switch's connection says that it is away. Its counters
                # begin anew.
                self._before = {}
            else:
                self.look(read_counters(printed))
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, counters: Mapping[str, int]) -> None:
        """Tell what was counted since the last look; the first one is where it begins."""
        before, self._before = self._before, dict(counters)
        if before is None:
            return
        risen = {
            LIMITS[name]: rise
            for name, total in counters.items()
            if (rise := total - min(before.get(name, 0), total))
        }
        if risen:
            self._last = self._clock()
            self._health.counters["packets_at_switch_limits"] += sum(risen.values())
            told = ", ".join(f"{count} for {why}" for why, count in sorted(risen.items()))
            self._health.degrade("switch_limits", f"Open vSwitch met its limits: {told}")
        elif self._clock() - self._last > QUIET_SECONDS:
            self._health.clear("switch_limits")
