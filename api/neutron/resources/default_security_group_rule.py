"""The rules that new security groups begin with. They are the same for all, and only shown."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from api.neutron.attributes import DESCRIPTION, ID, Attributes, read_only
from api.neutron.context import Context
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, Resource, View
from api.neutron.resources.security_group_rule import RULE_ATTRIBUTES
from api.neutron.security.groups import DEFAULT_GROUP, EVERY_GROUP
from api.neutron.values import boolean
from northbound.transaction import Reader

_NAMESPACE: Final = UUID("8b0b9c1e-6a5e-4d0a-9c64-9f3a8f7b0d11")
_TITLE: Final = "Default Security Group rule"


class DefaultSecurityGroupRules(Resource[View]):
    name = "default_security_group_rule"
    collection = "default_security_group_rules"
    path = "default-security-group-rules"
    title = _TITLE
    attributes = Attributes(
        "default_security_group_rule",
        (
            ID,
            *RULE_ATTRIBUTES,
            read_only("remote_group_id"),
            read_only("remote_address_group_id"),
            read_only("used_in_default_sg", boolean),
            read_only("used_in_non_default_sg", boolean),
            DESCRIPTION,
        ),
    )
    operations = frozenset({"list", "show"})

    def list_views(self, reader: Reader, context: Context, asked: ListQuery) -> list[View]:
        return list(_VIEWS)

    def view(self, reader: Reader, context: Context, object_id: str) -> View:
        for view in _VIEWS:
            if view["id"] == object_id.lower():
                return dict(view)
        raise self.not_found(object_id)

    def select(self, context: Context) -> AnySelect:
        raise TypeError("they are in no table")


def _views() -> Iterator[View]:
    for rule in DEFAULT_GROUP:
        said: dict[str, Any] = {
            "direction": rule.direction,
            "ethertype": rule.ethertype,
            "protocol": rule.protocol,
            "port_range_min": rule.port_min,
            "port_range_max": rule.port_max,
            "remote_ip_prefix": rule.prefix,
            "remote_group_id": rule.group,
            "remote_address_group_id": rule.address_group,
        }
        yield {
            "id": str(uuid5(_NAMESPACE, "/".join(map(str, rule)))),
            **said,
            "description": "",
            "used_in_default_sg": True,
            "used_in_non_default_sg": rule in EVERY_GROUP,
        }


_VIEWS: Final[Sequence[View]] = tuple(_views())
