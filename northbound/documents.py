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

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from northbound.errors import InvalidError
from northbound.specs.base import ObjectName, SetName, invalid
from northbound.specs.filtering import AclProperties, AddressSetProperties, PortGroupProperties
from northbound.specs.routing import (
    LogicalRouterPortProperties,
    LogicalRouterProperties,
    StaticRouteProperties,
)
from northbound.specs.switching import LogicalSwitchPortProperties, LogicalSwitchProperties

_nothing_said = BeforeValidator(lambda value: {} if value is None else value)


class SwitchEntry(LogicalSwitchProperties):
    """A switch with its ports and ACLs."""

    ports: dict[ObjectName, Annotated[LogicalSwitchPortProperties, _nothing_said]] = {}
    acls: list[AclProperties] = Field(default_factory=list)


class RouterEntry(LogicalRouterProperties):
    """A router with its ports and routes."""

    ports: dict[ObjectName, LogicalRouterPortProperties] = {}
    static_routes: list[StaticRouteProperties] = Field(default_factory=list)


class PortGroupEntry(PortGroupProperties):
    """A port group with its ACLs."""

    acls: list[AclProperties] = Field(default_factory=list)


class Document(BaseModel):
    """A network, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    document: ObjectName
    """By this name it is known what the document owns."""
    logical_switches: dict[ObjectName, Annotated[SwitchEntry, _nothing_said]] = {}
    logical_routers: dict[ObjectName, Annotated[RouterEntry, _nothing_said]] = {}
    port_groups: dict[SetName, Annotated[PortGroupEntry, _nothing_said]] = {}
    address_sets: dict[SetName, Annotated[AddressSetProperties, _nothing_said]] = {}


def read_document(values: Mapping[str, Any]) -> Document:
    """`values` as a document, or an InvalidError that names each wrong field."""
    if not isinstance(values, Mapping):
        raise InvalidError.of(reason="a document is a mapping", value=values)
    try:
        return Document.model_validate(dict(values))
    except ValidationError as error:
        raise invalid(error) from None
