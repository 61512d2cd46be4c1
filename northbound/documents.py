"""The declarative document: a network, or a part of one, as one text.

In YAML::

    document: shop                      # what it owns is known by this name
    logical_switches:
      web:
        subnet4: 10.0.1.0/24
        ports:
          web-1: {addresses: [dynamic]}
          web-2: {addresses: ["0a:00:00:00:01:02 10.0.1.12"]}
          web-to-shop: {router_port: shop-to-web}
        acls:
          - {direction: to-lport, priority: 100, match: icmp4, action: allow-related}
    logical_routers:
      shop:
        ports:
          shop-to-web: {networks: [10.0.1.1/24]}
        static_routes:
          - {ip_prefix: 0.0.0.0/0, nexthop: 10.0.1.254}
    port_groups:
      frontends:
        ports: [web-1, web-2]
        acls:
          - {direction: to-lport, priority: 200, match: "outport == @frontends && tcp.dst == 80",
             action: allow-related}
    address_sets:
      offices: {addresses: [192.0.2.0/24]}

Objects are found again by their names; ACLs by their place, direction, tier,
priority and match; routes by their router, prefix, policy, next hop and port.
Other objects, in the document or not, are referred to by name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from northbound.errors import MOST_PROBLEMS, FieldProblem, InvalidError, PathElement
from northbound.services import SERVICES, Service
from northbound.services.applying import Identity, Wanted
from northbound.specs.base import ObjectName, Spec, invalid
from northbound.specs.declaration import with_article

_ROOTS = tuple(service for service in SERVICES.values() if not service.owners)
"""The kinds of objects that are part of none: the sections of a document."""


class Document(BaseModel):
    """A network, or a part of one: what :data:`WHOLE_DOCUMENT` has besides its sections."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    document: ObjectName
    """By this name it is known, within its project, what the document owns."""
    project: ObjectName | None = None
    """Whose all its objects are: the caller's, or `default`, where it says none."""


def _or_nothing(entry: type[Spec]) -> Any:
    """The type of an entry that may be left empty, and then has its defaults."""
    if any(field.is_required() for field in entry.model_fields.values()):
        return entry
    return Annotated[
        entry,
        BeforeValidator(
            lambda value: {} if value is None else value, json_schema_input_type=entry | None
        ),
    ]


def _collection(service: Service[Any, Any]) -> Any:
    """The type of a section: entries by name, or a list of them where they have no names."""
    entry = _entry(service)
    if not service.named:
        return list[entry]  # type: ignore[valid-type]
    names: Any = service.declaration.name_type or ObjectName
    return dict[names, _or_nothing(entry)]  # type: ignore[misc]


# The source of the bases has been read for descriptions; to look for that of classes which
# have none takes longer than all else that makes them.
_READ_ALREADY = {"use_attribute_docstrings": False}


def _entry(service: Service[Any, Any]) -> type[Spec]:
    """What a document says of one object: its properties, and what is part of it."""
    properties = service.declaration.properties
    if not service.contents:
        return properties
    parts = " and ".join(each.declaration.plural.split()[-1] for each in service.contents)
    sections: dict[str, Any] = {
        each.declaration.collection: (_collection(each), Field(default_factory=_empty(each)))
        for each in service.contents
    }
    return create_model(
        f"{service.spec.__name__.removeprefix('Logical').removesuffix('Spec')}Entry",
        __base__=properties,
        __cls_kwargs__=_READ_ALREADY,
        __doc__=f"{with_article(service.title).capitalize()} with its {parts}.",
        **sections,
    )


def _empty(service: Service[Any, Any]) -> type[dict[str, Any]] | type[list[Any]]:
    return dict if service.named else list


WHOLE_DOCUMENT: type[Document] = create_model(
    "Document",
    __base__=Document,
    __cls_kwargs__=_READ_ALREADY,
    __doc__="A network, or a part of one.",
    **{each.declaration.key: (_collection(each), {}) for each in _ROOTS},  # type: ignore[call-overload]
)
"""The document with all its sections, which follow from the declarations of kinds."""


def read_document(values: Mapping[str, Any]) -> Document:
    """`values` as a document, or an InvalidError that names each wrong field."""
    if not isinstance(values, Mapping):
        raise InvalidError.of(reason="a document is a mapping", value=values)
    try:
        return WHOLE_DOCUMENT.model_validate(dict(values))
    except ValidationError as error:
        beside = islice(_problems_beside(_ROOTS, values), MOST_PROBLEMS)
        raise InvalidError([*invalid(error).problems, *beside]) from None


def _problems_beside(
    services: Sequence[Service[Any, Any]], values: object, *, root: bool = True
) -> Iterator[FieldProblem]:
    """What is wrong by another measure in a document that the specs have refused.

    It may be anything at any place.
    """
    for service in services:
        section = service.declaration.key if root else service.declaration.collection
        for step, entry in _members(values.get(section) if isinstance(values, Mapping) else None):
            if isinstance(entry, Mapping):
                yield from (
                    problem.under((section, step)) for problem in service.problems_beside(entry)
                )
                yield from (
                    problem.under((section, step))
                    for problem in _problems_beside(service.contents, entry, root=False)
                )


def _members(section: object) -> Iterable[tuple[PathElement, object]]:
    if isinstance(section, Mapping):
        return ((str(name), entry) for name, entry in section.items())
    return enumerate(section) if isinstance(section, list) else ()


def wanted_objects(document: Document) -> dict[str, dict[Identity, Wanted]]:
    """All objects of `document`, by kind and identity."""
    found: dict[str, dict[Identity, Wanted]] = {kind: {} for kind in SERVICES}
    for service in _ROOTS:
        section = getattr(document, service.declaration.key)
        for kind, wanted in _objects(service, section, (service.declaration.key,), {}):
            identity = SERVICES[kind].identity(wanted.values)
            if identity in found[kind]:
                first = ".".join(map(str, found[kind][identity].path))
                raise InvalidError.of(*wanted.path, reason=f"says the same as {first}")
            found[kind][identity] = wanted
    for kind, service in SERVICES.items():
        service.complete([wanted.values for wanted in found[kind].values()])
    return found


def _objects(
    service: Service[Any, Any],
    section: Mapping[str, Spec] | Sequence[Spec],
    path: tuple[PathElement, ...],
    place: Mapping[str, str],
) -> Iterator[tuple[str, Wanted]]:
    """The objects of a section, each before what is part of it; `place` tells their owner."""
    sections = {each.declaration.collection for each in service.contents}
    owner: dict[str, Any] = {field.name: place.get(field.name) for field in service.owners}
    if not isinstance(section, Mapping):
        for i, entry in enumerate(section):
            yield service.kind, Wanted((*path, i), entry.model_dump() | owner)
        return
    for name, entry in section.items():
        values = entry.model_dump(exclude=sections) | {"name": name} | owner
        yield service.kind, Wanted((*path, name), values)
        for each in service.contents:
            part = each.declaration.collection
            here = {_owner_field(each, service.kind): name}
            yield from _objects(each, getattr(entry, part), (*path, name, part), here)


def _owner_field(service: Service[Any, Any], kind: str) -> str:
    """The field in which an object names its owner of `kind`."""
    return next(
        field.name for field in service.owners if field.refers and field.refers.kind == kind
    )
