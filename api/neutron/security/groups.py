"""Security groups and rules in a transaction: how they are made and found.

The port group of a security group has its id, the name ``sg_…`` made of it, and the name that
Neutron's clients gave it as its `display_name`. A rule's ACL has the rule's id.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from api.neutron.context import Context
from api.neutron.errors import NeutronError, ResourceNotFoundError
from api.neutron.resource import now
from api.neutron.security.rule import DIRECTIONS, IPV4, Rule, acl_match
from northbound.errors import ConflictError
from northbound.identity import new_id
from northbound.models import (
    Acl,
    AddressSet,
    NeutronDefaultRule,
    NeutronSecurityGroup,
    NeutronSecurityGroupRule,
    PortGroup,
)
from northbound.services import ACLS, PORT_GROUPS
from northbound.transaction import Reader, Transaction

TIER: Final = 2
"""The tier of ACLs that rules become. Those of /v1 are before it unless they say another."""
RULE_PRIORITY: Final = 1002
"""Of what rules allow. What protects all ports lies above and below: see
:mod:`api.neutron.security.membership`."""

DEFAULT_NAME: Final = "default"
DEFAULT_DESCRIPTION: Final = "Default security group"

SELF: Final = "PARENT"
"""What stands for the group itself in rules of groups that aren't there yet."""


class SecurityGroupNotFoundError(NeutronError):
    """There is no such security group, or the caller must not see it."""

    def __init__(self, group_id: str) -> None:
        message = f"Security group {group_id} does not exist"
        super().__init__(404, "SecurityGroupNotFound", message)


class RuleExistsError(NeutronError):
    """The group has a rule that lets the same through. Clients read the id from the message."""

    def __init__(self, rule_id: str) -> None:
        message = f"Security group rule already exists. Rule id is {rule_id}."
        super().__init__(409, "SecurityGroupRuleExists", message)


def default_group(tx: Transaction, project: str) -> str:
    """Return the id of the project's default group, which is made if there is none yet."""
    return tx.helper(_DefaultGroups).of(project)


def default_group_id(reader: Reader, project: str) -> str | None:
    """Return the id of the project's default group, if there is one."""
    query = select(NeutronSecurityGroup.id).where(
        NeutronSecurityGroup.project == project, NeutronSecurityGroup.is_default.is_(True)
    )
    found: str | None = reader.session.scalar(query)
    return found


class _DefaultGroups:
    """Remembers the default groups that a transaction has asked for."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[str, str] = {}

    def of(self, project: str) -> str:
        if project not in self._known:
            group_id = default_group_id(self._tx, project)
            if group_id is None:
                group_id = new_group(
                    self._tx, project, DEFAULT_NAME, DEFAULT_DESCRIPTION, is_default=True
                )
            self._known[project] = group_id
        return self._known[project]

    def forget(self, project: str) -> None:
        self._known.pop(project, None)


def forget_default_group(tx: Transaction, project: str) -> None:
    """Let the transaction make a default group again that it deletes."""
    tx.helper(_DefaultGroups).forget(project)


def new_group(
    tx: Transaction,
    project: str,
    name: str,
    description: str = "",
    *,
    stateful: bool = True,
    is_default: bool = False,
) -> str:
    """Make a security group with the rules that new ones have; returns its id."""
    group_id = new_id()
    group = PORT_GROUPS.create(
        tx,
        {
            "id": group_id,
            "name": f"sg_{group_id.replace('-', '')}",
            "project": project,
            "display_name": name,
        },
    )
    time = now()
    annex = NeutronSecurityGroup(
        id=group_id,
        project=project,
        description=description,
        is_default=is_default,
        stateful=stateful,
        created_at=time,
        updated_at=time,
    )
    tx.add(annex)
    for rule in tx.helper(_FirstRules).of(is_default=is_default):
        own = rule._replace(group=group_id) if rule.group == SELF else rule
        _write_rule(tx, group, annex, own)
    return group_id


class _FirstRules:
    """The rules that new groups begin with, read once in a transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._rows = tx.session.scalars(
            select(NeutronDefaultRule).order_by(NeutronDefaultRule.id)
        ).all()
        self._address_sets = {
            row.remote_address_group_id: tx.by_id(AddressSet, row.remote_address_group_id)
            for row in self._rows
            if row.remote_address_group_id is not None
        }

    def of(self, *, is_default: bool) -> list[Rule]:
        """Return the rules of a project's default group, or of the others."""
        return [
            rule_of(row)
            for row in self._rows
            if (row.used_in_default_sg if is_default else row.used_in_non_default_sg)
            and self._is_complete(row)
        ]

    def _is_complete(self, row: NeutronDefaultRule) -> bool:
        """Tell whether all projects see what a rule names: else it would let nothing through."""
        if row.remote_address_group_id is None:
            return True
        addresses = self._address_sets[row.remote_address_group_id]
        return addresses is not None and addresses.shared


