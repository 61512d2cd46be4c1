"""The database: opening it, and the units of work on it.

SQLite runs in WAL mode; a writer takes its lock with ``BEGIN IMMEDIATE``. On
PostgreSQL the row of the revision counter is the lock, and readers see one
snapshot. In both, writers come one after the other, and revisions are allocated
in commit order.

A dry run takes no lock: it writes to an overlay of its own connection
(:mod:`northbound.overlay`), so that only asking what would be keeps no writer waiting.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from northbound.errors import (
    DatabaseBusyError,
    DatabaseError,
    DatabaseUnreachableError,
    DatabaseUrlError,
    RequestError,
)
from northbound.faults import reporting_faults
from northbound.limits import DEFAULT_WRITE_LIMITS, WriteLimits
from northbound.models import RevisionCounter
from northbound.overlay import overlay_statements
from northbound.probe import CommitProbe
from northbound.projects import EVERYTHING, Scope
from northbound.recent import RecentCommits
from northbound.schema import check_schema, migrate
from northbound.transaction import Clock, Reader, Transaction, WritingSession

DEFAULT_URL = "sqlite:////var/lib/treadle/treadle.db"
DEFAULT_BUSY_TIMEOUT = 10.0

Listener = Callable[[int], None]

_WRITES = "treadle_writes"
_CLOCK = "treadle_clock"
_REVISION = select(RevisionCounter.value)
_JSON: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
}


class Database:
    """The one database, and who wants to know about commits to it."""

    def __init__(self, engine: Engine, limits: WriteLimits = DEFAULT_WRITE_LIMITS) -> None:
        self.engine = engine
        self.limits = limits
        self._overlaid = _overlaid(engine)
        for each in (engine, self._overlaid):
            event.listen(each, "before_cursor_execute", _check_clock)
        self.place = engine.url.render_as_string(hide_password=True)
        self.probe = CommitProbe(engine)
        """Whether other processes may have committed something."""
        self.recent = RecentCommits()
        """What was committed last, while it is not asked for."""
        self._sqlite = engine.dialect.name == "sqlite"
        self.derived = make_derived(engine)
        """The same database for what can be made again of intent (see :func:`make_derived`)."""
        self._writer = threading.Lock()
        self._closing = threading.Event()
        self._listeners: list[Listener] = []

    @contextmanager
    def read(self, scope: Scope = EVERYTHING) -> Iterator[Reader]:
        """One consistent state, for reading, as far as `scope` sees it."""
        with self.connect() as connection, Session(connection, expire_on_commit=False) as session:
            yield Reader(session, scope)

    @contextmanager
    def write(
        self,
        *,
        author: str,
        comment: str = "",
        dry_run: bool = False,
        scope: Scope = EVERYTHING,
    ) -> Iterator[Transaction]:
        """One transaction of a use case.

        It commits when the block ends and rolls back when the block raises.
        Afterwards ``committed`` of the transaction is its revision, or None if
        nothing had changed. A dry run never commits, and writers don't wait for
        it; what it would have changed is in ``changes``. Raises
        :class:`~northbound.errors.LimitError` where it takes longer than it may.
        """
        begun = self._dry_session() if dry_run else self._write_session()
        with reporting_faults(self.place), begun as session:
            transaction = Transaction(
                session,
                author=author,
                comment=comment,
                locking=not dry_run,
                limits=self.limits,
                scope=scope,
            )
            session.transaction = transaction
            with _hiding_other_projects(scope):
                yield transaction
            if dry_run:
                transaction.settle()
            elif transaction.finish():
                session.commit()
                transaction.committed = transaction.revision
                self.recent.add(transaction.revision, transaction.changes)
        if transaction.committed is not None:
            self._tell(transaction.committed)

    @contextmanager
    def maintain(self) -> Iterator[Session]:
        """A transaction on what is not intent (tokens); it takes no revision."""
        with reporting_faults(self.place), self._write_session() as session:
            yield session
            session.commit()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection that sees one consistent state, for bulk reads with SQL."""
        with reporting_faults(self.place), self.engine.connect() as connection:
            yield connection.execution_options(**self._one_state) if self._one_state else connection

    def revision(self) -> int:
        """The revision that was committed last; 0 before the first."""
        with self.connect() as connection:
            return connection.execute(_REVISION).scalar_one()

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each revision that this process commits.

        It is called in the thread of the writer, and two revisions may be told
        out of order; what to do with one is to read what has changed since the
        last known. Returns a function that ends the calls.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def end_writes(self) -> None:
        """Let transactions end, those under way too, with a DatabaseBusyError."""
        self._closing.set()

    @property
    def writer(self) -> AbstractContextManager[object]:
        """What to hold while writing through another engine than :attr:`engine`.

        SQLite has one writer, and those that wait for each other there look again and again.
        """
        return self._writer if self._sqlite else nullcontext()

    def close(self) -> None:
        self.probe.close()
        for engine in (self.engine, self.derived, self._overlaid):
            engine.dispose()

    @property
    def _one_state(self) -> dict[str, Any]:
        """Execution options for a transaction that reads one consistent state."""
        return {} if self._sqlite else {"isolation_level": "REPEATABLE READ"}

    def _tell(self, revision: int) -> None:
        """Call every listener, whatever the others do: the revision is committed."""
        failures: list[Exception] = []
        for listener in tuple(self._listeners):
            try:
                listener(revision)
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise ExceptionGroup(f"listeners of revision {revision} failed", failures)

    @contextmanager
    def _write_session(self) -> Iterator[WritingSession]:
        with self._the_writer(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True, _CLOCK: self._clock()})
            with WritingSession(connection, expire_on_commit=False) as session:
                yield session

    @contextmanager
    def _the_writer(self) -> Iterator[None]:
        """SQLite has one writer; those of PostgreSQL wait for each other there."""
        if not self._sqlite:
            yield
        elif self._writer.acquire(timeout=self.limits.seconds):
            try:
                yield
            finally:
                self._writer.release()
        else:
            raise DatabaseBusyError(f"other changes took {self.limits.seconds:g} s")

    @contextmanager
    def _dry_session(self) -> Iterator[WritingSession]:
        with self._overlaid.connect() as plain:
            connection = plain.execution_options(**self._one_state, **{_CLOCK: self._clock()})
            with WritingSession(connection, expire_on_commit=False) as session:
                yield session

    def _clock(self) -> Clock:
        """What ends a transaction when its time is over, or when all have to end."""
        return Clock(self.limits.seconds, self._closing)


