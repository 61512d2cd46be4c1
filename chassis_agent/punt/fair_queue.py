"""Punted packets that wait to be handled, taken in turn from all who sent some.

Meters bound what reaches the agent, but not to what it can do while it is busy. Then each
sender's oldest packet has its turn, so that one sender with many waits for itself only.

There is room for `ROOM` packets. A sender may fill its part of it, which is the smaller the
more senders wait, and at most `MOST_OF_ONE`; what it sends beyond that is dropped.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from chassis_agent.openflow.packet_in import PacketIn

ROOM: Final = 2048
MOST_OF_ONE: Final = 256


class FairQueue:
    """Packets by sender; `dropped` counts those that there was no room for."""

    def __init__(self) -> None:
        self._of: dict[int, deque[PacketIn]] = {}
        """The senders in the order of their turns; none is without packets."""
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def put(self, packet: PacketIn) -> bool:
        """Whether there was room for the packet."""
        waiting = self._of.setdefault(packet.sender, deque())
        if len(waiting) >= max(1, min(MOST_OF_ONE, ROOM // len(self._of))):
            self.dropped += 1
            return False
        waiting.append(packet)
        return True

    def take(self) -> PacketIn | None:
        """The packet whose turn it is, if one waits."""
        sender = next(iter(self._of), None)
        if sender is None:
            return None
        waiting = self._of.pop(sender)
        packet = waiting.popleft()
        if waiting:
            self._of[sender] = waiting
        return packet
