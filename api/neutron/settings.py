"""What can be set about the Neutron API, as its parts need it."""

from dataclasses import dataclass, field
from typing import Final

QUOTAS: Final = (
    "network",
    "subnet",
    "subnetpool",
    "port",
    "router",
    "security_group",
    "security_group_rule",
    "address_group",
)
"""The resources that have quotas."""

UNLIMITED: Final = -1


@dataclass(frozen=True)
class NeutronLimits:
    """How networks are made where clients don't say, and what clients are told.

    `mtu` is that of new networks in bytes. `hidden_extensions` are aliases that the list of
    extensions leaves out. `quotas` has, by resource, how many objects a project may have; -1,
    and what isn't named, is without limit.
    """

    mtu: int = 1442
    hidden_extensions: frozenset[str] = frozenset()
    quotas: dict[str, int] = field(default_factory=dict)
