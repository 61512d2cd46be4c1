"""Address blocks that don't overlap, such as those of a network's subnets, found by address.

A network may have thousands of subnets: each is parsed once, and looked up by bisection.
"""

import ipaddress
from bisect import bisect_right, insort
from typing import Final, NamedTuple

from northbound.addresses import Address, Network

_BEYOND: Final = 1 << 128
"""More than any address is."""


class _Block(NamedTuple):
    version: int
    first: int
    last: int
    owner: str


class Blocks:
    """Blocks of both IP versions, each with the id of what it is the block of."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []

    def add(self, cidr: str, owner: str) -> None:
        """Take in a block, which must not overlap with those that are in already."""
        network = ipaddress.ip_network(cidr)
        insort(self._blocks, _Block(network.version, int(network[0]), int(network[-1]), owner))

    def owner_of(self, address: Address) -> str | None:
        """Return whose the block is that an address is in, if it is in one."""
        block = self._last_before(address.version, int(address))
        return None if block is None or block.last < int(address) else block.owner

    def overlaps(self, network: Network) -> bool:
        """Tell whether a network has addresses of one of the blocks."""
        block = self._last_before(network.version, int(network[-1]))
        return block is not None and block.last >= int(network[0])

    def _last_before(self, version: int, value: int) -> _Block | None:
        """Return the last block of a version that begins at an address, or before it."""
        place = bisect_right(self._blocks, (version, value, _BEYOND)) - 1
        block = self._blocks[place] if place >= 0 else None
        return block if block is not None and block.version == version else None
