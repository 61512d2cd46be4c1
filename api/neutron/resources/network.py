"""Networks: a logical switch each, and what Neutron knows besides.

The switch has the network's id, and its id as its name; the network's name is its
`display_name`, since names need not be unique in Neutron. Packets of a network travel in
Geneve: what `provider:` attributes say is a fact, with the switch's tunnel key as segment.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, or_, select

from api.neutron.attributes import (
    ADMIN_STATE_UP,
    ID,
    NAME,
    PROJECT,
    STANDARD,
    STATUS,
    UNSET,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.dns import dns_domain
from api.neutron.errors import BadRequestError, InUseError, NeutronError, NotAuthorizedError
from api.neutron.port_views import OF_NO_INSTANCE
from api.neutron.resource import AnySelect, Resource, View, now, owned, standard_view
from api.neutron.settings import NeutronLimits
from api.neutron.subnet_rules import SMALLEST_IPV6_MTU, check_mtu
from api.neutron.subnets import (
    DELETED_WITH_NETWORK,
    subnets_of_network,
    switch_subnet_ids,
)
from api.neutron.values import boolean, integer, list_of, optional, text
from api.neutron.zones import check_hints
from northbound.models import (
    LogicalSwitch,
    LogicalSwitchPort,
    NeutronNetwork,
    NeutronPort,
    NeutronSubnet,
)
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from northbound.transaction import Reader, Transaction

NetworkRow = tuple[LogicalSwitch, NeutronNetwork | None]

NETWORK_TYPE: Final = "geneve"
SMALLEST_MTU, LARGEST_MTU = 68, 65535

_PROVIDER: dict[str, Any] = {
    "set_by_admin": True,
    "shown_to_admin": True,
    "put": False,
    "sorted": False,
}


class Networks(Resource[NetworkRow]):
    name = "network"
    collection = "networks"
    path = "networks"
    title = "Network"
    attributes = Attributes(
        "network",
        (
            ID,
            NAME,
            PROJECT,
            ADMIN_STATE_UP,
            STATUS,
            read_only("subnets", filtered=False, sorted=False),
            *(
                Attribute(name, boolean, default=False, set_by_admin=True, sorted=False)
                for name in ("shared", "router:external", "is_default")
            ),
            Attribute("mtu", integer(SMALLEST_MTU, LARGEST_MTU), UNSET),
            Attribute("dns_domain", dns_domain, "", filtered=False, sorted=False),
            Attribute("port_security_enabled", boolean, default=True, filtered=False, sorted=False),
            Attribute("availability_zone_hints", list_of(text()), (), put=False, filtered=False),
            read_only("availability_zones", filtered=False, sorted=False),
            Attribute("provider:network_type", optional(text()), UNSET, **_PROVIDER),
            Attribute("provider:physical_network", optional(text()), UNSET, **_PROVIDER),
            Attribute("provider:segmentation_id", optional(integer()), UNSET, **_PROVIDER),
            *STANDARD,
        ),
    )
    id_column = LogicalSwitch.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": LogicalSwitch.id.expression,
        "project_id": LogicalSwitch.project.expression,
        "shared": LogicalSwitch.shared.expression,
    }
    tags_column = NeutronNetwork.tags.expression

    def __init__(self, limits: NeutronLimits) -> None:
        self._limits = limits

    def select(self, context: Context) -> AnySelect:
        query = select(LogicalSwitch, NeutronNetwork).outerjoin(
            NeutronNetwork, NeutronNetwork.id == LogicalSwitch.id
        )
        visible = context.scope.visible(LogicalSwitch)
        # External networks are seen by all: routers of every project may have a gateway there.
        return query.where(or_(visible, NeutronNetwork.external.is_(True)))

    def narrowed(self, query: AnySelect, asked: Any) -> AnySelect:
        query = super().narrowed(query, asked)
        names = asked.filters.get("name")
        if names and "" not in names:
            query = query.where(
                or_(LogicalSwitch.display_name.in_(names), LogicalSwitch.name.in_(names))
            )
        return query

    def views(self, reader: Reader, context: Context, rows: Sequence[NetworkRow]) -> list[View]:
        subnets: defaultdict[str, list[str]] = defaultdict(list)
        ids = [ls.id for ls, _ in rows]
        columns = select(NeutronSubnet.network_id, NeutronSubnet.id).order_by(NeutronSubnet.id)
        if len(ids) <= _FEW:
            columns = columns.where(NeutronSubnet.network_id.in_(ids))
        for network_id, subnet_id in reader.session.execute(columns):
            subnets[network_id].append(subnet_id)
        return [
            self._view(ls, annex, [*subnets[ls.id], *switch_subnet_ids(ls)]) for ls, annex in rows
        ]

    def _view(self, ls: LogicalSwitch, annex: NeutronNetwork | None, subnets: list[str]) -> View:
        view = {
            "id": ls.id,
            "name": shown_name(ls),
            "admin_state_up": annex.admin_state_up if annex else True,
            "status": "ACTIVE",
            "subnets": subnets,
            "shared": ls.shared,
            "router:external": annex.external if annex else False,
            "is_default": annex.is_default if annex else False,
            "mtu": annex.mtu if annex else self._limits.mtu,
            "port_security_enabled": annex.port_security_enabled if annex else True,
            "dns_domain": annex.dns_domain if annex else "",
            "availability_zone_hints": annex.availability_zone_hints if annex else [],
            "availability_zones": [],
            "provider:network_type": NETWORK_TYPE,
            "provider:physical_network": None,
            "provider:segmentation_id": ls.tunnel_key,
            **standard_view(annex, ls.version),
        }
        return owned(view, ls.project)

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        _check_provider(values)
        check_hints(values["availability_zone_hints"])
        switch = {
            "project": values["project_id"],
            "display_name": values["name"],
            "shared": values["shared"],
        }
        ls = LOGICAL_SWITCHES.create(tx, switch)
        time = now()
        tx.add(
            NeutronNetwork(
                id=ls.id,
                description=values["description"],
                mtu=self._limits.mtu if values["mtu"] is UNSET else values["mtu"],
                port_security_enabled=values["port_security_enabled"],
                dns_domain=values["dns_domain"],
                admin_state_up=values["admin_state_up"],
                external=values["router:external"],
                is_default=values["is_default"],
                availability_zone_hints=list(values["availability_zone_hints"]),
                created_at=time,
                updated_at=time,
            )
        )
        return ls.id

    def update(
        self, tx: Transaction, context: Context, row: NetworkRow, changes: Mapping[str, Any]
    ) -> None:
        ls, _ = row
        annex = self.annex(tx, row)
        if changes.get("mtu", SMALLEST_IPV6_MTU) < SMALLEST_IPV6_MTU and any(
            subnet.ip_version == 6 for subnet in subnets_of_network(tx, ls.id)
        ):
            check_mtu(ls.id, changes["mtu"])
        if ls.shared and not changes.get("shared", True):
            self._check_no_others(tx, ls)
        patch = {name: changes[said] for said, name in _OF_SWITCH.items() if said in changes}
        if patch:
            LOGICAL_SWITCHES.update(tx, ls.id, patch)
        for said, name in _OF_ANNEX.items():
            if said in changes:
                setattr(annex, name, changes[said])

    def _check_no_others(self, tx: Transaction, ls: LogicalSwitch) -> None:
        """Refuse that a network isn't shared any more of which others have parts."""
        ports = select(LogicalSwitchPort.id).where(
            LogicalSwitchPort.logical_switch_id == ls.id, LogicalSwitchPort.project != ls.project
        )
        subnets = select(NeutronSubnet.id).where(
            NeutronSubnet.network_id == ls.id, NeutronSubnet.project != ls.project
        )
        if any(tx.session.scalar(each.limit(1)) is not None for each in (ports, subnets)):
            message = (
                f"Unable to reconfigure sharing settings for network {shown_name(ls) or ls.id}. "
                "Multiple projects are using it."
            )
            raise NeutronError(409, "InvalidSharedSetting", message)

    def delete(self, tx: Transaction, context: Context, row: NetworkRow) -> None:
        ls, _ = row
        query = (
            select(LogicalSwitchPort, NeutronPort)
            .outerjoin(NeutronPort, NeutronPort.id == LogicalSwitchPort.id)
            .where(LogicalSwitchPort.logical_switch_id == ls.id)
        )
        others = or_(
            NeutronPort.device_owner.is_(None),
            NeutronPort.device_owner.not_in(DELETED_WITH_NETWORK),
        )
        shown = LogicalSwitchPort.type.not_in(OF_NO_INSTANCE)
        if tx.session.execute(query.where(others, shown).limit(1)).first() is not None:
            reason = "There are one or more ports still in use on the network."
            raise InUseError(self.title, ls.id, reason)
        for port, beside in tx.session.execute(query).all():
            if beside is not None:
                tx.delete(beside)
            LOGICAL_SWITCH_PORTS.remove(tx, [port])
        # Its subnets and what is beside it go with it.
        tx.flush()
        LOGICAL_SWITCHES.delete(tx, ls.id)

    def annex(self, tx: Transaction, row: NetworkRow) -> NeutronNetwork:
        ls, annex = row
        if annex is None:
            annex = NeutronNetwork(id=ls.id, mtu=self._limits.mtu)
            tx.add(annex)
        return annex

    def project_of(self, row: NetworkRow) -> str:
        return row[0].project

    def get_own(self, reader: Reader, context: Context, network_id: str, rule: str) -> NetworkRow:
        """Return the network that the caller may change, or raise.

        Raises ResourceNotFoundError, or NotAuthorizedError for one that is only shared.
        """
        row = self.find(reader, context, network_id)
        if not context.owns(row[0].project):
            raise NotAuthorizedError(rule)
        return row


def shown_name(row: Any) -> str:
    """Return what Neutron calls an object: what its maker did, or the name that /v1 gave it."""
    if row.display_name:
        return str(row.display_name)
    return "" if row.name == row.id else str(row.name)


def _check_provider(values: Mapping[str, Any]) -> None:
    """Refuse provider attributes that no network of this kind has."""
    kind = values["provider:network_type"]
    if kind in (UNSET, None, NETWORK_TYPE):
        for name in ("provider:physical_network", "provider:segmentation_id"):
            if values[name] not in (UNSET, None):
                raise BadRequestError(
                    f"Invalid input for operation: {name} cannot be chosen: networks are "
                    f"{NETWORK_TYPE}, with a segment that is allocated."
                )
        return
    raise BadRequestError(
        f"Invalid input for operation: network_type value '{kind}' not supported."
    )


_FEW = 200
"""From so many objects on, what is beside all of them is read at once."""
_OF_SWITCH = {"name": "display_name", "shared": "shared"}
_OF_ANNEX = {
    "description": "description",
    "mtu": "mtu",
    "port_security_enabled": "port_security_enabled",
    "admin_state_up": "admin_state_up",
    "dns_domain": "dns_domain",
    "router:external": "external",
    "is_default": "is_default",
}
