"""Sends router advertisements to the ports of this chassis.

Each agent tells its own ports. So an advertisement crosses no tunnel, and what leads out of the
logical network gets none.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import Callable, Iterable
from typing import Final

from chassis_agent.advertising.schedule import Schedule
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import messages
from chassis_agent.punt.advertisements import unsolicited
from chassis_agent.punt.own_packets import deliver, mac_of, made_here
from southbound.rows import PortBinding, RouterAdvertisement, Row, RowId

_AT_ONCE: Final = 50
"""Advertisements that are sent before other tasks of the agent get their turn."""
_PAUSE: Final = 0.25
_PORTS_OF_A_MESSAGE: Final = 64
_LONGEST_WAIT: Final = 60.0


class Advertiser:
    """Follows the rows of router ports, and sends what is due.

    `send` takes a packet-out, `local_ports` gives the ports that are bound here.
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        ports: PortNames,
        local_ports: Callable[[], Iterable[PortBinding]],
        *,
        clock: Callable[[], float] = time.monotonic,
        between: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._send = send
        self._ports = ports
        self._local_ports = local_ports
        self._clock = clock
        self._schedule = Schedule(between)
        self._wake = asyncio.Event()

    def take_rows(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        """Rows came; others than advertisements are passed over."""
        for table, key in deletes:
            if table == RouterAdvertisement.table:
                ended = self._schedule.remove(key)
                if ended is not None:
                    self._advertise(ended, _without_lifetime(ended.body))
        for row in puts:
            if isinstance(row, RouterAdvertisement):
                self._schedule.put(row, self._clock())
                self._wake.set()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        while True:
            due = self.send_due()
            if due == _AT_ONCE:
                await asyncio.sleep(_PAUSE)
                continue
            pause = self._schedule.seconds_until_next(self._clock(), _LONGEST_WAIT)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    def send_due(self) -> int:
        """Send what is due now, not too much at once; returns of how many router ports."""
        due = self._schedule.due(self._clock(), _AT_ONCE)
        for row in due:
            self._advertise(row, row.body)
        return len(due)

    def _advertise(self, row: RouterAdvertisement, body: bytes) -> None:
        router_port = self._ports.called(row.id)
        entrance = None if router_port is None else self._ports.called(router_port.peer)
        if router_port is None or entrance is None or not entrance.enabled:
            return
        keys = self._ports.keys(entrance.name)
        if keys is None or entrance.datapath != router_port.peer_datapath:
            return
        frame = unsolicited(mac_of(router_port), body)
        start = made_here(keys.datapath, inport=keys.port)
        listening = self._listening(entrance.datapath)
        for first in range(0, len(listening), _PORTS_OF_A_MESSAGE):
            some = listening[first : first + _PORTS_OF_A_MESSAGE]
            self._send(messages.packet_out(frame, b"".join(map(deliver, some)), start))

    def _listening(self, datapath: str) -> list[int]:
        """Return the keys of the ports of a switch that are here."""
        return [port.tunnel_key for port in self._local_ports() if port.datapath == datapath]


def _without_lifetime(body: bytes) -> bytes:
    """Return the message by which a router stops being one (RFC 4861 section 6.2.5)."""
    return body[:2] + struct.pack("!H", 0) + body[4:]
