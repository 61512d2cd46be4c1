"""The resources, and what each needs of the others."""

from dataclasses import dataclass
from typing import Any

from api.neutron.resource import Resource
from api.neutron.resources.network import Networks
from api.neutron.settings import NeutronLimits


@dataclass(frozen=True)
class Resources:
    """One object of each resource."""

    networks: Networks

    @classmethod
    def make(cls, limits: NeutronLimits) -> "Resources":
        """Return all resources, put together."""
        return cls(networks=Networks(limits))

    @property
    def all(self) -> tuple[Resource[Any], ...]:
        return (self.networks,)
