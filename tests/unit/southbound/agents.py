"""Agents for tests: a watch client with a user that takes and acknowledges all it gets."""

import asyncio
from collections.abc import Callable
from typing import Any

from southbound.rows import Row, RowId
from southbound.watch.client import WatchClient
from southbound.watch.inbox import Batch


class Agent:
    """A watch client with a user that takes and acknowledges every batch."""

    def __init__(self, client: WatchClient) -> None:
        self.client = client
        self.batches: list[Batch] = []
        self.acknowledging = True
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.client.run()), asyncio.create_task(self._take())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self) -> None:
        while True:
            batch = await self.client.next_batch()
            self.batches.append(batch)
            if self.acknowledging:
                self.client.acknowledge(batch)

    @property
    def rows(self) -> dict[RowId, Row]:
        return dict(self.client.rows)

    async def synced(self) -> None:
        """All that it subscribed to is here."""
        await until(lambda: self.client.in_sync == self.client.subscriptions)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def by_id(*rows: Row) -> dict[RowId, Row]:
    return {row.row_id: row for row in rows}


MakeAgent = Callable[..., Agent]
