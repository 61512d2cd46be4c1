"""Tells the server which learned addresses are in use, so that only idle ones age out.

The server forgets what it has not heard of for an age. Every third of that time
(:attr:`WatchClient.learned_refresh`) the agent reads the packet counts of the
tables of learned addresses: nothing is done per packet, and nothing is read while
nothing was learned. Routers may have ages of their own, of which the shortest says how
often the counts are read; each address is looked at in every third of its own age.

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
from southbound.rows import Datapath, FdbEntry, MacBinding
from southbound.watch.client import WatchClient

LOOKS_UNHEARD: Final = 4
"""With three looks an age: it is asked three times within an age (RFC 4861 section 10)."""

_LOOKUPS: Final = frozenset({tables.ARP_LOOKUP, tables.ND_LOOKUP, tables.FDB_LOOKUP})
_GETS: Final = frozenset({tables.ARP_GET, tables.ND_GET})
_LONGEST_SLEEP: Final = 5.0
_SHORTEST_INTERVAL: Final = 1.0
_ALMOST: Final = 0.9
"""What part of its interval makes an address due: looks are never quite regular."""
LOOKS_AN_AGE: Final = 3

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
        clock: Callable[[], float],
    ) -> None:
        """`rows` gives a table or derivation, `probe` asks neighbours whether they are there."""
        self._switch = switch
        self._watch = watch
        self._health = health
        self._rows = rows
        self._probe = probe
        self._clock = clock
        self._looked: dict[tuple[type[Any], str], float] = {}
        """When each address was looked at last."""
        self._counts: dict[FlowPlace, int] = {}
        self._unheard: dict[str, int] = {}

    async def run(self) -> None:
        last = self._clock()
        while True:
            # A router with a short age may come at any time.
            interval = self._interval()
            await asyncio.sleep(min(interval or _LONGEST_SLEEP, _LONGEST_SLEEP))
            now = self._clock()
            if not interval or now - last < interval * _ALMOST:
                continue
            last = now
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
        everything = list(self._entries())
        entries = self._due(everything)
        advanced = await self._advanced(entries)
        known = {each.row.key for each in everything if isinstance(each.row, MacBinding)}
        self._unheard = {key: n for key, n in self._unheard.items() if key in known}
        for entry in entries:
            if isinstance(entry.row, MacBinding):
                self._unheard[entry.row.key] = self._unheard.get(entry.row.key, 0) + 1
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

    def _interval(self) -> float:
        """Return how many seconds are between looks; 0 while none are needed, or it isn't known."""
        ages = (row.neighbour_age for row in self._rows(Datapath).values())
        intervals = [max(age / LOOKS_AN_AGE, _SHORTEST_INTERVAL) for age in ages if age > 0]
        if self._watch.learned_refresh:
            intervals.append(self._watch.learned_refresh)
        return min(intervals) if intervals else 0.0

    def _interval_of(self, row: MacBinding | FdbEntry) -> float:
        """Return how many seconds are between looks at an address; 0 for one that is kept."""
        if isinstance(row, MacBinding):
            datapath = self._rows(Datapath).get(row.datapath)
            if datapath is not None and datapath.neighbour_age >= 0:
                return float(datapath.neighbour_age) / LOOKS_AN_AGE
        return self._watch.learned_refresh

    def _due(self, entries: Iterable[_Entry]) -> list[_Entry]:
        """Return the addresses that are to be looked at now."""
        now, before, due = self._clock(), self._looked, []
        self._looked = {}
        for entry in entries:
            key = (type(entry.row), entry.row.key)
            interval = self._interval_of(entry.row)
            last = before.get(key)
            if interval and (last is None or now - last >= interval * _ALMOST):
                due.append(entry)
                self._looked[key] = now
            elif last is not None:
                self._looked[key] = last
        return due

    def _entries(self) -> Iterator[_Entry]:
        for table, derivation in (
            (MacBinding, learned_mac_flows),
            (FdbEntry, learned_fdb_flows),
        ):
            known = self._rows(table)
            for key, flows in self._rows(derivation).items():
                if flows and key in known:
                    yield _Entry(known[key], flows)

    async def _advanced(self, entries: Iterable[_Entry]) -> set[FlowPlace]:
        """The flows of these addresses that counted packets since they were looked at last.

        A flow that was added anew counts from 0: any packet of it is new.
        """
        wanted = {(flow.table, flow.match) for entry in entries for flow in entry.flows}
        read = {table for table, _ in wanted} & (_LOOKUPS | _GETS)
        there: set[FlowPlace] = set()
        counts: dict[FlowPlace, int] = {}
        for table in sorted(read):
            for use in await self._switch.flow_uses(table):
                place = use.table, use.match
                there.add(place)
                if place in wanted:
                    counts[place] = use.packets
        before = self._counts
        # What isn't looked at now is compared with what was counted at its own last look.
        kept = {p: n for p, n in before.items() if p[0] not in read or p in there}
        self._counts = kept | counts
        return {
            place for place, packets in counts.items() if packets and before.get(place) != packets
        }

    def _tell(self, row: MacBinding | FdbEntry) -> None:
        self._health.counters["learned_refreshed"] += 1
        if isinstance(row, MacBinding):
            self._watch.learned_mac(row.port, row.ip, row.mac)
        else:
            self._watch.learned_fdb(row.port, row.mac)
