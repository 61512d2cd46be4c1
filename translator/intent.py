"""Intent as the translator reads it: all rows once, then what changed.

Synchronous: the runner calls it in a thread.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import select

from northbound.database import Database
from northbound.models import TRACKED, Change, RevisionCounter
from northbound.models.base import image_columns
from translator.inputs import TABLES, Image

_IRRELEVANT = {"labels", "external_ids", "document", "exclude_ips", "subnet4", "subnet6"}
"""Columns that no flow depends on, left out when whole tables are read."""


class RowChange(NamedTuple):
    """A row before and after; None for a row that isn't there."""

    table: str
    before: Image | None
    after: Image | None


class Batch(NamedTuple):
    """What happened up to `revision`."""

    revision: int
    changes: list[RowChange]


def read_all(database: Database) -> Batch:
    """All rows as of one revision."""
    with database.connect() as connection:
        revision = connection.execute(select(RevisionCounter.value)).scalar_one()
        changes: list[RowChange] = []
        for model in TRACKED:
            table = model.__tablename__
            if table not in TABLES:
                continue
            names = [name for name in image_columns(model) if name not in _IRRELEVANT]
            columns = [model.__mapper__.columns[name] for name in names]
            changes.extend(
                RowChange(table, None, dict(zip(names, row, strict=True)))
                for row in connection.execute(select(*columns))
            )
    return Batch(revision, changes)


def read_changes(database: Database, after: int) -> Batch:
    """What was committed after revision `after`, in order."""
    query = (
        select(Change.revision, Change.table, Change.before, Change.after)
        .where(Change.revision > after)
        .order_by(Change.revision, Change.seq)
    )
    with database.connect() as connection:
        rows = connection.execute(query).all()
    return Batch(
        revision=rows[-1].revision if rows else after,
        changes=list(_row_changes(rows)),
    )


def _row_changes(rows: Any) -> Iterator[RowChange]:
    for _, table, before, after in rows:
        if table in TABLES:
            yield RowChange(table, before, after)
