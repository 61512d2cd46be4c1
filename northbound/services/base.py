"""What the services of all kinds of objects have in common.

A service turns a spec into rows and back. Its operations work on a transaction
that the caller opened, so several may be made one::

    with database.write(author="alice") as tx:
        switch = LOGICAL_SWITCHES.create(tx, {"name": "web"})
        LOGICAL_SWITCH_PORTS.create(tx, {"name": "web-1", "logical_switch": "web"})

What a kind declares with its spec (:mod:`northbound.specs.declaration`) is done here for
all; a service adds what is special about its kind.

``values`` are what the kind's spec has as fields, or such a spec. Objects are addressed by id
or unique name (`ref`). ``view`` is the object as users see it: the fields of its
spec, with other objects by name, and the facts that they cannot set.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, get_args

from pydantic import BaseModel
from sqlalchemy import CompoundSelect, bindparam, exists, literal, select, union_all

from northbound.errors import (
    FieldProblem,
    InvalidError,
    SharedError,
)
from northbound.identity import is_id, new_id
from northbound.models import Resource, resource_model
from northbound.services.applying import Plan
from northbound.services.lookups import (
    NaturalKeys,
    check_version,
    refuse_if_referenced,
    resolve,
    take_id,
    take_name,
)
from northbound.services.reading import M, Reading, S
from northbound.specs import merge_patch, validate
from northbound.specs.base import checks_of
from northbound.specs.declaration import SpecField
from northbound.transaction import Reader, Transaction


def plain_value(value: Any) -> Any:
    """Return a field's value as a column holds it: what has fields of its own as a mapping."""
    if isinstance(value, list):
        return [plain_value(each) for each in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


Referents = Mapping[str, Any]
"""The rows that the fields of a spec refer to, by field; None where a field is empty."""


class Service(Reading[M, S]):
    """Create, read, update and delete one kind of object."""

    assigned_apart: ClassVar[frozenset[str]] = frozenset()
    """The fields that the kind assigns itself, as what is written isn't just what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.contents: Sequence[Service[Any, Any]] = ()
        """The services of the kinds whose objects are part of one of these."""
        by_name = {field.name: field for field in self.fields}
        self._fixed = tuple(field for field in self.fields if field.fixed)
        self._resolved = tuple(f for f in self.references if f.name not in self.members)
        plain = tuple(
            field.name
            for field in self.fields
            if field.refers is None
            and field.name not in {"id", "project", *self.members, *self.assigned_apart}
            and not (self.named and field.name == "name")
        )
        structured = {
            name for name in plain if _may_be_object(self.spec.model_fields[name].annotation)
        }
        self._plain = tuple(name for name in plain if name not in structured)
        self._structured = tuple(name for name in plain if name in structured)
        self._by_name = tuple(
            field.name
            for field in self._resolved
            if field.refers is not None
            and field.refers.by_name
            and field.name not in self.assigned_apart
        )
        self._by_id = tuple(
            (field.name, field.column)
            for field in self._resolved
            if field.refers is not None
            and not (field.owner or field.refers.by_name)
            and field.name not in self.assigned_apart
        )
        self._natural_key = tuple(by_name[name].column for name in self.declaration.natural_key)
        self._name_models = tuple(map(resource_model, self.declaration.names or (self.kind,)))
        # Links are filled in after a document has been read, and so need another check; lists of
        # objects are plain ones in a document that was read.
        self._is_checked = (
            not self.links
            and not any(_may_be_object(each.annotation) for each in self.spec.model_fields.values())
            and checks_of(self.spec) == checks_of(self.declaration.properties)
        )

    def read_spec(self, values: Mapping[str, Any] | S) -> S:
        """`values` as a spec, or InvalidError for all that is wrong with them by themselves."""
        return validate(self.spec, values)

    def spec_of_entry(self, values: Mapping[str, Any]) -> S:
        """Return the spec of an object that a document wants, of which the entry was read.

        Where the entry has been checked for all that the spec is, it isn't checked again.
        """
        return self.spec.model_construct(**values) if self._is_checked else self.read_spec(values)

    def create(
        self, tx: Transaction, values: Mapping[str, Any] | S, *, document: str | None = None
    ) -> M:
        """A new object. `document` names the declarative document that owns it."""
        spec = self.read_spec(values)
        referents = self._referents(tx, spec)
        project = self._project(tx, spec, referents)
        chosen = self._chosen_id(spec)
        if chosen is not None:
            take_id(tx, self.kind, chosen)
        spec = self._settled(spec, chosen or new_id(), project)
        row = self._new(tx, spec, referents)
        row.id, row.project = str(spec.id), project
        for owner in self.owners:
            referred = referents[owner.name]
            setattr(row, owner.column, None if referred is None else referred.id)
        row.document = document
        self._assign(tx, row, spec, referents)
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
        row = self.get_own(tx, ref)
        check_version(row, if_version)
        return self.amend(tx, row, patch)

    def amend(self, tx: Transaction, row: M, patch: Mapping[str, Any]) -> M:
        """Lay a merge patch over an object, whosever it is: the caller has decided that.

        It is for what follows from a change of another object.
        """
        for field in self._resolved:  # whole, as they are needed for more than their names
            held = getattr(row, field.column)
            if held is not None and field.refers is not None and not field.refers.by_name:
                tx.by_id(resource_model(field.refers.kind), held)
        # Of members there may be tens of thousands: a patch that names none leaves them alone.
        kept = frozenset(self.members).difference(patch)
        described = self.describe(tx, [row], without=kept)[0]
        return self._replace(tx, row, merge_patch(described, patch), kept)

    def replace(
        self,
        tx: Transaction,
        ref: str,
        values: Mapping[str, Any] | S,
        *,
        if_version: int | None = None,
    ) -> M:
        """Make the object what `values` say; fields left out get their defaults."""
        row = self.get_own(tx, ref)
        check_version(row, if_version)
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
        row = self.get_own(tx, ref)
        check_version(row, if_version)
        self.remove(tx, [row], cascade=cascade)

    def get_own(self, tx: Transaction, ref: str) -> M:
        """Return the object with the id or name `ref`, which the writer may change.

        Raises NotFoundError, or SharedError for one that another project only shares.
        """
        row = self.get(tx, ref)
        if not tx.scope.owns(row):
            raise SharedError(self.referent(row))
        return row

    def remove(self, tx: Transaction, rows: Sequence[M], *, cascade: bool = False) -> None:
        """Delete `rows` and what is part of them, or raise ReferencedError."""
        for row in rows:
            parts = [
                (each, each.parts_of(tx, self.kind, row.id))
                for each in self._kinds_of_parts(tx, row)
            ]
            for service, found in parts:
                if service.declaration.stays:
                    # Of what is other projects', only those may dispose who see all projects.
                    in_the_way = (each for each in found if not cascade or not tx.scope.owns(each))
                    refuse_if_referenced(row, in_the_way)
            for service, found in reversed(parts):
                if found:
                    service.remove(tx, found, cascade=cascade)
                    tx.flush()
            for members in self.members.values():
                members.clear(tx, row)
            tx.delete(row)

    def _kinds_of_parts(self, tx: Transaction, row: M) -> Sequence["Service[Any, Any]"]:
        """The services of those kinds of which `row` may have parts, as one statement tells."""
        if len(self.contents) < 2:
            return self.contents
        tx.flush()
        having = set(tx.connection.scalars(self._having_parts, {"owner": row.id}))
        return [each for each in self.contents if each.kind in having]

    @cached_property
    def _having_parts(self) -> CompoundSelect[Any]:
        """Return the query for the kinds of the parts that the parameter `owner` has."""
        return union_all(
            *(
                select(literal(each.kind)).where(
                    exists().where(each.owner_column(self.kind) == bindparam("owner"))
                )
                for each in self.contents
            )
        )

    # --- documents (northbound.apply)

    checked_one_by_one: ClassVar[bool] = False
    """Whether all objects of a document that are wrong are told, not only the first."""

    def problems_beside(self, values: Mapping[str, Any]) -> Sequence[FieldProblem]:  # noqa: ARG002
        """What is wrong with values by another measure than the spec's: that of a language.

        The values may be anything: the spec may have refused them.
        """
        return ()

    def load_ahead(self, tx: Transaction) -> None:
        """Read at once what thousands of changes will ask for."""
        if self._natural_key:
            tx.helper(NaturalKeys).load(self.model, self._natural_key)

    def complete(self, objects: Sequence[dict[str, Any]]) -> None:
        """Fill in what objects of a document leave for each other to say."""

    def let_unwanted_go(self, tx: Transaction, plan: Plan) -> None:
        """Part what a document keeps from objects of the kind that it is about to delete."""

    def make_room(self, tx: Transaction, plan: Plan) -> None:
        """Undo what would be in the way of what the document wants, before any of it is made."""

    def let_go(self, tx: Transaction, row: M, values: Mapping[str, Any]) -> None:
        """Give up what other objects of the kind may be given, before any of them changes."""

    @property
    def links(self) -> tuple[str, ...]:
        """The fields that refer to objects of the same kind, which all have to be there first."""
        return tuple(
            field.name
            for field in self.references
            if field.refers and field.refers.kind == self.kind and not field.refers.ordered
        )

    def turn(self, values: Mapping[str, Any]) -> int:  # noqa: ARG002
        """Return when an object of a document is made: those of lower turns are there first."""
        return 0

    def _referents(self, reader: Reader, spec: S) -> Referents:
        """What the fields of `spec` refer to, or an InvalidError that names the field.

        What the object is part of comes first: it tells the project in which the others are
        looked up.
        """
        found: dict[str, Any] = {}
        home = spec.project
        for field in self._resolved:
            ref = getattr(spec, field.name)
            found[field.name] = None
            if ref is None or field.refers is None:
                continue
            if not field.owner and home is None:
                home = self._project(reader, spec, found)
            model = resource_model(field.refers.kind)
            referred = resolve(reader, model, ref, field.name, home=home)
            if not field.owner and referred.project != home:
                reason = "belongs to another project"
                raise InvalidError.of(field.name, reason=reason, value=ref)
            found[field.name] = referred
        return found

    def _project(self, reader: Reader, spec: S, referents: Referents) -> str:
        """Return the project of an object, or raise InvalidError where it cannot be of that.

        It is that of its owner; a kind that may be of others, or has no owner, has the one that
        is said.
        """
        scope, said = reader.scope, spec.project
        if scope.confined:
            if said not in (None, scope.home):
                reason = f"the token is for project {scope.home} only"
                raise InvalidError.of("project", reason=reason, value=said)
            said = scope.home
        name, owner = "", None
        for field in self.owners:
            if owner is None:
                name, owner = field.name, referents.get(field.name)
        if owner is None:
            return said or scope.home
        if self.declaration.of_any_project:
            return said or scope.project or str(owner.project)
        if said not in (None, owner.project):
            reason = f"belongs to another project than {said}"
            raise InvalidError.of(name, reason=reason, value=getattr(spec, name))
        return str(owner.project)

    def _chosen_id(self, spec: S) -> str | None:
        """Return the id that a caller has chosen for a new object, if it has.

        An object that is named as ids are, as integrations do, has its name as its id.
        """
        name = spec.name if self.named else None  # type: ignore[attr-defined]
        if spec.id is None and name is not None and is_id(name):
            return str(name).lower()
        return spec.id

    def _settled(self, spec: S, object_id: str, project: str) -> S:
        """Return `spec` with the id and project of its object; its name is by default its id."""
        settled: dict[str, Any] = {"id": object_id, "project": project}
        if self.named and spec.name is None:  # type: ignore[attr-defined]
            settled["name"] = object_id
        return spec.model_copy(update=settled)

    def _new(self, tx: Transaction, spec: S, referents: Referents) -> M:  # noqa: ARG002
        """A row with what is given to it at its creation, such as keys."""
        return self.model()

    def _assign(self, tx: Transaction, row: M, spec: S, referents: Referents) -> None:
        """Check `spec` against everything else and write it into `row`."""
        if self.declaration.named:
            take_name(tx, row, spec.name, self._name_models)  # type: ignore[attr-defined]
        values = {name: getattr(spec, name) for name in self._plain}
        for name in self._structured:
            values[name] = plain_value(getattr(spec, name))
        for name in self._by_name:
            referred = referents[name]
            values[name] = None if referred is None else referred.name
        for name, column in self._by_id:
            referred = referents[name]
            values[column] = None if referred is None else referred.id
        # What a row has already isn't written: SQLAlchemy makes much of each value that is.
        held, is_new = row.__dict__, row not in tx.session
        for column, value in values.items():
            if held[column] != value if column in held else value is not None or not is_new:
                setattr(row, column, value)
        if self._natural_key:
            last = self.declaration.natural_key[-1]
            tx.helper(NaturalKeys).take(row, self._natural_key, last)

    def _written(self, tx: Transaction, row: M, spec: S, kept: Collection[str] = ()) -> None:
        """Write what belongs to the object in other tables, but for members that are `kept`."""
        for name, members in self.members.items():
            if name not in kept:
                members.set(tx, row, members.stored(tx, row, getattr(spec, name)))

    def _replace(
        self,
        tx: Transaction,
        row: M,
        values: Mapping[str, Any] | S,
        kept: Collection[str] = (),
    ) -> M:
        spec = self.read_spec(values)
        for name, old in (("id", row.id), ("project", row.project)):
            new = getattr(spec, name)
            if new not in (None, old):
                raise InvalidError.of(name, reason=f"cannot be changed; it is {old!r}", value=new)
        spec = self._settled(spec, row.id, row.project)
        for field in self._fixed:
            old, new = getattr(row, field.column), getattr(spec, field.name)
            if old != new:
                reason = f"cannot be changed; it is {old!r}"
                raise InvalidError.of(field.name, reason=reason, value=new)
        referents = self._referents(tx, spec)
        for owner in self.owners:
            self._check_stays(row, owner, referents[owner.name])
        self._assign(tx, row, spec, referents)
        self._written(tx, row, spec, kept)
        return row

    def _check_stays(self, row: M, owner: SpecField, referred: Resource | None) -> None:
        """Raise InvalidError where a spec names another owner than the object has."""
        if getattr(row, owner.column) != (None if referred is None else referred.id):
            name = None if referred is None else getattr(referred, "name", referred.id)
            raise InvalidError.of(
                owner.name, reason=f"{self.declaration.short_words} cannot move", value=name
            )


def _may_be_object(annotation: Any) -> bool:
    """Return whether a value of a type may be, or hold, an object that has fields itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(_may_be_object, get_args(annotation)))
