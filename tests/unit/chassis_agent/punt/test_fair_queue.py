"""Senders have their turns, and a part of the room each."""

from chassis_agent import tables
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.fair_queue import MOST_OF_ONE, ROOM, FairQueue


def packet(sender: int, number: int = 0) -> PacketIn:
    """`number` is in its bytes, the sender where the switch puts it."""
    flags = sender << tables.SENDER_SHIFT | tables.LOOPBACK
    return PacketIn(number.to_bytes(4, "big"), b"", {"xreg5": flags << 32 | 7}, 0)


def test_the_sender_is_what_the_switch_noted() -> None:
    assert packet(0xFEFF).sender == 0xFEFF
    assert PacketIn(b"", b"", {}, 0).sender == 0


def test_senders_take_turns_and_their_packets_stay_in_order() -> None:
    queue = FairQueue()
    flood = [packet(1, number) for number in range(5)]
    others = [packet(2), packet(3)]
    for each in (*flood, *others):
        assert queue.put(each)
    taken = [queue.take() for _ in range(8)]
    assert taken == [flood[0], *others, *flood[1:], None]


def test_a_flood_is_dropped_and_a_single_packet_behind_it_is_not() -> None:
    queue = FairQueue()
    taken = sum(queue.put(packet(1, number)) for number in range(10 * ROOM))
    assert taken == len(queue) == MOST_OF_ONE
    assert queue.dropped == 10 * ROOM - MOST_OF_ONE
    assert queue.put(packet(2))
    assert queue.take() == packet(1, 0)
    assert queue.take() == packet(2)


def test_many_floods_get_less_room_each_and_every_sender_gets_some() -> None:
    queue = FairQueue()
    senders = 4 * ROOM // MOST_OF_ONE
    for number in range(MOST_OF_ONE):
        for sender in range(senders):
            queue.put(packet(sender, number))
    assert len(queue) <= ROOM
    for sender in range(3 * ROOM):
        queue.put(packet(sender))
    for newcomer in (60_000, 60_001):
        assert queue.put(packet(newcomer))
