"""What the database driver reports, said in our own errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from northbound.errors import (
    DatabaseBusyError,
    DatabaseError,
    DatabaseFullError,
    DatabaseReadOnlyError,
    DatabaseUnreachableError,
)

_SQLITE: dict[str, tuple[type[DatabaseError], str]] = {
    "SQLITE_BUSY": (DatabaseBusyError, "the database is locked by another process"),
    "SQLITE_LOCKED": (DatabaseBusyError, "the database is locked by another connection"),
    "SQLITE_FULL": (DatabaseFullError, "there is no space left for the database"),
    "SQLITE_READONLY": (DatabaseReadOnlyError, "the database may not be written"),
    "SQLITE_CANTOPEN": (DatabaseUnreachableError, "the database file cannot be opened"),
    "SQLITE_NOTADB": (DatabaseUnreachableError, "the file is not a database"),
    "SQLITE_CORRUPT": (DatabaseUnreachableError, "the database file is damaged"),
    "SQLITE_IOERR": (DatabaseUnreachableError, "the disk under the database fails"),
}

_POSTGRESQL: dict[str, tuple[type[DatabaseError], str]] = {
    "53100": (DatabaseFullError, "there is no space left for the database"),
    "53300": (DatabaseBusyError, "the database takes no more connections"),
    "55P03": (DatabaseBusyError, "another process holds the lock for writing"),
    "40P01": (DatabaseBusyError, "the transaction was chosen to end a deadlock"),
    "57014": (DatabaseBusyError, "the database gave up waiting"),
    "25006": (DatabaseReadOnlyError, "the database is read-only"),
}


@contextmanager
def reporting_faults(place: str) -> Iterator[None]:
    """Turn the driver's errors about the database's condition into ours.

    `place` names the database for the message. What is no fault of the
    database's (a violated constraint, bad SQL) is a bug of ours and passes.
    """
    try:
        yield
    except (OperationalError, InterfaceError, DBAPIError) as error:
        fault = _diagnose(error, place)
        if fault is None:
            raise
        raise fault from error


def _diagnose(error: DBAPIError, place: str) -> DatabaseError | None:
    origin = error.orig
    if isinstance(origin, sqlite3.Error):
        name = getattr(origin, "sqlite_errorname", None) or ""
        for prefix, (fault, text) in _SQLITE.items():
            if name.startswith(prefix):
                return fault(f"{text}: {place} ({origin})")
        return None
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRESQL:
        fault, text = _POSTGRESQL[state]
        return fault(f"{text}: {place} ({origin})")
    if isinstance(error, OperationalError) and (
        state is None or state[:2] in {"08", "57", "28", "3D"}
    ):
        return DatabaseUnreachableError(f"the database cannot be reached: {place} ({origin})")
    return None
