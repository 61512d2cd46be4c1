"""Packets wait for a next hop, but neither for ever nor without bound, and few are asked for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.punt.pending import (
    INTERVAL,
    MOST_TRIES,
    NEXT_HOPS,
    NEXT_HOPS_PER_SENDER,
    PACKETS_PER_NEXT_HOP,
    NextHop,
    PendingPackets,
    Waiting,
)


def hop(number: int) -> NextHop:
    return NextHop(1, 2, number.to_bytes(4, "big"))


def packet(number: int) -> Waiting:
    return Waiting(bytes((number % 256,)), b"")


def add(
    pending: PendingPackets, number: int, waiting: int, *, sender: int = 1, now: float = 0.0
) -> bool:
    question = number.to_bytes(4, "big")
    return pending.add(hop(number), packet(waiting), sender=sender, question=question, now=now)


def test_packets_come_back_once_and_in_order() -> None:
    pending = PendingPackets()
    add(pending, 1, 1)
    add(pending, 2, 2)
    add(pending, 1, 3)
    assert pending.take(hop(1)) == [packet(1), packet(3)]
    assert pending.take(hop(1)) == []
    assert len(pending) == 1


def test_the_newest_packets_of_a_next_hop_stay() -> None:
    pending = PendingPackets()
    for number in range(PACKETS_PER_NEXT_HOP + 3):
        add(pending, 1, number)
    kept = [packet(number) for number in range(3, PACKETS_PER_NEXT_HOP + 3)]
    assert pending.take(hop(1)) == kept
    assert pending.dropped == 3


def test_a_next_hop_is_asked_for_by_its_first_packet_and_then_by_time() -> None:
    pending = PendingPackets()
    assert add(pending, 1, 1)
    assert not any(add(pending, 1, 1, now=0.9 * INTERVAL) for _ in range(100))
    assert pending.due(0.9 * INTERVAL) == []
    for tries in range(1, MOST_TRIES):
        assert pending.due(tries * INTERVAL) == [hop(1).ip]
        assert pending.due(tries * INTERVAL) == []
    assert pending.due(MOST_TRIES * INTERVAL) == []
    assert pending.take(hop(1)) == []
    assert (pending.unanswered, pending.next_hops) == (1, 0)
    assert pending.dropped == 101
    assert add(pending, 1, 1, now=MOST_TRIES * INTERVAL), "a later packet begins anew"


def test_what_was_answered_is_asked_for_no_more() -> None:
    pending = PendingPackets()
    add(pending, 1, 1)
    pending.take(hop(1))
    assert pending.due(10 * INTERVAL) == []
    assert pending.unanswered == 0


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 2 * INTERVAL), st.booleans()), max_size=40)
)
def test_no_next_hop_is_asked_for_more_than_once_an_interval(
    events: list[tuple[int, float, bool]],
) -> None:
    """Whatever arrives when, and whenever it is looked what is due."""
    pending, now = PendingPackets(), 0.0
    asked: dict[bytes, list[float]] = {hop(number).ip: [] for number in range(3)}
    for number, pause, looks in events:
        now += pause
        if looks:
            for question in pending.due(now):
                asked[question].append(now)
        elif add(pending, number, 1, now=now):
            asked[hop(number).ip].append(now)
    for times in asked.values():
        assert all(later - earlier >= INTERVAL for earlier, later in pairwise(times))


def test_one_sender_gets_its_share_of_next_hops_only() -> None:
    """A scan neither grows without bound nor disturbs what others are asking for."""
    pending = PendingPackets()
    asked = [add(pending, number, number) for number in range(3 * NEXT_HOPS_PER_SENDER)]
    assert sum(asked) == pending.next_hops == NEXT_HOPS_PER_SENDER
    assert add(pending, NEXT_HOPS, 1, sender=2)
    assert pending.dropped == 2 * NEXT_HOPS_PER_SENDER
    pending.due(INTERVAL)
    pending.take(hop(0))
    assert add(pending, NEXT_HOPS + 1, 1), "what was answered makes room"


def test_all_senders_together_are_bounded() -> None:
    pending = PendingPackets()
    for number in range(2 * NEXT_HOPS):
        add(pending, number, 1, sender=number)
    assert pending.next_hops == len(pending) == NEXT_HOPS