def open_database(
    url: str = DEFAULT_URL,
    *,
    busy_timeout: float = DEFAULT_BUSY_TIMEOUT,
    limits: WriteLimits = DEFAULT_WRITE_LIMITS,
) -> Database:
    """Open a database whose schema is that of this program.

    Raises :class:`~northbound.errors.DatabaseUnreachableError`, or one of the
    schema errors.
    """
    engine = make_engine(url, busy_timeout=busy_timeout)
    try:
        place = engine.url.render_as_string(hide_password=True)
        path = engine.url.database
        if engine.dialect.name == "sqlite" and path and not _exists(path):
            raise DatabaseUnreachableError(f"there is no database file {path}")
        with reporting_faults(place), engine.connect() as connection:
            check_schema(connection, place)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, limits)


@contextmanager
def _hiding_other_projects(scope: Scope) -> Iterator[None]:
    """Let errors tell a writer of one project nothing of others."""
    try:
        yield
    except RequestError as error:
        if scope.confined:
            error.hide_other_projects(scope.home)
        raise


def _make_private(path: Path) -> None:
    """Make the file, if need be, and see to it that only its owner and group have it.

    What SQLite puts beside it gets the same mode. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except (FileExistsError, IsADirectoryError):
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            _close_to_others(path.with_name(name))


def _close_to_others(file: Path) -> None:
    """Take the mode's last three bits, with which earlier versions made files."""
    with suppress(FileNotFoundError, PermissionError):  # where another owner has it so
        mode = file.stat().st_mode
        if S_ISREG(mode) and mode & 0o007:
            file.chmod(S_IMODE(mode) & ~0o007)


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError as error:
        raise DatabaseUnreachableError(f"{path}: {error.strerror}") from error


