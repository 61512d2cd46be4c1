"""What differs on PostgreSQL: locks, snapshots, notifications, deferred keys."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import yaml
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from northbound.apply import apply
from northbound.database import Database, make_engine, open_database, upgrade
from northbound.errors import DatabaseReadOnlyError, SchemaMissingError
from northbound.loading import changes_since, load_all
from northbound.models import Base
from northbound.notices import CommitNotices
from northbound.schema import migrate
from northbound.services import LOGICAL_SWITCHES
from northbound.transaction import NOTIFY_CHANNEL
from southbound.models import metadata as southbound_tables
from southbound.state import RealisedState
from southbound.store import Store
from tests.unit.northbound.network import Network
from tests.unit.northbound.postgresql import drop_tables, private_server
from tests.unit.northbound.test_apply import SHOP
from tests.unit.northbound.test_dry_runs import (
    test_a_change_is_tried_while_a_writer_is_at_it,
    test_a_writer_goes_on_while_a_change_is_tried,
    test_every_table_is_covered,
    test_it_finds_what_the_change_does_and_keeps_nothing,
    test_what_is_unique_stays_so,
    web,
)
from translator.runner import Translator

pytestmark = pytest.mark.processes


__all__ = [
    "test_a_change_is_tried_while_a_writer_is_at_it",
    "test_a_writer_goes_on_while_a_change_is_tried",
    "test_every_table_is_covered",
    "test_it_finds_what_the_change_does_and_keeps_nothing",
    "test_what_is_unique_stays_so",
    "web",
]
"""Dry runs are tried here, too."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with private_server() as url:
        yield url


@pytest.fixture
def database(server: str) -> Iterator[Database]:
    """The server's database with an empty schema."""
    drop_tables(server)
    upgrade(server)
    database = open_database(server)
    yield database
    database.close()


def test_documents(database: Database) -> None:
    """A network of all kinds of objects: made, unchanged, and taken down again."""
    shop = yaml.safe_load(SHOP)
    for committed in (1, None):
        with database.write(author="test") as tx:
            apply(tx, shop)
        assert tx.committed == committed
    with database.connect() as connection:
        tables = {table: list(rows) for table, rows in load_all(connection).items()}
        (first,) = changes_since(connection, 0)
    assert sum(map(len, tables.values())) == len(first.changes)
    by_id = {change.object_id: change.after for change in first.changes}
    assert all(by_id[row["id"]] == row for row in tables["logical_switch_port"])
    with database.write(author="test") as tx:
        apply(tx, {"document": "shop"})
    with database.connect() as connection:
        assert not any(list(rows) for rows in load_all(connection).values())


def test_filters_pages_and_labels(database: Database) -> None:
    network = Network(database)
    network.create("switch", name="web", subnet4="10.0.0.0/24", labels={"side": "front"})
    network.create("switch", name="db")
    network.create("port", name="p", logical_switch="web", addresses=["dynamic"])
    assert network.names("switch", **{"label.side": "front"}) == ["web"]
    assert network.names("port", logical_switch="web") == ["p"]
    network.update("switch", "web", subnet4="10.1.0.0/24")
    assert network.get("port", "p")["dynamic_addresses"].endswith(" 10.1.0.2")


def test_a_reader_sees_one_state(database: Database) -> None:
    network = Network(database)
    network.create("switch", name="a")
    with database.read() as reader:
        assert len(LOGICAL_SWITCHES.page(reader).items) == 1
        network.create("switch", name="b")
        assert len(LOGICAL_SWITCHES.page(reader).items) == 1
    with database.read() as reader:
        assert len(LOGICAL_SWITCHES.page(reader).items) == 2


