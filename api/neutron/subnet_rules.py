"""What a subnet may be, judged by its own attributes, and what follows from them.

Refusals are Neutron's. Besides, no subnet has addresses that no host can have: ports couldn't
be given them.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from api.neutron.errors import InvalidOperationError, NeutronError
from api.neutron.subnets import DHCPV6_STATELESS, SLAAC
from northbound.addresses import Address, Network, parse_host_network

MAXIMUM_NAMESERVERS: Final = 5
MAXIMUM_HOST_ROUTES: Final = 20
SMALLEST_IPV6_MTU: Final = 1280

Pools = list[list[str]]
"""Allocation pools: pairs of the first and the last address."""


def check_new(values: Mapping[str, Any], block: Network | None) -> None:
    """Refuse attributes of a new subnet that contradict each other.

    `block` has its addresses, if they are chosen and not left to a pool.
    """
    version, gateway = values["ip_version"], values["gateway_ip"]
    if block is not None:
        check_cidr(block, version, dhcp=values["enable_dhcp"])
    if isinstance(gateway, str):
        check_version(version, ipaddress.ip_address(gateway), "gateway_ip", gateway)
        if block is not None:
            check_gateway(block, gateway)
    check_nameservers(version, values["dns_nameservers"], "new subnet")
    check_host_routes(version, values["host_routes"], "new subnet")
    check_modes(values)
    if block is not None:
        check_automatic_prefix(block, values)


def check_cidr(network: Network, version: int, *, dhcp: bool) -> None:
    """Refuse an address block that no subnet has. `dhcp`: its addresses are leased to ports."""
    check_version(version, network, "cidr", str(network))
    if network.prefixlen == 0:
        raise InvalidOperationError("0 is not allowed as CIDR prefix length")
    if network.version == 6 and int(network.network_address) == 0:
        raise InvalidOperationError("IPv6 subnet '::' is not supported")
    if dhcp:
        _check_leases(network)
    try:
        parse_host_network(str(network))
    except ValueError as error:
        raise InvalidOperationError(str(error)) from None


def _check_leases(network: Network) -> None:
    if network.prefixlen > (30 if network.version == 4 else 126):
        raise InvalidOperationError(
            "Subnet has a prefix length that is incompatible with DHCP service enabled"
        )
    for is_so, kind in ((network.is_multicast, "Multicast"), (network.is_loopback, "Loopback")):
        if is_so:
            raise InvalidOperationError(f"{kind} IP subnet is not supported if enable_dhcp is True")
    if network.version == 4 and int(network.network_address) == 0:
        raise InvalidOperationError(
            "First IP '0.0.0.0' of network is not supported if enable_dhcp is True."
        )


def check_version(version: int, value: Network | Address, name: str, text: str) -> None:
    """Refuse an attribute of another IP version than the subnet has."""
    if value.version != version:
        raise InvalidOperationError(f"{name} '{text}' does not match the ip_version '{version}'")


def check_mtu(network_id: str, mtu: int) -> None:
    """Refuse that a network of this MTU has IPv6 (RFC 8200, section 5)."""
    if mtu < SMALLEST_IPV6_MTU:
        message = (
            f"MTU of {network_id} is not valid, subnet requires a minimum of {SMALLEST_IPV6_MTU}"
        )
        raise NeutronError(409, "NetworkMTUSubnetConflict", message)


def check_gateway(network: Network, gateway: str | None) -> None:
    """Refuse a gateway that no host can be. One outside of the subnet is none of its business."""
    if gateway is None:
        return
    address = ipaddress.ip_address(gateway)
    check_version(network.version, address, "gateway_ip", gateway)
    if network.version == 4 and address in (network.network_address, network.broadcast_address):
        raise InvalidOperationError("Gateway is not valid on subnet")


def check_nameservers(version: int, servers: Sequence[str], subnet: str) -> None:
    """Refuse name servers of another version, or too many; `subnet` is what messages call it."""
    if len(servers) > MAXIMUM_NAMESERVERS:
        raise NeutronError(
            400,
            "DNSNameServersExhausted",
            f"Unable to complete operation for {subnet}. The number of DNS nameservers exceeds "
            f"the limit {MAXIMUM_NAMESERVERS}.",
        )
    for server in servers:
        check_version(version, ipaddress.ip_address(server), "dns_nameserver", server)


def check_host_routes(version: int, routes: Sequence[Mapping[str, str]], subnet: str) -> None:
    """Refuse routes of another version, or too many; `subnet` is what messages call it."""
    if len(routes) > MAXIMUM_HOST_ROUTES:
        raise NeutronError(
            400,
            "HostRoutesExhausted",
            f"Unable to complete operation for {subnet}. The number of host routes exceeds the "
            f"limit {MAXIMUM_HOST_ROUTES}.",
        )
    for route in routes:
        nexthop, destination = route["nexthop"], route["destination"]
        check_version(version, ipaddress.ip_address(nexthop), "nexthop", nexthop)
        check_version(version, ipaddress.ip_network(destination), "destination", destination)


def check_modes(values: Mapping[str, Any]) -> None:
    """Refuse modes of IPv6 that don't go with each other, with the version, or without DHCP."""
    modes = {
        name: values[name]
        for name in ("ipv6_ra_mode", "ipv6_address_mode")
        if values[name] is not None
    }
    if values["ip_version"] == 4:
        for name in modes:
            raise InvalidOperationError(f"{name} is not valid when ip_version is 4")
    if modes and not values["enable_dhcp"]:
        raise InvalidOperationError(
            "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False"
        )
    if len(set(modes.values())) > 1:
        raise InvalidOperationError(
            f"ipv6_ra_mode set to '{modes['ipv6_ra_mode']}' with ipv6_address_mode set to "
            f"'{modes['ipv6_address_mode']}' is not valid. If both attributes are set, they must "
            "be the same value"
        )


