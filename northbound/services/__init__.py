"""The use cases of intent: one service for each kind of object."""

from collections.abc import Mapping
from typing import Any

from northbound.services.acls import AclService
from northbound.services.address_sets import AddressSetService
from northbound.services.base import Service
from northbound.services.bfd_sessions import BfdSessionService
from northbound.services.chassis_variables import ChassisTemplateVarService
from northbound.services.dhcp import DhcpOptionsService
from northbound.services.dns import DnsRecordService, DnsRecordSetService
from northbound.services.filters import LABEL_FILTER
from northbound.services.ha_chassis_groups import HaChassisGroupService
from northbound.services.load_balancers import (
    LoadBalancerBackendService,
    LoadBalancerGroupService,
    LoadBalancerService,
    LoadBalancerVipService,
)
from northbound.services.meters import MeterService
from northbound.services.nats import NatService
from northbound.services.port_groups import PortGroupService
from northbound.services.router_policies import RouterPolicyService
from northbound.services.router_ports import LogicalRouterPortService
from northbound.services.routers import LogicalRouterService
from northbound.services.static_mac_bindings import StaticMacBindingService
from northbound.services.static_routes import StaticRouteService
from northbound.services.switch_ports import LogicalSwitchPortService
from northbound.services.switches import LogicalSwitchService
from northbound.specs import SPECS

DHCP_OPTIONS = DhcpOptionsService()
LOGICAL_SWITCHES = LogicalSwitchService()
LOGICAL_SWITCH_PORTS = LogicalSwitchPortService()
HA_CHASSIS_GROUPS = HaChassisGroupService()
CHASSIS_TEMPLATE_VARS = ChassisTemplateVarService()
LOGICAL_ROUTERS = LogicalRouterService()
LOGICAL_ROUTER_PORTS = LogicalRouterPortService()
STATIC_ROUTES = StaticRouteService()
STATIC_MAC_BINDINGS = StaticMacBindingService()
BFD_SESSIONS = BfdSessionService()
NATS = NatService()
METERS = MeterService()
PORT_GROUPS = PortGroupService()
ADDRESS_SETS = AddressSetService()
ACLS = AclService()
ROUTER_POLICIES = RouterPolicyService()
LOAD_BALANCERS = LoadBalancerService()
LOAD_BALANCER_VIPS = LoadBalancerVipService()
LOAD_BALANCER_BACKENDS = LoadBalancerBackendService()
LOAD_BALANCER_GROUPS = LoadBalancerGroupService()
DNS_RECORD_SETS = DnsRecordSetService()
DNS_RECORDS = DnsRecordService()

_ALL: tuple[Service[Any, Any], ...] = (
    DHCP_OPTIONS,
    LOGICAL_SWITCHES,
    LOGICAL_SWITCH_PORTS,
    HA_CHASSIS_GROUPS,
    CHASSIS_TEMPLATE_VARS,
    LOGICAL_ROUTERS,
    LOGICAL_ROUTER_PORTS,
    STATIC_ROUTES,
    STATIC_MAC_BINDINGS,
    BFD_SESSIONS,
    NATS,
    METERS,
    PORT_GROUPS,
    ADDRESS_SETS,
    ACLS,
    ROUTER_POLICIES,
    LOAD_BALANCERS,
    LOAD_BALANCER_VIPS,
    LOAD_BALANCER_BACKENDS,
    LOAD_BALANCER_GROUPS,
    DNS_RECORD_SETS,
    DNS_RECORDS,
)


def _by_kind() -> Mapping[str, Service[Any, Any]]:
    """The services in the order of kinds, each acquainted with those of its contents."""
    services = {service.kind: service for service in _ALL}
    ordered = {spec.declaration.kind: services[spec.declaration.kind] for spec in SPECS}
    for service in ordered.values():
        service.contents = tuple(
            other
            for other in ordered.values()
            if any(owner.refers and owner.refers.kind == service.kind for owner in other.owners)
        )
    return ordered


SERVICES: Mapping[str, Service[Any, Any]] = _by_kind()
"""By kind, referents before referrers."""

__all__ = [
    "ACLS",
    "ADDRESS_SETS",
    "BFD_SESSIONS",
    "CHASSIS_TEMPLATE_VARS",
    "DHCP_OPTIONS",
    "DNS_RECORDS",
    "DNS_RECORD_SETS",
    "LABEL_FILTER",
    "LOAD_BALANCERS",
    "LOAD_BALANCER_BACKENDS",
    "LOAD_BALANCER_GROUPS",
    "LOAD_BALANCER_VIPS",
    "LOGICAL_ROUTERS",
    "LOGICAL_ROUTER_PORTS",
    "LOGICAL_SWITCHES",
    "LOGICAL_SWITCH_PORTS",
    "METERS",
    "NATS",
    "PORT_GROUPS",
    "ROUTER_POLICIES",
    "SERVICES",
    "STATIC_MAC_BINDINGS",
    "STATIC_ROUTES",
    "Service",
]
