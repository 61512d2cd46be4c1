"""The translator at work: follows revisions, and keeps realised state in line with intent.

One batch is everything committed since the last one. Its rows go through the
engine, and what that changes goes southbound in one transaction. When the
southbound refuses, what is due is kept and tried again together with what comes
in the meantime. After a start the whole translation is compared with what is
stored, and only the differences are written.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import structlog

from incremental import Delta, Engine, Failure, growing
from northbound.database import Database
from northbound.errors import DatabaseError
from northbound.notices import CommitNotices
from southbound.errors import StoreError
from southbound.groups import ProposedGroupIds
from southbound.rows import Row
from southbound.state import RealisedState
from translator.graph import translation
from translator.holding import Holds
from translator.intent import (
    ImageChange,
    input_change,
    known_changes,
    read_all,
    read_changes,
)
from translator.realise import INTENT, NOTHING, Realised, all_rows, diff_rows, realise

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
"""How often to look for revisions that another process committed, where it can't be told."""

LOOK_SECONDS = 30.0
"""The same while the database tells of commits: the connection may be dead without our knowing."""

RETRY_SECONDS = 1.0

T = TypeVar("T")
EngineChange = tuple[Any, Any, Any]
"""Type, key and new row, as the engine takes them."""

BIG_BATCH = 500
"""Batches of more rows are computed in a thread, so that the event loop goes on."""


@dataclass
class Progress:
    """What the translator did last, and in all."""

    revision: int = 0
    batches: int = 0
    rows_changed: int = 0
    derivations_run: int = 0
    rows_written: int = 0
    seconds: float = 0.0
    last_runs: Counter[str] = field(default_factory=Counter)
    trouble: str = ""
    """Why the translator isn't getting on; empty while it is."""


class WhatIf(NamedTuple):
    """What a change would write southbound, and what of it could not be translated."""

    realised: Realised
    failures: list[Failure]


