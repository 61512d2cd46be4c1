"""Whoever asks holds no writer up, and no writer holds up who asks: on both databases."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from diagnosis.explain import looking
from northbound.database import Database, open_database, upgrade
from northbound.services import LOGICAL_SWITCHES
from tests.unit.api.conftest import Server, serve
from tests.unit.api.demo import apply_demo
from tests.unit.northbound.postgresql import private_server

DENIED = {"source": "web-1", "destination": "db-1", "service": "udp/53"}
PATIENCE = 60.0
MORE_THAN_THREADS = 6
"""Changes that wait for the writer: more than the server has threads for them."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with private_server() as url:
        upgrade(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        yield request.getfixturevalue("database")
        return
    database = open_database(request.getfixturevalue("postgresql"))
    yield database
    database.close()


@pytest.fixture
async def demo(either: Database) -> AsyncIterator[Server]:
    async with serve(either) as server:
        yield await apply_demo(server)


@contextmanager
def _writer_that_stays(database: Database) -> Iterator[None]:
    """One transaction that has changed something and is not over while the block lasts."""
    holds, ends = threading.Event(), threading.Event()

    def write() -> None:
        with database.write(author="slow") as tx:
            LOGICAL_SWITCHES.update(tx, "data", {"labels": {"held": "yes"}})
            tx.flush()
            holds.set()
            assert ends.wait(PATIENCE)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert holds.wait(PATIENCE)
        yield
    finally:
        ends.set()
        writer.join()


async def test_a_held_write_lock_stops_no_question(demo: Server, either: Database) -> None:
    with _writer_that_stays(either):
        patch = {"labels": {"a": "b"}}
        waiting = [
            asyncio.create_task(demo.client.patch("/v1/logical-switches/web", json=patch))
            for _ in range(MORE_THAN_THREADS)
        ]
        async with asyncio.timeout(PATIENCE):
            explained = await demo.client.post("/v1/reachability", json=DENIED)
        assert explained.status_code == 200, explained.text
        assert explained.json()["proposal"]["sufficient"], "the change was not tried"
        assert not any(each.done() for each in waiting)
    assert [(await each).status_code for each in waiting] == [200] * MORE_THAN_THREADS


async def test_a_walk_that_lasts_stops_no_writer(
    demo: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    see: Callable[..., Any] = looking._see
    walks, written = threading.Event(), threading.Event()
    walked = 0

    def slowly(*arguments: Any, **options: Any) -> Any:
        nonlocal walked
        walked += 1
        walks.set()
        assert written.wait(PATIENCE), "nothing could be written"
        return see(*arguments, **options)

    monkeypatch.setattr(looking, "_see", slowly)
    asked = asyncio.create_task(demo.client.post("/v1/reachability", json=DENIED))
    assert await asyncio.to_thread(walks.wait, PATIENCE)
    changed = await demo.client.patch("/v1/logical-switches/web", json={"labels": {"a": "c"}})
    written.set()
    assert changed.status_code == 200
    assert (await asked).status_code == 200
    assert walked > 2, "walks in networks with a change were not among them"
