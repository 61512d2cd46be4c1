"""The resources, and what each needs of the others."""

from dataclasses import dataclass
from typing import Any

from api.neutron.resource import Resource
from api.neutron.resources.address_group import AddressGroups
from api.neutron.resources.default_security_group_rule import DefaultSecurityGroupRules
from api.neutron.resources.network import Networks
from api.neutron.resources.security_group import SecurityGroups
from api.neutron.resources.security_group_rule import SecurityGroupRules
from api.neutron.settings import NeutronLimits


@dataclass(frozen=True)
class Resources:
    """One object of each resource."""

    networks: Networks
    security_groups: SecurityGroups
    security_group_rules: SecurityGroupRules
    default_security_group_rules: DefaultSecurityGroupRules
    address_groups: AddressGroups

    @classmethod
    def make(cls, limits: NeutronLimits) -> "Resources":
        """Return all resources, put together."""
        rules = SecurityGroupRules()
        return cls(
            networks=Networks(limits),
            security_groups=SecurityGroups(rules),
            security_group_rules=rules,
            default_security_group_rules=DefaultSecurityGroupRules(),
            address_groups=AddressGroups(),
        )

    @property
    def all(self) -> tuple[Resource[Any], ...]:
        return (
            self.networks,
            self.security_groups,
            self.security_group_rules,
            self.default_security_group_rules,
            self.address_groups,
        )