def test_revisions_appear_in_the_order_of_their_commits(server: str, database: Database) -> None:
    """Two programs write while a third watches: no revision shows up behind a later one."""
    other = open_database(server)
    done = threading.Event()
    gaps: list[list[int]] = []

    def write(writer: Database, name: str) -> None:
        for i in range(15):
            with writer.write(author=name) as tx:
                LOGICAL_SWITCHES.create(tx, {"name": f"{name}{i}"})

    def watch() -> None:
        while not done.is_set():
            with other.connect() as connection:
                seen = [found.revision for found in changes_since(connection, 0)]
            if seen != list(range(1, len(seen) + 1)):
                gaps.append(seen)

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [
        threading.Thread(target=write, args=(writer, name))
        for writer, name in ((database, "a"), (database, "b"), (other, "c"))
    ]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()
    assert gaps == []
    assert database.revision() == 45
    with database.connect() as connection:
        keys = sorted(row["tunnel_key"] for row in load_all(connection)["logical_switch"])
    assert keys == list(range(1, 46))
    other.close()


def test_other_processes_are_woken(server: str, database: Database) -> None:
    engine = make_engine(server)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.autocommit = True
        raw.execute(f"LISTEN {NOTIFY_CHANNEL}")
        Network(database).create("switch", name="a")
        (notice,) = raw.notifies(timeout=5, stop_after=1)
    assert notice.payload == "1"
    engine.dispose()


async def test_the_loop_is_told_of_commits(server: str, database: Database) -> None:
    told: asyncio.Queue[int | None] = asyncio.Queue()
    notices = CommitNotices(database.engine, told.put_nowait)
    await notices.listen()
    try:
        assert notices.is_listening
        other = open_database(server)
        await asyncio.to_thread(Network(other).create, "switch", name="a")
        other.close()
        async with asyncio.timeout(30):
            assert await told.get() == 1
    finally:
        notices.close()
    assert not notices.is_listening


async def test_a_lost_connection_is_noticed_and_made_again(server: str, database: Database) -> None:
    told: asyncio.Queue[int | None] = asyncio.Queue()
    notices = CommitNotices(database.engine, told.put_nowait)
    await notices.listen()
    try:
        _cut_listeners(database)
        with capture_logs() as logs:
            async with asyncio.timeout(30):
                assert await told.get() is None, "that it isn't known any more"
        assert logs[0]["log_level"] == "error"
        assert not notices.is_listening
        await notices.listen()
        assert notices.is_listening
        await asyncio.to_thread(Network(database).create, "switch", name="a")
        async with asyncio.timeout(30):
            assert await told.get() == 1
    finally:
        notices.close()


async def test_something_else_on_the_channel_is_not_known(database: Database) -> None:
    told: asyncio.Queue[int | None] = asyncio.Queue()
    notices = CommitNotices(database.engine, told.put_nowait)
    await notices.listen()
    try:
        with database.engine.begin() as connection:
            for payload in ("", "x", "9" * 5000):
                connection.execute(select(func.pg_notify(NOTIFY_CHANNEL, payload)))
        async with asyncio.timeout(30):
            assert [await told.get() for _ in range(3)] == [None] * 3
    finally:
        notices.close()


async def test_the_translator_follows_other_processes_without_looking(
    server: str, database: Database
) -> None:
    """It would look every hour only; where the connection is lost, it goes back to looking."""
    state = RealisedState(Store(database.engine))
    await state.load()
    translator = Translator(database, state, poll_seconds=0.05, look_seconds=3600)
    await translator.start()
    other = open_database(server)
    running = asyncio.create_task(translator.run())
    try:
        for name in ("a", "b"):
            revision = (await asyncio.to_thread(other.revision)) + 1
            await asyncio.to_thread(Network(other).create, "switch", name=name)
            assert await translator.wait_translated(revision, timeout=30)
            _cut_listeners(database)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        other.close()
        await state.close()


def _cut_listeners(database: Database) -> None:
    """End the connections that listen, as an administrator does."""
    listening = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
    )
    with database.engine.begin() as connection:
        connection.execute(listening)


def test_read_only(server: str, database: Database) -> None:
    replica = open_database(server + "&options=-cdefault_transaction_read_only%3Don")
    with pytest.raises(DatabaseReadOnlyError):
        Network(replica).create("switch", name="a")
    assert database.revision() == 0
    replica.close()


def test_migrations(server: str, database: Database) -> None:
    database.close()
    engine = make_engine(server)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, [Base.metadata, southbound_tables]) == []
        migrate(connection, "base")
    with pytest.raises(SchemaMissingError):
        open_database(server)
    upgrade(server)
    open_database(server).close()
    engine.dispose()
