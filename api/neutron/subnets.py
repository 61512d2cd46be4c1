"""Subnets as facts: those of a network, the addresses that they have, how ports get them.

A switch that ``/v1`` gave a `subnet4` or `subnet6` has subnets here as well, of which there
are no rows: their ids follow from the switch's (:func:`switch_subnets`).
"""

import ipaddress
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import select

from northbound.address_ranges import AddressRange
from northbound.addresses import Network, eui64, parse_ranges
from northbound.identity import is_id
from northbound.inserting import batched
from northbound.models import LogicalSwitch, NeutronSubnet
from northbound.transaction import Reader

SLAAC, DHCPV6_STATELESS, DHCPV6_STATEFUL = "slaac", "dhcpv6-stateless", "dhcpv6-stateful"

ROUTER_PORT_OWNERS: Final = frozenset(
    {
        "network:router_interface",
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
        "network:router_centralized_snat",
    }
)
"""Owners of ports whose addresses are chosen, whatever the subnet is like."""
DELETED_WITH_NETWORK: Final = frozenset(
    {"network:dhcp", "network:distributed", "network:floatingip_agent_gateway"}
)
"""Owners of ports that aren't in the way of the end of their subnet or network."""
_GATEWAY_OWNERS: Final = frozenset({"network:router_gateway", "network:floatingip"})

_MASKS: Final = {
    4: uuid.UUID("5f3c2a0e-6a67-0d0b-1a39-6c1c8f0d7e44").int,
    6: uuid.UUID("5f3c2a0e-6a67-0d0b-1a39-6c1c8f0d7e46").int,
}
"""What makes the id of a switch that of its subnet, and the other way round."""


def subnets_of_network(reader: Reader, network_id: str) -> list[NeutronSubnet]:
    """Return the subnets of a network, those that its switch says among them."""
    query = select(NeutronSubnet).where(NeutronSubnet.network_id == network_id)
    rows = reader.session.scalars(query.order_by(NeutronSubnet.created_at, NeutronSubnet.id))
    switch = reader.by_id(LogicalSwitch, network_id)
    return [*rows.all(), *([] if switch is None else switch_subnets(switch))]


def subnets_of_networks(
    reader: Reader, network_ids: Collection[str]
) -> dict[str, list[NeutronSubnet]]:
    """Return the subnets of each of many networks, as :func:`subnets_of_network` does for one."""
    if len(network_ids) == 1:
        return {each: subnets_of_network(reader, each) for each in network_ids}
    found: dict[str, list[NeutronSubnet]] = {each: [] for each in network_ids}
    for some in batched(list(found)):
        query = select(NeutronSubnet).where(NeutronSubnet.network_id.in_(some))
        for subnet in reader.session.scalars(
            query.order_by(NeutronSubnet.created_at, NeutronSubnet.id)
        ):
            found[subnet.network_id].append(subnet)
        switches = select(LogicalSwitch).where(LogicalSwitch.id.in_(some))
        for switch in reader.session.scalars(switches):
            found[switch.id] += switch_subnets(switch)
    return found


def switch_subnets(switch: LogicalSwitch) -> list[NeutronSubnet]:
    """Return the subnets that stand for `subnet4` and `subnet6` of a switch; they are no rows.

    The first host's address of `subnet4` is never given out: it is a gateway's by convention.
    """
    subnets = []
    if switch.subnet4 is not None:
        network = ipaddress.IPv4Network(switch.subnet4)
        first = int(network.network_address) + 2
        barred = parse_ranges(switch.exclude_ips)
        pools = _without((first, int(network.broadcast_address) - 1), barred)
        texts = [[str(ipaddress.IPv4Address(end)) for end in pool] for pool in pools]
        subnets.append(_switch_subnet(switch, str(network), str(network[1]), texts, None))
    if switch.subnet6 is not None:
        subnets.append(_switch_subnet(switch, switch.subnet6, None, [], SLAAC))
    return subnets


