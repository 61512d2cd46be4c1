"""Questions that the services of several kinds ask about other objects."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import CompoundSelect, Select, and_, bindparam, literal, or_, select, union_all

from logical_flow.errors import LanguageError
from northbound.errors import (
    ConflictError,
    FieldProblem,
    InvalidError,
    PathElement,
    ReferencedError,
    Referent,
    VersionMismatchError,
)
from northbound.identity import is_id
from northbound.models import (
    TRACKED,
    Acl,
    AclReference,
    AddressSet,
    LogicalRouterPort,
    LogicalSwitchPort,
    PortGroup,
    Resource,
    resource_model,
)
from northbound.models.base import has_names
from northbound.models.policies import RouterPolicy, RouterPolicyReference
from northbound.names import DEFAULT_PROJECT
from northbound.transaction import Reader, Transaction

R = TypeVar("R", bound=Resource)

PORT_MODELS: tuple[type[LogicalSwitchPort], type[LogicalRouterPort]] = (
    LogicalSwitchPort,
    LogicalRouterPort,
)


def resolve(
    reader: Reader, model: type[R], ref: str, *path: PathElement, home: str | None = None
) -> R:
    """Return the object that the field at `path` refers to by name or id.

    A name is one of the project `home`, or of the reader's own, unless it says another.
    """
    found = reader.find(model, ref, home)
    if found is None:
        kind = model.__tablename__.replace("_", " ")
        raise InvalidError.of(*path, reason=f"there is no {kind} of that name", value=ref)
    return found


def take_name(
    tx: Transaction, row: Resource, name: str, models: Iterable[type[Resource]] | None = None
) -> None:
    """Give `row` its `name`, unless another row of `models` in its project has it.

    By default the name is unique among objects of the same kind. A name that looks like an id
    is refused (InvalidError) unless it is the row's own.
    """
    old = getattr(row, "name", None)
    if old == name:
        return
    if is_id(name) and name != row.id:
        is_own = name.lower() == row.id
        reason = "ids are in lower case" if is_own else "looks like the id of another object"
        raise InvalidError.of("name", reason=reason, value=name)
    for model in tx.models_with_name(tuple(models or (type(row),)), name, row.project):
        holder = tx.named(model, name, row.project)
        if holder is not None and holder is not row:
            raise ConflictError(row.__tablename__, "name", name, referent(holder))
    row.name = name  # type: ignore[attr-defined]
    if old is not None:
        tx.renamed(row)


def take_id(tx: Transaction, kind: str, object_id: str) -> None:
    """Refuse an id that an object of any kind has, or has as its name (ConflictError).

    Earlier releases let objects be named as ids are. An interface that names such a port would
    be bound to the new one, since an id always wins.
    """
    holder = tx.added(object_id)
    if holder is None:
        with tx.session.no_autoflush:
            for table, found in tx.session.execute(_called(), {"id": object_id}).all():
                row = tx.by_id(resource_model(table), found)
                if row is not None and object_id in (row.id, getattr(row, "name", "")):
                    holder = row
    if holder is not None:
        raise ConflictError(kind, "id", object_id, referent(holder))


@cache
def _called() -> CompoundSelect[Any]:
    """Return the query for tables and ids of the objects that are called the parameter `id`.

    Only objects of the default project have names that look like another id: those that were
    there before there were projects.
    """
    queries = []
    for model in TRACKED:
        if not issubclass(model, Resource):
            continue
        is_called = model.id == bindparam("id")
        if has_names(model):
            columns = model.__table__.columns
            named = (columns["project"] == DEFAULT_PROJECT, columns["name"] == bindparam("id"))
            is_called = or_(is_called, and_(*named))
        queries.append(select(literal(model.__tablename__), model.id).where(is_called))
    return union_all(*queries)


def referent(row: Resource) -> Referent:
    name = getattr(row, "name", "")
    return Referent(row.__tablename__, row.id, name, row.project, row.document)


def check_version(row: Resource, expected: int | None) -> None:
    """Raise VersionMismatchError where `row` is of another revision than a writer expects."""
    if expected is not None and row.version != expected:
        raise VersionMismatchError(referent(row), expected, row.version)


def refuse_if_referenced(row: Resource, referrers: Iterable[Resource]) -> None:
    """Raise ReferencedError if there are `referrers`."""
    found = [referent(other) for other in referrers]
    if found:
        raise ReferencedError(referent(row), found)


def acls_naming(reader: Reader, target: str) -> list[Acl]:
    """The ACLs whose match names the set `target` (``$addresses`` or ``@ports``)."""
    query = select(Acl).join(AclReference, AclReference.acl_id == Acl.id)
    return list(reader.session.scalars(query.where(AclReference.target == target).order_by(Acl.id)))


def policies_naming(reader: Reader, target: str) -> list[RouterPolicy]:
    """The routing policies whose match names the set `target`."""
    reference = RouterPolicyReference
    query = select(RouterPolicy).join(reference, reference.router_policy_id == RouterPolicy.id)
    query = query.where(reference.target == target).order_by(RouterPolicy.id)
    return list(reader.session.scalars(query))


def matches_naming(reader: Reader, target: str) -> list[Resource]:
    """All objects whose match names the set `target`."""
    return [*acls_naming(reader, target), *policies_naming(reader, target)]


def needed_set(tx: Reader, target: str, home: str | None) -> str | None:
    """Return sigil and id of what has to be there for `target` to be: an address set or group.

    A port group `@web` brings the address sets ``$web_ip4`` and ``$web_ip6``. None if
    there is neither.
    """
    sigil, ref = target[0], target[1:]
    if sigil == "$":
        address_set = tx.find(AddressSet, ref, home)
        if address_set is not None:
            return f"${address_set.id}"
        if not ref.endswith(("_ip4", "_ip6")):
            return None
        ref = ref[:-4]
    group = tx.find(PortGroup, ref, home)
    return None if group is None else f"@{group.id}"


def unknown_set(match: str, target: str) -> FieldProblem:
    """What is wrong with a match that names a set which isn't there."""
    kind = "address set" if target[0] == "$" else "port group"
    position = match.find(target)
    place = LanguageError(f"there is no {kind} {target[1:]!r}", match, position, len(target))
    return FieldProblem(("match",), place.message, match, position, place.caret())


