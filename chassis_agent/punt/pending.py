"""Packets that wait until their next hop's Ethernet address is known, and how it is asked for.

Tenants choose the next hops. So what a packet causes is bounded, however many packets there are:

- a next hop is asked for once when the first packet wants it, then once in `INTERVAL`, and
  `MOST_TRIES` times in all (RFC 1122 section 2.3.2.1, RFC 4861 section 7.2.2). If nothing has
  answered by then, its packets are dropped; a later packet begins anew;
- `NEXT_HOPS` are asked for at a time, and `NEXT_HOPS_PER_SENDER` of them for one sender. What
  wants another one is dropped, so that asking for the others goes on undisturbed;
- `PACKETS_PER_NEXT_HOP` wait for one of them; a newer one pushes out the oldest.

Time is the caller's, in seconds.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from typing import Final, NamedTuple

INTERVAL: Final = 1.0
MOST_TRIES: Final = 3
NEXT_HOPS: Final = 1024
NEXT_HOPS_PER_SENDER: Final = 128
PACKETS_PER_NEXT_HOP: Final = 4


class NextHop(NamedTuple):
    """Where a packet wants to go: an IP address, packed, behind a port of a datapath, by key."""

    datapath_key: int
    port_key: int
    ip: bytes


class Waiting(NamedTuple):
    """A packet that waits, and the registers and metadata with which it goes on."""

    packet: bytes
    metadata: bytes


class _Asked:
    """A next hop that is being asked for, and the message that asks."""

    __slots__ = ("question", "sender", "since", "tries", "waiting")

    def __init__(self, sender: int, question: bytes, now: float) -> None:
        self.sender = sender
        self.question = question
        self.since = now
        self.tries = 1
        self.waiting: deque[Waiting] = deque(maxlen=PACKETS_PER_NEXT_HOP)


class PendingPackets:
    """The packets that wait, by next hop.

    `dropped` counts packets that waited in vain or not at all, `unanswered` the next hops that
    did not answer.
    """

    def __init__(self) -> None:
        self._asked: OrderedDict[NextHop, _Asked] = OrderedDict()
        """By when they were last asked for, the longest ago first."""
        self._of_sender: Counter[int] = Counter()
        self.dropped = 0
        self.unanswered = 0

    def __len__(self) -> int:
        return sum(len(asked.waiting) for asked in self._asked.values())

    @property
    def next_hops(self) -> int:
        """How many next hops are being asked for."""
        return len(self._asked)

    def add(
        self, next_hop: NextHop, waiting: Waiting, *, sender: int, question: bytes, now: float
    ) -> bool:
        """Keep a packet. Whether its next hop is to be asked for now, with `question`."""
        asked = self._asked.get(next_hop)
        is_new = asked is None
        if asked is None:
            is_full = len(self._asked) >= NEXT_HOPS
            if is_full or self._of_sender[sender] >= NEXT_HOPS_PER_SENDER:
                self.dropped += 1
                return False
            asked = self._asked[next_hop] = _Asked(sender, question, now)
            self._of_sender[sender] += 1
        if len(asked.waiting) == PACKETS_PER_NEXT_HOP:
            self.dropped += 1
        asked.waiting.append(waiting)
        return is_new

    def take(self, next_hop: NextHop) -> list[Waiting]:
        """The packets that waited for a next hop, oldest first; they wait no more."""
        asked = self._forget(next_hop)
        return [] if asked is None else list(asked.waiting)

    def due(self, now: float) -> list[bytes]:
        """The questions to ask again. Gives up the next hops that were asked often enough."""
        again = []
        while self._asked:
            next_hop, asked = next(iter(self._asked.items()))
            if now - asked.since < INTERVAL:
                break
            if asked.tries >= MOST_TRIES:
                self._forget(next_hop)
                self.dropped += len(asked.waiting)
                self.unanswered += 1
                continue
            asked.tries += 1
            asked.since = now
            self._asked.move_to_end(next_hop)
            again.append(asked.question)
        return again

    def _forget(self, next_hop: NextHop) -> _Asked | None:
        asked = self._asked.pop(next_hop, None)
        if asked is not None:
            self._of_sender[asked.sender] -= 1
            if not self._of_sender[asked.sender]:
                del self._of_sender[asked.sender]
        return asked
