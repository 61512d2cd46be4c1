"""Which provider networks this chassis needs, and has no bridge to.

A switch leads to one on every chassis that knows the switch, and chassis know all switches behind
a router that they have. A chassis needs the network of a switch for what it sends there or takes
in: for a workload that is here, for what a router sends from where it comes from, for a gateway
port that may be in its charge or is reached by that network, and for a floating IP that is here.
"""

from collections.abc import Iterator

from chassis_agent.derivations.announcements import addresses_here
from chassis_agent.derivations.placement import Placement
from chassis_agent.derivations.provider import redirects_of, row_here
from chassis_agent.inputs import ProviderBridge, ThisChassis
from incremental import Read
from southbound.port_types import PlacedBy
from southbound.rows import PortBinding


def workloads_here(name: str, place: Placement) -> Iterator[tuple[str, str]]:
    """Datapath -> its workloads on this chassis that speak with others."""
    if place.has_workload_here:
        yield place.datapath, name


def links_of(name: str, row: PortBinding) -> Iterator[tuple[str, str]]:
    """Datapath -> its ends of links to other datapaths."""
    if row.joins_datapaths:
        yield row.datapath, name


def network_out_of_reach(read: Read, pair: tuple[str, str]) -> str | None:
    """Return the network of a port that leads outside, if it is needed and has no bridge here."""
    _, name = pair
    row = row_here(read, name)
    if row is None or read(ProviderBridge, row.network) is not None:
        return None
    return row.network if not row.kind.is_native or _is_needed(read, row.datapath) else None


def _is_needed(read: Read, switch: str) -> bool:
    return (
        read.any(workloads_here, switch)
        or read.any(addresses_here, switch)
        or any(_sends_from_here(read, name) for name in read.members(links_of, switch))
    )


def _sends_from_here(read: Read, name: str) -> bool:
    """Tell whether what goes over a link to a switch may leave the switch on this chassis."""
    row = read(PortBinding, name)
    this = read(ThisChassis, "")
    if row is None or this is None:
        return False
    if row.kind.placed_by is PlacedBy.NONE_NEEDED or this.name in row.electorate:
        return True
    redirects = (read(PortBinding, each) for each in read.members(redirects_of, row.peer))
    return any(each is not None and bool(each.network) for each in redirects)
