"""What the services of all kinds of objects have in common.

A service turns a spec into rows and back. Its operations work on a transaction
that the caller opened, so several may be made one::

    with database.write(author="alice") as tx:
        switch = LOGICAL_SWITCHES.create(tx, {"name": "web"})
        LOGICAL_SWITCH_PORTS.create(tx, {"name": "web-1", "logical_switch": "web"})

``values`` are what the kind's spec has as fields, or such a spec. Objects are addressed by id
or unique name (`ref`). ``view`` is the object as users see it: the fields of its
spec, with other objects by name, and the facts that they cannot set.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from northbound.errors import InvalidError, NotFoundError, Referent, VersionMismatchError
from northbound.models import Resource
from northbound.paging import Page, PageRequest, encode_cursor, paged
from northbound.specs import Spec, merge_patch, validate
from northbound.transaction import Reader, Transaction

M = TypeVar("M", bound=Resource)
S = TypeVar("S", bound=Spec)
R = TypeVar("R", bound=Resource)


class Filter(NamedTuple):
    """What a list can be filtered by: how, and which values there are if they are few."""

    condition: Callable[[Reader, str], ColumnElement[bool]]
    """May raise InvalidError about the value, or NotFoundError."""
    choices: tuple[str, ...] = ()
    refers: bool = False
    """Whether the value is the id or name of another object."""


Filters = Mapping[str, Filter]

LABEL_FILTER = "label."


def by_column(column: InstrumentedAttribute[Any]) -> Filter:
    """A filter on the value of a column."""
    return Filter(lambda _reader, value: column == value)


def by_choice(column: InstrumentedAttribute[Any], choices: Sequence[str]) -> Filter:
    """A filter on a column that has one of a few values."""

    def condition(_reader: Reader, value: str) -> ColumnElement[bool]:
        if value not in choices:
            raise InvalidError.of(reason=f"has to be one of {', '.join(choices)}", value=value)
        return column == value

    return Filter(condition, tuple(choices))


def by_reference(column: InstrumentedAttribute[Any], model: type[Resource]) -> Filter:
    """A filter on the object, by name or id, that a column refers to."""

    def condition(reader: Reader, ref: str) -> ColumnElement[bool]:
        found = reader.find(model, ref)
        if found is None:
            raise NotFoundError(model.__tablename__, ref)
        return column == found.id

    return Filter(condition, refers=True)


class Service(ABC, Generic[M, S]):
    """Create, read, update and delete one kind of object."""

    kind: ClassVar[str]
    """The kind's name, which is its table's."""
    fixed: ClassVar[frozenset[str]] = frozenset()
    """Fields that cannot be changed once the object is there."""
    identifying: ClassVar[tuple[str, ...]] = ("name",)
    """The fields by which a declarative document finds the object again."""
    filters: ClassVar[Filters] = {}
    """What a list can be filtered by, besides labels."""

    model: type[M]
    spec: type[S]

    @property
    def title(self) -> str:
        """The kind's name as people write it: `logical switch`, `ACL`."""
        return "ACL" if self.kind == "acl" else self.kind.replace("_", " ")

    @property
    def named(self) -> bool:
        """Whether objects of the kind have unique names."""
        column = self.model.__table__.columns.get("name")
        return column is not None and bool(column.unique)

    def read_spec(self, values: Mapping[str, Any] | S) -> S:
        """`values` as a spec, or InvalidError for all that is wrong with them by themselves."""
        return validate(self.spec, values)

    def create(
        self, tx: Transaction, values: Mapping[str, Any] | S, *, document: str | None = None
    ) -> M:
        """A new object. `document` names the declarative document that owns it."""
        spec = self.read_spec(values)
        row = self._new(tx, spec)
        row.document = document
        self._assign(tx, row, spec)
        tx.add(row)
        self._written(tx, row, spec)
        return row

    def update(
        self,
        tx: Transaction,
        ref: str,
        patch: Mapping[str, Any],
        *,
        if_version: int | None = None,
    ) -> M:
        """Lay a merge patch (RFC 7396) over the object."""
        row = self.get(tx, ref)
        self._check_version(row, if_version)
        return self._replace(tx, row, merge_patch(self.describe(tx, [row])[0], patch))

    def replace(
        self,
        tx: Transaction,
        ref: str,
        values: Mapping[str, Any] | S,
        *,
        if_version: int | None = None,
    ) -> M:
        """Make the object what `values` say; fields left out get their defaults."""
        row = self.get(tx, ref)
        self._check_version(row, if_version)
        return self._replace(tx, row, values)

    def delete(
        self,
        tx: Transaction,
        ref: str,
        *,
        cascade: bool = False,
        if_version: int | None = None,
    ) -> None:
        """Delete the object and what is plainly part of it.

        What merely uses it stands in the way (ReferencedError); with `cascade`
        its contents (a switch's ports, a router's ports and routes) go too.
        """
        row = self.get(tx, ref)
        self._check_version(row, if_version)
        self._delete(tx, row, cascade=cascade)

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
        query = select(self.model)
        for name, value in (filters or {}).items():
            query = query.where(self._filter(reader, name, value))
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
                "id": row.id,
                **spec,
                **self._facts(row),
                "document": row.document,
                "version": row.version,
            }
            for row, spec in zip(rows, specs, strict=True)
        ]

    def identity(self, values: Mapping[str, Any]) -> tuple[object, ...]:
        """What a spec's `values` are found again by."""
        return tuple(values.get(field) for field in self.identifying)

    def agrees(self, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        """Whether an object described as `present` is as a spec's fields `wanted` say.

        It may say no needlessly: a replacement with the same changes nothing.
        """
        return present == wanted

    @abstractmethod
    def describe(self, reader: Reader, rows: Sequence[M]) -> list[dict[str, Any]]:
        """The fields of each object's spec."""

    @abstractmethod
    def _new(self, tx: Transaction, spec: S) -> M:
        """A row with what is fixed at its creation: its place and its keys."""

    @abstractmethod
    def _assign(self, tx: Transaction, row: M, spec: S) -> None:
        """Check `spec` against everything else and write it into `row`."""

    def _written(self, tx: Transaction, row: M, spec: S) -> None:
        """Write what belongs to the object in other tables."""

    @abstractmethod
    def _delete(self, tx: Transaction, row: M, *, cascade: bool) -> None:
        """Delete `row` and what is part of it, or raise ReferencedError."""

    def _facts(self, _row: M) -> dict[str, Any]:
        """What users see of the object and cannot set."""
        return {}

    def _replace(self, tx: Transaction, row: M, values: Mapping[str, Any] | S) -> M:
        spec = self.read_spec(values)
        before = self.describe(tx, [row])[0]
        for field in self.fixed:
            self._check_fixed(tx, row, field, before.get(field), getattr(spec, field))
        self._assign(tx, row, spec)
        self._written(tx, row, spec)
        return row

    def _check_fixed(self, _tx: Transaction, _row: M, field: str, old: Any, new: Any) -> None:
        if old != new:
            raise InvalidError.of(field, reason=f"cannot be changed; it is {old!r}", value=new)

    def _check_version(self, row: M, if_version: int | None) -> None:
        if if_version is not None and row.version != if_version:
            raise VersionMismatchError(self.referent(row), if_version, row.version)

    def referent(self, row: M) -> Referent:
        return Referent(self.kind, row.id, getattr(row, "name", ""))

    def _order(self) -> list[ColumnElement[Any]]:
        columns = self.model.__mapper__.columns
        if "name" in columns and columns["name"].unique:
            return [columns["name"]]
        return [columns["id"]]

    def _filter(self, reader: Reader, name: str, value: str) -> ColumnElement[bool]:
        if name.startswith(LABEL_FILTER):
            label: ColumnElement[str] = self.model.labels[
                name.removeprefix(LABEL_FILTER)
            ].as_string()
            return label == value
        if name not in self.filters:
            known = ", ".join([*sorted(self.filters), f"{LABEL_FILTER}NAME"])
            raise InvalidError.of(name, reason=f"is no filter here; there are {known}")
        try:
            return self.filters[name].condition(reader, value)
        except InvalidError as error:
            raise error.under(name) from None