def rule_of(row: NeutronDefaultRule | NeutronSecurityGroupRule) -> Rule:
    """Return what a row says."""
    return Rule(
        row.direction,
        row.ethertype,
        row.protocol,
        row.port_range_min,
        row.port_range_max,
        row.remote_ip_prefix,
        row.remote_group_id,
        row.remote_address_group_id,
    )


def group_of(
    reader: Reader, context: Context, group_id: str
) -> tuple[PortGroup, NeutronSecurityGroup]:
    """Return a security group that the caller sees, or raise SecurityGroupNotFoundError."""
    if isinstance(reader, Transaction):
        reader.flush()
    query = select(PortGroup, NeutronSecurityGroup).join(
        NeutronSecurityGroup, NeutronSecurityGroup.id == PortGroup.id
    )
    query = query.where(PortGroup.id == group_id.lower(), context.scope.visible(PortGroup))
    found = reader.session.execute(query).first()
    if found is None:
        raise SecurityGroupNotFoundError(group_id)
    return found[0], found[1]


def add_rule(
    tx: Transaction, context: Context, group_id: str, rule: Rule, description: str = ""
) -> str:
    """Give a security group one more rule; returns the rule's id.

    Raises SecurityGroupNotFoundError, a ResourceNotFoundError for an address group, or
    RuleExistsError.
    """
    group, annex = group_of(tx, context, group_id)
    if rule.group is not None:
        group_of(tx, context, rule.group)
    annex.updated_at = now()
    tx.touch(group)
    try:
        return _write_rule(tx, group, annex, rule, description)
    except ConflictError as error:
        # No two ACLs of a group may be the same, and what a rule says is all in its ACL's match.
        if error.holder is None:
            raise
        raise RuleExistsError(error.holder.id) from None


def delete_rules(tx: Transaction, rules: Sequence[NeutronSecurityGroupRule]) -> None:
    """Delete rules, whichever projects they are of."""
    for rule in rules:
        acl = tx.by_id(Acl, rule.id)
        group = tx.by_id(PortGroup, rule.security_group_id)
        tx.delete(rule)
        tx.flush()
        if acl is not None:
            ACLS.remove(tx, [acl])
        if group is not None:
            tx.touch(group)


def set_stateful(tx: Transaction, group: PortGroup, annex: NeutronSecurityGroup) -> None:
    """Let the ACLs of a group's rules track connections, or not, as the group now says."""
    query = select(NeutronSecurityGroupRule.id).where(
        NeutronSecurityGroupRule.security_group_id == group.id
    )
    for rule_id in tx.session.scalars(query).all():
        ACLS.update(tx, rule_id, {"action": _action(annex)})


def _write_rule(
    tx: Transaction,
    group: PortGroup,
    annex: NeutronSecurityGroup,
    rule: Rule,
    description: str = "",
) -> str:
    acl = ACLS.create(
        tx,
        {
            "port_group": group.id,
            "direction": DIRECTIONS[rule.direction],
            "tier": TIER,
            "priority": RULE_PRIORITY,
            "match": _acl_match(tx, group, rule),
            "action": _action(annex),
        },
    )
    time = now()
    tx.add(
        NeutronSecurityGroupRule(
            id=acl.id,
            security_group_id=group.id,
            project=group.project,
            direction=rule.direction,
            ethertype=rule.ethertype,
            protocol=rule.protocol,
            port_range_min=rule.port_min,
            port_range_max=rule.port_max,
            remote_ip_prefix=rule.prefix,
            remote_group_id=rule.group,
            remote_address_group_id=rule.address_group,
            description=description,
            created_at=time,
            updated_at=time,
        )
    )
    return acl.id


def _action(annex: NeutronSecurityGroup) -> str:
    return "allow-related" if annex.stateful else "allow-stateless"


def _acl_match(tx: Transaction, group: PortGroup, rule: Rule) -> str:
    """Return the match of a rule of `group`, or raise for an address group that isn't there."""
    remote = None
    if rule.group is not None:
        other = tx.by_id(PortGroup, rule.group.lower())
        if other is None:
            raise SecurityGroupNotFoundError(rule.group)
        family = "ip4" if rule.ethertype == IPV4 else "ip6"
        remote = f"{_name_for(group, other)}_{family}"
    elif rule.address_group is not None:
        addresses = tx.by_id(AddressSet, rule.address_group.lower())
        if addresses is None or not tx.scope.sees(addresses):
            raise ResourceNotFoundError("Address group", rule.address_group)
        remote = _name_for(group, addresses)
    return acl_match(rule, group.name, remote)


def _name_for(group: PortGroup, other: PortGroup | AddressSet) -> str:
    """Return what ACLs of `group` call a set: its name in their project, or else its id."""
    return other.name if other.project == group.project else other.id
