"""Hostile frames are the same for the same seed, fit a guest's interface, and are of all kinds."""

from tests.hostile.generator import LONGEST, Ends, Generator, World

WORLD = World(
    Ends("0a:00:00:00:00:01", "10.0.0.1", "fd00::1"),
    [Ends("0a:00:00:00:00:02", "10.0.0.2", "fd00::2")],
)


def test_a_seed_gives_the_same_frames() -> None:
    one, other, third = Generator(WORLD, 1), Generator(WORLD, 1), Generator(WORLD, 2)
    first = [one.frame() for _ in range(200)]
    assert first == [other.frame() for _ in range(200)]
    assert first != [third.frame() for _ in range(200)]


def test_frames_fit_and_are_of_many_kinds() -> None:
    generator = Generator(WORLD, 3)
    made = [generator.frame() for _ in range(3000)]
    assert all(14 <= len(frame) <= LONGEST + 14 for frame in made)
    ethertypes = {int.from_bytes(frame[12:14]) for frame in made}
    assert {0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x8035} <= ethertypes
