"""What differs on PostgreSQL: locks, snapshots, notifications, deferred keys."""

import threading
from collections.abc import Iterator

import pytest
import yaml
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from northbound.apply import apply
from northbound.database import Database, make_engine, open_database, upgrade
from northbound.errors import DatabaseReadOnlyError, SchemaMissingError
from northbound.loading import changes_since, load_all
from northbound.models import Base
from northbound.schema import migrate
from northbound.services import LOGICAL_SWITCHES
from northbound.transaction import NOTIFY_CHANNEL
from southbound.models import metadata as southbound_tables
from tests.unit.northbound.network import Network
from tests.unit.northbound.postgresql import private_server
from tests.unit.northbound.test_apply import SHOP
from tests.unit.northbound.test_dry_runs import (
    test_a_change_is_tried_while_a_writer_is_at_it,
    test_a_writer_goes_on_while_a_change_is_tried,
    test_every_table_is_covered,
    test_it_finds_what_the_change_does_and_keeps_nothing,
    test_what_is_unique_stays_so,
    web,
)

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
    engine = make_engine(server)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
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
