"""Questions to backends and their answers, and bytes that are none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.backends.frames import PROBER_MAC, Answer, Asked, question, read_answer, reset
from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Icmp, Ip, Tcp
from chassis_agent.punt.errors import MalformedPacketError

MAC = bytes.fromhex("0a0000000001")
ADDRESSES = {4: (b"\x0a\0\0\x01", b"\x0a\0\0\x09"), 6: (b"\xfd" + bytes(15), b"\xfc" + bytes(15))}


def asked(protocol: int, family: int) -> Asked:
    backend, source = ADDRESSES[family]
    return Asked(protocol, backend, 80, source, 50000)


def sent_back(about: Asked, protocol: int, payload: bytes) -> bytes:
    packet = codec.write_ip(Ip(about.backend, about.source, protocol, payload))
    ethertype = codec.ETHERTYPE_IPV4 if len(about.source) == 4 else codec.ETHERTYPE_IPV6
    return codec.write_ethernet(Ethernet(PROBER_MAC, MAC, ethertype, packet))


@pytest.mark.parametrize("family", [4, 6])
def test_tcp(family: int) -> None:
    about = asked(codec.PROTOCOL_TCP, family)
    packet = codec.read_ip(codec.read_ethernet(question(about, MAC, 77)))
    tcp = codec.read_tcp(packet)
    assert (packet.src, packet.dst) == (about.source, about.backend)
    assert (tcp.src, tcp.dst, tcp.seq, tcp.flags) == (50000, 80, 77, codec.TCP_SYN)
    for flags, expected in (
        (codec.TCP_SYN | codec.TCP_ACK, Answer(about, acknowledged=78, to_reset=78)),
        (codec.TCP_RST | codec.TCP_ACK, Answer(about, "nothing listens on TCP port 80")),
    ):
        segment = codec.write_tcp(Tcp(80, 50000, 5, 78, flags), about.backend, about.source)
        assert read_answer(sent_back(about, codec.PROTOCOL_TCP, segment)) == expected
    ended = codec.read_tcp(codec.read_ip(codec.read_ethernet(reset(about, MAC, 78))))
    assert (ended.seq, ended.flags) == (78, codec.TCP_RST)


@pytest.mark.parametrize("family", [4, 6])
def test_udp(family: int) -> None:
    about = asked(codec.PROTOCOL_UDP, family)
    frame = question(about, MAC, 0)
    udp = codec.read_udp(codec.read_ip(codec.read_ethernet(frame)))
    assert (udp.src, udp.dst, udp.payload) == (50000, 80, b"")
    datagram = codec.write_udp(80, 50000, b"hello", about.backend, about.source)
    assert read_answer(sent_back(about, codec.PROTOCOL_UDP, datagram)) == Answer(about)
    icmp = codec.PROTOCOL_ICMP4 if family == 4 else codec.PROTOCOL_ICMP6
    quoted = bytes(4) + codec.read_ethernet(frame).payload
    for code, reason in (
        (3 if family == 4 else 4, "nothing listens on UDP port 80"),
        (1, "its host can't deliver to UDP port 80"),
    ):
        error = codec.write_icmp(
            Icmp(3 if family == 4 else 1, code, quoted), about.backend, about.source
        )
        assert read_answer(sent_back(about, icmp, error)) == Answer(about, reason)


@pytest.mark.parametrize("protocol", [1, 6, 17, 58, 132])
@given(payload=st.binary(max_size=200), family=st.sampled_from([4, 6]))
def test_any_bytes_are_read_or_refused(protocol: int, payload: bytes, family: int) -> None:
    about = asked(protocol, family)
    with suppress(MalformedPacketError):
        read_answer(sent_back(about, protocol, payload))


@given(st.binary(max_size=300))
def test_any_frame_is_read_or_refused(frame: bytes) -> None:
    with suppress(MalformedPacketError):
        read_answer(frame)
