"""Ends connections to backends that have left their virtual address, or don't answer any more.

Those to a virtual address that is gone from a datapath as a whole end likewise.

Such a connection is forgotten where it was translated: in the zone of its client's port, or of
its router. What its client sends next is a new connection, with another backend: of TCP one that
knows nothing of it and resets it. Connections to backends that stay are left alone.

The reconciler names the sets of backends that have changed, once their groups are in the switch.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.derivations.live_backends import live_backends, uses_of_backends
from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.inputs import dnat_zone
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.revocation import remark
from chassis_agent.revocation.backends import Fronts
from chassis_agent.revocation.conntrack import connection_steps
from chassis_agent.revocation.revoker import SETTLING
from chassis_agent.turns import in_turns
from southbound.rows import VirtualAddress

log = structlog.get_logger(__name__)

_RETRY_SECONDS: Final = 1.0
_NONE: Final[Mapping[tuple[str, str], VirtualAddress]] = {}
_BATCH: Final = 100
"""Connections that are forgotten between two turns of other tasks."""


class EndedBackends:
    """The sets of backends whose connections are due to be looked at.

    `control` finds the switch's control socket, `rows` gives a table or derivation, `zones` the
    zones by name, and `ports` the datapaths of the ports that are bound here, by name.
    """

    def __init__(
        self,
        switch: Switch,
        control: Callable[[], Path],
        health: Health,
        *,
        rows: Callable[[Any], Mapping[Any, Any]],
        zones: Callable[[], Mapping[str, int]],
        ports: Callable[[], Mapping[str, str]],
        settling: float = SETTLING,
    ) -> None:
        self._switch = switch
        self._control = control
        self._health = health
        self._rows = rows
        self._zones = zones
        self._ports = ports
        self._settling = settling
        self._due: set[str] = set()
        self._gone: dict[tuple[str, str], VirtualAddress] = {}
        self._news = asyncio.Event()

    def request(
        self, sets: Iterable[str], gone: Mapping[tuple[str, str], VirtualAddress] = _NONE
    ) -> None:
        """Look at the connections to the virtual addresses of these sets, and to those `gone`.

        These are virtual addresses that are no longer what they were, by set and datapath.
        """
        self._due.update(sets)
        self._gone.update(gone)
        if self._due or self._gone:
            self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            sets, self._due = self._due, set()
            gone, self._gone = self._gone, {}
            try:
                await self._end(sets, gone)
                # What cached flows let in meanwhile is found the second time.
                await asyncio.sleep(self._settling)
                await self._end(sets, gone)
            except (ControlError, OpenFlowError) as error:
                self._health.degrade("backends", f"connections to lost ones not ended: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
                self.request(sets, gone)
            else:
                self._health.clear("backends")

    async def _end(
        self, sets: set[str], gone: Mapping[tuple[str, str], VirtualAddress] = _NONE
    ) -> None:
        concerned = {datapath for name, datapath in self._rows(uses_of_backends) if name in sets}
        left: dict[str, list[VirtualAddress]] = {}
        for (_, datapath), row in gone.items():
            left.setdefault(datapath, []).append(row)
        for datapath, zones in sorted(self._zones_of(concerned | left.keys()).items()):
            for zone in zones:
                await self._end_in(zone, datapath, left.get(datapath, ()))

    def _zones_of(self, datapaths: Collection[str]) -> dict[str, list[int]]:
        """Return the zones of the ports of each datapath, and of its own."""
        zones = self._zones()
        names: dict[str, list[str]] = {datapath: [] for datapath in datapaths}
        for port, datapath in self._ports().items():
            if datapath in names:
                names[datapath].append(port)
        return {
            datapath: [
                zones[name] for name in (*sorted(ports), dnat_zone(datapath)) if name in zones
            ]
            for datapath, ports in names.items()
        }

    def _fronts_of(self, datapath: str, gone: Iterable[VirtualAddress]) -> Fronts:
        live = self._rows(live_backends)
        names = [name for name, place in self._rows(uses_of_backends) if place == datapath]
        return Fronts((each for each in map(live.get, names) if each is not None), gone)

    async def _end_in(self, zone: int, datapath: str, gone: Iterable[VirtualAddress]) -> None:
        text = await unixctl.call(self._control(), "dpctl/dump-conntrack", f"zone={zone}")
        # Backends are known before the switch is: what is asked now knows those of all that is
        # listed. Asked before, it would lack those that have come meanwhile.
        fronts = self._fronts_of(datapath, gone)
        lost = await in_turns(connection_steps(text, fronts.has_lost_backend))
        for start in range(0, len(lost), _BATCH):
            some = lost[start : start + _BATCH]
            messages = [message for each in some for message in remark.forget(zone, each)]
            await self._switch.connection.confirm(messages)
        if lost:
            self._health.counters["connections_to_lost_backends"] += len(lost)
            log.info("connections to lost backends ended", zone=zone, connections=len(lost))
