"""What a user may say about each kind of object."""

from northbound.specs import (
    bfd,
    chassis_variables,
    dhcp,
    dns,
    filtering,
    gateways,
    load_balancing,
    meters,
    nat,
    policies,
    routing,
    switching,
)
from northbound.specs.base import Spec, invalid, merge_patch, parse, validate
from northbound.specs.declaration import in_order
from northbound.specs.filtering import AclSpec, AddressSetSpec, PortGroupSpec
from northbound.specs.routing import LogicalRouterPortSpec, LogicalRouterSpec, StaticRouteSpec
from northbound.specs.switching import LogicalSwitchPortSpec, LogicalSwitchSpec

SPECS = in_order(
    [
        *dhcp.KINDS,
        *switching.KINDS,
        *gateways.KINDS,
        *chassis_variables.KINDS,
        *routing.KINDS,
        *bfd.KINDS,
        *nat.KINDS,
        *meters.KINDS,
        *filtering.KINDS,
        *policies.KINDS,
        *load_balancing.KINDS,
        *dns.KINDS,
    ]
)
"""The specs of all kinds, referents before referrers."""

__all__ = [
    "SPECS",
    "AclSpec",
    "AddressSetSpec",
    "LogicalRouterPortSpec",
    "LogicalRouterSpec",
    "LogicalSwitchPortSpec",
    "LogicalSwitchSpec",
    "PortGroupSpec",
    "Spec",
    "StaticRouteSpec",
    "invalid",
    "merge_patch",
    "parse",
    "validate",
]
