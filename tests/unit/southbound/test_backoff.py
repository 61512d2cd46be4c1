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


def test_a_server_that_is_down_is_asked_about_every_second_at_different_moments() -> None:
    delays = []
    for _ in range(200):
        backoff = Backoff()
        delays.append([backoff.delay(is_down=True) for _ in range(20)][-1])
    assert 0.25 <= min(delays) < max(delays) <= 1.0
    buckets = {int(delay * 10) for delay in delays}
    assert len(buckets) >= 5, "all at once"


def test_one_that_does_not_serve_is_left_alone_for_longer_also_after_it_was_down() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.delay(is_down=True)
    assert max(backoff.delay() for _ in range(50)) > 1.0
