"""Intent as the translator takes it in: everything once, then what changed.

Synchronous: the runner calls it in a thread.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from incremental import Failure
from northbound.database import Database
from northbound.loading import (
    Image,
    RevisionChanges,
    changes_since,
    current_revision,
    load_all,
)
from translator.graph import INPUTS


class ImageChange(NamedTuple):
    """A row of intent before and after; None where it isn't there."""

    table: str
    before: Image | None
    after: Image | None


class InputChange(NamedTuple):
    """A changed row as the engine takes it, None where there is none or it can't be read."""

    row_type: type[Any]
    key: Hashable
    row: Any
    failure: Failure | None


def row_of(table: str, image: Image) -> tuple[type[Any], Hashable, Any]:
    """The row that an image stands for, with its type and key.

    Raises :class:`ValueError` for addresses that can't be read.
    """
    _, row_type, read, key = INPUTS[table]
    return row_type, key(image), read(image)


def key_of(table: str, image: Image) -> tuple[type[Any], Hashable]:
    """The type and key of an image's row, for rows that are gone."""
    _, row_type, _, key = INPUTS[table]
    return row_type, key(image)


def input_change(change: ImageChange) -> InputChange | None:
    """A change as one of the engine's inputs; None if it is none."""
    table, before, after = change
    image = before if after is None else after
    if image is None or table not in INPUTS:
        return None
    row_type, key = key_of(table, image)
    if after is None:
        return InputChange(row_type, key, None, None)
    try:
        return InputChange(*row_of(table, after), None)
    except ValueError as error:
        return InputChange(row_type, key, None, Failure(table, key, str(error), ""))


class Batch(NamedTuple):
    """What happened up to `revision`, in order."""

    revision: int
    changes: list[ImageChange]


def read_all(database: Database) -> Batch:
    """All rows as of one revision."""
    with database.connect() as connection:
        return Batch(
            current_revision(connection),
            [
                ImageChange(table, None, image)
                for table, images in load_all(connection).items()
                if table in INPUTS
                for image in images
            ],
        )


def read_changes(database: Database, revision: int, until: int | None = None) -> Batch:
    """What was committed after `revision`, whose number stands if that is nothing.

    Nothing of what was committed after `until`, if that is given.
    """
    with database.connect() as connection:
        revisions = [
            each
            for each in changes_since(connection, revision)
            if until is None or each.revision <= until
        ]
    return _batch(revision, revisions)


def known_changes(database: Database, revision: int, until: int | None = None) -> Batch | None:
    """What this process itself committed after `revision`, without asking the database.

    None where the next revision is not at hand, or not all `until` the last one asked for.
    """
    revisions = database.recent.after(revision, until)
    if not revisions or (until is not None and revisions[-1].revision < until):
        return None
    return _batch(revision, revisions)


def _batch(revision: int, revisions: Sequence[RevisionChanges]) -> Batch:
    changes = [
        ImageChange(row.table, row.before, row.after)
        for _, rows in revisions
        for row in rows
        if row.table in INPUTS
    ]
    return Batch(revisions[-1].revision if revisions else revision, changes)
