"""What a kind of object declares of itself, once, for all who handle kinds.

A kind is declared by its spec: the fields with their types and checks, *marks* on some of
them, and one :class:`Declaration`. From these follow, in this package and above it, how an
object is described and assigned, what lists can be filtered by, which fields of a batch or
a document refer to other objects, in which order a document is applied, the paths and
schemas of REST, the tables of the command line, and the words in which an explanation
names an object. What is special about a kind is in its service.

Nothing here needs a database: the command line reads declarations, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel

    from northbound.specs.base import Spec


@dataclass(frozen=True)
class RefersTo:
    """Mark of a field that refers to objects of a kind, by id or name.

    The row keeps the id in the column ``FIELD_id``, or with `by_name` the name in a column
    called like the field. An object is part of its `owner`: it cannot move to another one.
    What `holds` cannot be deleted while the reference is there. Objects that refer to others of
    their own kind are joined once all of them are there, unless a kind says in which order they
    are made (`ordered`).
    """

    kind: str
    owner: bool = False
    by_name: bool = False
    holds: bool = True
    ordered: bool = False


@dataclass(frozen=True)
class Filtered:
    """Mark of a field that lists can be filtered by. References and names always are."""


@dataclass(frozen=True)
class Fixed:
    """Mark of a field that is chosen when an object is made, and stays."""


class OvnSource(NamedTuple):
    """Where objects of a kind come from in OVN's northbound database, if all they take is copying.

    Rows of `table` name their owner in the column `owner`; `columns` become the fields of the
    same names. What takes more judgement is written by hand (:mod:`cli.import_ovn`).
    """

    table: str
    owner: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Declaration:
    """A kind of object.

    `plural` is how people write several; the paths of REST and the keys of documents follow
    from it. `properties` is the part of the spec that a document has under an object's
    name, or in a list. `identifying` are the fields by which a document finds an object
    again; with ``name`` among them objects are addressed by name. No two objects agree in
    all fields of the `natural_key`, of which the last is the one that a conflict names.
    `collection` is what an owner calls the objects that it has: its ports, its ACLs. They
    go when it goes, and with `stays` only if that is asked for.
    """

    kind: str
    plural: str
    properties: "type[Spec]"
    columns: tuple[str, ...]
    """The fields that a table of objects shows."""
    example: Mapping[str, Any]
    """A body that creates an object."""
    patch: Mapping[str, Any]
    """A merge patch that changes the example."""
    facts: "type[BaseModel] | None" = None
    """What users see of an object and cannot set; columns of the same names hold it."""
    fact_examples: Mapping[str, Any] = field(default_factory=dict)
    identifying: tuple[str, ...] = ("name",)
    natural_key: tuple[str, ...] = ()
    collection: str = ""
    stays: bool = False
    of_any_project: bool = False
    """Whether an object may be of another project than its owner, which is shared with that."""
    title: str = ""
    names: tuple[str, ...] = ()
    """Kinds that no object's name may be shared with, if there are others than this one."""
    name_type: Any = None
    """The type of names, where they are not like those of most objects."""
    ovn: OvnSource | None = None
    """What `import-ovn` makes objects of, where that is copying."""
    also_refers_to: tuple[str, ...] = ()
    """Kinds that a field refers to in its own language, as a match does to sets."""

    @property
    def named(self) -> bool:
        """Whether objects of the kind have names that identify them."""
        return "name" in self.identifying

    @property
    def path(self) -> str:
        """The last part of the path of the collection of all objects."""
        return self.key.replace("_", "-")

    @property
    def key(self) -> str:
        """What a document calls the objects of the kind, where they have no owner."""
        return self.plural.replace(" ", "_").lower()

    @property
    def words(self) -> str:
        """The kind's name as people write it."""
        return self.title or self.kind.replace("_", " ")

    @property
    def short_words(self) -> str:
        """The same with its article, where the rest is clear: a port, an ACL."""
        return with_article(self.words.rpartition(" ")[2])


def with_article(words: str) -> str:
    """
    >>> with_article("ACL"), with_article("logical switch")
    ('an ACL', 'a logical switch')
    """
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


class SpecField(NamedTuple):
    """A field of a spec, with its marks."""

    name: str
    refers: RefersTo | None
    many: bool
    """Whether its value is a list."""
    filtered: bool
    fixed: bool
    choices: tuple[str, ...]
    """The values that there are, if they are few."""

    @property
    def column(self) -> str:
        """The column of the kind's table that holds it."""
        by_id = self.refers is not None and not self.refers.by_name
        return f"{self.name}_id" if by_id else self.name

    @property
    def owner(self) -> bool:
        return self.refers is not None and self.refers.owner


_FIRST = ("id", "name", "project", "display_name")
_LAST = ("labels", "external_ids")


def fields_of(spec: "type[Spec]") -> tuple[SpecField, ...]:
    """The fields of a spec, as people like to read them: name, owners, its own, labels."""
    fields = [_field(name, spec) for name in spec.model_fields]
    return tuple(sorted(fields, key=_place))


def _field(name: str, spec: "type[Spec]") -> SpecField:
    info = spec.model_fields[name]
    marks = info.metadata
    return SpecField(
        name=name,
        refers=next((mark for mark in marks if isinstance(mark, RefersTo)), None),
        many=get_origin(info.annotation) is list,
        filtered=name == "name" or any(isinstance(mark, Filtered) for mark in marks),
        fixed=any(isinstance(mark, Fixed) for mark in marks),
        choices=_choices(info.annotation),
    )


def _choices(annotation: Any) -> tuple[str, ...]:
    """The values of a literal type, also where it may be left out."""
    if get_origin(annotation) in (Union, UnionType):
        return next(filter(None, map(_choices, get_args(annotation))), ())
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _place(each: SpecField) -> int:
    if each.name in _FIRST:
        return _FIRST.index(each.name)
    if each.owner:
        return len(_FIRST)
    return len(_FIRST) + (2 if each.name in _LAST else 1)


def referred_kinds(spec: "type[Spec]") -> frozenset[str]:
    """The kinds that objects of a kind refer to, others of the same kind left out."""
    kinds = {each.refers.kind for each in fields_of(spec) if each.refers is not None}
    kinds.update(spec.declaration.also_refers_to)
    return frozenset(kinds - {spec.declaration.kind})


def held_kinds(spec: "type[Spec]") -> frozenset[str]:
    """The kinds whose objects cannot go while an object of this kind refers to them."""
    marks = (each.refers for each in fields_of(spec))
    kinds = {mark.kind for mark in marks if mark is not None and mark.holds}
    return frozenset(kinds.union(spec.declaration.also_refers_to))


def in_order(specs: "Iterable[type[Spec]]") -> "Sequence[type[Spec]]":
    """The same specs, referents before referrers, and else in the order given."""
    waiting = list(specs)
    ordered: list[type[Spec]] = []
    while waiting:
        names = {spec.declaration.kind for spec in waiting}
        ready = next((spec for spec in waiting if not referred_kinds(spec) & names), None)
        if ready is None:
            raise ValueError(f"kinds refer to each other in a circle: {', '.join(sorted(names))}")
        waiting.remove(ready)
        ordered.append(ready)
    return ordered
