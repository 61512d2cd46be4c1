"""What ACLs have decided on this chassis: read from the switch, told to the server as it goes up.

The switch counts (:mod:`chassis_agent.compile.hits`): nothing is done per packet, and what was
counted outlives this process. Counters of packets that the datapath handled by itself reach the
switch twice a second; who asks, rather than looks in, waits for that.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final, Protocol

from chassis_agent.bridge.unixctl import call
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.openflow.multipart import GroupUse
from southbound.questions import MAX_HITS, GroupHits

LOOK_SECONDS: Final = 10.0


class CountingSwitch(Protocol):
    """The part of :class:`chassis_agent.bridge.switch.Switch` that is asked here."""

    @property
    def is_connected(self) -> bool: ...

    async def group_uses(self) -> list[GroupUse]: ...


class HitCounters:
    """Reads the counters of ACLs and knows since when each stands still."""

    def __init__(
        self,
        switch: CountingSwitch,
        counters: Callable[[], dict[int, int]],
        control: Callable[[], Path],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`counters` gives the flow groups of ACLs, by the number of what counts for each."""
        self._switch = switch
        self._counters = counters
        self._control = control
        self._clock = clock
        self._packets: dict[int, int] = {}
        self._rose_at: dict[int, float] = {}

    async def count(self, groups: Collection[int]) -> tuple[GroupHits, ...]:
        """Return the counters of these flow groups, with all packets until now.

        Raises ControlError or OpenFlowError where the switch doesn't answer.
        """
        await call(self._control(), "revalidator/wait")
        wanted = set(groups)
        return tuple(each for each in await self._look() if each.group in wanted)

    async def rising(self) -> tuple[GroupHits, ...]:
        """Return the counters that went up since they were last looked at."""
        if not self._counters():
            return ()
        before = dict(self._packets)
        return tuple(
            each for each in await self._look() if each.packets != before.get(each.group, 0)
        )

    async def _look(self) -> Iterable[GroupHits]:
        counters = self._counters()
        now = self._clock()
        hits = []
        for number, packets, octets in await self._switch.group_uses():
            group = counters.get(number)
            if group is None:
                continue
            if packets != self._packets.get(group, 0):
                self._packets[group] = packets
                self._rose_at[group] = now
            rose_at = self._rose_at.get(group)
            hits.append(
                GroupHits(group, packets, octets, -1.0 if rose_at is None else now - rose_at)
            )
        for group in self._packets.keys() - set(counters.values()):
            del self._packets[group], self._rose_at[group]
        return hits


class HitReports:
    """Tells the server of counters that go up."""

    def __init__(
        self,
        hits: HitCounters,
        switch: CountingSwitch,
        health: Health,
        *,
        is_connected: Callable[[], bool],
        tell: Callable[[tuple[GroupHits, ...]], None],
    ) -> None:
        self._hits = hits
        self._switch = switch
        self._health = health
        self._is_connected = is_connected
        self._tell = tell
        self._untold: dict[int, GroupHits] = {}

    async def run(self) -> None:
        """Look and tell, again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._switch.is_connected:
                continue
            try:
                await self.look()
            except (ControlError, OpenFlowError) as error:
                self._health.degrade("acl_hits", str(error))
            else:
                self._health.clear("acl_hits")

    async def look(self) -> None:
        """Tell of what went up, and of what could not be told before."""
        self._untold.update((each.group, each) for each in await self._hits.rising())
        if not self._untold or not self._is_connected():
            return
        told = tuple(self._untold.values())[:MAX_HITS]
        self._tell(told)
        for each in told:
            del self._untold[each.group]
