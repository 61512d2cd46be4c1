"""What the API stands on: the database with intent, and the controller with the rest.

The process that serves the API makes one :class:`Backend`; tests make their own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.limits import DEFAULT_LIMITS, Limits
from api.token_watch import TokenWatch
from api.turns import Turns
from controller.interface import Controller
from diagnosis.trace.network import FlowTables
from northbound.attempts import FailedAttempts
from northbound.database import Database
from northbound.projects import EVERYTHING, Scope
from northbound.transaction import Reader, Transaction

T = TypeVar("T")

_WRITERS = 4
"""Threads for changes, which come one after the other anyway: the rest is for readers."""

_DRY_RUNS = 4
"""Threads for changes that are only tried: none of them waits for the writer."""


class Written(NamedTuple, Generic[T]):
    """What a transaction returned, and the revision that holds from it on.

    Where nothing was `changed` that is the one committed before.
    """

    result: T
    revision: int
    changed: bool


@dataclass(frozen=True)
class Backend:
    """Everything that an operation of the API may need.

    With `authentication` off, which is for servers that only their own host can
    reach, a request without a token is trusted.
    """

    database: Database
    controller: Controller
    authentication: bool = True
    limits: Limits = DEFAULT_LIMITS
    _writers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_WRITERS))
    _dry_runs: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_DRY_RUNS))
    tables: FlowTables = field(default_factory=FlowTables)
    """Flows that are ready for walks."""
    questions: Turns = field(default_factory=Turns)
    """Those of traces and explanations."""
    attempts: FailedAttempts = field(default_factory=FailedAttempts)
    """The wrong tokens that came lately."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server begins to stop: what waits for revisions ends then."""

    @cached_property
    def token_watch(self) -> TokenWatch:
        """Tells when tokens end."""
        return TokenWatch(self.database)

    async def read(self, work: Callable[[Reader], T], scope: Scope = EVERYTHING) -> T:
        """What `work` makes of one consistent state of intent, as far as `scope` sees it.

        It runs in a thread: what is large is best rendered there, too.
        """

        def run() -> T:
            with self.database.read(scope) as reader:
                return work(reader)

        return await run_in_threadpool(run)

    async def maintain(self, work: Callable[[Session], T]) -> T:
        """Do `work` on what is not intent, in a transaction of its own."""

        def run() -> T:
            with self.database.maintain() as session:
                return work(session)

        return await to_thread.run_sync(run, limiter=self._writers)

    async def committed_revision(self) -> int:
        """The revision that was committed last."""
        return await run_in_threadpool(self.database.revision)

    async def write(
        self,
        work: Callable[[Transaction], T],
        *,
        author: str,
        comment: str,
        dry_run: bool = False,
        scope: Scope = EVERYTHING,
    ) -> Written[T]:
        """What `work` returned, and the revision as which its changes were committed."""

        def run() -> Written[T]:
            with self.database.write(
                author=author, comment=comment, dry_run=dry_run, scope=scope
            ) as tx:
                result = work(tx)
            if tx.committed is not None:
                return Written(result, tx.committed, changed=True)
            return Written(result, tx.revision - 1, changed=False)

        limiter = self._dry_runs if dry_run else self._writers
        return await to_thread.run_sync(run, limiter=limiter)

    async def dry_run(self, work: Callable[[Transaction], T], *, author: str) -> T:
        """What `work` makes of a transaction that changes nothing and locks nothing."""
        return (await self.write(work, author=author, comment="", dry_run=True)).result
