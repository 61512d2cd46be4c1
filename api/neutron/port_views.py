"""Ports as Neutron's clients see them, whichever API made them.

A switch port towards a router shows as the router's interface, with the addresses of its
router port. Of many ports everything is read at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from api.neutron.dns import dns_assignment
from api.neutron.port_addresses import OwnAddresses, SubnetsOfAddresses, own_addresses
from api.neutron.port_binding import ACTIVE, DOWN
from api.neutron.resource import View, owned, standard_view
from northbound.inserting import batched
from northbound.models import LogicalRouterPort, LogicalSwitchPort, NeutronPort
from northbound.transaction import Reader

PortRow = tuple[LogicalSwitchPort, NeutronPort | None, str]
"""A switch port, what is beside it, and the project of its network."""

ROUTER_INTERFACE: Final = "network:router_interface"

OF_NO_INSTANCE: Final = ("localnet", "l2gateway", "localport")
"""Types of ports that Neutron has no word for: ways outside, and what each hypervisor has.

They are shown to none of its clients, and go with their network."""

MORE: Final[Mapping[str, Any]] = {
    "extra_dhcp_opts": [],
    "dns_name": "",
    "dns_domain": "",
    "numa_affinity_policy": None,
    "device_profile": None,
    "data_plane_status": None,
    "propagate_uplink_status": True,
}
"""Attributes that are only kept, with what they are by default."""

RouterPorts = Mapping[tuple[str, str], LogicalRouterPort]
"""Router ports by project and name."""


def port_views(
    reader: Reader, rows: Sequence[PortRow], groups: Mapping[str, Sequence[str]]
) -> list[View]:
    """Return all attributes of ports; `groups` are their security groups by port."""
    router_ports = router_ports_of(reader, [port for port, _, _ in rows])
    subnets = SubnetsOfAddresses(reader, {port.logical_switch_id for port, _, _ in rows})
    views = []
    for port, annex, _ in rows:
        router_port = router_port_of(port, router_ports)
        own = own_addresses(port, router_port)
        view = _view(port, annex, own, router_port, groups.get(port.id, ()))
        fixed_ips = subnets.fixed_ips(port.logical_switch_id, own.ips)
        view["fixed_ips"] = fixed_ips
        view["dns_assignment"] = dns_assignment(view["dns_name"], own.ips)
        views.append(owned(view, port.project))
    return views


def router_ports_of(reader: Reader, ports: Sequence[LogicalSwitchPort]) -> RouterPorts:
    """Return the router ports that some of `ports` lead to."""
    names = {port.router_port for port in ports if port.router_port is not None}
    found = {}
    for some in batched(sorted(names)):
        query = select(LogicalRouterPort).where(LogicalRouterPort.name.in_(some))
        for each in reader.session.scalars(query):
            found[each.project, each.name] = each
    return found


def router_port_of(port: LogicalSwitchPort, router_ports: RouterPorts) -> LogicalRouterPort | None:
    """Return the router port that a switch port leads to, if it leads to one."""
    if port.router_port is None:
        return None
    return router_ports.get((port.project, port.router_port))


def device_of(
    port: LogicalSwitchPort, annex: NeutronPort | None, router_port: LogicalRouterPort | None
) -> tuple[str, str]:
    """Return the owner and the id of the device that a port is of."""
    if port.type == "router":
        owner = annex.device_owner if annex is not None else ""
        router = "" if router_port is None else router_port.logical_router_id
        return owner or ROUTER_INTERFACE, router
    return ("", "") if annex is None else (annex.device_owner, annex.device_id)


def shown_name(port: LogicalSwitchPort) -> str:
    """Return what Neutron calls a port: what its maker did, or the name that /v1 gave it."""
    if port.display_name:
        return port.display_name
    return "" if port.name == port.id else port.name


def _view(
    port: LogicalSwitchPort,
    annex: NeutronPort | None,
    own: OwnAddresses,
    router_port: LogicalRouterPort | None,
    groups: Sequence[str],
) -> View:
    owner, device = device_of(port, annex, router_port)
    # What leads to a router is there wherever the router is.
    up = ACTIVE if port.enabled else DOWN
    return {
        "id": port.id,
        "name": shown_name(port),
        "network_id": port.logical_switch_id,
        "admin_state_up": port.enabled,
        "status": up if port.type == "router" else None,
        "mac_address": own.mac,
        "fixed_ips": [],
        "device_id": device,
        "device_owner": owner,
        "security_groups": list(groups),
        "port_security_enabled": bool(port.port_security),
        "allowed_address_pairs": annex.allowed_address_pairs if annex else [],
        "binding:vnic_type": annex.vnic_type if annex else "normal",
        "binding:profile": annex.profile if annex else {},
        "binding:host_id": next(iter(port.requested_chassis), ""),
        "binding:vif_type": None,
        "binding:vif_details": {},
        "dns_assignment": [],
        **MORE,
        **(annex.more if annex else {}),
        **standard_view(annex, port.version),
    }
