"""Waking up when another process commits to PostgreSQL, without looking again and again.

Writers notify a channel at each commit (:mod:`northbound.transaction`); here is the connection
that listens to it. It can be lost, and a host that vanishes says nothing: so who waits still
looks, seldom while there is a connection, often while there is none.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from northbound.transaction import NOTIFY_CHANNEL

log = structlog.get_logger(__name__)

_MANY_DIGITS: Final = 20


class CommitNotices:
    """Calls `committed` with each revision that is committed, by this process or another.

    It is None where that isn't known: something else was told, or the connection was lost.

    Belongs to one event loop. Does nothing on SQLite, which can't tell.
    """

    def __init__(self, engine: Engine, committed: Callable[[int | None], None]) -> None:
        self._engine = engine
        self._committed = committed
        self._connection: Connection | None = None
        self._driver: Any = None
        self._file = -1

    @property
    def is_listening(self) -> bool:
        """Whether commits from now on will be told, as far as is known."""
        return self._driver is not None

    async def listen(self) -> None:
        """Connect, unless that is done. Where it fails it is logged, and may be tried again.

        What was committed before this returns may not be told: read the revision afterwards.
        """
        if self._engine.dialect.name != "postgresql" or self.is_listening:
            return
        try:
            self._connection = await asyncio.to_thread(self._connect)
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or error
            log.error("not told of commits, looking for them", reason=str(reason).strip())
            return
        self._driver = self._connection.connection.driver_connection
        self._file = self._driver.fileno()
        asyncio.get_running_loop().add_reader(self._file, self._take)

    def close(self) -> None:
        """Stop listening."""
        if self._driver is not None:
            asyncio.get_running_loop().remove_reader(self._file)
            self._driver = None
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"LISTEN {NOTIFY_CHANNEL}")
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _take(self) -> None:
        """Take what the database has sent, which doesn't wait for more."""
        try:
            self._driver.pgconn.consume_input()
            while (notice := self._driver.pgconn.notifies()) is not None:
                self._committed(_revision(notice.extra))
        except self._engine.dialect.loaded_dbapi.Error as error:
            log.error("no longer told of commits, looking for them", reason=str(error).strip())
            self.close()
            self._committed(None)


def _revision(payload: bytes) -> int | None:
    return int(payload) if payload.isdigit() and len(payload) < _MANY_DIGITS else None
