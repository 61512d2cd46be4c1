"""The errors that say how big a packet may be."""

import struct

import pytest

from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.too_big import PacketTooBigHandler, packet_too_big
from tests.unit.chassis_agent.punt.frames import parsed, udp_frame


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("mtu", [68, 1442, 65500])
def test_the_error_has_the_mtu_and_quotes_the_packet(version: int, mtu: int) -> None:
    frame = udp_frame(version, payload=bytes(1400))
    made = packet_too_big(codec.read_ethernet(frame), mtu)
    assert made is not None
    _, packet = parsed(codec.write_ethernet(made))
    icmp = codec.read_icmp(packet)
    if version == 4:
        assert (icmp.kind, icmp.code) == (3, 4)
        assert struct.unpack_from("!HH", icmp.rest) == (0, mtu)
    else:
        assert (icmp.kind, icmp.code) == (2, 0)
        assert struct.unpack_from("!I", icmp.rest) == (mtu,)
    assert frame[14:].startswith(icmp.rest[4:])
    assert len(packet.payload) <= 1280


@pytest.mark.parametrize("version", [4, 6])
def test_errors_are_answered_by_none(version: int) -> None:
    error = packet_too_big(codec.read_ethernet(udp_frame(version)), 1300)
    assert error is not None
    assert packet_too_big(error, 1300) is None


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_too_big_for_a_tunnel_is_answered_from_where_it_was_going(version: int) -> None:
    sent: list[bytes] = []
    frame = udp_frame(version, payload=bytes(1400))
    punt = PacketIn(frame, b"", {"xreg0": 1342 << 32}, 0)
    PacketTooBigHandler(sent.append).handle(Punt(Opcode.TUNNEL_TOO_BIG, b"", punt))
    (message,) = sent
    asked = codec.read_ethernet(frame)
    packet = codec.read_ip(asked)
    error = codec.read_ethernet(message[message.rindex(asked.src + asked.dst) :])
    assert (error.src, error.dst) == (asked.dst, asked.src)
    told = codec.read_ip(error)
    assert (told.src, told.dst) == (packet.dst, packet.src)
    assert codec.read_icmp(told).kind == (3 if version == 4 else 2)
