"""Control packets as bytes and as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.bfd.packet import (
    BadControlPacketError,
    ControlPacket,
    State,
    read_control,
    write_control,
)

PACKET = ControlPacket(State.UP, 3, 7, 9, 300_000, 200_000, diagnostic=1, poll=True)
BYTES = bytes.fromhex("21e0031800000007000000090004 93e000030d4000000000".replace(" ", ""))


def test_a_packet_is_written_as_the_rfc_draws_it() -> None:
    assert write_control(PACKET) == BYTES
    assert read_control(BYTES) == PACKET


def _changed(place: int, value: int) -> bytes:
    data = bytearray(BYTES)
    data[place] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short"),
        (BYTES[:-1], "short"),
        (_changed(0, 0x01), "version"),
        (_changed(0, 0x40), "version"),
        (_changed(1, 0xC4), "authenticated"),
        (_changed(1, 0xC1), "multipoint"),
        (_changed(2, 0), "multiplier"),
        (_changed(3, 23), "length"),
        (_changed(3, 25), "length"),
        (_changed(7, 0), "discriminator"),
        (_changed(11, 0), "discriminator"),
    ],
)
def test_what_a_receiver_discards_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(BadControlPacketError, match=f"^{reason}$"):
        read_control(data)


def test_one_who_is_down_need_not_know_our_discriminator() -> None:
    down = PACKET._replace(state=State.DOWN, your_discriminator=0)
    assert read_control(write_control(down)) == down


def test_what_follows_a_packet_is_passed_over() -> None:
    assert read_control(BYTES + b"padding") == PACKET


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_discarded(data: bytes) -> None:
    try:
        packet = read_control(data)
    except BadControlPacketError:
        return
    assert read_control(write_control(packet)) == packet
