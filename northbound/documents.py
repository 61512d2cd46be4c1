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

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from northbound.errors import MOST_PROBLEMS, FieldProblem, InvalidError, PathElement
from northbound.services import SERVICES
from northbound.services.acls import language_problems
from northbound.specs.base import ObjectName, SetName, Spec, invalid
from northbound.specs.filtering import AclProperties, AddressSetProperties, PortGroupProperties
from northbound.specs.routing import (
    LogicalRouterPortProperties,
    LogicalRouterProperties,
    StaticRouteProperties,
)
from northbound.specs.switching import LogicalSwitchPortProperties, LogicalSwitchProperties


def _or_nothing(entry: type[Spec]) -> BeforeValidator:
    """Lets an entry be left empty: then it has its defaults."""
    return BeforeValidator(
        lambda value: {} if value is None else value, json_schema_input_type=entry | None
    )


_SwitchPort = Annotated[LogicalSwitchPortProperties, _or_nothing(LogicalSwitchPortProperties)]
_AddressSet = Annotated[AddressSetProperties, _or_nothing(AddressSetProperties)]


class SwitchEntry(LogicalSwitchProperties):
    """A switch with its ports and ACLs."""

    ports: dict[ObjectName, _SwitchPort] = Field(default_factory=dict)
    acls: list[AclProperties] = Field(default_factory=list)


class RouterEntry(LogicalRouterProperties):
    """A router with its ports and routes."""

    ports: dict[ObjectName, LogicalRouterPortProperties] = Field(default_factory=dict)
    static_routes: list[StaticRouteProperties] = Field(default_factory=list)


class PortGroupEntry(PortGroupProperties):
    """A port group with its ACLs."""

    acls: list[AclProperties] = Field(default_factory=list)


class Document(BaseModel):
    """A network, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    document: ObjectName
    """By this name it is known what the document owns."""
    logical_switches: dict[ObjectName, Annotated[SwitchEntry, _or_nothing(SwitchEntry)]] = {}
    logical_routers: dict[ObjectName, Annotated[RouterEntry, _or_nothing(RouterEntry)]] = {}
    port_groups: dict[SetName, Annotated[PortGroupEntry, _or_nothing(PortGroupEntry)]] = {}
    address_sets: dict[SetName, _AddressSet] = {}


class Wanted(NamedTuple):
    """An object that a document names: where it does, and the fields of its spec."""

    path: tuple[PathElement, ...]
    values: dict[str, Any]


Identity = tuple[object, ...]
"""What an object of a document is found again by: the values of its identifying fields."""


def read_document(values: Mapping[str, Any]) -> Document:
    """`values` as a document, or an InvalidError that names each wrong field."""
    if not isinstance(values, Mapping):
        raise InvalidError.of(reason="a document is a mapping", value=values)
    try:
        return Document.model_validate(dict(values))
    except ValidationError as error:
        raise InvalidError(
            [*invalid(error).problems, *islice(_wrong_matches(values), MOST_PROBLEMS)]
        ) from None


def _wrong_matches(values: Mapping[str, Any]) -> Iterator[FieldProblem]:
    """What is wrong with the matches of ACLs in a document that is wrong elsewhere."""
    for owners in ("logical_switches", "port_groups"):
        for name, owner in _members(values.get(owners)):
            acls = owner.get("acls") if isinstance(owner, Mapping) else None
            for i, acl in enumerate(acls if isinstance(acls, list) else ()):
                if isinstance(acl, Mapping):
                    for problem in language_problems(acl):
                        yield problem.under((owners, str(name), "acls", i))


def _members(values: object) -> Iterable[tuple[object, object]]:
    return values.items() if isinstance(values, Mapping) else ()


def wanted_objects(document: Document) -> dict[str, dict[Identity, Wanted]]:
    """All objects of `document`, by kind and identity."""
    found: dict[str, dict[Identity, Wanted]] = {kind: {} for kind in SERVICES}
    for kind, wanted in _objects(document):
        identity = SERVICES[kind].identity(wanted.values)
        if identity in found[kind]:
            first = ".".join(map(str, found[kind][identity].path))
            raise InvalidError.of(*wanted.path, reason=f"says the same as {first}")
        found[kind][identity] = wanted
    _make_peers_mutual(found["logical_router_port"])
    return found


def _objects(document: Document) -> Iterator[tuple[str, Wanted]]:
    for name, switch in document.logical_switches.items():
        path = ("logical_switches", name)
        yield "logical_switch", _named(path, name, switch, exclude={"ports", "acls"})
        for port_name, port in switch.ports.items():
            place = {"logical_switch": name}
            yield "logical_switch_port", _named((*path, "ports", port_name), port_name, port, place)
        yield from _acls((*path, "acls"), switch.acls, switch=name)
    for name, router in document.logical_routers.items():
        path = ("logical_routers", name)
        yield "logical_router", _named(path, name, router, exclude={"ports", "static_routes"})
        place = {"logical_router": name}
        for port_name, router_port in router.ports.items():
            at = (*path, "ports", port_name)
            yield "logical_router_port", _named(at, port_name, router_port, place)
        for i, route in enumerate(router.static_routes):
            values = route.model_dump() | place
            yield "static_route", Wanted((*path, "static_routes", i), values)
    for name, group in document.port_groups.items():
        path = ("port_groups", name)
        yield "port_group", _named(path, name, group, exclude={"acls"})
        yield from _acls((*path, "acls"), group.acls, group=name)
    for name, address_set in document.address_sets.items():
        yield "address_set", _named(("address_sets", name), name, address_set)


def _named(
    path: tuple[PathElement, ...],
    name: str,
    entry: Spec,
    place: Mapping[str, str] | None = None,
    *,
    exclude: set[str] | None = None,
) -> Wanted:
    return Wanted(path, entry.model_dump(exclude=exclude) | {"name": name} | dict(place or {}))


def _acls(
    path: tuple[PathElement, ...],
    acls: list[AclProperties],
    *,
    switch: str | None = None,
    group: str | None = None,
) -> Iterator[tuple[str, Wanted]]:
    for i, acl in enumerate(acls):
        values = acl.model_dump() | {"logical_switch": switch, "port_group": group}
        yield "acl", Wanted((*path, i), values)


def _make_peers_mutual(ports: Mapping[Identity, Wanted]) -> None:
    """Let a link that one end names be named by both."""
    by_name = {wanted.values["name"]: wanted for wanted in ports.values()}
    for wanted in list(by_name.values()):
        other = by_name.get(wanted.values["peer"])
        if other is not None and other.values["peer"] is None:
            other.values["peer"] = wanted.values["name"]
