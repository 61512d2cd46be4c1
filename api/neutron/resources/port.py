"""Ports: a logical switch port each, and what Neutron knows besides.

The switch port has the port's id, and its id as its name, so that an interface is bound by
either. Its addresses, the host that it is to be on and its port security are the switch
port's (:mod:`api.neutron.port_addresses`); what it is for is kept beside.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, or_, select

from api.neutron.attributes import (
    ADMIN_STATE_UP,
    ID,
    NAME,
    PROJECT,
    REQUIRED,
    STATUS,
    UNSET,
    UNTAGGED,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.dns import dns_domain, dns_name
from api.neutron.ipam import AddressedPort, allocate, reallocate
from api.neutron.port_addresses import SubnetsOfAddresses, addressing, own_addresses
from api.neutron.port_binding import VNIC_TYPES, fill_in_binding
from api.neutron.port_filters import narrowed_to_ports
from api.neutron.port_rules import (
    TRUSTED,
    check_rights,
    check_router_port,
    check_security,
    mac_for,
    port_bound,
    port_has_groups,
    refuse_deletion,
    with_macs,
)
from api.neutron.port_values import (
    allowed_address_pairs,
    dhcp_options,
    fits_fixed_ips,
    fixed_ips,
    fixed_ips_filter,
    merged_dhcp_options,
    profile,
    security_groups,
)
from api.neutron.port_views import (
    MORE,
    OF_NO_INSTANCE,
    PortRow,
    device_of,
    port_views,
    router_port_of,
    router_ports_of,
)
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, Resource, Service, View, now
from api.neutron.resources.network import NetworkRow, Networks
from api.neutron.security.membership import (
    groups_of,
    join_default_group,
    set_groups,
    set_protected,
)
from api.neutron.tags import tags_value
from api.neutron.values import boolean, line, mac_address, one_of, optional, text, uuid
from northbound.identity import new_id
from northbound.models import LogicalSwitch, LogicalSwitchPort, NeutronNetwork, NeutronPort
from northbound.services import LOGICAL_SWITCH_PORTS
from northbound.transaction import Reader, Transaction

_SHOWN_TO_ADMIN: dict[str, Any] = {
    "shown_to_admin": True,
    "sorted": False,
}
_KEPT: dict[str, Any] = {"filtered": False, "sorted": False}


class Ports(Resource[PortRow]):
    name = "port"
    collection = "ports"
    path = "ports"
    title = "Port"
    attributes = Attributes(
        "port",
        (
            ID,
            NAME,
            Attribute("network_id", uuid, REQUIRED, put=False),
            PROJECT,
            ADMIN_STATE_UP,
            STATUS,
            Attribute("mac_address", optional(mac_address), None),
            Attribute(
                "fixed_ips",
                fixed_ips,
                UNSET,
                sorted=False,
                read_filter=fixed_ips_filter,
                fits=fits_fixed_ips,
            ),
            Attribute("device_id", text(), ""),
            Attribute("device_owner", text(), ""),
            Attribute("security_groups", security_groups, UNSET, sorted=False),
            Attribute("port_security_enabled", boolean, UNSET, **_KEPT),
            Attribute("allowed_address_pairs", allowed_address_pairs, (), **_KEPT),
            Attribute("binding:vnic_type", one_of(*VNIC_TYPES), "normal", **_KEPT),
            Attribute("binding:host_id", line, "", set_by_admin=True, **_SHOWN_TO_ADMIN),
            Attribute(
                "binding:profile",
                profile,
                {},
                set_by_admin=True,
                filtered=False,
                **_SHOWN_TO_ADMIN,
            ),
            read_only("binding:vif_type", filtered=False, **_SHOWN_TO_ADMIN),
            read_only("binding:vif_details", filtered=False, **_SHOWN_TO_ADMIN),
            Attribute("extra_dhcp_opts", dhcp_options, (), **_KEPT),
            Attribute("dns_name", dns_name, "", **_KEPT),
            Attribute("dns_domain", dns_domain, "", **_KEPT),
            read_only("dns_assignment", **_KEPT),
            Attribute(
                "numa_affinity_policy",
                one_of("required", "preferred", "legacy", "socket", None),
                None,
                **_KEPT,
            ),
            Attribute("device_profile", optional(text()), None, put=False, **_KEPT),
            Attribute(
                "data_plane_status",
                one_of("ACTIVE", "DOWN", None),
                None,
                post=False,
                set_by_admin=True,
                **_KEPT,
            ),
            Attribute("propagate_uplink_status", boolean, default=True, **_KEPT),
            Attribute("tags", tags_value, (), put=False, **_KEPT),
            *UNTAGGED,
        ),
    )
    id_column = LogicalSwitchPort.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": LogicalSwitchPort.id.expression,
        "network_id": LogicalSwitchPort.logical_switch_id.expression,
        "project_id": LogicalSwitchPort.project.expression,
        "admin_state_up": LogicalSwitchPort.enabled.expression,
    }
    tags_column = NeutronPort.tags.expression

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def select(self, context: Context) -> AnySelect:
        query = (
            select(LogicalSwitchPort, NeutronPort, LogicalSwitch.project)
            .join(LogicalSwitch, LogicalSwitch.id == LogicalSwitchPort.logical_switch_id)
            .outerjoin(NeutronPort, NeutronPort.id == LogicalSwitchPort.id)
            .where(LogicalSwitchPort.type.not_in(OF_NO_INSTANCE))
        )
        visible = context.scope.visible(LogicalSwitchPort)
        if context.is_admin:
            return query.where(visible)
        # The owner of a network sees all ports on it.
        return query.where(or_(visible, LogicalSwitch.project == context.project))

    def narrowed(self, query: AnySelect, asked: ListQuery) -> AnySelect:
        return narrowed_to_ports(super().narrowed(query, asked), asked)

    def views(self, reader: Reader, context: Context, rows: Sequence[PortRow]) -> list[View]:
        return port_views(reader, rows, groups_of(reader, [port.id for port, _, _ in rows]))

    async def complete(self, service: Service, context: Context, views: Sequence[View]) -> None:
        await fill_in_binding(service.backend.controller, views)

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        seen = tx.helper(_SeenNetworks)
        network, more = seen.find(self._networks, context, values["network_id"])
        check_rights(context, network, values, "create")
        secured = _is_secured(values, more)
        pairs = values["allowed_address_pairs"]
        check_security(values["security_groups"], pairs, secured=secured)
        port_id = new_id()
        mac = mac_for(tx, network.id, port_id, values["mac_address"])
        addressed = AddressedPort(network.id, mac, values["device_owner"], port_id)
        ips = [each.ip_address for each in allocate(tx, addressed, values["fixed_ips"])]
        pairs = with_macs(pairs, mac)
        port = LOGICAL_SWITCH_PORTS.create(
            tx,
            {
                "id": port_id,
                "project": values["project_id"],
                "logical_switch": network.id,
                "display_name": values["name"],
                "enabled": values["admin_state_up"],
                "requested_chassis": _requested(values["binding:host_id"]),
                **addressing(mac, ips, pairs, secured=secured),
            },
        )
        time = now()
        tx.add(
            NeutronPort(
                id=port_id,
                description=values["description"],
                device_id=values["device_id"],
                device_owner=values["device_owner"],
                vnic_type=values["binding:vnic_type"],
                profile=values["binding:profile"],
                allowed_address_pairs=pairs,
                more=_more({}, values),
                created_at=time,
                updated_at=time,
            )
        )
        tx.flush()
        groups, owner = values["security_groups"], values["device_owner"]
        self._secure(tx, port, groups, owner, secured=secured)
        return port_id

    def update(
        self, tx: Transaction, context: Context, row: PortRow, changes: Mapping[str, Any]
    ) -> None:
        port, _, _ = row
        network = tx.by_id(LogicalSwitch, port.logical_switch_id)
        if network is not None:
            check_rights(context, network, changes, "update")
        annex = self.annex(tx, row)
        if port.type == "router":
            router_port = router_port_of(port, router_ports_of(tx, [port]))
            check_router_port(port, device_of(port, annex, router_port), router_port, changes)
        else:
            self._check_update(tx, port, annex, changes)
        patch = {name: changes[said] for said, name in _OF_SWITCH_PORT.items() if said in changes}
        if "binding:host_id" in changes:
            patch["requested_chassis"] = _requested(changes["binding:host_id"])
        patch |= self._readdressed(tx, port, annex, changes)
        was_secured = bool(port.port_security)
        if patch:
            LOGICAL_SWITCH_PORTS.update(tx, port.id, patch)
        for said, name in _OF_ANNEX.items():
            if said in changes:
                setattr(annex, name, changes[said])
        annex.more = _more(annex.more, changes)
        tx.flush()
        if "security_groups" in changes:
            before = groups_of(tx, [port.id]).get(port.id, [])
            set_groups(tx, port, changes["security_groups"])
            if set(before) != set(changes["security_groups"]):
                tx.touch(port)
        if bool(port.port_security) != was_secured:
            set_protected(tx, port, not was_secured)

    def delete(self, tx: Transaction, context: Context, row: PortRow) -> None:
        port, annex, _ = row
        refuse_deletion(tx, port, annex)
        if annex is not None:
            tx.delete(annex)
        LOGICAL_SWITCH_PORTS.remove(tx, [port])

    def annex(self, tx: Transaction, row: PortRow) -> NeutronPort:
        port, annex, _ = row
        if annex is None:
            annex = NeutronPort(id=port.id)
            tx.add(annex)
            tx.flush()
        return annex

    def project_of(self, row: PortRow) -> str:
        return row[0].project

    def may_change(self, context: Context, row: PortRow, verb: str) -> bool:
        port, _, network_project = row
        # The owner of a network may take the ports of others off it.
        return context.owns(port.project) or (verb == "delete" and context.owns(network_project))

    def _secure(
        self, tx: Transaction, port: LogicalSwitchPort, groups: Any, owner: str, *, secured: bool
    ) -> None:
        """Put a new port into its security groups."""
        if groups is UNSET:
            if secured and not owner.startswith(TRUSTED):
                join_default_group(tx, port)
        elif groups:
            set_groups(tx, port, groups)
        if secured:
            set_protected(tx, port, enabled=True)

    def _check_update(
        self,
        tx: Transaction,
        port: LogicalSwitchPort,
        annex: NeutronPort,
        changes: Mapping[str, Any],
    ) -> None:
        """Refuse changes after which port security and what rests on it would not agree."""
        ends = not changes.get("port_security_enabled", True)
        groups = changes.get("security_groups", UNSET)
        if ends and groups is UNSET and groups_of(tx, [port.id]):
            raise port_has_groups()
        # What /v1 has made of a port doesn't stand in the way of other changes.
        held = annex.allowed_address_pairs if ends else ()
        pairs = changes.get("allowed_address_pairs", held)
        secured = changes.get("port_security_enabled", bool(port.port_security))
        check_security(groups, pairs, secured=secured)

    def _readdressed(
        self,
        tx: Transaction,
        port: LogicalSwitchPort,
        annex: NeutronPort,
        changes: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return the fields of the switch port that changes of its addressing set."""
        if port.type == "router" or not _ADDRESSING.intersection(changes):
            return {}
        network_id, own = port.logical_switch_id, own_addresses(port)
        mac = own.mac
        if not mac or changes.get("mac_address", mac) != mac:
            if mac and port.requested_chassis:
                raise port_bound(port.id, mac, changes["mac_address"])
            mac = mac_for(tx, network_id, port.id, changes.get("mac_address"))
        subnets = SubnetsOfAddresses(tx, [network_id])
        held = subnets.held(network_id, own.ips)
        owner = changes.get("device_owner", annex.device_owner)
        addressed = AddressedPort(network_id, mac, owner, port.id)
        wanted = changes.get("fixed_ips", UNSET)
        ips = [each.ip_address for each in reallocate(tx, addressed, held, wanted, own.mac or None)]
        if wanted is UNSET:
            of_subnets = {each.ip_address for each in held}
            ips += [ip for ip in own.ips if ip not in of_subnets]
        pairs = annex.allowed_address_pairs
        if "allowed_address_pairs" in changes:
            pairs = with_macs(changes["allowed_address_pairs"], mac)
        secured = changes.get("port_security_enabled", bool(port.port_security))
        if (mac, set(ips), pairs, secured) == (
            own.mac,
            set(own.ips),
            annex.allowed_address_pairs,
            bool(port.port_security),
        ):
            return {}
        annex.allowed_address_pairs = pairs
        return addressing(mac, ips, pairs, secured=secured)


