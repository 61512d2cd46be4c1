"""Sends announcements to the provider networks that this chassis is on."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from chassis_agent.announcing.frames import announcement
from chassis_agent.announcing.schedule import Schedule
from chassis_agent.derivations.announcements import Announced, AnnouncedKey
from chassis_agent.health import Health
from chassis_agent.openflow import messages
from chassis_agent.punt.own_packets import deliver, made_here

_AT_ONCE: Final = 200
"""Frames that are sent before other tasks of the agent get their turn."""
_PAUSE: Final = 0.05
_NO_SWITCH_PAUSE: Final = 0.5
_LONGEST_WAIT: Final = 60.0


class AnnouncementSender:
    """Follows what there is to announce, and sends what is due.

    `send` takes a packet-out, and says whether there was a switch to take it.
    """

    def __init__(
        self,
        send: Callable[[bytes], bool],
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._health = health
        self._clock = clock
        self._announced: dict[AnnouncedKey, Announced] = {}
        self._schedule: Schedule[AnnouncedKey] = Schedule()
        self._occasion: object = None
        self._wake = asyncio.Event()

    def update(self, changes: Mapping[AnnouncedKey, Announced | None], occasion: object) -> None:
        """Take what has changed, once the switch forwards accordingly.

        Another `occasion` than the last time means that what outside is known of all the
        addresses may be wrong, so that all are announced anew.
        """
        now = self._clock()
        for key, announced in changes.items():
            if announced is None:
                self._announced.pop(key, None)
                self._schedule.stop(key)
            else:
                self._announced[key] = announced
                self._schedule.start(key, now)
        is_new = occasion != self._occasion
        self._occasion = occasion
        if is_new:
            for key in self._announced:
                self._schedule.start(key, now)
        if changes or is_new:
            self._wake.set()

    def report(self) -> dict[str, Any]:
        """What the agent's status shows."""
        return {
            "addresses": sum(len(each.addresses) for each in self._announced.values()),
            "sent": self._health.counters["announcements_sent"],
            "to_repeat": len(self._schedule),
        }

    async def run(self) -> None:
        """Send what is due until cancelled."""
        while True:
            pause = self.send_due()
            if pause is None:
                pause = self._schedule.seconds_until_next(self._clock(), _LONGEST_WAIT)
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    continue
                self._wake.clear()
            else:
                await asyncio.sleep(pause)

    def send_due(self) -> float | None:
        """Send what is due now, not too much at once.

        Returns in how many seconds more is to be sent that is due, None if nothing is.
        """
        sent = 0
        while (key := self._schedule.next_due(self._clock())) is not None:
            if sent >= _AT_ONCE:
                return _PAUSE
            for message in _messages(self._announced[key]):
                if not self._send(message):
                    return _NO_SWITCH_PAUSE
                sent += 1
                self._health.counters["announcements_sent"] += 1
            self._schedule.said(key, self._clock())
        return None


def _messages(announced: Announced) -> list[bytes]:
    """Return a packet-out for each address, with a copy for each way out."""
    start = made_here(announced.datapath_key)
    copies = b"".join(map(deliver, announced.outside))
    return [
        messages.packet_out(announcement(mac, ip, router=announced.is_router), copies, start)
        for mac, ip in announced.addresses
    ]
