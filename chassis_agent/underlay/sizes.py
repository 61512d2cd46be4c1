"""How big the frames are that tunnels carry, as probes of many sizes find out. Pure.

Where tunnels pass a network with a small MTU, bigger packets vanish there in silence: Open vSwitch
fragments nothing. So each tunnel in use is asked from time to time with a probe as big as what
workloads here may send, and a small one beside it, whose answer tells that the tunnel itself is
well. Once three big ones in a row are lost while the small ones are answered, the size is searched
for, with several probes at once, until it is known to the byte (RFC 8899 does the same for
transports). A tunnel that carries too little is asked each time whether it carries more by now. A
probe goes there and back, so that the size is what both directions carry.

An answer proves that its size passes, whenever it comes. A tunnel of which nothing is known yet is
taken for one that carries everything.

Sizes are bytes of a frame, its Ethernet header included. The caller passes the time, in seconds of
a clock that never goes back.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from southbound.encaps import Address

INTERVAL: Final = 15.0
"""Seconds between two looks at a tunnel, at random a quarter less or more."""
ANSWER_SECONDS: Final = 1.0
"""How long answers may take before the probes of a round count as lost."""
RETRY_SECONDS: Final = 2.0
"""How long to wait after a round of which nothing is learnt.

Not even the small probe was answered, or not all probes could be sent.
"""
LOSSES: Final = 3
"""How many rounds in a row have to fail before the size counts as one that doesn't pass."""
PROBES_OF_ROUND: Final = 16
"""How many sizes are tried at once in a search."""
ROUNDS_AT_ONCE: Final = 10
"""More tunnels than that don't begin a round in one call of `due`."""
SMALLEST: Final = 576 + 14
"""What every tunnel is taken to carry: all hosts take IPv4 packets of 576 bytes (RFC 791)."""
LARGEST: Final = 65_000
"""The biggest frame that is tried: it fits an OpenFlow message."""
SMALL_PROBE: Final = 0
"""The size of a probe that is as short as can be."""


class SizedProbe(NamedTuple):
    """A probe that is due, of `size` bytes: where it goes, and what its answer has to repeat."""

    chassis: str
    address: Address
    size: int
    nonce: bytes


@dataclass
class _Path:
    """What is known of one tunnel, and the round of probes that is under way.

    `bounds` are set during a search: a size that passes, and one that doesn't.
    """

    address: Address
    carries: int
    due: float
    bounds: tuple[int, int] | None = None
    losses: int = 0
    is_sent: bool = False
    sizes: tuple[int, ...] = ()
    passed: int = 0
    is_answered: bool = False
    nonces: list[bytes] = field(default_factory=list)
    older_nonces: list[bytes] = field(default_factory=list)


