"""Arithmetic on masked values.

A *pattern* is a pair ``(value, mask)`` that a number ``x`` fits when ``x & mask ==
value``. A *cover* is a set of patterns that together are fitted by exactly the
numbers in question. Covers of ranges and complements consist of prefixes, of which
two are either nested or disjoint, so that intersecting covers doesn't blow them up.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

Pattern = tuple[int, int]
Cover = frozenset[Pattern]

ANYTHING: Cover = frozenset({(0, 0)})
NOTHING: Cover = frozenset()


def ones(width: int) -> int:
    return (1 << width) - 1


def range_cover(low: int, high: int, width: int) -> Cover:
    """The numbers from `low` to `high`, both included, as few prefixes.

    >>> sorted(range_cover(1, 6, 3))
    [(1, 7), (2, 6), (4, 6), (6, 7)]
    """
    found = set()
    while low <= high:
        # The largest aligned block that starts at `low` and ends by `high`.
        bits = (low & -low).bit_length() - 1 if low else width
        while low + ones(bits) > high:
            bits -= 1
        found.add((low, ones(width) & ~ones(bits)))
        low += 1 << bits
    return frozenset(found)


def complement(pattern: Pattern) -> Cover:
    """The numbers that don't fit `pattern`: they differ first in one of its bits.

    >>> sorted(complement((0b10, 0b11)))
    [(0, 2), (3, 3)]
    """
    value, mask = pattern
    found = set()
    decided = 0
    for bit in _bits_downwards(mask):
        decided |= bit
        found.add(((value & decided) ^ bit, decided))
    return frozenset(found)


def complement_of_all(patterns: Iterable[Pattern]) -> Cover:
    """The numbers that fit none of `patterns`."""
    cover = ANYTHING
    for pattern in patterns:
        cover = intersection(cover, complement(pattern))
    return cover


def intersection(left: Cover, right: Cover) -> Cover:
    """The numbers that fit a pattern of `left` and one of `right`.

    Patterns are joined by the bits that both masks decide, mask by mask: there are
    few masks, however many patterns there are.
    """
    found: set[Pattern] = set()
    for left_mask, left_values in _by_mask(left).items():
        for right_mask, right_values in _by_mask(right).items():
            common = left_mask & right_mask
            partners = defaultdict(list)
            for value in right_values:
                partners[value & common].append(value)
            mask = left_mask | right_mask
            found.update(
                (value | partner, mask)
                for value in left_values
                for partner in partners.get(value & common, ())
            )
    return without_redundancy(frozenset(found))


def without_redundancy(cover: Cover) -> Cover:
    """`cover` without the patterns that others of it include."""
    by_mask = _by_mask(cover)
    if len(by_mask) <= 1:
        return cover
    return frozenset(
        (value, mask)
        for value, mask in cover
        if not any(
            wider != mask and wider & mask == wider and value & wider in values
            for wider, values in by_mask.items()
        )
    )


def shifted(cover: Cover, distance: int) -> Cover:
    """The cover of a slice as that of the field, in which it starts at bit `distance`."""
    return frozenset((value << distance, mask << distance) for value, mask in cover)


def _by_mask(cover: Cover) -> dict[int, set[int]]:
    grouped: dict[int, set[int]] = defaultdict(set)
    for value, mask in cover:
        grouped[mask].add(value)
    return grouped


def _bits_downwards(mask: int) -> Iterator[int]:
    while mask:
        bit = 1 << (mask.bit_length() - 1)
        yield bit
        mask ^= bit
