"""The kinds of objects that users make: one line of facts for each.

:mod:`api.v1.objects` turns each into its operations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from api import documents
from northbound.services import (
    ACLS,
    ADDRESS_SETS,
    LOGICAL_ROUTER_PORTS,
    LOGICAL_ROUTERS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
    PORT_GROUPS,
    STATIC_ROUTES,
    Service,
)

EXAMPLE_ID = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


@dataclass(frozen=True)
class Kind:
    """A kind of object, as the API serves it.

    `path` is that of the collection, `view` the document of an object. `example`
    and `patch` are bodies that create and change one; `facts` completes the
    example of a view.
    """

    service: Service[Any, Any]
    path: str
    plural: str
    view: type[BaseModel]
    example: Mapping[str, Any]
    patch: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.service.kind

    @property
    def title(self) -> str:
        """The kind's name as people write it.

        >>> LOGICAL_SWITCH.title, ACL.title
        ('logical switch', 'ACL')
        """
        return self.service.title

    @property
    def a_title(self) -> str:
        """The same with its article.

        >>> LOGICAL_SWITCH.a_title, ACL.a_title
        ('a logical switch', 'an ACL')
        """
        return f"{'an' if self.title[0].lower() in 'aeiou' else 'a'} {self.title}"

    @property
    def view_example(self) -> dict[str, Any]:
        """An object as the API shows it."""
        spec = self.service.spec.model_validate(dict(self.example))
        return {
            "id": EXAMPLE_ID,
            **spec.model_dump(mode="json"),
            **self.facts,
            "document": None,
            "version": 42,
        }


LOGICAL_SWITCH = Kind(
    LOGICAL_SWITCHES,
    "logical-switches",
    "logical switches",
    documents.LogicalSwitch,
    example={"name": "web", "subnet4": "10.0.0.0/24", "exclude_ips": ["10.0.0.2..10.0.0.9"]},
    patch={"labels": {"team": "shop"}, "subnet6": "fd00:1::/64"},
    facts={"tunnel_key": 1},
)
LOGICAL_SWITCH_PORT = Kind(
    LOGICAL_SWITCH_PORTS,
    "logical-switch-ports",
    "logical switch ports",
    documents.LogicalSwitchPort,
    example={
        "name": "web-1",
        "logical_switch": "web",
        "addresses": ["0a:00:00:00:00:01 10.0.0.11"],
        "port_security": ["0a:00:00:00:00:01 10.0.0.11"],
    },
    patch={"enabled": False},
    facts={"dynamic_addresses": None, "tunnel_key": 1},
)
LOGICAL_ROUTER = Kind(
    LOGICAL_ROUTERS,
    "logical-routers",
    "logical routers",
    documents.LogicalRouter,
    example={"name": "edge"},
    patch={"enabled": False},
    facts={"tunnel_key": 2},
)
LOGICAL_ROUTER_PORT = Kind(
    LOGICAL_ROUTER_PORTS,
    "logical-router-ports",
    "logical router ports",
    documents.LogicalRouterPort,
    example={
        "name": "edge-web",
        "logical_router": "edge",
        "mac": "0a:00:00:00:01:01",
        "networks": ["10.0.0.1/24", "fd00:1::1/64"],
    },
    patch={"networks": ["10.0.0.1/24"]},
    facts={"tunnel_key": 1},
)
STATIC_ROUTE = Kind(
    STATIC_ROUTES,
    "static-routes",
    "static routes",
    documents.StaticRoute,
    example={"logical_router": "edge", "ip_prefix": "192.0.2.0/24", "nexthop": "10.0.0.254"},
    patch={"nexthop": "discard"},
    facts={},
)
PORT_GROUP = Kind(
    PORT_GROUPS,
    "port-groups",
    "port groups",
    documents.PortGroup,
    example={"name": "web_servers", "ports": ["web-1"]},
    patch={"labels": {"team": "shop"}},
    facts={},
)
ADDRESS_SET = Kind(
    ADDRESS_SETS,
    "address-sets",
    "address sets",
    documents.AddressSet,
    example={"name": "office", "addresses": ["198.51.100.0/24", "203.0.113.7"]},
    patch={"addresses": ["198.51.100.0/24"]},
    facts={},
)
ACL = Kind(
    ACLS,
    "acls",
    "ACLs",
    documents.Acl,
    example={
        "port_group": "web_servers",
        "name": "http",
        "direction": "to-lport",
        "priority": 1000,
        "match": "outport == @web_servers && ip4.src == $office && tcp.dst == 80",
        "action": "allow-related",
    },
    patch={"action": "reject", "log": True},
    facts={},
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        LOGICAL_SWITCH,
        LOGICAL_SWITCH_PORT,
        LOGICAL_ROUTER,
        LOGICAL_ROUTER_PORT,
        STATIC_ROUTE,
        PORT_GROUP,
        ADDRESS_SET,
        ACL,
    )
}


@dataclass(frozen=True)
class Content:
    """That objects of `kind` belong to one of `parent`: a collection under its path.

    `field` of the content refers to the parent and follows from the path.
    """

    parent: Kind
    kind: Kind
    path: str

    @property
    def field(self) -> str:
        return self.parent.name

    @property
    def example(self) -> dict[str, Any]:
        """A body that creates one: the kind's, without the field that says where it belongs."""
        owners = {content.field for content in CONTENTS if content.kind is self.kind}
        return {name: value for name, value in self.kind.example.items() if name not in owners}


CONTENTS = (
    Content(LOGICAL_SWITCH, LOGICAL_SWITCH_PORT, "ports"),
    Content(LOGICAL_SWITCH, ACL, "acls"),
    Content(LOGICAL_ROUTER, LOGICAL_ROUTER_PORT, "ports"),
    Content(LOGICAL_ROUTER, STATIC_ROUTE, "static-routes"),
    Content(PORT_GROUP, ACL, "acls"),
)
