"""Tells the server which learned addresses are in use, so that only idle ones age out.

The server forgets what it has not heard of for an age. Every third of that time
(:attr:`WatchClient.learned_refresh`) the agent reads the packet counts of the
tables of learned addresses: nothing is done per packet, and nothing is read while
nothing was learned.

- An address was *heard from* when its lookup flow counted packets: for a switch
  anything that came from it, for a router its ARP or neighbour discovery.
- A neighbour was *used* when packets were sent to it. If it was not heard from, it is
  asked whether it is still there (:mod:`chassis_agent.learning.probes`), and its answer
  counts. Until it comes, use keeps the neighbour, but not for ever: one that is not heard
  from for `LOOKS_UNHEARD` looks is left to age, and is asked for anew by the next packet.
  Else one that moved silently would swallow what is sent to it for as long as something is.
  It is asked at each look, though: the answer may come in at another hypervisor, whose agent
  tells of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

from chassis_agent import tables
from chassis_agent.derivations.ports import learned_fdb_flows, learned_mac_flows
from chassis_agent.desired.flow import Flow
from chassis_agent.health import Health
from chassis_agent.openflow.errors import OpenFlowError
from chassis_agent.openflow.multipart import FlowUse
from southbound.rows import FdbEntry, MacBinding
from southbound.watch.client import WatchClient

LOOKS_UNHEARD: Final = 4
"""With three looks an age: it is asked three times within an age (RFC 4861 section 10)."""

_LOOKUPS: Final = frozenset({tables.ARP_LOOKUP, tables.ND_LOOKUP, tables.FDB_LOOKUP})
_GETS: Final = frozenset({tables.ARP_GET, tables.ND_GET})
_UNTIL_THE_SERVER_SAID: Final = 5.0

FlowPlace = tuple[int, bytes]
"""Table and match: all flows of these tables have one priority."""


class CountingSwitch(Protocol):
    """The part of :class:`chassis_agent.bridge.switch.Switch` that is asked here."""

    @property
    def is_connected(self) -> bool: ...

    async def flow_uses(self, table: int) -> list[FlowUse]: ...


class _Entry(NamedTuple):
    row: MacBinding | FdbEntry
    flows: tuple[Flow, ...]


class LearnedRefresh:
    """Looks at the counts of learned addresses' flows, and tells of those that went up."""

    def __init__(
        self,
        switch: CountingSwitch,
        watch: WatchClient,
        health: Health,
        *,
        rows: Callable[[Any], Mapping[Any, Any]],
        probe: Callable[[Iterable[MacBinding]], Awaitable[None]],
    ) -> None:
        """`rows` gives a table or derivation, `probe` asks neighbours whether they are there."""
        self._switch = switch
        self._watch = watch
        self._health = health
        self._rows = rows
        self._probe = probe
        self._counts: dict[FlowPlace, int] = {}
        self._unheard: dict[str, int] = {}

    async def run(self) -> None:
        while True:
            interval = self._watch.learned_refresh
            await asyncio.sleep(interval or _UNTIL_THE_SERVER_SAID)
            if not interval:
                continue
            try:
                await self.look()
            except OpenFlowError as error:
                self._health.degrade("learned_refresh", str(error))
            else:
                self._health.clear("learned_refresh")

    async def look(self) -> None:
        """Tell of each address whose flows matched a packet since the last look.

        Neighbours that were sent to and not heard from are asked, those first that have been silent
        for longest.
        """
        if not (self._watch.connected and self._switch.is_connected):
            return
        entries = list(self._entries())
        advanced = await self._advanced({flow.table for e in entries for flow in e.flows})
        self._unheard = {
            entry.row.key: self._unheard.get(entry.row.key, 0) + 1
            for entry in entries
            if isinstance(entry.row, MacBinding)
        }
        silent: list[MacBinding] = []
        for row, flows in entries:
            heard = any(f.table in _LOOKUPS and (f.table, f.match) in advanced for f in flows)
            used = any(f.table in _GETS and (f.table, f.match) in advanced for f in flows)
            if heard:
                self._unheard.pop(row.key, None)
            if heard or (used and self._unheard[row.key] <= LOOKS_UNHEARD):
                self._tell(row)
            if used and not heard and isinstance(row, MacBinding):
                silent.append(row)
        silent.sort(key=lambda row: -self._unheard[row.key])
        await self._probe(silent)

    def _entries(self) -> Iterator[_Entry]:
        for table, derivation in (
            (MacBinding, learned_mac_flows),
            (FdbEntry, learned_fdb_flows),
        ):
            known = self._rows(table)
            for key, flows in self._rows(derivation).items():
                if flows and key in known:
                    yield _Entry(known[key], flows)

    async def _advanced(self, wanted: set[int]) -> set[FlowPlace]:
        """The flows of these tables that counted packets since the last look.

        A flow that was added anew counts from 0: any packet of it is new.
        """
        counts: dict[FlowPlace, int] = {}
        for table in sorted(wanted & (_LOOKUPS | _GETS)):
            for use in await self._switch.flow_uses(table):
                counts[use.table, use.match] = use.packets
        before, self._counts = self._counts, counts
        return {
            place for place, packets in counts.items() if packets and before.get(place) != packets
        }

    def _tell(self, row: MacBinding | FdbEntry) -> None:
        self._health.counters["learned_refreshed"] += 1
        if isinstance(row, MacBinding):
            self._watch.learned_mac(row.port, row.ip, row.mac)
        else:
            self._watch.learned_fdb(row.port, row.mac)
