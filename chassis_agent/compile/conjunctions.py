"""Conjunction ids: a number for each conjunctive match in the switch.

An id is the hash of what the conjunction is, so that a restarted agent finds its
flows in the switch as it would install them now. Should two hashes collide, the
later conjunction takes the next free number; that costs a few rewritten flows
after a restart, and nothing else.
"""

from hashlib import blake2b


class ConjunctionIds:
    """Gives equal descriptions equal ids, different ones different ids."""

    def __init__(self) -> None:
        self._ids: dict[bytes, int] = {}
        self._descriptions: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def allocate(self, description: bytes) -> int:
        """The id of the conjunction so described; ids are 32 bits and never 0."""
        digest = blake2b(description, digest_size=16).digest()
        number = self._ids.get(digest)
        if number is not None:
            return number
        number = int.from_bytes(digest[:4]) or 1
        while number in self._descriptions:
            number = number % 0xFFFFFFFF + 1
        self._ids[digest] = number
        self._descriptions[number] = digest
        return number
