"""What all kinds of objects have in common that reads them: lists, views, words for them.

``view`` is the object as users see it: the fields of its spec, with other objects by name, and the
facts that they cannot set.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, select

from northbound.errors import NotFoundError, Referent
from northbound.models import Resource, resource_model
from northbound.models.base import has_names, image_columns, values_of
from northbound.paging import Page, PageRequest, encode_cursor, paged
from northbound.services.filters import Filters, condition_of, filter_by
from northbound.services.lookups import referent
from northbound.services.members import Members
from northbound.specs import SPECS, Spec
from northbound.specs.declaration import Declaration, fields_of
from northbound.transaction import Reader

M = TypeVar("M", bound=Resource)
S = TypeVar("S", bound=Spec)

_TITLES = {spec.declaration.kind: spec.declaration.words for spec in SPECS}


class Reading(Generic[M, S]):
    """Finds, lists and describes objects of one kind."""

    model: type[M]
    spec: type[S]
    members: ClassVar[Mapping[str, Members]] = {}
    """The fields whose values are rows of a table of their own."""

    def __init__(self) -> None:
        self.declaration: Declaration = self.spec.declaration
        self.kind = self.declaration.kind
        self.fields = fields_of(self.spec)
        facts = self.declaration.facts
        self.facts: tuple[str, ...] = () if facts is None else tuple(facts.model_fields)
        """The columns that users see and cannot set."""
        self.owners = tuple(field for field in self.fields if field.owner)
        self.references = tuple(field for field in self.fields if field.refers is not None)
        self.filters: Filters = {
            field.name: filter_by(self.model, field)
            for field in self.fields
            if field.name not in self.members and (field.filtered or field.refers is not None)
        }
        self._describing = tuple(f for f in self.fields if f.name not in self.members)
        self._columns = tuple(field.column for field in self._describing)
        missing = {*self._columns, *self.facts}.difference(image_columns(self.model))
        if missing:
            raise TypeError(f"the table {self.kind} lacks columns: {', '.join(sorted(missing))}")
        self._parts: dict[str, Select[Any]] = {}
        """Queries for what is part of one object, by its kind."""

    @property
    def title(self) -> str:
        """The kind's name as people write it: `logical switch`, `ACL`."""
        return self.declaration.words

    @property
    def named(self) -> bool:
        """Whether objects of the kind have names that are unique within their project."""
        return self.declaration.named

    def get(self, reader: Reader, ref: str) -> M:
        """The object with the id or name `ref`, or NotFoundError."""
        row = reader.find(self.model, ref)
        if row is None:
            raise NotFoundError(self.kind, ref)
        return row

    def page(
        self,
        reader: Reader,
        filters: Mapping[str, str] | None = None,
        request: PageRequest | None = None,
    ) -> Page[M]:
        """A page of the objects for which all `filters` hold.

        Names of filters are those in :attr:`filters`, and ``label.NAME``.
        """
        request = request or PageRequest()
        query = select(self.model).where(reader.scope.visible(self.model))
        for name, value in (filters or {}).items():
            query = query.where(condition_of(self.filters, self.model, reader, name, value))
        keys = self._order()
        rows = list(reader.session.scalars(paged(query, keys, request)))
        if len(rows) <= request.limit:
            return Page(rows)
        rows.pop()
        last = [getattr(rows[-1], str(key.key)) for key in keys]
        return Page(rows, encode_cursor(last))

    def view(self, reader: Reader, row: M) -> dict[str, Any]:
        """The object as users see it."""
        return self.views(reader, [row])[0]

    def views(self, reader: Reader, rows: Sequence[M]) -> list[dict[str, Any]]:
        """Many objects as users see them, without a query for each."""
        specs = self.describe(reader, rows)
        return [
            {
                **spec,
                **{name: getattr(row, name) for name in self.facts},
                "document": row.document,
                "version": row.version,
            }
            for row, spec in zip(rows, specs, strict=True)
        ]

    def identity(self, values: Mapping[str, Any]) -> tuple[object, ...]:
        """What a spec's `values` are found again by."""
        return tuple(values.get(field) for field in self.declaration.identifying)

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Whether an object described as `present` is as a spec's fields `wanted` say.

        False negatives only cost a replacement that changes nothing.
        """
        if not self.members:
            return present == wanted
        return present == {**wanted, **{name: sorted(wanted[name]) for name in self.members}}

    def describe(
        self, reader: Reader, rows: Sequence[M], *, without: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """The fields of each object's spec, but for those members that are to be left out."""
        names = [field.name for field in self._describing]
        described = [dict(zip(names, values_of(row, self._columns), strict=True)) for row in rows]
        for field in self._describing:
            if field.refers is not None and not field.refers.by_name:
                ids = {each[field.name] for each in described} - {None}
                if not ids:
                    continue
                named = reader.names(resource_model(field.refers.kind), sorted(ids))
                for row, each in zip(rows, described, strict=True):
                    referred = named.get(each[field.name])
                    each[field.name] = referred and referred.shown(row.project, reader.scope)
        for name, members in self.members.items():
            if name in without:
                continue
            shown = members.shown(reader, [row.id for row in rows])
            for row, each in zip(rows, described, strict=True):
                each[name] = shown.get(row.id, [])
        return described

    def phrase(self, view: Mapping[str, Any]) -> str:
        """The words that tell an object, given as users see it, from others of its kind."""
        if self.named:
            return str(view["name"])
        owners = [owner.name for owner in self.owners]
        own = [str(view[name]) for name in self.declaration.natural_key if name not in owners]
        return f"{', '.join(own)} of {self.owner_phrase(view)}"

    def owner_phrase(self, view: Mapping[str, Any]) -> str:
        """The words for the object that an object, given as users see it, is part of."""
        owner = next(owner for owner in self.owners if view.get(owner.name))
        kind = owner.refers.kind if owner.refers else owner.name
        return f"{_TITLES[kind]} {view[owner.name]}"

    def parts_of(self, reader: Reader, kind: str, owner_id: str) -> Sequence[M]:
        """The objects that are part of one object of `kind`."""
        return reader.session.scalars(self._parts_of(kind), {"owner": owner_id}).all()

    def owner_column(self, kind: str) -> ColumnElement[Any]:
        """The column that refers to what an object is part of, where that is one of `kind`."""
        owner = next(each for each in self.owners if each.refers and each.refers.kind == kind)
        return self.model.__mapper__.columns[owner.column]

    def referent(self, row: M) -> Referent:
        return referent(row)

    def _parts_of(self, kind: str) -> Select[Any]:
        """Return the query for the parts of the parameter `owner`, an object of `kind`."""
        query = self._parts.get(kind)
        if query is None:
            order = self.model.__mapper__.columns["name" if self.declaration.named else "id"]
            query = select(self.model).where(self.owner_column(kind) == bindparam("owner"))
            query = self._parts[kind] = query.order_by(order)
        return query

    def _order(self) -> list[ColumnElement[Any]]:
        columns = self.model.__mapper__.columns
        return [columns["name"], columns["id"]] if has_names(self.model) else [columns["id"]]
