"""Realised state as the server process knows it: the one door to rows and facts.

The translator writes *intent* through :meth:`RealisedState.write`; agents write
*facts* (claims, `up`, learned addresses) through the watch server; the API reads.

Intent is stored before anyone sees it. Facts are seen first and stored within a moment.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar, cast

import msgspec
import structlog

from southbound.errors import StoreError, TakenOverError
from southbound.facts import Facts
from southbound.feed import Feed
from southbound.groups import GroupIds
from southbound.hits import HitBook
from southbound.reach import Reach, ReachChanges
from southbound.recent import RecentChanges
from southbound.rows import (
    Announcement,
    BackendCheck,
    BackendStatus,
    BfdSession,
    BfdStatus,
    Chassis,
    ChassisVariable,
    Datapath,
    DnsName,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    RouterAdvertisement,
    Row,
    RowId,
    SetMember,
    Stage,
    Template,
    Translation,
    VirtualAddress,
    datapath_scope,
    set_scope,
)
from southbound.store import Store
from southbound.up_wait import UpWait

log = structlog.get_logger(__name__)

R = TypeVar("R", bound=Row)

ChangeListener = Callable[[Collection[str]], None]
"""Called, after each change, with the scopes that changed."""

ReachListener = Callable[[ReachChanges], None]
"""Called, before the others, when chassis may reach something else than before."""

_INTENT: tuple[type[Row], ...] = (
    Stage,
    Template,
    Datapath,
    PortBinding,
    FlowGroup,
    SetMember,
    RouterAdvertisement,
    DnsName,
    Announcement,
    BfdSession,
    VirtualAddress,
    BackendCheck,
    Translation,
    ChassisVariable,
)
_FACTS = (Chassis, MacBinding, FdbEntry, BfdStatus, BackendStatus)
_GATHER_SECONDS = 0.05
_RETRY_SECONDS = 1.0
_EXPIRE_SECONDS = 5.0


class RealisedState:
    """All rows in memory. Belongs to one event loop: call it from that loop's thread.

    `facts` is for the watch server; `feed` is the rows with their recent history; `reach`
    is what the ports of each chassis get to; `groups` gives the translator the ids of its
    flow groups.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        learned_age: float = 300.0,
        learned_per_port: int = 8192,
        takeover: bool = True,
    ) -> None:
        """`takeover`: whether a later plug takes a port from a live chassis that has it."""
        self.feed = Feed()
        self.groups = GroupIds()
        self.recent = RecentChanges()
        self.reach = Reach()
        self.facts = Facts(
            self.feed,
            self._change,
            self.reach,
            clock=clock,
            learned_age=learned_age,
            learned_per_port=learned_per_port,
            takeover=takeover,
        )
        self.hits = HitBook(
            lambda number: self.rows(FlowGroup).get(str(number)), self.reach.reaches, clock
        )
        self._store = store
        self._revision = 0
        self._moved = asyncio.Event()
        self._writing = asyncio.Lock()
        self._facts_changed = asyncio.Event()
        self._listeners: list[ChangeListener] = []
        self._reach_listeners: list[ReachListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def load(self) -> None:
        """Take the store over and read everything from it; once, before anything else."""
        await asyncio.to_thread(self._store.take_over)
        contents = await asyncio.to_thread(self._store.read)
        self._revision = contents.revision
        self.groups = contents.groups
        facts = [row for row in contents.rows if isinstance(row, _FACTS)]
        intent = [row for row in contents.rows if not isinstance(row, _FACTS)]
        bindings = [row for row in contents.rows if isinstance(row, PortBinding)]
        self.feed.change(facts)
        self.facts.load(facts, bindings, contents.port_facts)
        self._change(self._joined(intent), ())
        self.facts.bfd.drop_orphans(self.rows(BfdSession))
        self.facts.backends.drop_orphans(self.rows(BackendCheck))
        self._tasks = [
            asyncio.create_task(self._store_facts(), name="store facts"),
            asyncio.create_task(self._expire_learned(), name="expire learned addresses"),
        ]
        for task in self._tasks:
            task.add_done_callback(_report_failure)

    async def close(self) -> None:
        """Store the facts that are still on their way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.facts.unstored:
            try:
                await self._flush_facts()
            except TakenOverError as error:
                log.warning("facts not stored", reason=str(error))

    # --- reading

    @property
    def revision(self) -> int:
        """The northbound revision that the rows realise."""
        return self._revision

    def rows(self, row_type: type[R]) -> Mapping[str, R]:
        """All rows of a table by key, facts included. A live view: do not keep it."""
        return cast(Mapping[str, R], self.feed.table(row_type.table))

    def in_scope(self, scope: str) -> Collection[Row]:
        return self.feed.snapshot(scope)

    def flow_groups(
        self, *, datapath: str | None = None, cause: tuple[str, str] | None = None
    ) -> Iterator[FlowGroup]:
        """Flow groups of a datapath, of a cause (kind, id), of both, or all."""
        rows: Iterable[Row] = (
            self.rows(FlowGroup).values()
            if datapath is None
            else self.in_scope(datapath_scope(datapath))
        )
        for row in rows:
            if isinstance(row, FlowGroup) and cause in (None, (row.cause_kind, row.cause_id)):
                yield row

    # --- intent

    async def write(
        self, revision: int, puts: Iterable[Row] = (), deletes: Iterable[RowId] = ()
    ) -> None:
        """The translator's change of intent up to `revision`: one SQL transaction, then memory.

        Puts that change nothing are left out (for a flow group: whose payload is the
        same), facts in put rows are ignored. Call it for every revision, also for one
        that changes no rows, so that :attr:`revision` moves on. Raises StoreError and
        changes nothing if the database refuses.
        """
        async with self._writing:
            changed = [row for row in puts if self._differs(row)]
            gone = [row for row_id in deletes if (row := self.feed.get(row_id)) is not None]
            if revision != self._revision or changed or gone:
                await asyncio.to_thread(self._store.write, revision, changed, gone, self.groups)
                self._apply(revision, changed, gone)

    async def replace(self, revision: int, rows: Iterable[Row]) -> None:
        """As :meth:`write`, given *all* rows that there shall be: a full translation."""
        puts = list(rows)
        gone = {(row_type.table, key): None for row_type in _INTENT for key in self.rows(row_type)}
        if gone:
            for row in puts:
                gone.pop(row.row_id, None)
        await self.write(revision, puts, gone)

    async def wait_revision(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Until `revision` (or a later one) is written; false if that takes too long."""
        try:
            async with asyncio.timeout(timeout):
                while self._revision < revision:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def wait_up(self, ports: Iterable[str], timeout: float) -> list[str]:  # noqa: ASYNC109
        """Until the ports of these ids are up, as far as living chassis have them.

        Returns the names of those that are not, in time.
        """
        wait = UpWait(ports, self.feed.get)
        self._listeners.append(wait.changed)
        try:
            async with asyncio.timeout(timeout):
                await wait.wait()
        except TimeoutError:
            return wait.missing
        finally:
            self._listeners.remove(wait.changed)
        return []

    def _differs(self, row: Row) -> bool:
        old = self.feed.get(row.row_id)
        if isinstance(row, PortBinding) and isinstance(old, PortBinding):
            row = row.with_facts_of(old)
        elif isinstance(row, FlowGroup) and isinstance(old, FlowGroup):
            row = msgspec.structs.replace(row, revision=old.revision)
        return row != old

    def _apply(self, revision: int, puts: Collection[Row], deletes: Collection[Row]) -> None:
        for row in deletes:
            if isinstance(row, FlowGroup):
                self.groups.forget(row.id)
            elif isinstance(row, PortBinding):
                self.facts.port_gone(row)
            elif isinstance(row, BfdSession):
                self.facts.bfd.session_gone(row)
            elif isinstance(row, BackendCheck):
                self.facts.backends.check_gone(row)
        for row in puts:
            if not isinstance(row, PortBinding):
                continue
            old = self.feed.get(row.row_id)
            if not isinstance(old, PortBinding):
                continue
            if (old.datapath, old.name) != (row.datapath, row.name):
                self.facts.port_gone(old)
            elif (old.neighbours, old.addresses) != (row.neighbours, row.addresses):
                self.facts.learned.neighbours_changed(row)
        before, self._revision = self._revision, revision
        scopes = self._change_scopes(self._joined(puts), [row.row_id for row in deletes])
        self.recent.note(before, revision, scopes)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _joined(self, rows: Iterable[Row]) -> Iterator[Row]:
        ports = []
        for row in rows:
            if isinstance(row, PortBinding):
                ports.append(row)
            else:
                yield row
        if ports:
            yield from self.facts.joined_all(ports)

    # --- changes, of intent or of facts

    def listen(self, listener: ChangeListener) -> None:
        self._listeners.append(listener)

    def listen_reach(self, listener: ReachListener) -> None:
        self._reach_listeners.append(listener)

    def _change(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> None:
        self._change_scopes(puts, deletes)

    def _change_scopes(self, puts: Iterable[Row], deletes: Iterable[RowId]) -> Collection[str]:
        """Returns the scopes in which agents may find something new."""
        rows, gone = list(puts), list(deletes)
        scopes = self.feed.change(rows, gone)
        moved = self.reach.take(rows, gone)
        if self.facts.unstored:
            self._facts_changed.set()
        if moved.reach or moved.sets:
            for reach_listener in self._reach_listeners:
                reach_listener(moved)
        if scopes:
            for listener in self._listeners:
                listener(scopes)
        reached = {datapath for change in moved.reach for datapath in change.datapaths}
        return {*scopes, *map(datapath_scope, reached), *map(set_scope, moved.sets)}

    async def _store_facts(self) -> None:
        while True:
            await self._facts_changed.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._facts_changed.clear()
            try:
                await self._flush_facts()
            except StoreError as error:
                log.error("facts not stored, will try again", reason=str(error))
                self._facts_changed.set()
                await asyncio.sleep(_RETRY_SECONDS)

    async def _flush_facts(self) -> None:
        async with self._writing:
            pending = self.facts.unstored.take()
            try:
                await asyncio.to_thread(self._store.write_facts, *pending)
            except BaseException:
                self.facts.unstored.put_back(pending)
                raise

    async def _expire_learned(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRE_SECONDS)
            self.facts.learned.expire()


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a task of the southbound died", task=task.get_name(), exc_info=error)
