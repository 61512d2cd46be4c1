"""One server for each database: who holds it, and how the next one learns.

Two servers would both translate, and undo each other. SQLite's is held by a lock
on a file beside it, PostgreSQL's by an advisory lock; both end with the process,
however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from cli.server.errors import AlreadyRunningError
from northbound.database import make_engine, parse_url
from northbound.errors import DatabaseUnreachableError
from northbound.faults import reporting_faults

ADVISORY_LOCK = 0x74726561646C65
"""The word "treadle" as a number."""


@contextmanager
def owning(url: str) -> Iterator[None]:
    """Hold the database, or raise :class:`AlreadyRunningError`."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with _locked_file(Path(f"{parsed.database}.lock"), parsed.database):
            yield
    elif parsed.get_backend_name() == "postgresql":
        with _advisory_lock(url, str(parsed.database)):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(url: str, place: str) -> Iterator[None]:
    engine = make_engine(url)
    try:
        with reporting_faults(place), engine.connect() as connection:
            session = connection.execution_options(isolation_level="AUTOCOMMIT")
            if not session.execute(select(func.pg_try_advisory_lock(ADVISORY_LOCK))).scalar():
                raise AlreadyRunningError(f"another server works on the database {place}")
            yield
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
