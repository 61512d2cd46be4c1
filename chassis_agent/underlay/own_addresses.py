"""Whether this host has the addresses that it announces as the ends of its tunnels.

Open vSwitch is asked, not the system that the agent sees: the two may have network
namespaces of their own, and it is the switch that sends and takes tunnel packets.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from chassis_agent.bridge import unixctl
from chassis_agent.errors import ControlError

_ROUTE: Final = re.compile(r"^(?:Cached|User): ", re.MULTILINE)
_SOURCE: Final = re.compile(r"^src (\S+)$", re.MULTILINE)


async def missing(control: Path, addresses: Iterable[str]) -> list[str]:
    """The addresses that the host does not have.

    Raises ControlError if that can't be told: a switch that knows no routes at all, not even
    those to the host itself, does not follow the system's.
    """
    if not _ROUTE.search(await unixctl.call(control, "ovs/route/show")):
        raise ControlError("Open vSwitch knows no routes")
    return [address for address in addresses if not await _is_here(control, address)]


async def _is_here(control: Path, address: str) -> bool:
    """Whether the route to `address` starts at itself, which is so for a host's own only."""
    try:
        answer = await unixctl.call(control, "ovs/route/lookup", address)
    except ControlError as error:
        if "Not found" in str(error):
            return False
        raise
    source = _SOURCE.search(answer)
    return source is not None and ip_address(source[1]) == ip_address(address)