class PathSizes:
    """The sizes of all tunnels in use. `nonce` gives bytes that can't be guessed."""

    def __init__(
        self, nonce: Callable[[], bytes], uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._nonce = nonce
        self._uniform = uniform
        self._wanted = 0
        self._paths: dict[str, _Path] = {}
        self._asked: dict[bytes, tuple[str, int]] = {}

    def use(self, ways: Mapping[str, Address], wanted: int, now: float) -> None:
        """Take the tunnels in use, and the biggest frame that is sent from here."""
        wanted = max(SMALLEST, min(wanted, LARGEST))
        for chassis in self._paths.keys() - ways.keys():
            self._forget(chassis)
        if wanted != self._wanted:
            self._want(wanted, now)
        for chassis, address in ways.items():
            path = self._paths.get(chassis)
            if path is not None and path.address == address:
                continue
            if path is not None:
                self._forget(chassis)
            due = now + self._uniform(0.0, 0.5)
            self._paths[chassis] = _Path(address, wanted, due)

    def due(self, now: float) -> Iterator[SizedProbe]:
        """Yield the probes to send now, for the tunnels that waited longest first."""
        waiting = sorted((path.due, name) for name, path in self._paths.items() if path.due <= now)
        for _, chassis in waiting[:ROUNDS_AT_ONCE]:
            path = self._paths[chassis]
            if path.is_sent:
                self._end_round(path, now)
            if path.due <= now:
                yield from self._begin_round(chassis, path, now)

    def cannot_probe(self, chassis: str, now: float) -> None:
        """A probe to a chassis could not be sent: its round ends without a verdict.

        No more of its probes come from :meth:`due`. Answers to those that were sent count.
        """
        path = self._paths[chassis]
        path.is_sent = False
        path.due = now + RETRY_SECONDS

    @property
    def next_due(self) -> float:
        """When something is due next; never, without tunnels."""
        return min((path.due for path in self._paths.values()), default=math.inf)

    def answered(self, nonce: bytes, now: float) -> bool:
        """Take an answer; false for one that isn't awaited."""
        chassis, size = self._asked.pop(nonce, ("", 0))
        path = self._paths.get(chassis)
        if path is None:
            return False
        path.is_answered = True
        path.passed = max(path.passed, size)
        if size > path.carries:
            path.carries = size
        if path.is_sent and not any(each in self._asked for each in path.nonces):
            path.due = now
        return True

    @property
    def narrow(self) -> dict[str, int]:
        """The biggest frame for each chassis to which not everything can be sent."""
        return {
            name: path.carries for name, path in self._paths.items() if path.carries < self._wanted
        }

    def _want(self, wanted: int, now: float) -> None:
        """Other workloads are here, which send frames of another size."""
        before, self._wanted = self._wanted, wanted
        for path in self._paths.values():
            if path.carries >= min(before, wanted):
                path.carries = wanted
            path.bounds, path.losses, path.is_sent = None, 0, False
            path.due = now

    def _begin_round(self, chassis: str, path: _Path, now: float) -> Iterator[SizedProbe]:
        for nonce in path.older_nonces:
            self._asked.pop(nonce, None)
        path.older_nonces, path.nonces = path.nonces, []
        path.sizes = self._sizes(path)
        path.passed, path.is_answered, path.is_sent = 0, False, True
        path.due = now + ANSWER_SECONDS
        for size in (SMALL_PROBE, *path.sizes):
            nonce = self._nonce()
            path.nonces.append(nonce)
            self._asked[nonce] = chassis, size
            yield SizedProbe(chassis, path.address, size, nonce)
            if not path.is_sent:
                return

    def _sizes(self, path: _Path) -> tuple[int, ...]:
        """Return the sizes to try in the round that begins."""
        if path.bounds is not None:
            low, high = path.bounds
            span = high - low - 1
            count = min(PROBES_OF_ROUND, span)
            return tuple(low + span * (number + 1) // count for number in range(count))
        if path.carries < self._wanted:
            return path.carries, *sorted({path.carries + 1, self._wanted})
        return (path.carries,)

    def _end_round(self, path: _Path, now: float) -> None:
        path.is_sent = False
        if not path.is_answered:
            path.due = now + RETRY_SECONDS
        elif path.bounds is None:
            self._end_look(path, now)
        else:
            low, high = path.bounds
            low = max(low, path.passed)
            high = min((size for size in path.sizes if size > low), default=max(high, low + 1))
            self._narrow_down(path, low, high, now)

    def _end_look(self, path: _Path, now: float) -> None:
        """A round is over that asked whether what is known still holds."""
        if path.passed > path.sizes[0]:
            path.losses = 0
            self._narrow_down(path, path.passed, self._wanted + 1, now)
        elif path.passed == path.sizes[0] or path.carries <= SMALLEST:
            path.losses = 0
            path.due = now + self._pause()
        else:
            path.losses += 1
            path.due = now
            if path.losses >= LOSSES:
                path.losses = 0
                path.bounds = SMALLEST, path.sizes[0]

    def _narrow_down(self, path: _Path, low: int, high: int, now: float) -> None:
        """Go on with a search as long as there is a size of which it isn't known."""
        path.due = now
        path.bounds = low, high
        if high - low <= 1:
            path.bounds = None
            path.carries = low
            path.due = now + self._pause()

    def _forget(self, chassis: str) -> None:
        path = self._paths.pop(chassis)
        for nonce in (*path.nonces, *path.older_nonces):
            self._asked.pop(nonce, None)

    def _pause(self) -> float:
        return self._uniform(0.75, 1.25) * INTERVAL