class _SeenNetworks:
    """The networks of the ports that one transaction makes: each is looked for once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._rows: dict[str, NetworkRow] = {}

    def find(self, networks: Networks, context: Context, network_id: str) -> NetworkRow:
        """Return a network that exists for the caller, or raise ResourceNotFoundError."""
        if network_id not in self._rows:
            self._rows[network_id] = networks.find(self._tx, context, network_id)
        return self._rows[network_id]


def _is_secured(values: Mapping[str, Any], network: NeutronNetwork | None) -> bool:
    """Tell whether a new port has port security: as it or else its network says."""
    said = values["port_security_enabled"]
    if said is not UNSET:
        return bool(said)
    if values["device_owner"].startswith(TRUSTED):
        return False
    return network is None or network.port_security_enabled


def _requested(host: str) -> list[str]:
    return [host] if host else []


def _more(held: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a port's other attributes: what isn't as it is by default."""
    more = {**held, **{name: values[name] for name in MORE if name in values}}
    if "extra_dhcp_opts" in values:
        options = merged_dhcp_options(held.get("extra_dhcp_opts", ()), values["extra_dhcp_opts"])
        more["extra_dhcp_opts"] = options
    return {name: value for name, value in more.items() if value != MORE[name]}


_OF_SWITCH_PORT: Final = {"name": "display_name", "admin_state_up": "enabled"}
_OF_ANNEX: Final = {
    "description": "description",
    "device_id": "device_id",
    "device_owner": "device_owner",
    "binding:vnic_type": "vnic_type",
    "binding:profile": "profile",
}
_ADDRESSING: Final = frozenset(
    {"mac_address", "fixed_ips", "allowed_address_pairs", "port_security_enabled"}
)
