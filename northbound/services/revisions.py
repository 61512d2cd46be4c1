"""The revision log, for reading: who changed what, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, exists, select

from northbound.errors import InvalidError, NotFoundError
from northbound.identity import is_id
from northbound.models import RECORDED, TRACKED, Change, Resource, Revision
from northbound.paging import Page, PageRequest, encode_cursor, paged
from northbound.transaction import Reader, RowChange

FILTERS = ("author", "kind", "object")
KINDS = tuple(model.__tablename__ for model in RECORDED)


@dataclass(frozen=True)
class RevisionEntry:
    """A revision; `changes` is filled in only when one is read by its number.

    None there too where what it changed is forgotten: see :mod:`northbound.retention`.
    Revision 0, which is none of the log but the empty network before, has no `created_at`.
    """

    id: int
    created_at: datetime | None
    author: str
    comment: str
    changes: Sequence[RowChange] | None = None


def page(
    reader: Reader,
    filters: Mapping[str, str] | None = None,
    request: PageRequest | None = None,
) -> Page[RevisionEntry]:
    """Revisions, the newest first.

    `filters`: ``author``; ``kind`` (a table) and ``object`` (an id, or the unique name that
    an object has now) keep those that touched such an object.
    """
    request = request or PageRequest()
    query = select(Revision)
    touched: list[ColumnElement[bool]] = []
    for name, value in (filters or {}).items():
        if name == "author":
            query = query.where(Revision.author == value)
        elif name == "kind":
            if value not in KINDS:
                reason = f"has to be one of {', '.join(KINDS)}"
                raise InvalidError.of(name, reason=reason, value=value)
            touched.append(Change.table == value)
        elif name == "object":
            touched.append(Change.object_id.in_(_ids(reader, value)))
        else:
            known = ", ".join(FILTERS)
            raise InvalidError.of(name, reason=f"is no filter here; there are {known}")
    if touched:
        query = query.where(exists().where(Change.revision == Revision.id, *touched))
    keys = [Revision.id.expression]
    rows = reader.session.scalars(paged(query, keys, request, descending=True)).all()
    entries = [_entry(row) for row in rows[: request.limit]]
    more = len(rows) > request.limit
    return Page(entries, encode_cursor([entries[-1].id]) if more else None)


def get(reader: Reader, revision: int) -> RevisionEntry:
    """One revision with all its changes, if they are kept; 0 is the empty network."""
    if revision == 0:
        return RevisionEntry(0, None, "", "", ())
    row = reader.session.get(Revision, revision)
    if row is None:
        raise NotFoundError("revision", str(revision))
    query = select(Change.table, Change.object_id, Change.before, Change.after)
    query = query.where(Change.revision == revision).order_by(Change.seq)
    changes = [RowChange(*change) for change in reader.session.execute(query)]
    # One without changes is never committed.
    return _entry(row, changes or None)


def touched(reader: Reader, revision: int, kind: str) -> list[str]:
    """The ids of the objects of a kind (a table) that a revision made or changed."""
    query = select(Change.object_id).where(
        Change.revision == revision, Change.table == kind, Change.after.is_not(None)
    )
    return list(reader.session.scalars(query))


def history(reader: Reader, kind: str, object_id: str) -> list[tuple[RevisionEntry, RowChange]]:
    """Everything that ever happened to one object, the oldest first."""
    query = (
        select(Revision, Change)
        .join(Change, Change.revision == Revision.id)
        .where(Change.table == kind, Change.object_id == object_id)
        .order_by(Revision.id)
    )
    return [
        (
            _entry(revision),
            RowChange(change.table, change.object_id, change.before, change.after),
        )
        for revision, change in reader.session.execute(query)
    ]


def _ids(reader: Reader, ref: str) -> list[str]:
    """Return the ids of the objects that `ref` is the id of, or the name.

    Raises InvalidError for a name that no object has, by which nothing would seem to have happened.
    An id is taken as it is: what it did may have been forgotten.
    """
    if is_id(ref):
        return [ref.lower()]
    resources = (model for model in TRACKED if issubclass(model, Resource))
    named = (reader.find(model, ref) for model in resources)
    found = [each.id for each in named if each is not None]
    known = select(Change.object_id).where(Change.object_id == ref).limit(1)
    if not found and reader.session.scalar(known) is None:
        reason = "no object has that name; one that was deleted is found by its id"
        raise InvalidError.of("object", reason=reason, value=ref)
    return [ref, *found]


def _entry(row: Revision, changes: Sequence[RowChange] | None = None) -> RevisionEntry:
    created_at = row.created_at
    if created_at.tzinfo is None:  # SQLite stores no zone; what was stored is UTC
        created_at = created_at.replace(tzinfo=UTC)
    return RevisionEntry(row.id, created_at, row.author, row.comment, changes)
