"""Whether the switch of this host runs, or did not for a while.

A switch that doesn't run sends no packets of BFD, so other chassis take this one for dead. Once it
runs again it finds its sessions down, though its peers are alive: whose fault that is only its
host can tell. The same goes for a host that stood still altogether.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from chassis_agent.openflow.errors import OpenFlowError

INTERVAL: Final = 0.2
IDLE_INTERVAL: Final = 1.0
LONGEST_PAUSE: Final = 0.6
"""Seconds without an answer from which on peers may take this host for dead: three intervals of
BFD, see :data:`chassis_agent.gateways.rows.INTERVAL`."""


class SwitchPulse:
    """Asks the switch again and again whether it is there, while that is of use.

    `echo` returns when the switch has answered, and raises OpenFlowError where there is none.
    """

    def __init__(
        self,
        echo: Callable[[], Awaitable[None]],
        is_of_use: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._echo = echo
        self._is_of_use = is_of_use
        self._clock = clock
        self._last_stall = -math.inf
        self._heard: float | None = None
        """When the switch answered last; None while it isn't asked."""

    def last_stall(self) -> float:
        """Return when the switch was last seen not to run, by the clock; minus infinity: never."""
        self._note_pause()
        return self._last_stall

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL if self._is_of_use() else IDLE_INTERVAL)
            await self.ask()

    async def ask(self) -> None:
        """Ask once, where that is of use, and note how long the answer took."""
        if not self._is_of_use():
            self._heard = None
            return
        try:
            await self._echo()
        except OpenFlowError:
            self._last_stall = self._clock()
        else:
            self._note_pause()
        self._heard = self._clock()

    def _note_pause(self) -> None:
        now = self._clock()
        if self._heard is not None and now - self._heard > LONGEST_PAUSE:
            self._last_stall = now
