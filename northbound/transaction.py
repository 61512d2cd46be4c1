"""The unit of work: what is read and written together.

A :class:`Reader` sees one consistent state. A :class:`Transaction` may also
write; it holds the lock of the one writer from its start, so that whatever its
checks find stays true until it commits. It notes the image of every tracked row
that it touches, and when it ends writes the revision with all changes. A
transaction that changes nothing in the end takes no revision.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from threading import Event
from typing import Any, TypeVar

from sqlalchemy import (
    CompoundSelect,
    Delete,
    Select,
    String,
    bindparam,
    delete,
    event,
    false,
    func,
    insert,
    inspect,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session, UOWTransaction

from northbound.errors import DatabaseBusyError, LimitError, PathElement, RequestError
from northbound.identity import is_id
from northbound.inserting import batched, insert_new_rows, inserting
from northbound.limits import DEFAULT_WRITE_LIMITS, WriteLimits
from northbound.models import Change, Resource, Revision, RevisionCounter, Tracked
from northbound.models.base import Annex, Base, has_names, image_columns, key_columns
from northbound.names import parse_name
from northbound.projects import EVERYTHING, Named, Scope

R = TypeVar("R", bound=Resource)
H = TypeVar("H")

NOTIFY_CHANNEL = "treadle_revision"

# Statements of every transaction. To build one costs several times what it costs to run it,
# so what is run often is built once, with parameters.
_REVISION = select(RevisionCounter.value)
_NEXT_REVISION = (
    update(RevisionCounter).values(value=RevisionCounter.value + 1).returning(RevisionCounter.value)
)
_INSERT_REVISION = insert(Revision)
_INSERT_CHANGE = insert(Change)
_NOTIFY = select(func.pg_notify(NOTIFY_CHANNEL, bindparam("revision", type_=String)))


@cache
def _by_column(model: type[R], column: str) -> Select[R]:
    """The rows of `model` that have the parameter `value` in a column."""
    return select(model).where(model.__mapper__.columns[column] == bindparam("value"))


@cache
def _by_name(model: type[Resource]) -> Select[Any]:
    """The row of `model` with the parameters `project` and `name`."""
    columns = model.__mapper__.columns
    return select(model).where(
        columns["project"] == bindparam("project"), columns["name"] == bindparam("name")
    )


@cache
def _tables_with_name(models: tuple[type[Resource], ...]) -> CompoundSelect[Any]:
    """The tables of `models` that have a row with the parameters `project` and `name`."""
    parts = []
    for model in models:
        columns = model.__mapper__.columns
        holds = (columns["project"] == bindparam("project"), columns["name"] == bindparam("name"))
        parts.append(select(literal(model.__tablename__)).where(*holds))
    return union_all(*parts)


@cache
def _names_of(model: type[Resource]) -> Select[Any]:
    """What refers to the rows of `model` with the parameter `ids`."""
    columns = model.__mapper__.columns
    shared = columns.get("shared")
    query = select(
        columns["id"], columns["project"], columns["name"], false() if shared is None else shared
    )
    return query.where(columns["id"].in_(bindparam("ids", expanding=True)))


def _image_of(model: type[Tracked]) -> list[Any]:
    """The columns of an image."""
    return [model.__mapper__.columns[name] for name in image_columns(model)]


@cache
def _deleting(model: type[Tracked]) -> Delete:
    keys = model.__mapper__.primary_key
    return delete(model).where(*(key == bindparam(f"key_{key.key}") for key in keys))


@cache
def _goes_with(table: str) -> tuple[tuple[type[Annex], Select[Any]], ...]:
    """The rows beside those of `table` with the parameter `ids`, which the database deletes."""
    ids: Any = bindparam("ids", expanding=True)
    models = (mapper.class_ for mapper in Base.registry.mappers)
    return tuple(
        (model, select(*_image_of(model)).where(key.parent.in_(ids)))
        for model in models
        if issubclass(model, Annex)
        for key in model.__table__.foreign_keys
        if key.ondelete == "CASCADE" and key.column.table.name == table
    )


@dataclass(frozen=True)
class RowChange:
    """What a transaction did to one row: its image before and after."""

    table: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Clock:
    """How long a transaction may take, and whether it may still go on.

    It is asked before each statement: between two of them lies what is bounded by the size
    of a request.
    """

    def __init__(self, seconds: float, closing: Event) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._closing = closing

    def check(self) -> None:
        """Raise LimitError where the time is over, DatabaseBusyError where all has to end."""
        if self._closing.is_set():
            raise DatabaseBusyError("the server is stopping; nothing was written")
        if time.monotonic() > self._end:
            raise LimitError(f"one request may take {self._seconds:g} s: do it in several")


class Reader:
    """A consistent view of the database.

    Look-ups by name remember what they found, so that a batch of thousands of
    operations doesn't ask the same question twice; :meth:`warm` answers all
    questions about a table in one query.
    """

    def __init__(self, session: Session, scope: Scope = EVERYTHING) -> None:
        self.session = session
        self.connection = session.connection()
        """For statements that need none of what a session does besides."""
        self.scope = scope
        self._added: dict[tuple[type[Resource], str], Any] = {}
        self._made: dict[str, Resource] = {}
        self._named: dict[type[Resource], dict[tuple[str, str], Any]] = {}
        self._warm: set[type[Resource]] = set()
        self._helpers: dict[Any, Any] = {}

    def find(self, model: type[R], ref: str, home: str | None = None) -> R | None:
        """Return the object with the id or name `ref`, if the reader sees it.

        An id always wins over a name. A name that says no project is one of the project
        `home`, or of the reader's own.
        """
        found = self.by_id(model, ref.lower()) if is_id(ref) else None
        if found is None:
            project, name = parse_name(ref)
            found = self.named(model, name, project or home or self.scope.home)
        return found if found is not None and self.scope.sees(found) else None

    def by_id(self, model: type[R], object_id: str) -> R | None:
        found: R | None = self._added.get((model, object_id)) or self._held(model, object_id)
        if found is None:
            with self.session.no_autoflush:
                found = self.session.scalar(_by_column(model, "id"), {"value": object_id})
        if found is None or self.is_deleted(found):
            return None
        self._remember_name(found)
        return found

    def named(self, model: type[R], name: str, project: str) -> R | None:
        """Return the object of that name in `project`, whether the reader sees it or not."""
        if not has_names(model):
            return None
        known: dict[tuple[str, str], R] = self._named.setdefault(model, {})
        found = known.get((project, name))
        if found is None and model not in self._warm:
            with self.session.no_autoflush:
                values = {"project": project, "name": name}
                found = self.session.scalar(_by_name(model), values)
        if found is None or self.is_deleted(found) or getattr(found, "name", None) != name:
            return None
        known[project, name] = found
        return found

    def models_with_name(
        self, models: tuple[type[Resource], ...], name: str, project: str
    ) -> Sequence[type[Resource]]:
        """Return those of `models` of which an object may have that name: :meth:`named` tells.

        What isn't known of several is read in one statement.
        """
        unread = tuple(
            model
            for model in models
            if model not in self._warm and (project, name) not in self._named.get(model, {})
        )
        if len(unread) < 2:
            return models
        values = {"project": project, "name": name}
        having = set(self.connection.scalars(_tables_with_name(unread), values))
        return [model for model in models if model not in unread or model.__tablename__ in having]

    def is_deleted(self, row: Tracked) -> bool:
        """Whether this transaction has deleted `row`."""
        return row in self.session.deleted or inspect(row).was_deleted

    def names(self, model: type[R], ids: Iterable[str | None]) -> dict[str | None, Named]:
        """Return what refers to the objects of `model` with these ids."""
        names: dict[str | None, Named] = {}
        unread: dict[str, None] = {}
        for object_id in ids:
            if object_id is None or object_id in names:
                continue
            held = self._held(model, object_id)
            if held is None:
                unread[object_id] = None
            else:
                name: str = getattr(held, "name")  # noqa: B009 - not all models have one
                shared = getattr(held, "shared", False)
                names[object_id] = Named(object_id, held.project, name, shared)
        for some in batched(list(unread)):
            rows = self.session.execute(_names_of(model), {"ids": some})
            names.update((row[0], Named(*row)) for row in rows)
        return names

    def _remember_name(self, row: Resource) -> None:
        known = self._named.setdefault(type(row), {})
        known[row.project, getattr(row, "name", row.id)] = row

    def _held(self, model: type[R], object_id: str) -> R | None:
        """The row with this id, if this transaction has read it already."""
        key = model.__mapper__.identity_key_from_primary_key((object_id,))
        held: R | None = self.session.identity_map.get(key)
        return held

    def warm(self, *models: type[Resource]) -> None:
        """Read whole tables once; from then on look-ups by name in them are free."""
        for model in models:
            if model not in self._warm:
                known = self._named.setdefault(model, {})
                for found in self.session.scalars(select(model)):
                    known[found.project, getattr(found, "name", found.id)] = found
                self._warm.add(model)

    def added(self, object_id: str) -> Resource | None:
        """Return the object with this id that this transaction has made, of whichever kind."""
        row = self._made.get(object_id)
        return None if row is None or self.is_deleted(row) else row

    def helper(self, make: Callable[[Any], H]) -> H:
        """The one `make(self)` of this transaction, made at its first use."""
        if make not in self._helpers:
            self._helpers[make] = make(self)
        helper: H = self._helpers[make]
        return helper


class Transaction(Reader):
    """A reader that may write. `revision` is the one it will commit as.

    One that is not going to commit needs no lock, and is not `locking`.
    """

    def __init__(
        self,
        session: Session,
        *,
        author: str,
        comment: str = "",
        locking: bool = True,
        limits: WriteLimits = DEFAULT_WRITE_LIMITS,
        scope: Scope = EVERYTHING,
    ) -> None:
        super().__init__(session, scope)
        self.limits = limits
        self.author = author
        self.comment = comment
        # To count is to lock; what isn't committed in the end has not been counted.
        execute = self.connection.execute
        self.revision: int = (
            execute(_NEXT_REVISION).scalar_one() if locking else execute(_REVISION).scalar_one() + 1
        )
        self.committed: int | None = None
        self.changes: list[RowChange] = []
        self._before: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._after: dict[tuple[str, str], Tracked | dict[str, Any] | None] = {}
        self._endings: list[Callable[[], None]] = []
        self._deleted = False

    def add(self, row: Tracked) -> None:
        """Insert `row`."""
        if self._deleted:
            self.flush()
        self.session.add(row)
        if isinstance(row, Resource):
            self._added[type(row), row.id] = self._made[row.id] = row
            self._remember_name(row)

    def delete(self, row: Tracked) -> None:
        """Delete `row`."""
        if inspect(row).pending:
            self.flush()
        self.session.delete(row)
        self._deleted = True

    def insert_images(self, model: type[Tracked], images: Sequence[dict[str, Any]]) -> None:
        """Insert rows by their images, many at once and without an object for each.

        It is for tables of which no objects are kept: memberships.
        """
        for some in batched(images):
            self.connection.execute(inserting(model), some)
        for image in images:
            key = (model.__tablename__, _object_id(model, image))
            self._before.setdefault(key, None)
            self._after[key] = image

    def delete_images(self, model: type[Tracked], images: Sequence[dict[str, Any]]) -> None:
        """Delete rows that were read as images; see :meth:`insert_images`."""
        keys = key_columns(model)
        for some in batched(images):
            values = [{f"key_{key}": image[key] for key in keys} for image in some]
            self.connection.execute(_deleting(model), values)
        for image in images:
            key = (model.__tablename__, _object_id(model, image))
            self._before.setdefault(key, image)
            self._after[key] = None

    def renamed(self, row: Resource) -> None:
        """Tell that the unique name of `row` has changed."""
        self.flush()
        self._remember_name(row)

    def touch(self, owner: Resource) -> None:
        """Count a change of a membership as one of its `owner`."""
        owner.version = self.revision

    def at_end(self, ending: Callable[[], None]) -> None:
        """Call `ending` before the transaction is checked and committed."""
        self._endings.append(ending)

    def flush(self) -> None:
        """Send what is pending to the database, and note the rows it touches."""
        self.session.flush()
        self._deleted = False

    def settle(self) -> bool:
        """Do what is left to do, so that `changes` is complete; false if there are none."""
        for ending in self._endings:
            ending()
        self._endings.clear()
        self.flush()
        images = {
            key: row.image() if isinstance(row, Tracked) else row
            for key, row in self._after.items()
        }
        self.changes = [
            RowChange(*key, before, images[key])
            for key, before in self._before.items()
            if before != images[key]
        ]
        return bool(self.changes)

    def finish(self) -> bool:
        """Write the revision and its changes; false if there is nothing to commit."""
        if not self.settle():
            return False
        self._record()
        return True

    def _note(self) -> None:
        for row in self.session.new:
            if isinstance(row, Tracked):
                self._note_row(row, None, row)
        gone: dict[str, list[str]] = {}
        for row in self.session.deleted:
            if isinstance(row, Tracked):
                self._note_row(row, _original_image(row), None)
                gone.setdefault(row.__tablename__, []).append(row.object_id)
        self._note_annexes(gone)
        for row in self.session.dirty:
            if isinstance(row, Tracked) and _is_changed(row):
                self._note_row(row, _original_image(row), row)

    def _note_annexes(self, gone: Mapping[str, Sequence[str]]) -> None:
        """Note what goes with rows that are deleted: their ids, by table."""
        for table, ids in gone.items():
            for model, query in _goes_with(table):
                for some in batched(ids):
                    for row in self.connection.execute(query, {"ids": some}).mappings():
                        image = dict(row)
                        key = (model.__tablename__, _object_id(model, image))
                        self._before.setdefault(key, image)
                        self._after[key] = None

    def _note_row(self, row: Tracked, before: dict[str, Any] | None, after: Tracked | None) -> None:
        key = (row.__tablename__, row.object_id)
        self._before.setdefault(key, before)
        self._after[key] = after
        if isinstance(after, (Resource, Annex)):
            after.version = self.revision

    def _record(self) -> None:
        execute = self.connection.execute
        revision = {
            "id": self.revision,
            "created_at": datetime.now(UTC),
            "author": self.author,
            "comment": self.comment,
        }
        execute(_INSERT_REVISION, revision)
        rows = [
            {"revision": self.revision, "seq": seq, **vars(change)}
            for seq, change in enumerate(self.changes)
        ]
        for some in batched(rows):
            execute(_INSERT_CHANGE, some)
        if self.connection.dialect.name == "postgresql":
            execute(_NOTIFY, {"revision": str(self.revision)})


class WritingSession(Session):
    """A session that tells its transaction of flushes, those that queries cause too."""

    transaction: Transaction | None = None


@event.listens_for(WritingSession, "before_flush")
def _note_flush(session: WritingSession, _context: UOWTransaction, _instances: object) -> None:
    if session.transaction is not None:
        session.transaction._note()
        insert_new_rows(session)


@contextmanager
def at(*path: PathElement) -> Iterator[None]:
    """Tell where in the request the object is that an error is about."""
    try:
        yield
    except RequestError as error:
        raise error.under(*path) from None


def _object_id(model: type[Tracked], image: Mapping[str, Any]) -> str:
    return "/".join([str(image[key]) for key in key_columns(model)])


def _is_changed(row: Tracked) -> bool:
    """Whether an attribute of `row` has another value than it had in the database."""
    before = inspect(row).committed_state
    return any(getattr(row, name) != old for name, old in before.items())


def _original_image(row: Tracked) -> dict[str, Any]:
    """The image of `row` as it was before what is pending."""
    before = inspect(row).committed_state
    image = row.image()
    return {name: before.get(name, now) for name, now in image.items()}
