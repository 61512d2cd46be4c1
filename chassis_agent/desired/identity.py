"""Numbers for the groups, meters and queues that flows refer to.

A number is the hash of what describes the thing, so that a restarted agent finds it in the
switch under the number that it gives it now, and nothing has to be written down. The
description names the thing and leaves out what may change of it: a group keeps its number
while its buckets are replaced. Should two hashes collide, the later thing takes the next free
number; that may cost a few rewritten flows after a restart, in one bundle, and nothing else.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, NamedTuple

from chassis_agent.errors import NumbersExhaustedError

FIRST_GROUP: Final = 0x100
"""Groups below it have fixed numbers."""
LAST_GROUP: Final = 0xFFFFFEFF
FIRST_METER: Final = 2048
"""Meters below it are those in front of the agent: :mod:`chassis_agent.punt.meters`."""
LAST_METER: Final = 0xFFFF
"""Every datapath that Open vSwitch has takes numbers up to here."""

DEFAULT_QUEUE: Final = 0
"""The queue of packets that choose none."""
FIRST_QUEUE: Final = 1
LAST_QUEUE: Final = 0xEFFF
"""The last one that ``linux-htb`` takes: ovs-vswitchd.conf.db(5), table QoS."""


class Numbering(NamedTuple):
    """Who gives numbers to what packed flows refer to: each takes a description."""

    conjunction: Callable[[bytes], int]
    group: Callable[[bytes], int]
    meter: Callable[[bytes], int]
    queue: Callable[[bytes], int]


class StableNumbers:
    """Gives equal descriptions equal numbers of a range, different ones different numbers."""

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._numbers: dict[bytes, int] = {}
        self._descriptions: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def allocate(self, description: bytes) -> int:
        """The number of what is so described.

        Raises NumbersExhaustedError where all numbers of the range are in use.
        """
        digest = blake2b(description, digest_size=16).digest()
        number = self._numbers.get(digest)
        if number is not None:
            return number
        size = self._last - self._first + 1
        if len(self._numbers) >= size:
            raise NumbersExhaustedError(f"all {size} numbers from {self._first} on are in use")
        number = self._first + int.from_bytes(digest[:8]) % size
        while number in self._descriptions:
            number = self._first if number == self._last else number + 1
        self._numbers[digest] = number
        self._descriptions[number] = digest
        return number

    def release(self, number: int) -> None:
        """What had the number is gone; the number is free. One that was never given is ignored."""
        digest = self._descriptions.pop(number, None)
        if digest is not None:
            del self._numbers[digest]
