"""What a user may say about each kind of object."""

from northbound.specs.base import Spec, invalid, merge_patch, parse, validate
from northbound.specs.filtering import AclSpec, AddressSetSpec, PortGroupSpec
from northbound.specs.routing import LogicalRouterPortSpec, LogicalRouterSpec, StaticRouteSpec
from northbound.specs.switching import LogicalSwitchPortSpec, LogicalSwitchSpec

__all__ = [
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
