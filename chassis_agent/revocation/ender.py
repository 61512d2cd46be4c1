"""Ends connections: forgets them in the zones where they were translated, and tries again.

What ends a connection is told by subclasses. Packets that arrive meanwhile may be forwarded by
what the switch had cached, so that each request is looked at twice.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final, Generic, TypeVar

from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.revocation import remark
from chassis_agent.revocation.conntrack import TrackedConnection, connection_steps
from chassis_agent.revocation.settling import SETTLING, settle
from chassis_agent.turns import in_turns

_RETRY_SECONDS: Final = 1.0
_BATCH: Final = 100
"""Connections that are forgotten between two turns of other tasks."""

T = TypeVar("T")
Judge = Callable[[TrackedConnection], bool]


class ConnectionEnder(ABC, Generic[T]):
    """Looks at connections each time that it is asked to.

    `control` finds the switch's control socket. `condition` is the name under which it is told
    that connections could not be ended, `ended` that of the counter.
    """

    condition: str
    ended: str

    def __init__(
        self,
        switch: Switch,
        control: Callable[[], Path],
        health: Health,
        *,
        settling: float = SETTLING,
    ) -> None:
        self._switch = switch
        self._control = control
        self._health = health
        self._settling = settling
        self._due: set[T] = set()
        self._news = asyncio.Event()

    def look_at(self, what: Iterable[T]) -> None:
        """Look at the connections that these concern."""
        self._due.update(what)
        if self._due:
            self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            due, self._due = self._due, set()
            try:
                await self._end(due)
                # What cached flows let in meanwhile is found the second time.
                await settle(self._control(), self._settling)
                await self._end(due)
            except (ControlError, OpenFlowError) as error:
                self._health.degrade(self.condition, f"connections not ended: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
                self.look_at(due)
            else:
                self._health.clear(self.condition)

    @abstractmethod
    async def _end(self, due: Collection[T]) -> None:
        """End the connections that these concern. Raises ControlError or OpenFlowError."""

    async def _end_in(self, zone: int, judge: Callable[[], Judge]) -> None:
        """Forget the connections of a zone for which `judge` returns true.

        It is made once they are listed: what intent says is known before the switch is, so that
        it covers all that is listed.
        """
        text = await unixctl.call(self._control(), "dpctl/dump-conntrack", f"zone={zone}")
        if not text:
            return
        found = await in_turns(connection_steps(text, judge()))
        for start in range(0, len(found), _BATCH):
            some = found[start : start + _BATCH]
            messages = [message for each in some for message in remark.forget(zone, each)]
            await self._switch.connection.confirm(messages)
        if found:
            self._health.counters[self.ended] += len(found)
