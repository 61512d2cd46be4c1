"""Keeps the revision log as short as the settings say, while the server runs."""

import asyncio

import structlog

from cli.server.settings import History
from northbound.database import Database
from northbound.errors import DatabaseError
from northbound.retention import Retention, forget
from translator.runner import Translator

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0
_BETWEEN_PORTIONS = 0.05
"""Seconds in which others may write."""


async def keep_short(database: Database, translator: Translator, history: History) -> None:
    """Forget old revisions from time to time, until cancelled.

    What fails is logged and tried again the next time: the log is then only longer.
    """
    retention = Retention(history.revisions, history.days)
    while retention != Retention():
        try:
            await _forget(database, translator, retention)
        except DatabaseError as error:
            log.warning("old revisions not forgotten, will try again", reason=str(error))
        await asyncio.sleep(EVERY_SECONDS)


async def _forget(database: Database, translator: Translator, retention: Retention) -> None:
    portions = forget(database, retention, until=translator.progress.revision + 1)
    changes = 0
    while (forgotten := await asyncio.to_thread(next, portions, None)) is not None:
        changes += forgotten
        await asyncio.sleep(_BETWEEN_PORTIONS)
    if changes:
        log.info("old revisions forgotten", changes=changes)
