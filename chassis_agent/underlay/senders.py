"""How big the frames are that come in here, from workloads and provider networks. Pure."""

from collections.abc import Iterable
from typing import Final

from chassis_agent.local.bindings import IFACE_ID
from chassis_agent.local.provider import ProviderBridges
from chassis_agent.ovsdb.view import Interface
from chassis_agent.physical.tunnels import ETHERNET_HEADER

USUAL_MTU: Final = 1500
"""What is taken for the MTU of an interface that doesn't tell its own."""


def largest_frame(interfaces: Iterable[Interface], provider: ProviderBridges) -> int:
    """Return the size of the biggest frame that comes in here, 0 if none does.

    >>> largest_frame([Interface("tap-1", external_ids={"iface-id": "p"}, mtu=1442)],
    ...     ProviderBridges())
    1456
    """
    mtus = [
        interface.mtu or USUAL_MTU
        for interface in interfaces
        if interface.external_ids.get(IFACE_ID)
    ]
    if provider.bridges:
        mtus.append(provider.mtu or USUAL_MTU)
    return max(mtus) + ETHERNET_HEADER if mtus else 0