class NaturalKeys:
    """Who has which *natural key*: the columns in which objects without a name differ.

    Rows of this transaction that are not yet in the database count too.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[tuple[type[Resource], tuple[object, ...]], Resource] = {}
        self._complete: set[type[Resource]] = set()

    def load(self, model: type[Resource], columns: Sequence[str]) -> None:
        """Read all keys of a table in one query, before thousands of changes."""
        for row in self._tx.session.scalars(select(model)):
            self._known[model, _key(row, columns)] = row
        self._complete.add(model)

    def take(self, row: Resource, columns: Sequence[str], field: str) -> None:
        """Let `row` have the key that its `columns` make; ConflictError if another has it."""
        key = _key(row, columns)
        holder = self._holder(type(row), columns, key)
        if holder is not None and holder is not row:
            value = getattr(row, field)
            raise ConflictError(row.__tablename__, field, value, referent(holder))
        self._known[type(row), key] = row

    def _holder(
        self, model: type[Resource], columns: Sequence[str], key: tuple[object, ...]
    ) -> Resource | None:
        holder = self._known.get((model, key))
        if holder is None and model not in self._complete:
            empty = tuple(value is None for value in key)
            values = dict(zip(columns, key, strict=True))
            with self._tx.session.no_autoflush:
                holder = self._tx.session.scalar(_with_key(model, tuple(columns), empty), values)
        if holder is None or self._tx.is_deleted(holder) or _key(holder, columns) != key:
            return None
        return holder


@cache
def _with_key(
    model: type[Resource], columns: tuple[str, ...], empty: tuple[bool, ...]
) -> Select[Any]:
    """Return the query for a row with a key: parameters, but for columns that are `empty`."""
    conditions = [
        column.is_(None) if is_empty else column == bindparam(name)
        for name, is_empty in zip(columns, empty, strict=True)
        for column in [model.__mapper__.columns[name]]
    ]
    return select(model).where(*conditions).limit(1)


def _key(row: Resource, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple([getattr(row, column) for column in columns])
