"""The connection to the Open vSwitch database, driven by asyncio.

python-ovs' IDL keeps a replica, reconnects with back-off and asks through a
"poller" what it waits for. Here the poller is the event loop, so that there is
neither a thread nor a lock: everything in the agent happens in one loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import ovs.db.idl
import ovs.poller
import structlog
from ovs.timeval import msec

from chassis_agent.errors import DatabaseError
from chassis_agent.ovsdb.edits import Edit
from chassis_agent.ovsdb.schema import SCHEMA
from chassis_agent.ovsdb.view import SwitchView, ViewBuilder

log = structlog.get_logger(__name__)

_PROBE_INTERVAL_MS = 5000


class SwitchDatabase:
    """A replica of the switch's configuration, and a queue of edits to it.

    `on_change` is called with every new picture, in the event loop.
    """

    def __init__(self, remote: str, on_change: Callable[[SwitchView], None]) -> None:
        self._remote = remote
        self._on_change = on_change
        self._idl = _Idl(remote)
        self._builder = ViewBuilder()
        self._edits: deque[tuple[Edit, asyncio.Future[None]]] = deque()
        self._running: Any = None
        self._wake = asyncio.Event()
        self._was_connected = False

    @property
    def is_connected(self) -> bool:
        """Whether the replica follows the database at this moment."""
        return self._idl.is_following

    async def trouble(self) -> str:
        """Why the replica doesn't follow the database; empty when it does."""
        if self.is_connected:
            return ""
        kind, _, place = self._remote.partition(":")
        if kind == "unix":
            try:
                _, writer = await asyncio.open_unix_connection(place)
            except OSError as error:
                return f"cannot connect to {self._remote}: {error.strerror or error}"
            writer.close()
        return f"{self._remote} does not answer as a database of Open vSwitch"

    async def transact(self, edit: Edit) -> None:
        """Runs an edit, again after each conflict and each loss of the connection.

        Raises :class:`DatabaseError` when the database refuses it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._edits.append((edit, done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Follows the database until cancelled."""
        try:
            while True:
                self._step()
                await self._wait()
        finally:
            self._idl.close()

    def _step(self) -> None:
        self._idl.run()
        if self.is_connected != self._was_connected:
            self._was_connected = self.is_connected
            log.info("ovsdb connection", remote=self._remote, connected=self.is_connected)
        if self._idl.dirty and self.is_connected:
            dirty = list(self._idl.dirty)
            self._idl.dirty.clear()
            self._on_change(self._builder.update(self._idl.tables, dirty))
        if self.is_connected:
            self._run_edits()

    def _run_edits(self) -> None:
        """Starts edits and settles finished ones, in order, one at a time."""
        while self._edits:
            edit, done = self._edits[0]
            if done.cancelled():
                self._edits.popleft()
                self._running = None
                continue
            try:
                status = self._commit(edit)
            except Exception as error:
                self._edits.popleft()
                done.set_exception(error)
                continue
            if status in ("incomplete", "try again", "not locked"):
                return
            self._edits.popleft()
            self._running = None
            if status in ("success", "unchanged"):
                done.set_result(None)
            else:
                done.set_exception(DatabaseError(status))

    def _commit(self, edit: Edit) -> str:
        transaction = self._running
        if transaction is None:
            transaction = ovs.db.idl.Transaction(self._idl)
            try:
                edit(_Rows(transaction, self._idl, self._builder))
            except BaseException:
                transaction.abort()
                raise
            self._running = transaction
        status = transaction.commit()
        if status == transaction.TRY_AGAIN:
            self._running = None
        if status == transaction.ERROR:
            return str(transaction.get_error())
        return str(transaction.status_to_string(status))

    async def _wait(self) -> None:
        """Sleeps until the IDL has something to do or an edit was queued."""
        poller = _LoopPoller(asyncio.get_running_loop(), self._wake.set)
        self._idl.wait(poller)
        try:
            async with asyncio.timeout(poller.timeout):
                await self._wake.wait()
        except TimeoutError:
            pass
        finally:
            poller.close()
            self._wake.clear()


class _Idl(ovs.db.idl.Idl):  # type: ignore[misc]
    """An IDL that notes which rows changed."""

    def __init__(self, remote: str) -> None:
        self.dirty: dict[tuple[str, UUID], None] = {}
        helper = ovs.db.idl.SchemaHelper(schema_json=SCHEMA)
        helper.register_all()
        super().__init__(remote, helper, probe_interval=_PROBE_INTERVAL_MS, leader_only=False)

    @property
    def is_following(self) -> bool:
        return bool(self.state == self.IDL_S_MONITORING and self._session.is_connected())

    def notify(self, event: str, row: Any, updates: Any = None) -> None:  # noqa: ARG002
        self.dirty[row._table.name, row.uuid] = None


class _Rows:
    """The :class:`chassis_agent.ovsdb.edits.Transaction` over python-ovs' own."""

    def __init__(self, transaction: Any, idl: _Idl, builder: ViewBuilder) -> None:
        self._transaction = transaction
        self._tables = idl.tables
        self._builder = builder

    def find(self, table: str, name: str) -> Any | None:
        uuid = self._builder.uuid((table, name))
        return None if uuid is None else self._tables[table].rows.get(uuid)

    def rows(self, table: str) -> Iterable[Any]:
        return list(self._tables[table].rows.values())

    def root(self) -> Any:
        return next(iter(self._tables["Open_vSwitch"].rows.values()))

    def insert(self, table: str) -> Any:
        return self._transaction.insert(self._tables[table])


class _LoopPoller:
    """The interface of ``ovs.poller.Poller`` that ``wait`` methods call, on an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._loop = loop
        self._wake = wake
        self._readers: set[int] = set()
        self._writers: set[int] = set()
        self.timeout: float | None = None

    def fd_wait(self, fd: Any, events: int) -> None:
        number = fd if isinstance(fd, int) else int(fd.fileno())
        if events & ovs.poller.POLLIN and number not in self._readers:
            self._readers.add(number)
            self._loop.add_reader(number, self._wake)
        if events & ovs.poller.POLLOUT and number not in self._writers:
            self._writers.add(number)
            self._loop.add_writer(number, self._wake)

    def timer_wait(self, milliseconds: int) -> None:
        seconds = max(0, milliseconds) / 1000
        self.timeout = seconds if self.timeout is None else min(self.timeout, seconds)

    def timer_wait_until(self, moment: int) -> None:
        self.timer_wait(moment - int(msec()))

    def immediate_wake(self) -> None:
        self.timer_wait(0)

    def close(self) -> None:
        """Unregisters at once, before the IDL may close and reuse a descriptor."""
        for number in self._readers:
            self._loop.remove_reader(number)
        for number in self._writers:
            self._loop.remove_writer(number)
