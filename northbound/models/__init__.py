"""The tables of intent and of its history."""

from northbound.models.access import ApiToken
from northbound.models.base import Base, Resource, Tracked
from northbound.models.filtering import (
    Acl,
    AclReference,
    AddressSet,
    AddressSetAddress,
    PortGroup,
    PortGroupPort,
)
from northbound.models.history import Change, Revision, RevisionCounter
from northbound.models.routing import LogicalRouter, LogicalRouterPort, StaticRoute
from northbound.models.switching import (
    AddressClaim,
    AllocationCursor,
    LogicalSwitch,
    LogicalSwitchPort,
)

TRACKED: tuple[type[Tracked], ...] = (
    LogicalSwitch,
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitchPort,
    StaticRoute,
    PortGroup,
    PortGroupPort,
    AddressSet,
    AddressSetAddress,
    Acl,
)
"""The tables that the translator loads and follows, referents before referrers."""

__all__ = [
    "TRACKED",
    "Acl",
    "AclReference",
    "AddressClaim",
    "AddressSet",
    "AddressSetAddress",
    "AllocationCursor",
    "ApiToken",
    "Base",
    "Change",
    "LogicalRouter",
    "LogicalRouterPort",
    "LogicalSwitch",
    "LogicalSwitchPort",
    "PortGroup",
    "PortGroupPort",
    "Resource",
    "Revision",
    "RevisionCounter",
    "StaticRoute",
    "Tracked",
]
