"""Which mishap comes when: a seeded sequence, the same for the same seed and mishaps."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Turn(NamedTuple):
    """Mishaps that overlap, by index, how long they last, and the calm after them (seconds)."""

    mishaps: tuple[int, ...]
    lasts: float
    calm: float


def turns(seed: int, targets: Sequence[str]) -> Iterator[Turn]:
    """Endless turns over mishaps, of which `targets` says whom each befalls.

    Every mishap comes once before one comes again, and a third of the turns have two at once,
    which befall different parts of the lab.
    """
    dice = random.Random(seed)
    waiting: list[int] = []
    while True:
        if not waiting:
            waiting = dice.sample(range(len(targets)), len(targets))
        chosen = [waiting.pop()]
        if dice.random() < 1 / 3:
            others = [n for n in waiting if targets[n] != targets[chosen[0]]]
            if others:
                second = dice.choice(others)
                waiting.remove(second)
                chosen.append(second)
        yield Turn(tuple(chosen), dice.uniform(0.1, 4.0), dice.uniform(0.0, 2.0))
