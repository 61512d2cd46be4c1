"""The order of mishaps."""

from itertools import islice

from tests.faults.schedule import turns

TARGETS = ("server", "server", "hv1", "hv2")


def test_the_same_seed_gives_the_same_turns() -> None:
    assert list(islice(turns(7, TARGETS), 50)) == list(islice(turns(7, TARGETS), 50))
    assert list(islice(turns(7, TARGETS), 50)) != list(islice(turns(8, TARGETS), 50))


def test_each_mishap_comes_before_one_comes_again() -> None:
    order = [n for turn in islice(turns(1, TARGETS), 400) for n in turn.mishaps]
    rounds = [order[n : n + len(TARGETS)] for n in range(0, len(order) - 3, len(TARGETS))]
    assert all(sorted(one) == [0, 1, 2, 3] for one in rounds)


def test_overlapping_mishaps_befall_different_parts() -> None:
    pairs = [turn.mishaps for turn in islice(turns(1, TARGETS), 400) if len(turn.mishaps) == 2]
    assert pairs
    assert all(TARGETS[one] != TARGETS[other] for one, other in pairs)
