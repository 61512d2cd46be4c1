"""Packets wait for a next hop, but neither for ever nor without bound."""

from __future__ import annotations

from chassis_agent.punt.pending import (
    NEXT_HOPS,
    PACKETS_PER_NEXT_HOP,
    PATIENCE,
    NextHop,
    PendingPackets,
    Waiting,
)


def hop(number: int) -> NextHop:
    return NextHop(1, 2, number.to_bytes(4, "big"))


def packet(number: int, since: float = 0.0) -> Waiting:
    return Waiting(bytes((number % 256,)), b"", since)


def test_packets_come_back_once_and_in_order() -> None:
    pending = PendingPackets()
    pending.add(hop(1), packet(1))
    pending.add(hop(2), packet(2))
    pending.add(hop(1), packet(3))
    assert pending.take(hop(1), 1.0) == [packet(1), packet(3)]
    assert pending.take(hop(1), 1.0) == []
    assert len(pending) == 1


def test_the_newest_packets_of_a_next_hop_stay() -> None:
    pending = PendingPackets()
    for number in range(PACKETS_PER_NEXT_HOP + 3):
        pending.add(hop(1), packet(number))
    kept = [packet(number) for number in range(3, PACKETS_PER_NEXT_HOP + 3)]
    assert pending.take(hop(1), 0.0) == kept
    assert pending.dropped == 3


def test_a_scan_pushes_out_what_waited_longest() -> None:
    pending = PendingPackets()
    for number in range(NEXT_HOPS + 5):
        pending.add(hop(number), packet(number))
    assert len(pending) == NEXT_HOPS
    assert pending.take(hop(4), 0.0) == []
    assert pending.take(hop(5), 0.0) == [packet(5)]
    assert pending.dropped == 5


def test_a_next_hop_that_is_still_asked_for_stays() -> None:
    pending = PendingPackets()
    for number in range(NEXT_HOPS):
        pending.add(hop(number), packet(number))
    pending.add(hop(0), packet(0))
    pending.add(hop(NEXT_HOPS), packet(7))
    assert pending.take(hop(1), 0.0) == []
    assert len(pending.take(hop(0), 0.0)) == 2


def test_packets_do_not_wait_for_ever() -> None:
    pending = PendingPackets()
    pending.add(hop(1), packet(1, since=0.0))
    pending.add(hop(2), packet(2, since=PATIENCE))
    assert pending.take(hop(1), PATIENCE + 1) == []
    assert pending.take(hop(2), PATIENCE + 1) == [packet(2, since=PATIENCE)]
    assert pending.dropped == 1
