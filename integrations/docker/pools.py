"""Address pools: what an id of one says, and which of its addresses are never given out.

A pool has no state. Its id says all that there is to know: on whose switch, which network. The
switch is made with the first network of Docker's that uses the pool.
"""

import hashlib
import ipaddress
import re
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from integrations.docker.errors import BadCallError, RefusedCallError
from integrations.docker.fields import IpAddress, Network
from integrations.docker.options import is_name

LOCAL_SPACE = "treadle-local"
GLOBAL_SPACE = "treadle-global"
SPACES = (LOCAL_SPACE, GLOBAL_SPACE)
_HOST = re.compile(r"[^,\s]{0,255}")
_NO_SWITCH = "-"
_SHORTEST4, _LENGTH6 = 30, 64


class Pool(NamedTuple):
    """Addresses of one family on one switch."""

    host: str
    """The host whose Docker has it; empty for a pool of a whole swarm."""
    project: str
    switch: str | None
    """The switch that was asked for, by name or id; None for one that is made for the pool."""
    network: Network
    part: Network | None = None
    """Where dynamic addresses are to be from, ``--ip-range``."""

    @property
    def id(self) -> str:
        part = "" if self.part is None else str(self.part)
        return f"{self.host},{self.project},{self.switch or _NO_SWITCH},{self.network},{part}"

    def with_length(self, address: IpAddress) -> str:
        """An address as Docker wants it, with the prefix length of its network."""
        return f"{address}/{self.network.prefixlen}"


def parse_pool(pool_id: str) -> Pool:
    """Read the id of a pool; raise :class:`BadCallError` if it isn't one that we gave out.

    >>> parse_pool("hv1,default,web,10.0.0.0/24,").network
    IPv4Network('10.0.0.0/24')
    """
    words = pool_id.split(",")
    try:
        host, project, switch, network, part = words
        pool = Pool(
            host,
            project,
            None if switch == _NO_SWITCH else switch,
            ipaddress.ip_network(network),
            ipaddress.ip_network(part) if part else None,
        )
    except ValueError:
        raise BadCallError(f"PoolID: {pool_id!r} is no pool of this driver") from None
    names = [project] if pool.switch is None else [project, pool.switch]
    if pool.id != pool_id or not _HOST.fullmatch(host) or not all(map(is_name, names)):
        raise BadCallError(f"PoolID: {pool_id!r} is no pool of this driver")
    return pool


def check_pool(network: Network, part: Network | None) -> None:
    """Refuse what Treadle's address management has no addresses in."""
    if network.version == 4 and network.prefixlen > _SHORTEST4:
        raise RefusedCallError(f"{network} has no addresses for containers: /30 is the smallest")
    if network.version == 6 and network.prefixlen != _LENGTH6:
        raise RefusedCallError(f"{network}: IPv6 networks of Treadle are /{_LENGTH6}")
    if part is None:
        return
    if part.version == 6:
        raise RefusedCallError("--ip-range is for IPv4: IPv6 addresses follow from MAC addresses")
    if network.version == 6 or not _is_within(part, network):
        raise RefusedCallError(f"--ip-range {part} is not in {network}")


def first_host(network: Network) -> IpAddress:
    """The address that a gateway has by convention; it is never given out.

    >>> first_host(ipaddress.ip_network("10.0.0.0/24"))
    IPv4Address('10.0.0.1')
    """
    return network.network_address + 1


def exclusions(network: Network, part: Network | None, kept: Iterable[IpAddress]) -> list[str]:
    """What a switch for this pool never gives out: `kept`, and what is outside of `part`.

    >>> net, part = map(ipaddress.ip_network, ("10.0.0.0/24", "10.0.0.64/26"))
    >>> exclusions(net, part, [ipaddress.ip_address("10.0.0.70")])
    ['10.0.0.70', '10.0.0.0..10.0.0.63', '10.0.0.128..10.0.0.255']
    """
    excluded = [str(address) for address in kept if address.version == 4]
    if part is not None:
        if int(part.network_address) > int(network.network_address):
            excluded.append(f"{network.network_address}..{part.network_address - 1}")
        if int(part.broadcast_address) < int(network.broadcast_address):
            excluded.append(f"{part.broadcast_address + 1}..{network.broadcast_address}")
    return excluded


def _is_within(part: Network, network: Network) -> bool:
    return part.network_address in network and part.broadcast_address in network


def free_pools(host: str, within: Network | None, taken: Container[Network]) -> Iterator[Network]:
    """Networks for pools of which Docker's user says nothing: /24 of `within`, or /64.

    Without `within` they are of a unique local prefix (RFC 4193) that follows from the host.
    """
    if within is None:
        digest = hashlib.blake2b(host.encode(), digest_size=5).digest()
        within = ipaddress.IPv6Network((b"\xfd" + digest + bytes(10), 48))
    length = 24 if within.version == 4 else _LENGTH6
    return (net for net in within.subnets(new_prefix=length) if net not in taken)
