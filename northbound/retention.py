"""How much of the revision log is kept.

A revision that is forgotten loses what it changed. That there was one, when and by whom, stays
for as long as a living object was last changed in it: whatever decides about a packet has an
author, however old it is. The rest of it goes.

Forgetting is no change of intent and takes no revision. It goes in small transactions, so that
writers wait for none of them long, and can be interrupted between any two.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, select, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from northbound.database import Database
from northbound.faults import reporting_faults
from northbound.inserting import batched
from northbound.models import TRACKED, Change, Resource, Revision, RevisionCounter

FEWEST = 1000
"""Revisions that are kept in any case: who follows them may be that far behind."""


class Retention(NamedTuple):
    """The newest revisions that are kept, and how old they may get; None for no bound."""

    revisions: int | None = None
    days: float | None = None


def first_kept(session: Session, retention: Retention, now: datetime) -> int:
    """The oldest revision that keeps what it changed."""
    newest = session.execute(select(RevisionCounter.value)).scalar_one()
    bounds = [0]
    if retention.revisions is not None:
        bounds.append(newest - max(retention.revisions, FEWEST) + 1)
    if retention.days is not None:
        # The newest that is too old: clocks are set, so times need not grow with the numbers.
        oldest = now.astimezone(UTC) - timedelta(days=retention.days)
        last = select(func.max(Revision.id)).where(Revision.created_at < oldest)
        too_old = session.execute(last).scalar_one() or 0
        bounds.append(min(too_old, newest - FEWEST) + 1)
    return max(bounds)


def forget(
    database: Database,
    retention: Retention,
    *,
    until: int | None = None,
    now: datetime | None = None,
) -> Iterator[int]:
    """Forget what is older than `retention` says, a portion at each step.

    Yields how many changes of rows each portion forgot. Nothing from revision `until` on is
    touched: who translates is not past it yet.
    """
    with database.read() as reader:
        session = reader.session
        end = first_kept(session, retention, now or datetime.now(UTC))
        if until is not None:
            end = min(end, until)
        # Versions only grow: what no object has now it won't have later.
        current = set(
            session.scalars(union_all(*(_versions(model, end) for model in _resources())))
        )
        changed = session.scalars(select(Change.revision).where(Change.revision < end).distinct())
        known = session.scalars(select(Revision.id).where(Revision.id < end))
        old = sorted({*changed, *(revision for revision in known if revision not in current)})
    for portion in batched(old):
        with database.maintain() as session:
            yield _forget(session, portion, [each for each in portion if each not in current])


def give_back_space(database: Database) -> None:
    """Shrink the file of an embedded database to what is in it; PostgreSQL reuses by itself."""
    if database.engine.dialect.name != "sqlite":
        return
    with reporting_faults(database.place):
        # The one statement that may not run in a transaction, and SQLAlchemy begins one always.
        connection = database.engine.raw_connection()
        try:
            connection.cursor().execute("VACUUM")
        except sqlite3.Error as error:
            raise DBAPIError.instance("VACUUM", None, error, sqlite3.Error) from error
        finally:
            connection.close()


def _forget(session: Session, revisions: Sequence[int], wholly: Sequence[int]) -> int:
    """Forget what `revisions` changed, and all of those that go `wholly`; returns how many."""
    unsynchronised = {"synchronize_session": False}
    changes = delete(Change).where(Change.revision.in_(revisions))
    forgotten = session.execute(changes, execution_options=unsynchronised)
    gone = delete(Revision).where(Revision.id.in_(wholly))
    session.execute(gone, execution_options=unsynchronised)
    return int(forgotten.rowcount)  # type: ignore[attr-defined]


def _resources() -> Iterator[type[Resource]]:
    for model in TRACKED:
        if issubclass(model, Resource):
            yield model


def _versions(model: type[Resource], end: int) -> Select[Any]:
    return select(model.version).where(model.version < end)
