"""Which addresses a router port may learn neighbours at.

Packets of tenants teach routers, and agents tell of it: both are judged by this, beside
the flows that ask for it. A neighbour is a host: it has an address in a network of the
port, or is a next hop of a route through it, and is not the port itself.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from southbound.rows import PortBinding

_POINT_TO_POINT = {4: 31, 6: 127}
"""From this prefix length on all addresses of a network are hosts' (RFC 3021, RFC 6164)."""


def why_no_neighbour(port: PortBinding, ip: str) -> str:
    """Why a port has no neighbour at an address, in canonical form; empty if it may have one.

    >>> port = PortBinding("p", "r", "r-web", 1, "patch",
    ...     addresses=("0a:00:00:00:00:01 10.0.0.1",), neighbours=("10.0.0.0/24", "192.0.2.9/32"))
    >>> why_no_neighbour(port, "10.0.0.9"), why_no_neighbour(port, "192.0.2.9")
    ('', '')
    >>> why_no_neighbour(port, "8.8.8.8")
    'it is in no network of the port'
    """
    if not port.neighbours:
        return "it is no router port"
    address = ip_address(ip)
    if address.is_multicast or address.is_loopback or address.is_unspecified:
        return "no host can have it"
    if any(ip in addresses.split() for addresses in port.addresses):
        return "it is the port's own"
    for text in port.neighbours:
        network = _network(text)
        if address.version == network.version and address in network:
            if network.prefixlen >= _POINT_TO_POINT[network.version]:
                return ""
            is_broadcast = network.version == 4 and address == network.broadcast_address
            if address == network.network_address or is_broadcast:
                return "it is the network's own"
            return ""
    return "it is in no network of the port"


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
