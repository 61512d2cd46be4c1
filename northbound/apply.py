"""Making the network what a declarative document says.

What the document names and is not there is created, what differs is changed,
and what the document owned and no longer names is deleted; all in the caller's
one transaction. Creating an object by a document makes that document its
owner. An object of the same name that the document does not own is in the way,
unless the caller says that it is to be adopted; one that another document owns
is always in the way.

The order lets every state be reached from every other: first what nothing
depends on goes (ports, ACLs, routes), which frees names and addresses; then
things come and change, referents before referrers; then the rest goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from northbound.documents import Document, read_document, wanted_objects
from northbound.errors import (
    MOST_PROBLEMS,
    ConflictError,
    FieldProblem,
    InvalidError,
    PathElement,
    Referent,
    RequestError,
)
from northbound.services import SERVICES
from northbound.services.applying import Identity, Plan, Present
from northbound.services.base import Service
from northbound.specs import SPECS
from northbound.specs.declaration import held_kinds
from northbound.transaction import Transaction, at

_HELD: frozenset[str] = frozenset().union(*(held_kinds(spec) for spec in SPECS))
_LEAVES = tuple(kind for kind in reversed([*SERVICES]) if kind not in _HELD)
"""Kinds on which nothing depends: they go first, referrers before referents."""
_CONTAINERS = tuple(kind for kind in reversed([*SERVICES]) if kind in _HELD)

_LARGE = 200
"""From so many objects on, whole tables are read instead of single rows."""


@dataclass
class ApplyResult:
    """What applying a document did, or would do."""

    document: str
    created: list[Referent] = field(default_factory=list)
    changed: list[Referent] = field(default_factory=list)
    deleted: list[Referent] = field(default_factory=list)


def apply(
    tx: Transaction, document: Mapping[str, Any] | Document, *, adopt: bool = False
) -> ApplyResult:
    """Make the network what `document` says, which may have been read before.

    With `adopt` objects without an owner become the document's where it names
    them. Raises what the services raise, with paths into the document.
    """
    if not isinstance(document, Document):
        document = read_document(document)
    return _Application(tx, document, adopt=adopt).run()


class _Application:
    """One document on its way into one transaction."""

    def __init__(self, tx: Transaction, document: Document, *, adopt: bool) -> None:
        self._tx = tx
        self._adopt = adopt
        self._project = _project_of(tx, document)
        self._names_project = document.project is not None
        self._plan = Plan(document.document, wanted_objects(document))
        self._set_project()
        self._created: list[Referent] = []

    def run(self) -> ApplyResult:
        self._load_ahead()
        for kind in _LEAVES:
            self._plan.present[kind] = self._present(SERVICES[kind])
            SERVICES[kind].let_unwanted_go(self._tx, self._plan)
            self._delete_unwanted(kind)
        for kind in _CONTAINERS:
            self._plan.present[kind] = self._present(SERVICES[kind])
        for service in SERVICES.values():
            service.make_room(self._tx, self._plan)
        self._forget_deleted()
        for service in SERVICES.values():
            self._reach(service)
        for service in SERVICES.values():
            self._link(service)
        for kind in _CONTAINERS:
            self._delete_unwanted(kind)
        self._tx.flush()
        return self._result()

    def _forget_deleted(self) -> None:
        """Drop what went with its owner, as that made room: it is to be made again."""
        if not self._plan.deleted:
            return
        for kind, present in self._plan.present.items():
            gone = [key for key, found in present.items() if self._tx.is_deleted(found.row)]
            for key in gone:
                row = present.pop(key).row
                if key in self._plan.wanted[kind]:
                    self._plan.deleted.append(SERVICES[kind].referent(row))

    def _set_project(self) -> None:
        for wanted in self._plan.wanted.values():
            for path, values in wanted.values():
                if values["project"] not in (None, self._project):
                    reason = f"all of a document is of one project: this one is of {self._project}"
                    raise InvalidError.of(*path, "project", reason=reason, value=values["project"])
                values["project"] = self._project

    def _result(self) -> ApplyResult:
        created = {referent.id for referent in self._created}
        changed = [
            SERVICES[row.__tablename__].referent(row)
            for row in self._plan.changed.values()
            if row.version == self._tx.revision and row.id not in created
        ]
        return ApplyResult(self._plan.document, self._created, changed, self._plan.deleted)

    def _load_ahead(self) -> None:
        if sum(map(len, self._plan.wanted.values())) < _LARGE:
            return
        self._tx.warm(*(service.model for service in SERVICES.values()))
        for service in SERVICES.values():
            service.load_ahead(self._tx)

    def _present(self, service: Service[Any, Any]) -> dict[Identity, Present]:
        """What the document owns already, and what it may adopt."""
        owner = service.model.document
        eligible = owner == self._plan.document
        if self._adopt:
            eligible |= owner.is_(None)
        eligible &= service.model.project == self._project
        rows = list(self._tx.session.scalars(select(service.model).where(eligible)))
        present = {
            service.identity(values): Present(row, values)
            for row, values in zip(rows, service.describe(self._tx, rows), strict=True)
        }
        wanted = self._plan.wanted[service.kind]
        return {
            key: found
            for key, found in present.items()
            if key in wanted or found.row.document is not None
        }

    def _delete_unwanted(self, kind: str) -> None:
        service, unwanted = SERVICES[kind], self._plan.unwanted(kind)
        self._plan.deleted += [service.referent(row) for row in unwanted]
        service.remove(self._tx, unwanted)

    def _reach(self, service: Service[Any, Any]) -> None:
        """Create and change the objects of one kind."""
        changes = sorted(self._changes(service), key=lambda change: service.turn(change[2]))
        for _, row, values in changes:
            if row is not None:
                service.let_go(self._tx, row, values)
        problems: list[FieldProblem] = []
        for path, row, values in changes:
            try:
                with at(*path):
                    self._make(service, row, values)
            except InvalidError as error:
                problems += error.problems
                if not service.checked_one_by_one or len(problems) >= MOST_PROBLEMS:
                    break
            except RequestError:
                if not problems:
                    raise
                break
        if problems:
            raise InvalidError(problems)

    def _changes(
        self, service: Service[Any, Any]
    ) -> list[tuple[tuple[PathElement, ...], Any, dict[str, Any]]]:
        """What has to be written: its place, the row that is there, and the values.

        Links to objects of the same kind stay as they are for now.
        """
        present, links = self._plan.present[service.kind], service.links
        changes: list[tuple[tuple[PathElement, ...], Any, dict[str, Any]]] = []
        for key, (path, values) in self._plan.wanted[service.kind].items():
            found = present.get(key)
            row = None if found is None else found.row
            if links:
                values = values | {link: getattr(row, link, None) for link in links}
            if found is None or row is None:
                changes.append((path, None, values))
                continue
            values = {**values, "id": values["id"] or row.id}
            touched = row.id in self._plan.changed
            if row.document is None:
                row.document = self._plan.document
                self._plan.changed[row.id] = row
            if touched or not service.agrees(found.values, values):
                changes.append((path, row, values))
        return changes

    def _make(self, service: Service[Any, Any], row: Any, values: dict[str, Any]) -> None:
        if row is None:
            self._create(service, values)
        else:
            service.replace(self._tx, row.id, service.spec_of_entry(values))
            self._plan.changed[row.id] = row

    def _create(self, service: Service[Any, Any], values: dict[str, Any]) -> None:
        if service.named:
            holder = self._tx.named(service.model, values["name"], self._project)
            if holder is not None:
                raise self._in_the_way(service.kind, values["name"], service.referent(holder))
        row = service.create(self._tx, service.spec_of_entry(values), document=self._plan.document)
        self._created.append(service.referent(row))

    def _in_the_way(self, kind: str, name: str, holder: Referent) -> ConflictError:
        """The error that `holder` has the name of an object of this document, and what helps."""
        ways = ["choose another name"]
        if holder.document is None:
            ways.append("let the document adopt the object (--adopt)")
        if not (self._names_project or self._tx.scope.confined):
            ways.append("apply the document to another project (--project)")
        return ConflictError(kind, "name", name, holder, " or ".join(ways))

    def _link(self, service: Service[Any, Any]) -> None:
        """Join objects of one kind to each other, now that all are there and free."""
        if not service.links:
            return
        for path, values in self._plan.wanted[service.kind].values():
            row = self._tx.named(service.model, values["name"], self._project)
            told = [link for link in service.links if values[link] is not None]
            if row is None or all(getattr(row, link) == values[link] for link in told):
                continue
            with at(*path):
                service.replace(self._tx, row.id, values)
            self._plan.changed[row.id] = row


def _project_of(tx: Transaction, document: Document) -> str:
    """Return the project of a document, or raise InvalidError where the writer has another."""
    home = tx.scope.home
    if tx.scope.confined and document.project not in (None, home):
        reason = f"the token is for project {home} only"
        raise InvalidError.of("project", reason=reason, value=document.project)
    return document.project or home
