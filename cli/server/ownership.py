"""One server for each database: who holds it, and how the next one learns.

Two servers would both translate, and undo each other. SQLite's is held by a lock
on a file beside it, PostgreSQL's by an advisory lock; both end with the process,
however it ends. PostgreSQL's also ends with the connection that took it, which a restart
of the database or a cut cable takes away: :meth:`Ownership.lost` tells, and the server ends.
Until it has noticed, the fence of :mod:`southbound.store` refuses what it writes.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from cli.server.errors import AlreadyRunningError
from northbound.database import make_engine, parse_url
from northbound.errors import DatabaseUnreachableError
from northbound.faults import reporting_faults

ADVISORY_LOCK = 0x74726561646C65
"""The word "treadle" as a number."""

_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""libpq's: a peer that is silent for 25 seconds ends the connection."""


class Ownership:
    """That this process is the one that serves a database."""

    async def lost(self) -> str:
        """Wait until the database may be another's, and return why; a lock on a file stays."""
        await asyncio.Event().wait()
        raise AssertionError("nothing sets this event")


class _HeldByConnection(Ownership):
    """PostgreSQL's advisory lock, which lasts as long as `session`."""

    def __init__(self, session: Connection) -> None:
        self._session = session

    async def lost(self) -> str:
        """Wait until the connection ends; its socket says so, nothing is asked meanwhile."""
        reason = ""
        while not reason:
            await self._readable()
            reason = await asyncio.to_thread(self._fault)
        return reason

    async def _readable(self) -> None:
        """Until the database says something by itself, or has closed the connection."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        connection = self._session.connection.driver_connection
        assert connection is not None  # noqa: S101 - it was opened by taking the lock
        socket = connection.fileno()
        loop.add_reader(socket, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(socket)

    def _fault(self) -> str:
        """Why the connection can't be used any more; "" while it can."""
        try:
            self._session.execute(select(1))
        except SQLAlchemyError as error:
            return f"the connection that holds it has ended: {error.args[0]}"
        return ""


@contextmanager
def owning(url: str) -> Iterator[Ownership]:
    """Hold the database, or raise :class:`AlreadyRunningError`."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with _locked_file(Path(f"{parsed.database}.lock"), parsed.database):
            yield Ownership()
    elif parsed.get_backend_name() == "postgresql":
        with _advisory_lock(url, str(parsed.database)) as ownership:
            yield ownership
    else:
        yield Ownership()


@contextmanager
def _advisory_lock(url: str, place: str) -> Iterator[Ownership]:
    engine = make_engine(url, **_KEEPALIVES)
    try:
        with reporting_faults(place):
            connection = engine.connect()
        with connection:
            session = connection.execution_options(isolation_level="AUTOCOMMIT")
            with reporting_faults(place):
                held = session.execute(select(func.pg_try_advisory_lock(ADVISORY_LOCK))).scalar()
            if not held:
                raise AlreadyRunningError(f"another server works on the database {place}")
            yield _HeldByConnection(session)
    finally:
        engine.dispose()


@contextmanager
def _locked_file(path: Path, place: str) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise DatabaseUnreachableError(f"{path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise AlreadyRunningError(
                f"another server works on {place}: process {holder}"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
