"""Which type of port binding the ports of intent have."""

from collections.abc import Mapping
from typing import Final

from southbound.port_types import (
    EXTERNAL,
    L2_GATEWAY,
    LOCALNET,
    LOCALPORT,
    PATCH,
    VIF,
    VIRTUAL,
    PortKind,
)

SWITCH_PORT_KINDS: Final[Mapping[str, PortKind]] = {
    "vif": VIF,
    "router": PATCH,
    "localnet": LOCALNET,
    "l2gateway": L2_GATEWAY,
    "virtual": VIRTUAL,
    "localport": LOCALPORT,
    "external": EXTERNAL,
}
"""By the `type` of a logical switch port."""

TYPES_OF_WORKLOADS: Final = tuple(
    name for name, kind in SWITCH_PORT_KINDS.items() if kind.is_workload
)
"""The types of logical switch ports behind which there are workloads."""
