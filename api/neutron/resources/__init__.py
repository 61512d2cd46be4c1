"""The resources, and what each needs of the others."""

from dataclasses import dataclass
from typing import Any

from api.neutron.resource import Resource
from api.neutron.resources.address_group import AddressGroups
from api.neutron.resources.default_security_group_rule import DefaultSecurityGroupRules
from api.neutron.resources.network import Networks
from api.neutron.resources.network_ip_availability import NetworkIpAvailabilities
from api.neutron.resources.port import Ports
from api.neutron.resources.router import Routers
from api.neutron.resources.security_group import SecurityGroups
from api.neutron.resources.security_group_rule import SecurityGroupRules
from api.neutron.resources.subnet import Subnets
from api.neutron.resources.subnetpool import SubnetPools
from api.neutron.settings import NeutronLimits


@dataclass(frozen=True)
class Resources:
    """One object of each resource."""

    networks: Networks
    subnets: Subnets
    subnetpools: SubnetPools
    network_ip_availabilities: NetworkIpAvailabilities
    ports: Ports
    routers: Routers
    security_groups: SecurityGroups
    security_group_rules: SecurityGroupRules
    default_security_group_rules: DefaultSecurityGroupRules
    address_groups: AddressGroups

    @classmethod
    def make(cls, limits: NeutronLimits) -> "Resources":
        """Return all resources, put together."""
        rules = SecurityGroupRules()
        networks, pools = Networks(limits), SubnetPools()
        subnets, ports = Subnets(networks, pools), Ports(networks)
        return cls(
            networks=networks,
            subnets=subnets,
            subnetpools=pools,
            network_ip_availabilities=NetworkIpAvailabilities(networks),
            ports=ports,
            routers=Routers(networks, subnets, ports),
            security_groups=SecurityGroups(rules),
            security_group_rules=rules,
            default_security_group_rules=DefaultSecurityGroupRules(),
            address_groups=AddressGroups(),
        )

    @property
    def all(self) -> tuple[Resource[Any], ...]:
        return (
            self.networks,
            self.subnets,
            self.subnetpools,
            self.network_ip_availabilities,
            self.ports,
            self.routers,
            self.security_groups,
            self.security_group_rules,
            self.default_security_group_rules,
            self.address_groups,
        )