def check_automatic_prefix(network: Network, values: Mapping[str, Any]) -> None:
    """Refuse addresses that follow from MAC addresses where the prefix leaves no 64 bits."""
    modes = (values["ipv6_ra_mode"], values["ipv6_address_mode"])
    if network.prefixlen != 64 and (SLAAC in modes or DHCPV6_STATELESS in modes):
        raise InvalidOperationError(
            f"Invalid CIDR {network} for IPv6 address mode. OpenStack uses the EUI-64 address "
            "format, which requires the prefix to be /64"
        )


def default_gateway(network: Network) -> str:
    """Return the gateway of a subnet that names none: a fixed place in its addresses."""
    offset = 1 if network.version == 4 else 0
    return str(network.network_address + offset)


def check_gateway_of_block(network: Network, gateway: str) -> None:
    """Refuse a gateway that can be none in the addresses that a subnet turned out to have."""
    if network.version == 4 and network.prefixlen < 32:
        address = ipaddress.ip_address(gateway)
        if address in (network.network_address, network.broadcast_address):
            message = (
                f"Gateway IP {gateway} cannot be the network or broadcast IP address {network}"
            )
            raise NeutronError(409, "IpamValueInvalid", message)


def default_pools(network: Network, gateway: str | None) -> Pools:
    """Return the allocation pools of a subnet that names none: all hosts but the gateway.

    >>> default_pools(ipaddress.ip_network("10.0.0.0/29"), "10.0.0.3")
    [['10.0.0.1', '10.0.0.2'], ['10.0.0.4', '10.0.0.6']]
    """
    first, last = _hosts(network)
    barred = None if gateway is None else int(ipaddress.ip_address(gateway))
    if first == last or barred is None or not first <= barred <= last:
        ranges = [(first, last)]
    else:
        ranges = [(first, barred - 1), (barred + 1, last)]
    make = type(network.network_address)
    return [[str(make(low)), str(make(high))] for low, high in ranges if low <= high]


def checked_pools(network: Network, pools: Sequence[Mapping[str, str]]) -> Pools:
    """Return allocation pools in order, or refuse those that overlap or aren't the subnet's."""
    first, last = _hosts(network)
    ranges = []
    for pool in pools:
        low, high = ipaddress.ip_address(pool["start"]), ipaddress.ip_address(pool["end"])
        shown = f"{low}-{high}"
        if low.version != high.version or int(high) < int(low) or low.version != network.version:
            message = f"The allocation pool {shown} is not valid."
            raise NeutronError(400, "InvalidAllocationPool", message)
        if int(low) < first or int(high) > last:
            message = f"The allocation pool {shown} spans beyond the subnet cidr {network}."
            raise NeutronError(400, "OutOfBoundsAllocationPool", message)
        ranges.append((int(low), int(high), shown))
    ranges.sort()
    for one, other in pairwise(ranges):
        if other[0] <= one[1]:
            message = (
                f"Found overlapping allocation pools: {one[2]} {other[2]} for subnet {network}."
            )
            raise NeutronError(409, "OverlappingAllocationPools", message)
    return [shown.split("-") for _, _, shown in ranges]


def check_gateway_and_pools(gateway: str | None, pools: Pools) -> None:
    """Refuse a gateway whose address could be given to a port."""
    if gateway is None:
        return
    address = int(ipaddress.ip_address(gateway))
    for first, last in pools:
        if int(ipaddress.ip_address(first)) <= address <= int(ipaddress.ip_address(last)):
            message = f"Gateway ip {gateway} conflicts with allocation pool {first}-{last}."
            raise NeutronError(409, "GatewayConflictWithAllocationPools", message)


def _hosts(network: Network) -> tuple[int, int]:
    """Return the values of the first and the last address that ports can have."""
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4:
        return (first + 1, last - 1) if network.prefixlen <= 30 else (first, last)
    return (first, last) if first == last else (first + 1, last)
