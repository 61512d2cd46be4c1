"""Packets that wait until their next hop's Ethernet address is known.

A destination that never answers, or a tenant who scans a subnet, must not cost memory: there is
a bound on packets of one next hop, on next hops, and on how long a packet waits. What does not
fit pushes out what is older.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, NamedTuple

PACKETS_PER_NEXT_HOP: Final = 4
NEXT_HOPS: Final = 1000
PATIENCE: Final = 10.0
"""Seconds that a packet waits at most."""


class NextHop(NamedTuple):
    """Where a packet wants to go: an IP address, packed, behind a port of a datapath, by key."""

    datapath_key: int
    port_key: int
    ip: bytes


class Waiting(NamedTuple):
    """A packet that waits, the registers and metadata with which it goes on, and since when."""

    packet: bytes
    metadata: bytes
    since: float


class PendingPackets:
    """The packets that wait, by next hop; time is the caller's."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[NextHop, deque[Waiting]] = OrderedDict()
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, next_hop: NextHop, waiting: Waiting) -> None:
        """Keep a packet."""
        self.expire(waiting.since)
        queue = self._waiting.get(next_hop)
        if queue is None:
            if len(self._waiting) >= NEXT_HOPS:
                _oldest, lost = self._waiting.popitem(last=False)
                self.dropped += len(lost)
            queue = self._waiting[next_hop] = deque()
        elif len(queue) >= PACKETS_PER_NEXT_HOP:
            queue.popleft()
            self.dropped += 1
        queue.append(waiting)
        self._waiting.move_to_end(next_hop)

    def take(self, next_hop: NextHop, now: float) -> list[Waiting]:
        """The packets that waited for a next hop, oldest first; they wait no more."""
        self.expire(now)
        return list(self._waiting.pop(next_hop, ()))

    def expire(self, now: float) -> None:
        """Drop what has waited too long."""
        while self._waiting:
            next_hop = next(iter(self._waiting))
            queue = self._waiting[next_hop]
            if now - queue[-1].since <= PATIENCE:
                return
            self.dropped += len(queue)
            del self._waiting[next_hop]