def make_engine(
    url: str, *, busy_timeout: float = DEFAULT_BUSY_TIMEOUT, **postgresql: int
) -> Engine:
    """An engine with the settings that every use of the database needs.

    `postgresql` are connection parameters of libpq.

    Raises :class:`~northbound.errors.DatabaseUrlError`, also where the driver is missing.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        try:
            return create_engine(parsed, pool_pre_ping=True, connect_args=postgresql, **_JSON)
        except ImportError as error:
            raise DatabaseUrlError(
                f"the driver for PostgreSQL is missing ({error}): install treadle[postgresql]"
            ) from error
    engine = create_engine(parsed, connect_args={"timeout": busy_timeout}, **_JSON)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def parse_url(url: str) -> URL:
    """`url`, or the path of a SQLite file, as SQLAlchemy has it.

    Raises :class:`~northbound.errors.DatabaseUrlError` for what is no URL of a database
    that there is support for.
    """
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except (ArgumentError, ValueError) as error:
        # Neither says where the URL has gone wrong; with it they might tell a password.
        raise DatabaseUrlError(f"the URL of the database is none: {_SUPPORTED}") from error
    drivername = _DRIVERS.get(parsed.drivername)
    if drivername is None:
        raise DatabaseUrlError(f"there is no support for {parsed.drivername!r}: {_SUPPORTED}")
    if drivername == "sqlite" and not parsed.database:
        raise DatabaseUrlError(f"the URL names no file: {_SUPPORTED}")
    return parsed.set(drivername=drivername)


_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_SUPPORTED = "give sqlite:///PATH or postgresql://USER@HOST/NAME"


def _overlaid(engine: Engine) -> Engine:
    """An engine for the same database whose connections have an overlay over it."""
    overlaid = create_engine(engine.url, pool_pre_ping=engine.dialect.name != "sqlite", **_JSON)
    if engine.dialect.name == "sqlite":
        event.listen(overlaid, "connect", _prepare_sqlite)
        event.listen(overlaid, "begin", _begin_sqlite)
        # SQLite counts no rows that a view's triggers change.
        overlaid.dialect.supports_sane_rowcount = False
        overlaid.dialect.supports_sane_multi_rowcount = False

    def make_overlay(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        schema = "main"
        if engine.dialect.name != "sqlite":
            cursor.execute("SELECT quote_ident(current_schema())")
            (schema,) = cursor.fetchone() or ("public",)
        for statement in overlay_statements(engine.dialect, schema):
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    event.listen(overlaid, "connect", make_overlay)
    return overlaid


def make_derived(engine: Engine, *, busy_timeout: float = DEFAULT_BUSY_TIMEOUT) -> Engine:
    """Return an engine for what can be made again of intent: realised state.

    SQLite then doesn't wait for the disk at each commit, but only where it moves its log
    into the database. What was committed survives the end of the process all the same;
    where the host itself dies, the last moments of realised state may be missing, which are
    translated again at the next start. PostgreSQL has one server for both.
    """
    if engine.dialect.name != "sqlite":
        return engine
    derived = create_engine(engine.url, connect_args={"timeout": busy_timeout}, **_JSON)
    event.listen(derived, "connect", _prepare_sqlite)
    event.listen(derived, "connect", _wait_less_for_the_disk)
    event.listen(derived, "begin", _begin_sqlite)
    return derived


def _wait_less_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _check_clock(connection: Connection, *_: object) -> None:
    """Listener for statements: each first asks the clock of its transaction, if that has one."""
    clock = connection.get_execution_options().get(_CLOCK)
    if clock is not None:
        clock.check()


def make_migration_engine(url: str, *, busy_timeout: float = DEFAULT_BUSY_TIMEOUT) -> Engine:
    """Make an engine for changes of the schema.

    SQLite makes a table anew to change it, and would count what refers to the old one as lost:
    it doesn't enforce foreign keys here. :func:`check_foreign_keys` does so at the end.
    """
    engine = make_engine(url, busy_timeout=busy_timeout)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _ignore_foreign_keys)
    return engine


def check_foreign_keys(connection: Connection, place: str) -> None:
    """Raise DatabaseError where a reference leads nowhere after a change of SQLite's schema."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if lost:
            tables = ", ".join(sorted({f"{row[0]} to {row[2]}" for row in lost}))
            raise DatabaseError(
                f"{place}: references of {tables} lead nowhere; nothing was changed"
            )


def _ignore_foreign_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")


def upgrade(url: str = DEFAULT_URL, *, busy_timeout: float = DEFAULT_BUSY_TIMEOUT) -> None:
    """Create the database if need be, and bring its schema up to this program's.

    All or nothing: the migrations run in one transaction.
    """
    engine = make_migration_engine(url, busy_timeout=busy_timeout)
    path = engine.url.database
    try:
        if engine.dialect.name == "sqlite" and path:
            _make_private(Path(path))
        place = engine.url.render_as_string(hide_password=True)
        with reporting_faults(place), engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                migrate(connection)
                check_foreign_keys(connection, place)
    except OSError as error:
        raise DatabaseUnreachableError(f"{path} cannot be made: {error}") from None
    finally:
        engine.dispose()
