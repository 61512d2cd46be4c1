"""Numbers for the groups and meters that flows refer to.

A number is the hash of what describes the thing, so that a restarted agent finds it in the
switch under the number that it gives it now, and nothing has to be written down. The
description names the thing and leaves out what may change of it: a group keeps its number
while its buckets are replaced. Should two hashes collide, the later thing takes the next free
number; that may cost a few rewritten flows after a restart, in one bundle, and nothing else.
"""

from hashlib import blake2b
from typing import Final

from chassis_agent.errors import NumbersExhaustedError

FIRST_GROUP: Final = 0x100
"""Groups below it have fixed numbers."""
LAST_GROUP: Final = 0xFFFFFEFF


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
