"""Subnet pools as arithmetic: which prefixes are free, and which one an allocation gets."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from api.neutron.errors import NeutronError
from northbound.addresses import Network

QUOTA_UNIT: Final = {4: 32, 6: 64}
"""The prefix length of what a quota counts: addresses of IPv4, /64 networks of IPv6."""
SMALLEST_MINIMUM: Final = {4: 8, 6: 64}
"""The default shortest prefix length of a subnet from a pool."""
BITS: Final = {4: 32, 6: 128}


class Bounds(NamedTuple):
    """The prefix lengths that subnets of a pool may have, and have by default."""

    minimum: int
    maximum: int
    default: int


def merged(prefixes: Iterable[str]) -> list[Network]:
    """Return prefixes with those joined that are parts of one, or refuse what is no pool's.

    >>> [str(each) for each in merged(["10.0.1.0/24", "10.0.0.0/24", "10.0.0.0/25"])]
    ['10.0.0.0/23']
    """
    four, six = [], []
    for prefix in prefixes:
        network = ipaddress.ip_network(prefix)
        if isinstance(network, ipaddress.IPv4Network):
            four.append(network)
        else:
            six.append(network)
    if four and six:
        message = "Cannot mix IPv4 and IPv6 prefixes in a subnet pool."
        raise NeutronError(400, "PrefixVersionMismatch", message)
    if four:
        return list(ipaddress.collapse_addresses(four))
    if not six:
        message = "Empty subnet pool prefix list."
        raise NeutronError(400, "EmptySubnetPoolPrefixList", message)
    return list(ipaddress.collapse_addresses(six))


def check_bounds(version: int, bounds: Bounds) -> None:
    """Refuse prefix lengths that contradict each other."""
    minimum, maximum, default = bounds
    pairs = (
        (minimum <= maximum, ("min_prefixlen", minimum), ("max_prefixlen", maximum)),
        (maximum <= BITS[version], ("max_prefixlen", maximum), ("ip_version_max", BITS[version])),
        (default >= minimum, ("default_prefixlen", default), ("min_prefixlen", minimum)),
        (default <= maximum, ("default_prefixlen", default), ("max_prefixlen", maximum)),
    )
    for holds, one, other in pairs:
        if not holds:
            message = f"Illegal prefix bounds: {one[0]}={one[1]}, {other[0]}={other[1]}."
            raise NeutronError(400, "IllegalSubnetPoolPrefixBounds", message)


def check_prefixlen(prefixlen: int, bounds: Bounds) -> None:
    """Refuse a prefix length that no subnet of a pool has."""
    for too, word, bound in (
        (prefixlen > bounds.maximum, "max", bounds.maximum),
        (prefixlen < bounds.minimum, "min", bounds.minimum),
    ):
        if too:
            message = (
                f"Unable to allocate subnet with prefix length {prefixlen}, {word}imum allowed "
                f"prefix is {bound}."
            )
            raise NeutronError(400, f"{word.title()}PrefixSubnetAllocationError", message)


def check_quota(version: int, quota: int | None, used: Iterable[str], prefixlen: int) -> None:
    """Refuse an allocation with which a project would have more than `quota` units of a pool.

    `used` are what it has; a quota of zero is none.
    """
    if not quota:
        return
    sizes = [ipaddress.ip_network(each).num_addresses for each in used]
    wanted = 1 << (BITS[version] - prefixlen)
    if sum(sizes) + wanted > quota << (BITS[version] - QUOTA_UNIT[version]):
        message = "Per-project subnet pool prefix quota exceeded."
        raise NeutronError(409, "SubnetPoolQuotaExceeded", message)


def any_free(prefixes: Sequence[str], allocated: Iterable[str], prefixlen: int) -> Network:
    """Return a free network of that size: of the smallest gap that has room, the first.

    >>> str(any_free(["10.0.0.0/22"], ["10.0.0.0/24", "10.0.2.0/23"], 25))
    '10.0.1.0/25'
    """
    fitting = [each for each in _free(prefixes, allocated) if each.prefixlen <= prefixlen]
    if not fitting:
        raise _allocation_error(f"Insufficient prefix space to allocate subnet size /{prefixlen}")
    smallest = max(fitting, key=lambda each: (each.prefixlen, -int(each.network_address)))
    return type(smallest)((smallest.network_address, prefixlen))


def check_free(prefixes: Sequence[str], allocated: Iterable[str], network: Network) -> None:
    """Refuse a network that isn't the pool's, or not free."""
    if not any(_contains(each, network) for each in _free(prefixes, allocated)):
        raise _allocation_error(
            "Cannot allocate requested subnet from the available set of prefixes"
        )


def all_within(networks: Iterable[str], prefixes: Iterable[Network]) -> bool:
    """Tell whether each of `networks` is a part of one of `prefixes`, which don't overlap.

    There may be thousands of both.
    """
    holders = sorted((each.version, int(each[0]), int(each[-1])) for each in prefixes)
    for network in networks:
        part = ipaddress.ip_network(network)
        first, last = int(part[0]), int(part[-1])
        # The only one that can hold it is the last that begins no later.
        place = bisect_right(holders, (part.version, first, 1 << BITS[6])) - 1
        if place < 0:
            return False
        version, _, end = holders[place]
        if version != part.version or end < last:
            return False
    return True


def without(prefixes: Sequence[str], removed: Iterable[str]) -> list[str]:
    """Return what of `prefixes` is in none of those removed, joined."""
    return [str(each) for each in _free(prefixes, removed)]


def _free(prefixes: Sequence[str], allocated: Iterable[str]) -> list[Network]:
    """Return what of `prefixes` isn't allocated, as networks in order."""
    versions = {":" in each for each in prefixes}
    taken = sorted(_ends(each) for each in allocated if (":" in each) in versions)
    free: list[Network] = []
    place = 0
    for prefix in sorted(map(ipaddress.ip_network, prefixes), key=lambda p: int(p[0])):
        first, last = int(prefix.network_address), int(prefix.broadcast_address)
        make = type(prefix.network_address)
        while place < len(taken) and taken[place][1] < first:
            place += 1
        at = place
        while at < len(taken) and taken[at][0] <= last:
            low, high = taken[at]
            if first < low:
                free += ipaddress.summarize_address_range(make(first), make(low - 1))
            first = max(first, high + 1)
            at += 1
        if first <= last:
            free += ipaddress.summarize_address_range(make(first), make(last))
    return free


@lru_cache(maxsize=10_000)
def _ends(network: str) -> tuple[int, int]:
    parsed = ipaddress.ip_network(network)
    return int(parsed.network_address), int(parsed.broadcast_address)


def _contains(whole: Network, part: Network) -> bool:
    if whole.version != part.version:
        return False
    return part.subnet_of(whole)  # type: ignore[arg-type]


def _allocation_error(reason: str) -> NeutronError:
    """Return a refusal that Neutron itself answers as if it were a fault of the server."""
    return NeutronError(409, "SubnetAllocationError", f"Failed to allocate subnet: {reason}.")
