"""What all resources of the Neutron API have in common, and what each says of itself.

A resource is a class of which there is one object. It selects rows, makes views of them
(dictionaries with all attributes), and creates, changes and deletes in a transaction that the
caller opened. What a view needs of realised state is filled in afterwards by
:meth:`Resource.complete`, outside of the database.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, String, cast

from api.backend import Backend
from api.neutron.attributes import Attribute, Attributes
from api.neutron.context import Context
from api.neutron.errors import NeutronError, ResourceNotFoundError, RevisionMismatchError
from api.neutron.query import ListQuery
from api.neutron.quotas import Quotas
from api.neutron.settings import NeutronLimits
from api.neutron.tags import MAXIMUM_TAGS
from northbound.inserting import batched
from northbound.models.neutron import NeutronAnnex
from northbound.transaction import Reader, Transaction

R = TypeVar("R")

View = dict[str, Any]
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"
Action = Callable[[Transaction, Context, Any, Mapping[str, Any]], View]
"""What a member's action does to a row, given its body: it returns the body of the answer."""


class Service(NamedTuple):
    """What resources stand on besides a transaction."""

    backend: Backend
    limits: NeutronLimits
    quotas: Quotas


class Resource(Generic[R]):
    """A kind of object, as Neutron's clients see it. `R` is the row that a select yields.

    `path` is the last part of its path, `collection` the key of a list of them, and `name` that
    of one.
    """

    name: ClassVar[str]
    collection: ClassVar[str]
    path: ClassVar[str]
    title: ClassVar[str]
    """How messages call one: ``Network``."""
    attributes: ClassVar[Attributes]
    filters: ClassVar[Sequence[Attribute]] = ()
    """Filters of lists that are no attributes."""
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {}
    """The columns that hold attributes as they are shown, for lists to be narrowed by."""
    id_column: ClassVar[ColumnElement[str]]
    tags_column: ClassVar[ColumnElement[Any] | None] = None
    """Where tags are kept, for resources that have some."""
    actions: Mapping[str, Action] = {}
    """What ``PUT …/{id}/NAME`` does, by name."""
    operations: ClassVar[frozenset[str]] = frozenset({"list", "show", "create", "update", "delete"})

    # --- what each resource says

    def select(self, context: Context) -> AnySelect:
        """Return the query of all rows that exist for the caller."""
        raise NotImplementedError

    def views(self, reader: Reader, context: Context, rows: Sequence[R]) -> list[View]:
        """Return all attributes of the objects, but for those that :meth:`complete` fills in."""
        raise NotImplementedError

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        """Create an object of complete `values`; returns its id."""
        raise NotImplementedError

    def update(self, tx: Transaction, context: Context, row: R, changes: Mapping[str, Any]) -> None:
        """Give an object the changed values of some attributes."""
        raise NotImplementedError

    def delete(self, tx: Transaction, context: Context, row: R) -> None:
        """Delete an object, or refuse that."""
        raise NotImplementedError

    def annex(self, tx: Transaction, row: R) -> NeutronAnnex:
        """Return the row with what only Neutron knows; it is made if there is none yet."""
        raise NotImplementedError

    def project_of(self, row: R) -> str:
        """Return the project that owns an object."""
        raise NotImplementedError

    def may_change(self, context: Context, row: R, verb: str) -> bool:  # noqa: ARG002
        """Tell whether the caller may ``update`` or ``delete`` an object that it sees."""
        return context.owns(self.project_of(row))

    def check_together(self, several: Sequence[Mapping[str, Any]]) -> None:  # noqa: ARG002
        """Refuse the values of objects that one request can't create together."""
        return

    async def prepare(self, service: Service, context: Context) -> None:  # noqa: ARG002
        """Make what has to be there before the caller reads a list. Most need nothing."""
        return

    def not_found(self, object_id: str) -> NeutronError:
        """Return the refusal for an id that no object has which exists for the caller."""
        return ResourceNotFoundError(self.title, object_id)

    async def complete(self, service: Service, context: Context, views: Sequence[View]) -> None:  # noqa: ARG002
        """Fill in what realised state says. Most resources have nothing of that."""
        return

    # --- what follows

    def narrowed(self, query: AnySelect, asked: ListQuery) -> AnySelect:
        """Return `query` with those filters of a list that the database can apply.

        What it leaves to :meth:`ListQuery.matches` costs a view of each row.
        """
        for name, values in asked.filters.items():
            column = self.columns.get(name)
            if column is not None and None not in values and "" not in values:
                kind = column.type.python_type
                query = query.where(column.in_([v for v in values if isinstance(v, kind)]))
        # No object has more tags, and databases take conditions of a limited depth.
        for tag in list(dict.fromkeys(asked.tags.get("tags", ())))[:MAXIMUM_TAGS]:
            if self.tags_column is not None:
                query = query.where(json_list_has(self.tags_column, tag))
        return query

    def list_views(self, reader: Reader, context: Context, asked: ListQuery) -> list[View]:
        """Return views of the objects that a list may have; more than it will are fine."""
        query = self.narrowed(self.select(context), asked)
        return self.views(reader, context, self.rows(reader, query))

    def find(self, reader: Reader, context: Context, object_id: str) -> R:
        """Return the row with that id, or raise what :meth:`not_found` returns.

        An id is never a name: clients ask for names by a filter, when this has failed.
        """
        if isinstance(reader, Transaction):
            reader.flush()
        query = self.select(context).where(self.id_column == object_id.lower())
        found = reader.session.execute(query).first()
        if found is None:
            raise self.not_found(object_id)
        row: R = _row(found)
        return row

    def rows(self, reader: Reader, query: AnySelect) -> list[R]:
        """Return the rows of a query that :meth:`select` began."""
        found = reader.session.execute(query).all()
        return [_row(each) for each in found]

    def view(self, reader: Reader, context: Context, object_id: str) -> View:
        """Return the attributes of one object."""
        row = self.find(reader, context, object_id)
        return self.views(reader, context, [row])[0]

    def views_by_id(self, reader: Reader, context: Context, ids: Sequence[str]) -> list[View]:
        """Return the attributes of the objects with these ids, in the order of the ids."""
        if len(ids) == 1:
            return [self.view(reader, context, ids[0])]
        views: dict[str, View] = {}
        for some in batched(ids):
            query = self.select(context).where(self.id_column.in_(some))
            found = self.views(reader, context, self.rows(reader, query))
            views.update((view["id"], view) for view in found)
        return [views[each] for each in ids]

    def check_revision(self, view: View, expected: int | None) -> None:
        """Raise RevisionMismatchError unless a view is of the revision that a caller expects."""
        if expected is not None and view["revision_number"] != expected:
            raise RevisionMismatchError(expected, view["revision_number"])


def standard_view(annex: NeutronAnnex | None, version: int) -> View:
    """Return what Neutron's resources have in common; `version` is that of the object beside.

    The revision in which an object last changed is its revision number, whichever API did it.
    """
    if annex is None:
        nothing: View = {"description": "", "tags": [], "created_at": None, "updated_at": None}
        return {**nothing, "revision_number": version}
    return {
        "description": annex.description,
        "tags": annex.tags,
        "created_at": annex.created_at,
        "updated_at": annex.updated_at,
        "revision_number": max(annex.version, version),
    }


def now() -> str:
    """Return the time as Neutron writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def owned(view: View, project: str) -> View:
    """Return a view with its project, under both of the names that clients know."""
    return {**view, "project_id": project, "tenant_id": project}


def _row(found: Any) -> Any:
    """Return what a query found: the object alone, where there is nothing beside it."""
    return found[0] if len(found) == 1 else tuple(found)


def json_list_has(column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a JSON list of texts has `text` in it, at least as a part.

    It may let others pass: :meth:`ListQuery.matches` looks again.
    """
    return cast(column, String).contains(_json_body(text), autoescape=True)


def _json_body(text: str) -> str:
    return msgspec.json.encode(text).decode()
