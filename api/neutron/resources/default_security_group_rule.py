"""The rules that new security groups begin with: the default ones of projects, and others.

They are the same for all projects, and changed by admins only. What a group has been made with
stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, select

from api.neutron.attributes import DESCRIPTION, ID, REQUIRED, Attribute, Attributes, read_only
from api.neutron.context import Context
from api.neutron.errors import InvalidInputError, NeutronError, ResourceNotFoundError
from api.neutron.resource import AnySelect, Resource, View
from api.neutron.resources.security_group_rule import RULE_ATTRIBUTES, object_id
from api.neutron.security.groups import SELF, rule_of
from api.neutron.security.rule import read_rule, rule_key
from api.neutron.values import boolean, integer, one_of, optional, text
from northbound.identity import new_id
from northbound.models import AddressSet, NeutronDefaultRule
from northbound.transaction import Reader, Transaction

_TITLE: Final = "Default Security Group rule"
_USES: Final = ("used_in_default_sg", "used_in_non_default_sg")


class DefaultSecurityGroupRules(Resource[NeutronDefaultRule]):
    name = "default_security_group_rule"
    collection = "default_security_group_rules"
    path = "default-security-group-rules"
    title = _TITLE
    attributes = Attributes(
        "default_security_group_rule",
        (
            ID,
            Attribute(
                "project_id", text(), None, put=False, visible=False, filtered=False, sorted=False
            ),
            *RULE_ATTRIBUTES,
            Attribute("remote_group_id", optional(one_of(SELF)), None, put=False),
            Attribute("remote_address_group_id", optional(object_id), None, put=False),
            Attribute("used_in_default_sg", boolean, REQUIRED, put=False, sorted=False),
            Attribute("used_in_non_default_sg", boolean, REQUIRED, put=False, sorted=False),
            DESCRIPTION._replace(put=False),
            read_only("revision_number", integer(), visible=False, filtered=False, sorted=False),
        ),
    )
    operations = frozenset({"list", "show", "create", "delete"})
    id_column = NeutronDefaultRule.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": NeutronDefaultRule.id.expression,
        "direction": NeutronDefaultRule.direction.expression,
    }

    def select(self, context: Context) -> AnySelect:
        return select(NeutronDefaultRule)

    def views(
        self, reader: Reader, context: Context, rows: Sequence[NeutronDefaultRule]
    ) -> list[View]:
        return [_view(row) for row in rows]

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        context.require("create_default_security_group_rule", admin=True)
        rule = read_rule(values)
        if rule.address_group is not None:
            addresses = tx.by_id(AddressSet, rule.address_group)
            if addresses is None:
                raise ResourceNotFoundError("Address group", rule.address_group)
            if not addresses.shared:
                reason = "rules of all projects can only name an address group that is shared"
                raise InvalidInputError("remote_address_group_id", reason)
        for row in tx.session.scalars(select(NeutronDefaultRule)):
            # Rules of different groups may be alike.
            is_used_alike = any(getattr(row, name) and values[name] for name in _USES)
            if is_used_alike and rule_key(rule_of(row)) == rule_key(rule):
                message = f"{_TITLE} already exists. Rule id is {row.id}."
                raise NeutronError(409, "DefaultSecurityGroupRuleExists", message)
        made = NeutronDefaultRule(
            id=new_id(),
            direction=rule.direction,
            ethertype=rule.ethertype,
            protocol=rule.protocol,
            port_range_min=rule.port_min,
            port_range_max=rule.port_max,
            remote_ip_prefix=rule.prefix,
            remote_group_id=rule.group,
            remote_address_group_id=rule.address_group,
            used_in_default_sg=values["used_in_default_sg"],
            used_in_non_default_sg=values["used_in_non_default_sg"],
            description=values["description"],
        )
        tx.add(made)
        return made.id

    def delete(self, tx: Transaction, context: Context, row: NeutronDefaultRule) -> None:
        tx.delete(row)

    def may_change(self, context: Context, row: NeutronDefaultRule, verb: str) -> bool:
        return context.is_admin

    def not_found(self, object_id: str) -> NeutronError:
        message = f"{_TITLE} {object_id} does not exist"
        return NeutronError(404, "DefaultSecurityGroupRuleNotFound", message)


def _view(row: NeutronDefaultRule) -> View:
    return {
        "id": row.id,
        "direction": row.direction,
        "ethertype": row.ethertype,
        "protocol": row.protocol,
        "port_range_min": row.port_range_min,
        "port_range_max": row.port_range_max,
        "remote_ip_prefix": row.remote_ip_prefix,
        "remote_group_id": row.remote_group_id,
        "remote_address_group_id": row.remote_address_group_id,
        "used_in_default_sg": row.used_in_default_sg,
        "used_in_non_default_sg": row.used_in_non_default_sg,
        "description": row.description,
        "revision_number": row.version,
    }
