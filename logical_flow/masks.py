"""Arithmetic on masked values.

A *pattern* is a pair ``(value, mask)`` that a number ``x`` fits when ``x & mask ==
value``. A *cover* is a set of patterns that together are fitted by exactly the
numbers in question. Covers of ranges and of complements of prefixes consist of
prefixes, of which two are either nested or disjoint, so that intersecting them
doesn't blow them up. Other masks may: what works for strangers sets a limit.
"""

from collections import defaultdict
from collections.abc import Iterable

from logical_flow.errors import TooComplexError

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


def complement_of_all(patterns: Iterable[Pattern], limit: int | None = None) -> Cover:
    """The numbers that fit none of `patterns`, as disjoint patterns.

    The numbers are halved, bit by bit from the highest, until a part fits none of
    the patterns or all of it fits one.

    >>> sorted(complement_of_all([(0b10, 0b11)]))
    [(0, 2), (3, 3)]
    """
    found: set[Pattern] = set()
    parts: list[tuple[Pattern, list[Pattern]]] = [((0, 0), list(patterns))]
    while parts:
        (value, decided), overlapping = parts.pop()
        open_bits = 0
        for _, mask in overlapping:
            if not mask & ~decided:
                break
            open_bits |= mask & ~decided
        else:
            if not overlapping:
                found.add((value, decided))
                _check(found, limit)
                continue
            bit = 1 << (open_bits.bit_length() - 1)
            for chosen in (0, bit):
                rest = [p for p in overlapping if not p[1] & bit or p[0] & bit == chosen]
                parts.append(((value | chosen, decided | bit), rest))
    return frozenset(found)


def intersection(left: Cover, right: Cover, limit: int | None = None) -> Cover:
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
            _check(found, limit)
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


def _check(found: set[Pattern], limit: int | None) -> None:
    if limit is not None and len(found) > limit:
        raise TooComplexError(f"A field is compared in more than {limit} ways.")


def _by_mask(cover: Cover) -> dict[int, set[int]]:
    grouped: dict[int, set[int]] = defaultdict(set)
    for value, mask in cover:
        grouped[mask].add(value)
    return grouped
