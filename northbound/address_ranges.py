"""Taking free addresses of ranges on a switch, of either IP version.

Where :class:`northbound.ipam.AddressBook` knows which port holds an address, this finds the
next one that none holds. It looks at a few candidates at a time, from a stored cursor on, so
that taking one costs the same whatever the size of the ranges, and an address that was given
up rests until all others have been through.
"""

import ipaddress
from collections.abc import Container, Sequence
from typing import Final

from northbound.allocation import Cursor
from northbound.ipam import AddressBook
from northbound.transaction import Transaction

_FIRST_WINDOW: Final = 8
_LARGEST_WINDOW: Final = 1000
_LARGEST_TOTAL: Final = 1 << 62
"""Of more addresses than a cursor can count the rest is never given out."""

AddressRange = tuple[int, int]
"""The values of the first and the last address."""


class AddressRanges:
    """Addresses of `version` on a switch, in order; `key` names their stored cursor."""

    def __init__(
        self,
        tx: Transaction,
        key: str,
        switch_id: str,
        version: int,
        ranges: Sequence[AddressRange],
    ) -> None:
        self._book = tx.helper(AddressBook)
        self._switch_id = switch_id
        self._make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        self._ranges = ranges
        self._total = min(_LARGEST_TOTAL, sum(last - first + 1 for first, last in ranges))
        self._cursor = Cursor(tx, key, 0)

    def take(self, promised: Container[str] = ()) -> str | None:
        """Return an address that no port holds; None where all are held.

        Those `promised` are passed over: they will be held, but aren't yet.
        """
        start = self._cursor.next
        seen, window = 0, _FIRST_WINDOW
        while seen < self._total:
            count = min(window, self._total - seen)
            places = {
                self._address((start + seen + i) % self._total): start + seen + i
                for i in range(count)
            }
            address = self._book.first_free(
                self._switch_id, [each for each in places if each not in promised]
            )
            if address is not None:
                self._cursor.move((places[address] + 1) % self._total)
                return address
            seen += count
            window = min(window * 8, _LARGEST_WINDOW)
        return None

    def _address(self, place: int) -> str:
        for first, last in self._ranges:
            if place <= last - first:
                return str(self._make(first + place))
            place -= last - first + 1
        raise IndexError(place)
