"""Waits between attempts to connect grow, but never so long that an operator would wonder."""

from southbound.watch.backoff import Backoff

LONGEST = 8.0


def test_waits_grow_to_the_longest_and_no_further() -> None:
    backoff = Backoff(first=0.5, longest=LONGEST)
    delays = [backoff.delay() for _ in range(12)]
    for number, delay in enumerate(delays):
        ceiling = min(0.5 * 2**number, LONGEST)
        assert ceiling / 4 <= delay <= ceiling


def test_after_success_waits_are_short_again() -> None:
    backoff = Backoff(first=0.5, longest=LONGEST)
    backoff.exhaust()
    assert backoff.delay() >= LONGEST / 4
    backoff.reset()
    assert backoff.delay() <= 0.5


def test_a_server_that_is_back_is_found_within_seconds() -> None:
    backoff = Backoff()
    assert max(backoff.delay() for _ in range(100)) <= LONGEST
