"""The tables of intent and of its history."""

from northbound.models.access import ApiToken
from northbound.models.base import Annex, Base, Resource, Tracked
from northbound.models.bfd import BfdSession
from northbound.models.chassis_variables import ChassisTemplateVar
from northbound.models.dhcp import DhcpOptions
from northbound.models.dns import DnsRecord, DnsRecordSet, DnsRecordSetSwitch
from northbound.models.filtering import (
    Acl,
    AclReference,
    AddressSet,
    AddressSetAddress,
    PortGroup,
    PortGroupPort,
)
from northbound.models.gateways import HaChassisGroup
from northbound.models.history import Change, Revision, RevisionCounter
from northbound.models.load_balancing import (
    LoadBalancer,
    LoadBalancerBackend,
    LoadBalancerGroup,
    LoadBalancerGroupMember,
    LoadBalancerGroupRouter,
    LoadBalancerGroupSwitch,
    LoadBalancerRouter,
    LoadBalancerSwitch,
    LoadBalancerVip,
)
from northbound.models.meters import Meter
from northbound.models.nat import Nat
from northbound.models.neutron import (
    NeutronAddressGroup,
    NeutronDefaultRule,
    NeutronNetwork,
    NeutronPort,
    NeutronQuota,
    NeutronRouter,
    NeutronSecurityGroup,
    NeutronSecurityGroupRule,
    NeutronSubnet,
    NeutronSubnetPool,
)
from northbound.models.policies import RouterPolicy, RouterPolicyReference
from northbound.models.routing import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.models.switching import (
    AddressClaim,
    AllocationCursor,
    LogicalSwitch,
    LogicalSwitchPort,
)

_BY_TABLE: dict[str, type[Tracked]] = {
    mapper.class_.__tablename__: mapper.class_
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, Tracked)
}

RECORDED: tuple[type[Tracked], ...] = tuple(
    _BY_TABLE[table.name] for table in Base.metadata.sorted_tables if table.name in _BY_TABLE
)
"""The tables whose changes are recorded: those that keys lead to come first."""

TRACKED: tuple[type[Tracked], ...] = tuple(
    model for model in RECORDED if not issubclass(model, Annex)
)
"""Those of them that the translator loads and follows."""


def resource_model(kind: str) -> type[Resource]:
    """The model of the kind of objects called `kind`, or KeyError."""
    model = _BY_TABLE[kind]
    if not issubclass(model, Resource):
        raise KeyError(kind)
    return model


__all__ = [
    "RECORDED",
    "TRACKED",
    "Acl",
    "AclReference",
    "AddressClaim",
    "AddressSet",
    "AddressSetAddress",
    "AllocationCursor",
    "Annex",
    "ApiToken",
    "Base",
    "BfdSession",
    "Change",
    "ChassisTemplateVar",
    "DhcpOptions",
    "DnsRecord",
    "DnsRecordSet",
    "DnsRecordSetSwitch",
    "HaChassisGroup",
    "LoadBalancer",
    "LoadBalancerBackend",
    "LoadBalancerGroup",
    "LoadBalancerGroupMember",
    "LoadBalancerGroupRouter",
    "LoadBalancerGroupSwitch",
    "LoadBalancerRouter",
    "LoadBalancerSwitch",
    "LoadBalancerVip",
    "LogicalRouter",
    "LogicalRouterPort",
    "LogicalSwitch",
    "LogicalSwitchPort",
    "Meter",
    "Nat",
    "NeutronAddressGroup",
    "NeutronDefaultRule",
    "NeutronNetwork",
    "NeutronPort",
    "NeutronQuota",
    "NeutronRouter",
    "NeutronSecurityGroup",
    "NeutronSecurityGroupRule",
    "NeutronSubnet",
    "NeutronSubnetPool",
    "PortGroup",
    "PortGroupPort",
    "Resource",
    "Revision",
    "RevisionCounter",
    "RouterPolicy",
    "RouterPolicyReference",
    "StaticRoute",
    "Tracked",
    "resource_model",
]
