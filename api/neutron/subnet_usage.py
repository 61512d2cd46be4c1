"""Who uses a subnet: the ports of its switch that hold addresses of it.

Which port holds what is in the claims of addresses, whichever API made the port.
"""

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select

from northbound.models import AddressClaim, LogicalSwitchPort, NeutronSubnet
from northbound.transaction import Reader


class HeldAddress(NamedTuple):
    """An address of a subnet, and the port that holds it."""

    address: str
    port_id: str


def held_addresses(reader: Reader, subnet: NeutronSubnet) -> Iterator[HeldAddress]:
    """Yield the addresses of a subnet that ports hold."""
    network = ipaddress.ip_network(subnet.cidr)
    query = select(AddressClaim.address, AddressClaim.logical_switch_port_id).where(
        AddressClaim.logical_switch_id == subnet.network_id
    )
    if network.version == 4:
        ends = int(network.network_address), int(network.broadcast_address)
        query = query.where(AddressClaim.number.between(*ends))
    else:
        query = query.where(AddressClaim.number.is_(None))
    for address, port_id in reader.session.execute(query):
        # MAC addresses are claimed as well.
        if network.version == 4 or _is_of(address, network):
            yield HeldAddress(address, port_id)


def _is_of(address: str, network: ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.IPv6Address(address) in network
    except ValueError:
        return False


def router_port_with(reader: Reader, network_id: str, address: str) -> str | None:
    """Return the id of the port towards a router that holds an address on a network."""
    query = (
        select(LogicalSwitchPort.id)
        .join(AddressClaim, AddressClaim.logical_switch_port_id == LogicalSwitchPort.id)
        .where(
            AddressClaim.logical_switch_id == network_id,
            AddressClaim.address == address,
            LogicalSwitchPort.type == "router",
        )
    )
    return reader.session.scalar(query)
