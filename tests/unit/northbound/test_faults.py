"""A database that cannot serve: what is said, and that nothing is half-written."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from northbound.database import Database, make_engine, open_database, parse_url, upgrade
from northbound.errors import (
    DatabaseBusyError,
    DatabaseFullError,
    DatabaseReadOnlyError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    SchemaMissingError,
    SchemaOutdatedError,
    SchemaTooNewError,
)
from northbound.schema import migrate
from northbound.services import LOGICAL_SWITCHES
from tests.unit.northbound.network import Network


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another connection holds the lock for writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def add_switch(database: Database, name: str) -> None:
    with database.write(author="test") as tx:
        LOGICAL_SWITCHES.create(tx, {"name": name})


def test_locked(database_file: Path) -> None:
    database = open_database(str(database_file), busy_timeout=0.05)
    with locked(database_file):
        with pytest.raises(DatabaseBusyError, match="locked by another process"):
            add_switch(database, "a")
        assert database.revision() == 0
    add_switch(database, "a")
    assert database.revision() == 1
    database.close()


def test_a_writer_waits_for_the_lock(database_file: Path) -> None:
    """Another process holds the lock for a while, and the writer gets it afterwards."""
    program = (
        "import sqlite3, sys, time\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\n"
        "time.sleep(0.5)\n"
    )
    database = open_database(str(database_file), busy_timeout=20)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(database_file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        add_switch(database, "a")
    assert database.revision() == 1
    database.close()


def test_full(database: Database) -> None:
    add_switch(database, "a")
    event.listen(database.engine, "begin", _allow_no_more_pages)
    told: list[int] = []
    database.on_commit(told.append)

    def much() -> None:
        with database.write(author="test") as tx:
            for i in range(1000):
                LOGICAL_SWITCHES.create(tx, {"name": f"s{i}", "labels": {"x": "y" * 200}})

    with pytest.raises(DatabaseFullError, match="no space left"):
        much()
    event.remove(database.engine, "begin", _allow_no_more_pages)
    assert told == []
    assert database.revision() == 1
    with database.read() as reader:
        assert [row.name for row in LOGICAL_SWITCHES.page(reader).items] == ["a"]


def _allow_no_more_pages(connection: object) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]


def test_read_only(database_file: Path) -> None:
    engine = make_engine(str(database_file))
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    database = Database(engine)
    with pytest.raises(DatabaseReadOnlyError, match="may not be written"):
        add_switch(database, "a")
    assert database.revision() == 0
    database.close()


def test_an_error_of_the_callers_rolls_back(database: Database) -> None:
    def failing() -> None:
        with database.write(author="test") as tx:
            LOGICAL_SWITCHES.create(tx, {"name": "a"})
            tx.flush()
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    assert database.revision() == 0
    add_switch(database, "a")


def test_a_listener_that_fails_does_not_undo_the_commit(database: Database) -> None:
    def broken(_revision: int) -> None:
        raise RuntimeError("listener")

    told: list[int] = []
    database.on_commit(broken)
    database.on_commit(told.append)
    with pytest.raises(ExceptionGroup, match="listeners of revision 1"):
        add_switch(database, "a")
    assert told == [1]
    assert database.revision() == 1


@pytest.mark.parametrize("content", [b"This is no database at all, but quite a long text." * 40])
def test_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "treadle.db"
    with pytest.raises(DatabaseUnreachableError, match="there is no database file"):
        open_database(str(path))
    assert not path.exists()
    path.write_bytes(content)
    for use in (open_database, upgrade):
        with pytest.raises(DatabaseUnreachableError, match="not a database"):
            use(str(path))
    assert path.read_bytes() == content


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnreachableError, match="cannot be made"):
        upgrade(str(tmp_path / "file" / "treadle.db"))


def test_server_that_does_not_answer() -> None:
    with pytest.raises(DatabaseUnreachableError, match="cannot be reached") as caught:
        open_database("postgresql://treadle:secret@127.0.0.1:1/treadle?connect_timeout=2")
    assert "secret" not in str(caught.value)


def test_schema_missing(tmp_path: Path) -> None:
    path = tmp_path / "treadle.db"
    sqlite3.connect(path).close()
    with pytest.raises(SchemaMissingError, match="treadle db upgrade"):
        open_database(str(path))


def test_schema_outdated(database_file: Path) -> None:
    engine = make_engine(str(database_file))
    with engine.begin() as connection:
        migrate(connection, "0001")
    engine.dispose()
    with pytest.raises(SchemaOutdatedError, match="has schema 0001"):
        open_database(str(database_file))
    upgrade(str(database_file))
    open_database(str(database_file)).close()


def test_schema_too_new(database_file: Path) -> None:
    engine = make_engine(str(database_file))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for use in (open_database, upgrade):
        with pytest.raises(SchemaTooNewError, match="9999"):
            use(str(database_file))


def test_upgrade_leaves_what_is_there(network: Network, database_file: Path) -> None:
    network.create("switch", name="a")
    upgrade(str(database_file))
    assert network.names("switch") == ["a"]


def test_upgrade_of_a_locked_database(tmp_path: Path) -> None:
    path = tmp_path / "treadle.db"
    sqlite3.connect(path).close()
    with locked(path), pytest.raises(DatabaseBusyError):
        upgrade(str(path), busy_timeout=0.05)
    with pytest.raises(SchemaMissingError):
        open_database(str(path))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://x/y", "there is no support for 'mysql'"),
        ("foo://x", "there is no support for 'foo'"),
        ("postgresql+psycopg2://h/x", "there is no support for 'postgresql+psycopg2'"),
        ("postgresql://h:port/x", "the URL of the database is none"),
        ("://", "the URL of the database is none"),
        ("sqlite://", "the URL names no file"),
    ],
)
def test_a_url_of_no_database_that_can_be_used(url: str, reason: str) -> None:
    for use in (upgrade, open_database, parse_url):
        with pytest.raises(DatabaseUrlError, match=re.escape(reason)):
            use(url)


def test_a_name_that_the_system_does_not_take(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 300) / "treadle.db"
    for use in (upgrade, open_database):
        with pytest.raises(DatabaseUnreachableError, match="File name too long"):
            use(str(place))


def _modes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask: a service manager sets one, a shell may not."""
    place = tmp_path / "state" / "treadle.db"
    before = os.umask(0)
    try:
        upgrade(str(place))
        database = open_database(str(place))
        add_switch(database, "web")
        assert set(_modes(place.parent)) == {"treadle.db", "treadle.db-wal", "treadle.db-shm"}
        assert set(_modes(place.parent).values()) == {0o600}
        assert place.parent.stat().st_mode & 0o777 == 0o700
        database.close()
    finally:
        os.umask(before)


def test_a_file_that_others_could_read_is_closed_to_them(database_file: Path) -> None:
    database_file.chmod(0o664)
    upgrade(str(database_file))
    assert database_file.stat().st_mode & 0o777 == 0o660
