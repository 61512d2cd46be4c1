"""Realised state as the server process knows it: the one door to rows and facts.

The translator writes *intent* through :meth:`RealisedState.write`; agents write
*facts* (claims, `up`, learned addresses) through the watch server; the API reads.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from southbound.groups import GroupIds
from southbound.rows import FlowGroup, Row, RowId
from southbound.store import Store

R = TypeVar("R", bound=Row)


class RealisedState:
    """All rows in memory, each change stored before it is seen.

    Belongs to one event loop: call it from that loop's thread only.
    """

    groups: GroupIds
    """The translator asks it for the ids of its flow groups."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        raise NotImplementedError

    async def load(self) -> None:
        """Read everything from the store; once, before anything else."""
        raise NotImplementedError

    @property
    def revision(self) -> int:
        """The northbound revision that the rows realise."""
        raise NotImplementedError

    def rows(self, row_type: type[R]) -> Mapping[str, R]:
        """All rows of a table by key, facts included. A live view: do not keep it."""
        raise NotImplementedError

    def in_scope(self, scope: str) -> Collection[Row]:
        raise NotImplementedError

    def flow_groups(
        self, *, datapath: str | None = None, cause: tuple[str, str] | None = None
    ) -> Iterator[FlowGroup]:
        """Flow groups of a datapath, of a cause (kind, id), or all."""
        raise NotImplementedError

    async def write(
        self, revision: int, puts: Iterable[Row] = (), deletes: Iterable[RowId] = ()
    ) -> None:
        """The translator's change of intent up to `revision`: one SQL transaction, then memory.

        Puts that change nothing are left out (for a flow group: whose payload is the
        same), facts in put rows are ignored. Call it for every revision, also for one
        that changes no rows, so that :attr:`revision` moves on. Raises StoreError and
        changes nothing if the database refuses.
        """
        raise NotImplementedError

    async def replace(self, revision: int, rows: Iterable[Row]) -> None:
        """As :meth:`write`, given *all* rows that there shall be: a full translation."""
        raise NotImplementedError

    async def wait_revision(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Until `revision` (or a later one) is written; false if that takes too long."""
        raise NotImplementedError

    async def close(self) -> None:
        """Store the facts that are still on their way."""
        raise NotImplementedError
