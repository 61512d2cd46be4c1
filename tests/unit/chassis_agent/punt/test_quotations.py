"""What ICMP errors quote: made whole where it is short, translated, and nothing else changes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Icmp, Ip
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.quotations import missing_octets
from chassis_agent.punt.replies import reply_to

ADDRESSES = {
    4: (b"\x0a\0\0\1", b"\x0a\0\1\2"),
    6: (b"\xfd" + bytes(15), b"\xfd" + bytes(14) + b"\1"),
}
ETHERTYPES = {4: 0x0800, 6: 0x86DD}
EXTENSION = bytes((60, 0, 1, 4, 0, 0, 0, 0))
"""Destination options with another one behind them."""


def quoted(version: int, protocol: int, transport: bytes) -> bytes:
    """A packet as errors quote it: its length is that of the whole packet."""
    whole = codec.write_ip(Ip(*ADDRESSES[version], protocol, bytes(100)))
    return whole[: len(whole) - 100] + transport


def error(version: int, quotation: bytes, ttl: int = 61) -> bytes:
    src, dst = ADDRESSES[version]
    kind, protocol = (3, 1) if version == 4 else (1, 58)
    message = codec.write_icmp(Icmp(kind, 1, bytes(4) + quotation), src, dst)
    packet = codec.write_ip(Ip(src, dst, protocol, message, ttl))
    return codec.write_ethernet(Ethernet(bytes(6), b"\x0a" + bytes(5), ETHERTYPES[version], packet))


def made(frame: bytes) -> bytes:
    made = reply_to(Opcode.WHOLE_ERROR, frame)
    assert made is not None
    return made


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("protocol", "header"), [(6, 20), (132, 12)])
@pytest.mark.parametrize("length", [8, 11, 12, 19, 20, 60])
def test_a_header_is_made_whole(version: int, protocol: int, header: int, length: int) -> None:
    frame = error(version, quoted(version, protocol, bytes(range(1, length + 1))))
    packet = codec.read_ip(codec.read_ethernet(made(frame)))
    message = codec.read_icmp(packet)
    padding = bytes(max(0, header - length))
    assert message.rest[4:] == quoted(version, protocol, bytes(range(1, length + 1))) + padding
    assert packet.ttl == 61
    assert packet.payload == codec.write_icmp(message, packet.src, packet.dst), "the checksum"
    if not padding:
        assert made(frame) == frame


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [1, 17, 58])
def test_other_transports_are_whole(version: int, protocol: int) -> None:
    frame = error(version, quoted(version, protocol, bytes(8)))
    assert made(frame) == frame


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("quotation", [b"", bytes(7), bytes(60)])
def test_what_quotes_no_packet_ends(version: int, quotation: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        reply_to(Opcode.WHOLE_ERROR, error(version, quotation))


def test_what_quotes_less_than_is_allowed_ends() -> None:
    with pytest.raises(MalformedPacketError):
        reply_to(Opcode.WHOLE_ERROR, error(4, quoted(4, 6, bytes(7))))


@pytest.mark.parametrize("count", [7, 8, 9, 40])
def test_a_header_behind_extension_headers(count: int) -> None:
    """More of them than are read could hide a transport, which the switch still finds."""
    extensions = EXTENSION * (count - 1) + bytes((6,)) + EXTENSION[1:]
    frame = error(6, quoted(6, 60, extensions + bytes(8)))
    if count <= 8:
        assert made(frame) == made(made(frame))
        assert len(made(frame)) == len(frame) + 12
        return
    with pytest.raises(MalformedPacketError):
        reply_to(Opcode.WHOLE_ERROR, frame)


def test_fragments_of_errors_end() -> None:
    frame = bytearray(error(4, quoted(4, 6, bytes(8))))
    frame[14 + 6] = 0x20
    assert reply_to(Opcode.WHOLE_ERROR, bytes(frame)) is None


def test_errors_behind_extension_headers_end() -> None:
    frame = codec.read_ethernet(error(6, quoted(6, 6, bytes(8))))
    data = frame.payload
    longer = (len(data) - 40 + 8).to_bytes(2)
    packet = data[:4] + longer + bytes((60,)) + data[7:40] + bytes((58,)) + EXTENSION[1:]
    assert (
        reply_to(
            Opcode.WHOLE_ERROR, codec.write_ethernet(frame._replace(payload=packet + data[40:]))
        )
        is None
    )


OTHER = {4: b"\xc0\0\2\x07", 6: b"\x20\1" + bytes(13) + b"\7"}


def sent(version: int, protocol: int, src: bytes, dst: bytes) -> bytes:
    """A packet with valid checksums."""
    if protocol == 17:
        transport = codec.write_udp(4000, 53, b"question", src, dst)
    elif protocol == 6:
        transport = codec.write_tcp(codec.Tcp(4000, 80, 1, 2, 2), src, dst)
    else:
        transport = codec.write_icmp(Icmp(8 if version == 4 else 128, 0, bytes(12)), src, dst)
    return codec.write_ip(Ip(src, dst, protocol, transport))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [6, 17, "icmp"])
@pytest.mark.parametrize("length", [8, 28])
@pytest.mark.parametrize("opcode", [Opcode.REQUOTE_SOURCE, Opcode.REQUOTE_DESTINATION])
def test_a_quotation_is_translated(
    version: int, protocol: int | str, length: int, opcode: Opcode
) -> None:
    """With all of its checksums, as far as it reaches."""
    number = protocol if isinstance(protocol, int) else 1 if version == 4 else 58
    src, dst = ADDRESSES[version]
    header = 20 if version == 4 else 40
    before = (OTHER[version], src) if opcode is Opcode.REQUOTE_SOURCE else (dst, OTHER[version])
    frame = error(version, sent(version, number, *before)[: header + length])
    made = reply_to(opcode, frame)
    assert made is not None
    packet = codec.read_ip(codec.read_ethernet(made))
    message = codec.read_icmp(packet)
    assert message.rest[4:] == sent(version, number, dst, src)[: header + length]
    assert packet.payload == codec.write_icmp(message, packet.src, packet.dst), "the checksum"


def test_a_datagram_without_checksum_has_none_later() -> None:
    quotation = quoted(4, 17, struct.pack("!HHHH", 1, 2, 8, 0))
    translated = reply_to(Opcode.REQUOTE_SOURCE, error(4, quotation))
    assert translated is not None
    message = codec.read_icmp(codec.read_ip(codec.read_ethernet(translated)))
    assert message.rest[4 + 26 : 4 + 28] == b"\0\0"


@pytest.mark.parametrize("version", [4, 6])
def test_a_quotation_of_the_other_version_ends(version: int) -> None:
    with pytest.raises(MalformedPacketError):
        reply_to(Opcode.REQUOTE_SOURCE, error(version, quoted(10 - version, 17, bytes(20))))


@given(
    st.sampled_from([Opcode.REQUOTE_SOURCE, Opcode.REQUOTE_DESTINATION]),
    st.sampled_from([4, 6]),
    st.binary(max_size=120),
)
def test_any_quotation_is_translated_or_refused(
    opcode: Opcode, version: int, quotation: bytes
) -> None:
    frame = error(version, quotation)
    try:
        made = reply_to(opcode, frame)
    except MalformedPacketError:
        return
    assert made is not None
    assert len(made) == len(frame)


@given(st.sampled_from([4, 6]), st.binary(max_size=120))
def test_any_quotation(version: int, quotation: bytes) -> None:
    """It is refused, or nothing is missing of it any more."""
    try:
        whole = made(error(version, quotation))
    except MalformedPacketError:
        return
    message = codec.read_icmp(codec.read_ip(codec.read_ethernet(whole)))
    assert message.rest[4:].startswith(quotation)
    assert missing_octets(message.rest[4:], ETHERTYPES[version]) == 0
