"""Rules of security groups: an ACL each, of the same id, of the group's port group."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, select

from api.neutron.attributes import (
    ID,
    PROJECT,
    REQUIRED,
    UNTAGGED,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.errors import BadRequestError, NeutronError
from api.neutron.resource import AnySelect, Resource, View, owned, standard_view
from api.neutron.security.groups import add_rule, delete_rules
from api.neutron.security.protocols import protocol
from api.neutron.security.rule import (
    EGRESS,
    INGRESS,
    IPV4,
    IPV6,
    LAST_PORT,
    network_of,
    read_prefix,
    read_rule,
    rule_key,
)
from api.neutron.values import boolean, integer, one_of, optional, text
from northbound.inserting import batched
from northbound.models import Acl, NeutronSecurityGroup, NeutronSecurityGroupRule
from northbound.transaction import Reader, Transaction

RuleRow = tuple[NeutronSecurityGroupRule, int, bool]
"""A rule, the version of its ACL, and whether its group is a default one."""

_ID_LENGTH: Final = 36


def _ethertype(value: Any) -> str:
    for name in (IPV4, IPV6):
        if isinstance(value, str) and value.lower() == name.lower():
            return name
    message = (
        f"Security group rule for ethertype '{str(value)[:100]}' not supported. "
        f"Allowed values are ['{IPV4}', '{IPV6}']."
    )
    raise BadRequestError(message, "SecurityGroupRuleInvalidEtherType")


def _port(value: Any) -> int | None:
    """Take a port, or for ICMP a type or code: what fits which protocol is told later."""
    if value is None:
        return None
    try:
        return int(integer(0, LAST_PORT)(value))
    except ValueError:
        message = f"Invalid value for port {str(value)[:100]}"
        raise BadRequestError(message, "SecurityGroupInvalidPortValue") from None


def object_id(value: Any) -> str:
    """Take the id of an object that may not be there: what isn't one is only not found."""
    return str(text(_ID_LENGTH)(value)).lower()


RULE_ATTRIBUTES: Final = (
    Attribute("direction", one_of(INGRESS, EGRESS), REQUIRED, put=False),
    Attribute("ethertype", _ethertype, IPV4, put=False),
    Attribute("protocol", protocol, None, put=False),
    Attribute("port_range_min", _port, None, put=False),
    Attribute("port_range_max", _port, None, put=False),
    Attribute("remote_ip_prefix", read_prefix, None, put=False),
)
"""What rules of groups, and those that groups begin with, have in common."""


class SecurityGroupRules(Resource[RuleRow]):
    name = "security_group_rule"
    collection = "security_group_rules"
    path = "security-group-rules"
    title = "Security group rule"
    attributes = Attributes(
        "security_group_rule",
        (
            ID,
            PROJECT,
            Attribute("security_group_id", object_id, REQUIRED, put=False),
            *RULE_ATTRIBUTES,
            read_only("normalized_cidr"),
            Attribute("remote_group_id", optional(object_id), None, put=False),
            Attribute("remote_address_group_id", optional(object_id), None, put=False),
            read_only("belongs_to_default_sg", boolean, sorted=False),
            *UNTAGGED,
        ),
    )
    id_column = NeutronSecurityGroupRule.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        name: getattr(NeutronSecurityGroupRule, name).expression
        for name in (
            *("id", "security_group_id", "direction", "ethertype", "remote_group_id"),
            "remote_address_group_id",
        )
    }

    def select(self, context: Context) -> AnySelect:
        query = (
            select(NeutronSecurityGroupRule, Acl.version, NeutronSecurityGroup.is_default)
            .join(Acl, Acl.id == NeutronSecurityGroupRule.id)
            .join(
                NeutronSecurityGroup,
                NeutronSecurityGroup.id == NeutronSecurityGroupRule.security_group_id,
            )
        )
        return query.where(context.scope.visible(Acl))

    def views(self, reader: Reader, context: Context, rows: Sequence[RuleRow]) -> list[View]:
        return [_view(*row) for row in rows]

    def views_of_groups(
        self, reader: Reader, context: Context, group_ids: Iterable[str]
    ) -> Mapping[str, list[View]]:
        """Return the rules of many groups by group, in the order in which they were made."""
        rules: defaultdict[str, list[View]] = defaultdict(list)
        order = NeutronSecurityGroupRule.created_at, NeutronSecurityGroupRule.id
        query = self.select(context).order_by(*order)
        for some in batched(list(group_ids)):
            of_some = query.where(NeutronSecurityGroupRule.security_group_id.in_(some))
            for row in self.rows(reader, of_some):
                rules[row[0].security_group_id].append(_view(*row))
        return rules

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        # A rule is of its group's project, also where an admin makes it.
        rule = read_rule(values)
        return add_rule(tx, context, values["security_group_id"], rule, values["description"])

    def check_together(self, several: Sequence[Mapping[str, Any]]) -> None:
        identities = [
            (values["security_group_id"], rule_key(read_rule(values))) for values in several
        ]
        if len({group_id for group_id, _ in identities}) > 1:
            message = "Only allowed to update rules for one security profile at a time"
            raise BadRequestError(message, "SecurityGroupNotSingleGroupRules")
        if len(set(identities)) < len(identities):
            message = "Duplicate Security Group Rule in POST."
            raise NeutronError(409, "DuplicateSecurityGroupRuleInPost", message)

    def update(
        self, tx: Transaction, context: Context, row: RuleRow, changes: Mapping[str, Any]
    ) -> None:
        if "description" in changes:
            row[0].description = changes["description"]

    def delete(self, tx: Transaction, context: Context, row: RuleRow) -> None:
        delete_rules(tx, [row[0]])

    def annex(self, tx: Transaction, row: RuleRow) -> NeutronSecurityGroupRule:
        return row[0]

    def project_of(self, row: RuleRow) -> str:
        return row[0].project

    def not_found(self, object_id: str) -> NeutronError:
        message = f"Security group rule {object_id} does not exist"
        return NeutronError(404, "SecurityGroupRuleNotFound", message)


def _view(rule: NeutronSecurityGroupRule, version: int, is_default: bool) -> View:
    prefix = rule.remote_ip_prefix
    view = {
        "id": rule.id,
        "security_group_id": rule.security_group_id,
        "direction": rule.direction,
        "ethertype": rule.ethertype,
        "protocol": rule.protocol,
        "port_range_min": rule.port_range_min,
        "port_range_max": rule.port_range_max,
        "remote_ip_prefix": prefix,
        "normalized_cidr": None if prefix is None else network_of(prefix),
        "remote_group_id": rule.remote_group_id,
        "remote_address_group_id": rule.remote_address_group_id,
        "belongs_to_default_sg": is_default,
        **standard_view(rule, version),
    }
    del view["tags"]
    return owned(view, rule.project)
