"""Covers are what they say, number by number."""

from hypothesis import given
from hypothesis import strategies as st

from logical_flow.masks import (
    Cover,
    Pattern,
    complement_of_all,
    intersection,
    range_cover,
    without_redundancy,
)

WIDTH = 5
NUMBERS = range(1 << WIDTH)
patterns = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)).map(
    lambda pair: (pair[0] & pair[1], pair[1])
)
covers = st.frozensets(patterns, max_size=6)


def numbers(cover: Cover) -> set[int]:
    return {n for n in NUMBERS if any(n & mask == value for value, mask in cover)}


@given(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS))
def test_a_range_is_covered_without_overlap(low: int, high: int) -> None:
    cover = range_cover(low, high, WIDTH)
    assert numbers(cover) == set(range(low, high + 1))
    assert sum(1 << WIDTH - mask.bit_count() for _, mask in cover) == max(0, high + 1 - low)
    assert len(cover) <= 2 * WIDTH


@given(st.lists(patterns, max_size=6))
def test_a_complement_is_the_rest(found: list[Pattern]) -> None:
    assert numbers(complement_of_all(found)) == set(NUMBERS) - numbers(frozenset(found))


@given(covers, covers)
def test_an_intersection_is_what_both_have(left: Cover, right: Cover) -> None:
    assert numbers(intersection(left, right)) == numbers(left) & numbers(right)


@given(covers)
def test_what_is_redundant_is_not_missed(cover: Cover) -> None:
    rest = without_redundancy(cover)
    assert numbers(rest) == numbers(cover)
    for pattern in rest:
        others = rest - {pattern}
        assert not any(
            wider & pattern[1] == wider and pattern[0] & wider == value for value, wider in others
        )
