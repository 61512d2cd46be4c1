"""Security groups: a port group each, of the same id. Its ports may do what its rules allow.

A port group that /v1 made is none: what its ACLs leave open is allowed, where a security group
drops what its rules don't allow.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_, select

from api.neutron.attributes import ID, NAME, PROJECT, STANDARD, Attribute, Attributes, read_only
from api.neutron.context import Context
from api.neutron.errors import NeutronError
from api.neutron.resource import AnySelect, Resource, Service, View, owned, standard_view
from api.neutron.resources.security_group_rule import SecurityGroupRules
from api.neutron.security.groups import (
    DEFAULT_NAME,
    SecurityGroupNotFoundError,
    default_group,
    default_group_id,
    delete_rules,
    forget_default_group,
    new_group,
    set_stateful,
)
from api.neutron.values import boolean
from northbound.errors import ReferencedError
from northbound.models import (
    NeutronSecurityGroup,
    NeutronSecurityGroupRule,
    PortGroup,
    PortGroupPort,
)
from northbound.services import PORT_GROUPS
from northbound.transaction import Reader, Transaction

GroupRow = tuple[PortGroup, NeutronSecurityGroup]


class SecurityGroups(Resource[GroupRow]):
    name = "security_group"
    collection = "security_groups"
    path = "security-groups"
    title = "Security group"
    attributes = Attributes(
        "security_group",
        (
            ID,
            NAME,
            PROJECT,
            Attribute("stateful", boolean, True, sorted=False),
            read_only("shared", boolean, sorted=False),
            read_only("security_group_rules", filtered=False, sorted=False),
            *STANDARD,
        ),
    )
    id_column = PortGroup.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": PortGroup.id.expression,
        "name": PortGroup.display_name.expression,
        "project_id": PortGroup.project.expression,
        "stateful": NeutronSecurityGroup.stateful.expression,
    }
    tags_column = NeutronSecurityGroup.tags.expression

    def __init__(self, rules: SecurityGroupRules) -> None:
        self._rules = rules

    async def prepare(self, service: Service, context: Context) -> None:
        """Make the caller's default group: clients look for it before they use it."""
        project = context.project

        def is_missing(reader: Reader) -> bool:
            return default_group_id(reader, project) is None

        if await service.backend.read(is_missing, context.scope):
            await service.backend.write(
                lambda tx: default_group(tx, project),
                author=context.user,
                comment="",
                scope=context.scope,
            )

    def select(self, context: Context) -> AnySelect:
        query = select(PortGroup, NeutronSecurityGroup).join(
            NeutronSecurityGroup, NeutronSecurityGroup.id == PortGroup.id
        )
        return query.where(context.scope.visible(PortGroup))

    def views(self, reader: Reader, context: Context, rows: Sequence[GroupRow]) -> list[View]:
        rules = self._rules.views_of_groups(reader, context, [group.id for group, _ in rows])
        return [_view(group, annex, rules.get(group.id, [])) for group, annex in rows]

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        default_group(tx, values["project_id"])
        _check_name(values["name"])
        return new_group(
            tx,
            values["project_id"],
            values["name"],
            values["description"],
            stateful=values["stateful"],
        )

    def update(
        self, tx: Transaction, context: Context, row: GroupRow, changes: Mapping[str, Any]
    ) -> None:
        group, annex = row
        if "name" in changes:
            _check_name(changes["name"])
            if annex.is_default and changes["name"] != group.display_name:
                message = "Updating default security group not allowed."
                raise NeutronError(409, "SecurityGroupCannotUpdateDefault", message)
            if changes["name"] != group.display_name:
                PORT_GROUPS.update(tx, group.id, {"display_name": changes["name"]})
        if "description" in changes:
            annex.description = changes["description"]
        if changes.get("stateful", annex.stateful) != annex.stateful:
            _refuse_in_use(tx, group)
            annex.stateful = changes["stateful"]
            set_stateful(tx, group, annex)

    def delete(self, tx: Transaction, context: Context, row: GroupRow) -> None:
        group, annex = row
        if annex.is_default and not context.is_admin:
            message = "Insufficient rights for removing default security group."
            raise NeutronError(409, "SecurityGroupCannotRemoveDefault", message)
        _refuse_in_use(tx, group)
        # Rules of other groups that name this one as their other end go with it.
        concerned = select(NeutronSecurityGroupRule).where(
            or_(
                NeutronSecurityGroupRule.security_group_id == group.id,
                NeutronSecurityGroupRule.remote_group_id == group.id,
            )
        )
        delete_rules(tx, tx.session.scalars(concerned).all())
        forget_default_group(tx, group.project)
        tx.delete(annex)
        tx.flush()
        try:
            PORT_GROUPS.delete(tx, group.id)
        except ReferencedError as error:
            raise _in_use(group, f" {error}") from None

    def annex(self, tx: Transaction, row: GroupRow) -> NeutronSecurityGroup:
        return row[1]

    def project_of(self, row: GroupRow) -> str:
        return row[0].project

    def not_found(self, object_id: str) -> NeutronError:
        return SecurityGroupNotFoundError(object_id)


def _view(group: PortGroup, annex: NeutronSecurityGroup, rules: list[View]) -> View:
    view = {
        "id": group.id,
        "name": group.display_name,
        "stateful": annex.stateful,
        "shared": False,
        "security_group_rules": rules,
        **standard_view(annex, group.version),
    }
    return owned(view, group.project)


def _check_name(name: str) -> None:
    if name.lower() == DEFAULT_NAME:
        message = "Default security group already exists."
        raise NeutronError(409, "SecurityGroupDefaultAlreadyExists", message)


def _refuse_in_use(tx: Transaction, group: PortGroup) -> None:
    query = select(PortGroupPort.logical_switch_port_id).where(
        PortGroupPort.port_group_id == group.id
    )
    if tx.session.scalar(query.limit(1)) is not None:
        raise _in_use(group)


def _in_use(group: PortGroup, why: str = "") -> NeutronError:
    message = f"Security Group {group.id} in use.{why}"
    return NeutronError(409, "SecurityGroupInUse", message)
