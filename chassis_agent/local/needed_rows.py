"""The rows that this host needs: which it subscribes to, and whether they are there.

What is needed grows with what arrives: the port of an interface names a datapath, that is
joined to others, and their flows name sets. Until all of it is there for the first time
the host is not *settled*, and nothing says what its switch should hold. An agent that
can't reach its server when it starts is *headless*: it goes by the rows of its cache.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from chassis_agent.local.datapaths import PatchLinks
from chassis_agent.local.subscriptions import wanted_scopes
from southbound.rows import PortBinding, datapath_scope, set_scope
from southbound.watch.client import WatchClient
from southbound.watch.inbox import Batch

HEADLESS_SECONDS: Final = 2.0
"""How long a starting agent waits for the server before it goes by its cache."""


class NeededRows:
    """Subscribes to what is needed. Belongs to one event loop."""

    def __init__(self, chassis: str, watch: WatchClient, on_settled: Callable[[], None]) -> None:
        """`on_settled` is called once, when the host has become settled."""
        self._chassis = chassis
        self._elections: dict[str, str] = {}
        """The datapaths of the ports for which this chassis may be elected, by port."""
        self.datapaths: frozenset[str] = frozenset()
        """Those that hang together with the ports here."""
        self._watch = watch
        self._on_settled = on_settled
        self._links = PatchLinks(chassis)
        self._subscribed: frozenset[str] = frozenset()
        self._in_sync: frozenset[str] = frozenset()
        self._has_rows = False
        self._has_settled = False
        self._started = 0.0

    def start(self) -> None:
        """The server is waited for from now on."""
        self._started = asyncio.get_running_loop().time()

    @property
    def count(self) -> int:
        """How many scopes are subscribed."""
        return len(self._subscribed)

    @property
    def has_settled(self) -> bool:
        """Whether the host was found settled; :attr:`is_settled` looks anew."""
        return self._has_settled

    @property
    def is_headless(self) -> bool:
        """Whether rows are the last known ones, because the server cannot be reached."""
        waited = asyncio.get_running_loop().time() - self._started > HEADLESS_SECONDS
        return self._has_rows and not self._watch.connected and waited

    @property
    def are_here(self) -> bool:
        """Whether the server has sent all that is subscribed."""
        return self._subscribed <= self._in_sync

    @property
    def is_settled(self) -> bool:
        """Whether the rows that are there are enough to say what the switch should hold.

        True from the first moment on in which all subscriptions were in sync; or,
        with the server away, once the rows of the cache were taken.
        """
        if not self._has_settled:
            self._has_settled = (self._has_rows and self.are_here) or self.is_headless
            if self._has_settled:
                self._on_settled()
        return self._has_settled

    def take(self, batch: Batch) -> None:
        """Rows came."""
        self._has_rows = True
        self._in_sync = batch.in_sync
        for table, key in batch.deletes:
            if table == PortBinding.table:
                self._links.remove(key)
                self._elections.pop(key, None)
        for row in batch.puts:
            if isinstance(row, PortBinding):
                self._links.put(row)
                if self._chassis in row.electorate:
                    self._elections[row.id] = row.datapath
                else:
                    self._elections.pop(row.id, None)

    def use_datapaths(self, datapaths: Iterable[str]) -> None:
        """Ports here are on these datapaths: they are needed, and all that hangs together.

        So are those of ports for which this chassis may be elected.
        """
        self.datapaths = self._links.reachable({*datapaths, *self._elections.values()})

    def subscribe(self, plugged: Iterable[str], sets: Iterable[str]) -> None:
        """Ask for what is needed now, and leave what no longer is."""
        needed = wanted_scopes(self._chassis, plugged, self.datapaths, sets)
        if needed != self._subscribed:
            self._watch.subscribe(sorted(needed - self._subscribed))
            self._watch.unsubscribe(sorted(self._subscribed - needed))
            self._in_sync -= self._subscribed - needed
            self._subscribed = needed

    def complete_datapaths(self, datapaths: Iterable[str], sets: Iterable[str]) -> frozenset[str]:
        """Those of which all rows are here: of all that they hang together with, and of `sets`."""
        if any(not self._is_here(set_scope(name)) for name in sets):
            return frozenset()
        missing = {key for key in self.datapaths if not self._is_here(datapath_scope(key))}
        return frozenset(
            key
            for key in set(datapaths)
            if not (missing and missing & self._links.reachable([key]))
        )

    def _is_here(self, scope: str) -> bool:
        return scope in self._in_sync or self.is_headless