def _switch_subnet(
    switch: LogicalSwitch,
    cidr: str,
    gateway_ip: str | None,
    pools: list[list[str]],
    mode: str | None,
) -> NeutronSubnet:
    version = ipaddress.ip_network(cidr).version
    return NeutronSubnet(
        id=switch_subnet_id(switch.id, version),
        network_id=switch.id,
        project=switch.project,
        name="",
        description="",
        ip_version=version,
        cidr=cidr,
        gateway_ip=gateway_ip,
        enable_dhcp=mode is not None,
        allocation_pools=pools,
        dns_nameservers=[],
        host_routes=[],
        ipv6_ra_mode=None,
        ipv6_address_mode=mode,
        service_types=[],
        subnetpool_id=None,
        tags=[],
        created_at="",
        updated_at="",
        version=switch.version,
    )


def switch_subnet_id(switch_id: str, version: int) -> str:
    """Return the id of the subnet that stands for `subnet4` or `subnet6` of a switch.

    >>> switch_subnet_id(switch_subnet_id("0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11", 4), 4)
    '0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11'
    """
    return str(uuid.UUID(int=uuid.UUID(switch_id).int ^ _MASKS[version]))


def switch_subnet_ids(switch: LogicalSwitch) -> list[str]:
    """Return the ids of the subnets that stand for what a switch says."""
    blocks = {4: switch.subnet4, 6: switch.subnet6}
    return [
        switch_subnet_id(switch.id, version)
        for version, block in blocks.items()
        if block is not None
    ]


def stands_for_switch(subnet: NeutronSubnet) -> bool:
    """Tell whether a subnet is what a switch says, and no row."""
    return subnet.id == switch_subnet_id(subnet.network_id, subnet.ip_version)


def switches_of_subnets(subnet_ids: Iterable[str]) -> list[str]:
    """Return the ids of the switches for whose subnets these ids may stand."""
    ids = [each for each in subnet_ids if is_id(each)]
    return [switch_subnet_id(each, version) for each in ids for version in _MASKS]


def _without(whole: AddressRange, barred: Sequence[AddressRange]) -> list[AddressRange]:
    """Return what is left of a range without those `barred`, which are sorted."""
    first, last = whole
    left = []
    for low, high in barred:
        if first < low:
            left.append((first, min(low - 1, last)))
        first = max(first, high + 1)
    if first <= last:
        left.append((first, last))
    return [(low, high) for low, high in left if low <= high]


def has_automatic_addresses(subnet: NeutronSubnet) -> bool:
    """Tell whether addresses of a subnet follow from MAC addresses."""
    modes = (SLAAC, DHCPV6_STATELESS)
    return subnet.ipv6_address_mode in modes or subnet.ipv6_ra_mode in modes


def automatic_address(subnet: NeutronSubnet, mac: str) -> str:
    """Return the address that follows from a MAC address (RFC 4291, appendix A)."""
    return eui64(ipaddress.IPv6Network(subnet.cidr), mac)


def is_router_port(device_owner: str) -> bool:
    """Tell whether ports of an owner choose their addresses also in subnets of automatic ones."""
    return device_owner in ROUTER_PORT_OWNERS


def address_ranges(subnet: NeutronSubnet) -> list[AddressRange]:
    """Return the allocation pools of a subnet as pairs of numbers."""
    make = ipaddress.ip_address
    return [(int(make(first)), int(make(last))) for first, last in subnet.allocation_pools]


def holds_address(subnet: NeutronSubnet, address: str, device_owner: str = "") -> bool:
    """Tell whether a port may have an address of the subnet.

    That of the network is for routers, and only in IPv6 (RFC 4291 2.6.1); the broadcast
    address of IPv4 is no port's.
    """
    network: Network = ipaddress.ip_network(subnet.cidr)
    ip = ipaddress.ip_address(address)
    if ip.version != network.version or ip not in network:
        return False
    if network.version == 4:
        broadcast = network.prefixlen < 31 and ip == network.broadcast_address
        return ip != network.network_address and not broadcast
    routers = ROUTER_PORT_OWNERS | _GATEWAY_OWNERS | {""}
    return ip != network.network_address or device_owner in routers
