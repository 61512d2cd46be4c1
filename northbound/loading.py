"""Rows of intent in bulk, for those who follow it.

:func:`load_all` reads the present, :func:`changes_since` what came after a known
revision. Both give images: the same dictionaries, whichever way a row arrives.
To miss nothing and see nothing twice, read the present and
:func:`current_revision` from one connection of
:meth:`~northbound.database.Database.connect`.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from northbound.models import TRACKED, Change, RevisionCounter, Tracked
from northbound.models.base import image_columns
from northbound.transaction import RowChange

Image = dict[str, Any]


class RevisionChanges(NamedTuple):
    """All that one revision did, in the order in which it did it."""

    revision: int
    changes: list[RowChange]


def current_revision(connection: Connection) -> int:
    """The revision that was committed last."""
    return connection.execute(select(RevisionCounter.value)).scalar_one()


def load_all(connection: Connection) -> dict[str, Iterator[Image]]:
    """The images of all rows, by table, referents before referrers."""
    return {model.__tablename__: _load(connection, model) for model in TRACKED}


def changes_since(connection: Connection, revision: int) -> Iterator[RevisionChanges]:
    """What the revisions after `revision` did, one after the other."""
    query = (
        select(Change.revision, Change.table, Change.object_id, Change.before, Change.after)
        .where(Change.revision > revision)
        .order_by(Change.revision, Change.seq)
    )
    rows = connection.execute(query)
    for number, changes in groupby(rows, key=lambda row: row.revision):
        yield RevisionChanges(number, [RowChange(*change[1:]) for change in changes])


def _load(connection: Connection, model: type[Tracked]) -> Iterator[Image]:
    names = image_columns(model)
    columns = [model.__table__.columns[name] for name in names]
    for row in connection.execute(select(*columns)):
        yield dict(zip(names, row, strict=True))
