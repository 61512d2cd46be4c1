"""The rows that this host needs: which it subscribes to, and whether they are there.

What is needed grows with what arrives: the port of an interface names a datapath, that is
joined to others, and their flows name sets, of which there may be thousands: those are told as
they come and go. Until all of it is there for the first time
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
        self._host_scopes: frozenset[str] = frozenset()
        self._set_scopes: set[str] = set()
        self._awaited_sets: set[str] = set()
        """The scopes of sets whose rows the server has not sent yet."""
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
        return len(self._host_scopes) + len(self._set_scopes)

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
        return not self._awaited_sets and self._host_scopes <= self._in_sync

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
        self._awaited_sets = self._set_scopes - batch.in_sync
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

    def subscribe(
        self, plugged: Iterable[str], used: Iterable[str] = (), unused: Iterable[str] = ()
    ) -> None:
        """Ask for what is needed now, and leave what no longer is.

        `used` are the sets that flows are made from since the last call, `unused` those that they
        no longer are made from.
        """
        scopes = wanted_scopes(self._chassis, plugged, self.datapaths)
        came, left = scopes - self._host_scopes, self._host_scopes - scopes
        self._host_scopes = scopes
        came |= self._use_sets(used)
        left |= self._leave_sets(unused)
        if came:
            self._watch.subscribe(sorted(came))
        if left:
            self._watch.unsubscribe(sorted(left))
            self._in_sync -= left

    def _use_sets(self, names: Iterable[str]) -> set[str]:
        """Return the scopes of these sets, which are wanted from now on."""
        came = set(map(set_scope, names)) - self._set_scopes
        self._set_scopes |= came
        self._awaited_sets |= came - self._in_sync
        return came

    def _leave_sets(self, names: Iterable[str]) -> set[str]:
        """Return the scopes of these sets, which are wanted no longer."""
        left = self._set_scopes.intersection(map(set_scope, names))
        self._set_scopes -= left
        self._awaited_sets -= left
        return left

    def complete_datapaths(self, datapaths: Iterable[str]) -> frozenset[str]:
        """Those of which all rows are here: of all that they hang together with, and of sets."""
        if self._awaited_sets and not self.is_headless:
            return frozenset()
        missing = {key for key in self.datapaths if not self._is_here(datapath_scope(key))}
        return frozenset(
            key
            for key in set(datapaths)
            if not (missing and missing & self._links.reachable([key]))
        )

    def _is_here(self, scope: str) -> bool:
        return scope in self._in_sync or self.is_headless
