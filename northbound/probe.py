"""Whether anything was committed to the database since the last look, asked at next to no cost.

Other processes write to the database, too: the commands that make and revoke tokens, and
programs that use the services as a library. SQLite tells nobody of it, so followers have to look
again and again. But it counts commits in memory that it shares with other processes, and to
read that number takes some microseconds and no lock.
"""

import sqlite3
from threading import Lock

from sqlalchemy import Engine


class CommitProbe:
    """Asks SQLite for its data version. May be used from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._path = engine.url.database if engine.dialect.name == "sqlite" else None
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()

    def version(self) -> object:
        """Return something that equals the last answer only if nothing was committed since.

        What was committed by this process counts, too. PostgreSQL, and a database that
        can't be asked, give an answer that equals none.
        """
        if self._path is None:
            return object()
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = sqlite3.connect(
                        self._path, timeout=0, isolation_level=None, check_same_thread=False
                    )
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return object()  # what then reads the database gets the error and reports it
        return version

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