class Translator:
    """Translates a northbound database into realised state. Belongs to one event loop."""

    def __init__(
        self,
        database: Database,
        state: RealisedState,
        *,
        poll_seconds: float = POLL_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.progress = Progress()
        self._database = database
        self._state = state
        self._poll_seconds = poll_seconds
        self._look_seconds = look_seconds
        self._retry_seconds = retry_seconds
        self._engine = Engine(translation())
        self._failures: list[Failure] = []
        self._unreadable: dict[tuple[type[Any], Hashable], Failure] = {}
        self._due = NOTHING
        self._read = 0
        self._looked: object = None
        """What the probe said before the revision log was read last."""
        self._wake = asyncio.Event()
        self._busy = asyncio.Lock()
        self._holds = Holds(self._busy)

    @property
    def failures(self) -> list[Failure]:
        """Objects that could not be translated, with the error; a fallback stands in for each."""
        return self._failures

    async def start(self) -> None:
        """Translate everything that is there. Call :meth:`run` next."""
        async with self._busy:
            began = time.perf_counter()
            with growing():
                revision, rows_read, delta = await asyncio.to_thread(self._load)
                rows = await asyncio.to_thread(self._all_rows, revision)
                await self._state.replace(revision, rows)
            self._read = revision
            self._account(revision, rows_read, delta, len(rows), began)

    async def run(self) -> None:
        """Follow revisions until cancelled."""
        loop = asyncio.get_running_loop()

        def wake(_revision: int) -> None:
            loop.call_soon_threadsafe(self._wake.set)

        stop_listening = self._database.on_commit(wake)
        notices = CommitNotices(self._database.engine, self._committed_somewhere)
        try:
            while True:
                await notices.listen()
                pause = self._look_seconds if notices.is_listening else self._poll_seconds
                try:
                    await self.catch_up()
                except (DatabaseError, StoreError) as error:
                    pause = self._retry_seconds
                    self.progress.trouble = str(error)
                    log.error("translation is stuck", error=str(error))
                await self._pause(pause)
                while self._is_idle():
                    await self._pause(self._poll_seconds)
        finally:
            notices.close()
            stop_listening()

    def _committed_somewhere(self, revision: int | None) -> None:
        """Wake up for a revision that the database told of; for what isn't known, too."""
        if revision is None or revision > self._read:
            self._wake.set()

    async def catch_up(self) -> None:
        """Translate what was committed since the last time, if anything."""
        async with self._busy:
            self._wake.clear()
            await self._follow()

    async def _follow(self, until: int | None = None) -> None:
        """Translate what was committed, `until` a revision if that is given."""
        began = time.perf_counter()
        batch = known_changes(self._database, self._read, until)
        if batch is None:
            self._looked = self._database.probe.version()
            batch = await asyncio.to_thread(read_changes, self._database, self._read, until)
        if batch.revision > self._read:
            is_large = len(batch.changes) > BIG_BATCH
            changes, delta = await self._run(lambda: self._apply(batch.changes), is_large)
            is_large = delta.runs.total() > BIG_BATCH
            groups, revision = self._state.groups, batch.revision
            realised = await self._run(lambda: realise(delta, groups, revision), is_large)
            self._due = self._due.then(realised)
            self._read = batch.revision
            self._account(batch.revision, changes, delta, len(self._due.puts), began)
        if self._read > self._state.revision:
            await self._state.write(self._read, self._due.puts.values(), self._due.deletes)
            self._due = NOTHING
        self.progress.trouble = ""
        self.progress.seconds = time.perf_counter() - began

    async def wait_translated(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Until `revision` is written southbound; false if that takes too long."""
        return await self._state.wait_revision(revision, timeout)

    async def hold(self, seconds: float) -> int:
        """Let no revision be translated until :meth:`release`, or for so long at most.

        Returns a number by which :meth:`what_if` goes on, to exactly the revision that it is
        asked about. Writers go on: what they commit meanwhile is translated afterwards.
        """
        return await self._holds.take(seconds)

    def release(self, hold: int) -> None:
        """End a hold; one that is over already is no error."""
        self._holds.release(hold)

    async def what_if(
        self, revision: int, changes: Iterable[ImageChange], hold: int | None = None
    ) -> WhatIf | None:
        """What `changes` to the intent of `revision` would make of realised state.

        Nothing is kept of it, and nothing written. None if intent is past `revision`
        already, or the `hold` is over; else the state is at that revision when this returns.
        """
        if hold is None:
            async with self._busy:
                return await self._what_if(revision, changes)
        with self._holds.used(hold) as is_held:
            return await self._what_if(revision, changes) if is_held else None

    async def _what_if(self, revision: int, changes: Iterable[ImageChange]) -> WhatIf | None:
        if self._state.revision < revision:
            await self._follow(revision)
        if not self._read == self._state.revision == revision:
            return None
        inputs = list(filter(None, map(input_change, changes)))
        # In a thread, however small: only asking must not hold the event loop up.
        rows = [each[:3] for each in inputs]
        delta = await self._run(lambda: self._engine.what_if(rows), is_large=True)
        found = [*(each.failure for each in inputs), *delta.failures.values()]
        return WhatIf(
            realise(delta, ProposedGroupIds(self._state.groups), revision + 1),
            [failure for failure in found if failure is not None],
        )

    async def differences(self) -> list[str]:
        """Where the state differs from a full translation of the same intent; none is right.

        Compares the engine with a recomputation, and what was written with the engine.
        """
        async with self._busy:
            found = [
                f"{each.node} {each.key}: {each.incremental!r}, in full {each.full!r}"
                for each in await self._run(self._engine.differences, is_large=True)
            ]
            return found + list(self._unwritten())

    def _unwritten(self) -> Iterator[str]:
        stored = (row for row_type in INTENT for row in self._state.rows(row_type).values())
        for row_id, found, wanted in diff_rows(stored, self._all_rows(self._read)):
            yield f"{row_id}: written {found!r}, wanted {wanted!r}"

    def _all_rows(self, revision: int) -> list[Row]:
        return list(all_rows(self._engine, self._state.groups, revision))

    def _load(self) -> tuple[int, int, Delta]:
        """Let the engine take in everything; returns the revision, how many rows, and what it cost.

        Each thing goes before what takes its place is made: else the server would weigh more at
        its start than it ever does later.
        """
        revision, changes = self._read_all()
        delta = self._engine.load(changes)
        delta.outputs.clear()  # all rows are written, whatever came of which
        return revision, len(changes), delta

    def _read_all(self) -> tuple[int, list[EngineChange]]:
        batch = read_all(self._database)
        return batch.revision, list(self._rows(batch.changes))

    def _apply(self, images: Iterable[ImageChange]) -> tuple[int, Delta]:
        """Let the engine follow a batch; returns how many rows it has, and what came of it."""
        changes = list(self._rows(images))
        return len(changes), self._engine.apply(changes)

    async def _run(self, work: Callable[[], T], is_large: bool) -> T:
        """Do `work`, in a thread where it is large.

        The engine goes on from what it did: so what waits for it may be cancelled, but only
        after it has ended, at its next wait, when what came of the work has been noted.
        """
        if not is_large:
            return work()
        working = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])
            task = asyncio.current_task()
            if task is not None and not working.cancelled():
                task.uncancel()
                task.cancel()
                return working.result()
            raise

    def _rows(self, changes: Iterable[ImageChange]) -> Iterator[EngineChange]:
        """Changes as the engine takes them. A row that can't be read counts as absent."""
        for row_type, key, row, failure in filter(None, map(input_change, changes)):
            self._unreadable.pop((row_type, key), None)
            if failure is not None:
                self._unreadable[row_type, key] = failure
            yield row_type, key, row

    def _account(
        self, revision: int, rows_changed: int, delta: Delta, rows_written: int, began: float
    ) -> None:
        progress = self.progress
        progress.revision = revision
        progress.batches += 1
        progress.rows_changed += rows_changed
        progress.derivations_run += delta.runs.total()
        progress.rows_written += rows_written
        progress.last_runs = delta.runs
        self._failures = [*self._unreadable.values(), *self._engine.failures.values()]
        progress.seconds = time.perf_counter() - began
        for (node, key), failure in delta.failures.items():
            if failure is not None:
                log.warning("not translated", node=node, key=key, error=failure.error)

    def _is_idle(self) -> bool:
        """Whether there is nothing to do: a look at the database would find what it found."""
        return (
            not self._wake.is_set()
            and not self.progress.trouble
            and self._read == self._state.revision
            and self._database.probe.version() == self._looked
        )

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
