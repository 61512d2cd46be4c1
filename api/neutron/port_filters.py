"""Lists of ports, narrowed by the database: finding a few of many ports is an index look-up.

Any address that a port holds is claimed on its switch, whoever gave it, so ports are found by
the claims of addresses.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, String, cast, or_, select, union
from sqlalchemy.orm import aliased

from api.neutron.port_views import ROUTER_INTERFACE
from api.neutron.query import ListQuery
from api.neutron.resource import AnySelect, json_list_has
from api.neutron.subnets import switches_of_subnets
from northbound.models import (
    AddressClaim,
    LogicalRouterPort,
    LogicalSwitchPort,
    NeutronPort,
    NeutronSubnet,
    PortGroupPort,
)

_OTHER = aliased(LogicalSwitchPort)
_MANY_HOSTS: Final = 100
"""By more hosts than so many the database doesn't narrow: each is a condition of its own."""


def narrowed_to_ports(query: AnySelect, asked: ListQuery) -> AnySelect:
    """Return a query of ports with the conditions that some filters are in the database."""
    filters = asked.filters
    if "name" in filters and "" not in filters["name"]:
        names = filters["name"]
        query = query.where(
            or_(LogicalSwitchPort.display_name.in_(names), LogicalSwitchPort.name.in_(names))
        )
    if "mac_address" in filters and "" not in filters["mac_address"]:
        query = query.where(_claims(filters["mac_address"]))
    if "device_owner" in filters and "" not in filters["device_owner"]:
        query = query.where(_has_owner(filters["device_owner"]))
    if "device_id" in filters and "" not in filters["device_id"]:
        query = query.where(_has_device(filters["device_id"]))
    if "security_groups" in filters:
        query = query.where(_is_in_groups(filters["security_groups"]))
    hosts = filters.get("binding:host_id", ())
    if hosts and "" not in hosts and len(hosts) <= _MANY_HOSTS:
        query = query.where(_may_be_on(hosts))
    if "fixed_ips" in filters:
        query = _with_fixed_ips(query, filters["fixed_ips"])
    return query


def _claims(addresses: Sequence[str]) -> ColumnElement[bool]:
    holders = select(AddressClaim.logical_switch_port_id)
    return LogicalSwitchPort.id.in_(holders.where(AddressClaim.address.in_(addresses)))


def _has_owner(owners: Sequence[str]) -> ColumnElement[bool]:
    said = select(NeutronPort.id).where(NeutronPort.device_owner.in_(owners))
    if ROUTER_INTERFACE not in owners:
        return LogicalSwitchPort.id.in_(said)
    leading = select(_OTHER.id).where(_OTHER.router_port.is_not(None))
    return LogicalSwitchPort.id.in_(union(said, leading))


def _has_device(devices: Sequence[str]) -> ColumnElement[bool]:
    said = select(NeutronPort.id).where(NeutronPort.device_id.in_(devices))
    of_routers = select(LogicalRouterPort.name).where(
        LogicalRouterPort.logical_router_id.in_(devices)
    )
    leading = select(_OTHER.id).where(_OTHER.router_port.in_(of_routers))
    return LogicalSwitchPort.id.in_(union(said, leading))


def _is_in_groups(groups: Sequence[str]) -> ColumnElement[bool]:
    members = select(PortGroupPort.logical_switch_port_id)
    return LogicalSwitchPort.id.in_(members.where(PortGroupPort.port_group_id.in_(groups)))


def _with_fixed_ips(query: AnySelect, wanted: Sequence[tuple[str, str]]) -> AnySelect:
    addresses = [said for key, said in wanted if key == "ip_address"]
    subnets = [said for key, said in wanted if key == "subnet_id"]
    if addresses:
        query = query.where(_claims(addresses))
    if subnets:
        of_subnets = select(NeutronSubnet.network_id).where(NeutronSubnet.id.in_(subnets))
        network: Any = LogicalSwitchPort.logical_switch_id
        query = query.where(or_(network.in_(of_subnets), network.in_(switches_of_subnets(subnets))))
    return query


def _may_be_on(hosts: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that ports are asked to be on one of these hosts, or on none."""
    requested = LogicalSwitchPort.requested_chassis
    anywhere = cast(requested, String) == "[]"
    return or_(anywhere, *(json_list_has(requested, host) for host in hosts))
