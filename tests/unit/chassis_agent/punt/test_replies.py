"""What is made of a punted packet, and that refusals are never refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from os_ken.lib.packet import icmp, icmpv6

from chassis_agent.punt import codec
from chassis_agent.punt.codec import (
    PROTOCOL_ICMP4,
    PROTOCOL_ICMP6,
    PROTOCOL_SCTP,
    PROTOCOL_TCP,
    TCP_ACK,
    TCP_FIN,
    TCP_RST,
    TCP_SYN,
    Ethernet,
    Ip,
    Sctp,
    Tcp,
)
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.replies import REPLIES, reply_to
from tests.unit.chassis_agent.punt.frames import (
    A6,
    B_MAC,
    damaged,
    eth,
    ip,
    parsed,
    serialised,
    tcp_frame,
    udp_frame,
)

REFUSALS = [Opcode.ICMP4, Opcode.ICMP6, Opcode.TCP_RESET, Opcode.SCTP_ABORT, Opcode.REJECT]


def made(opcode: Opcode, frame: bytes) -> tuple[Ethernet, Ip]:
    reply = reply_to(opcode, frame)
    assert reply is not None
    return parsed(reply)


def sctp_frame(tag: int, chunks: bytes) -> bytes:
    packet = Ip(
        b"\x0a\0\0\1", b"\x0a\0\1\2", PROTOCOL_SCTP, codec.write_sctp(Sctp(7, 8, tag, chunks))
    )
    return codec.write_ethernet(
        Ethernet(b"\x0a" + bytes(5), b"\x0c" + bytes(5), 0x800, codec.write_ip(packet))
    )


# ---- neighbours


def test_arp_request_asks_for_the_destination_in_the_source_s_name() -> None:
    reply = reply_to(Opcode.ARP, udp_frame(4))
    assert reply is not None
    outer = codec.read_ethernet(reply)
    original, packet = parsed(udp_frame(4))
    assert (outer.src, outer.dst, outer.ethertype) == (original.src, original.dst, 0x806)
    assert codec.read_arp(outer.payload) == codec.Arp(
        1, original.src, packet.src, bytes(6), packet.dst
    )


def test_solicitation_goes_to_the_group_of_the_destination() -> None:
    outer, inner = made(Opcode.ND_NS, udp_frame(6))
    original, packet = parsed(udp_frame(6))
    assert outer.dst.hex() == "3333ff000002"
    assert outer.src == original.src
    assert inner.dst.hex() == "ff0200000000000000000001ff000002"
    assert (inner.src, inner.ttl) == (packet.src, 255)
    assert codec.read_neighbour(codec.read_icmp(inner)) == codec.Neighbour(
        135, packet.dst, original.src
    )


def test_solicitation_for_an_ipv4_packet_leaves_the_question_to_the_actions() -> None:
    outer, inner = made(Opcode.ND_NS, udp_frame(4))
    assert outer.ethertype == 0x86DD
    assert (inner.version, inner.src, inner.ttl) == (6, bytes(16), 255)
    assert codec.read_neighbour(codec.read_icmp(inner)).target == bytes(16)


@pytest.mark.parametrize("opcode", [Opcode.ND_NA, Opcode.ND_NA_ROUTER])
@pytest.mark.parametrize("asker", ["fd00::9", "::"])
def test_advertisement_answers_the_asker(opcode: Opcode, asker: str) -> None:
    neighbour = icmpv6.nd_neighbor(dst=A6)
    frame = serialised(eth(6), ip(6, 58, src=asker, ttl=255), icmpv6.icmpv6(135, 0, 0, neighbour))
    outer, inner = made(opcode, frame)
    original, packet = parsed(frame)
    assert (outer.src, outer.dst) == (original.dst, original.src)
    target = inner.src
    message = codec.read_icmp(inner)
    assert codec.read_neighbour(message) == codec.Neighbour(136, target, original.dst)
    is_probe = asker == "::"
    all_nodes = bytes.fromhex("ff020000000000000000000000000001")
    assert inner.dst == (all_nodes if is_probe else packet.src)
    flags = 0x20 | (0 if is_probe else 0x40) | (0x80 if opcode is Opcode.ND_NA_ROUTER else 0)
    assert message.rest[0] == flags


# ---- refusals


@pytest.mark.parametrize(
    ("bits", "payload", "expected"),
    [
        (TCP_SYN, b"", Tcp(80, 1000, 0, 101, TCP_RST | TCP_ACK)),
        (TCP_SYN | TCP_FIN, b"abc", Tcp(80, 1000, 0, 105, TCP_RST | TCP_ACK)),
        (TCP_ACK, b"abc", Tcp(80, 1000, 700, 0, TCP_RST)),
        (TCP_SYN | TCP_ACK, b"", Tcp(80, 1000, 700, 0, TCP_RST)),
    ],
)
@pytest.mark.parametrize("version", [4, 6])
def test_tcp_reset(version: int, bits: int, payload: bytes, expected: Tcp) -> None:
    frame = tcp_frame(version, bits, seq=100, ack=700, payload=payload)
    original, packet = parsed(frame)
    for opcode in (Opcode.TCP_RESET, Opcode.REJECT):
        outer, inner = made(opcode, frame)
        assert codec.read_tcp(inner) == expected
        assert inner.ttl == 255
        exchanged = opcode is Opcode.REJECT
        assert (inner.src == packet.dst, inner.dst == packet.src) == (exchanged, exchanged)
        assert (outer.src == original.dst) is exchanged


def test_a_reset_acknowledges_around_the_end_of_sequence_numbers() -> None:
    frame = tcp_frame(4, TCP_SYN, seq=0xFFFFFFFF)
    _, inner = made(Opcode.TCP_RESET, frame)
    assert codec.read_tcp(inner).ack == 0


def test_sctp_abort_carries_the_tag_that_the_peer_expects() -> None:
    init = b"\1\0\0\x14" + (0x1234).to_bytes(4, "big") + bytes(12)
    _, inner = made(Opcode.SCTP_ABORT, sctp_frame(0, init))
    assert codec.read_sctp(inner) == Sctp(8, 7, 0x1234, b"\6\0\0\4")
    data = b"\0\3\0\x10" + bytes(12)
    outer, inner = made(Opcode.REJECT, sctp_frame(0x99, data))
    assert codec.read_sctp(inner) == Sctp(8, 7, 0x99, b"\6\1\0\4")
    assert outer.dst[0] == 0x0C
    assert inner.dst == b"\x0a\0\0\1"


@pytest.mark.parametrize(
    ("version", "opcode", "kind", "code"),
    [
        (4, Opcode.ICMP4, 3, 1),
        (6, Opcode.ICMP6, 1, 1),
        (4, Opcode.REJECT, 3, 3),
        (6, Opcode.REJECT, 1, 4),
    ],
)
def test_icmp_errors_quote_the_packet(version: int, opcode: Opcode, kind: int, code: int) -> None:
    frame = udp_frame(version) + bytes(7)
    original, packet = parsed(frame)
    outer, inner = made(opcode, frame)
    message = codec.read_icmp(inner)
    assert (message.kind, message.code) == (kind, code)
    assert message.rest == bytes(4) + codec.ip_datagram(original)
    exchanged = opcode is Opcode.REJECT
    assert (inner.src, inner.dst) == (
        (packet.dst, packet.src) if exchanged else (packet.src, packet.dst)
    )
    assert (outer.dst == original.src) is exchanged


@pytest.mark.parametrize(("version", "longest"), [(4, 576), (6, 1280)])
def test_icmp_errors_are_not_too_long(version: int, longest: int) -> None:
    outer, _ = made(Opcode.REJECT, udp_frame(version, bytes(1400)))
    assert len(outer.payload) == longest


@pytest.mark.parametrize(
    ("extensions", "pointer"),
    [
        ([], 6),
        ([(0, 8)], 40),
        ([(0, 16), (43, 8)], 56),
        ([(60, 24), (60, 8), (0, 8)], 72),
    ],
)
def test_an_unknown_header_is_pointed_at(extensions: list[tuple[int, int]], pointer: int) -> None:
    """The octet that names it is in the header before it (RFC 8200 section 4)."""
    unknown = 99
    kinds = [kind for kind, _ in extensions] + [unknown]
    payload = b"".join(
        bytes((following, size // 8 - 1)) + bytes(size - 2)
        for following, (_, size) in zip(kinds[1:], extensions, strict=True)
    )
    frame = serialised(eth(6), ip(6, kinds[0]), payload + b"contents")
    _, inner = made(Opcode.ICMP6_UNKNOWN_HEADER, frame)
    problem = codec.read_icmp(inner)
    assert (problem.kind, problem.code) == (4, 1)
    assert int.from_bytes(problem.rest[:4], "big") == pointer
    quoted = problem.rest[4:]
    assert quoted == codec.ip_datagram(codec.read_ethernet(frame))
    assert quoted[pointer] == unknown
    problem_frame = reply_to(Opcode.ICMP6_UNKNOWN_HEADER, frame)
    assert problem_frame is not None
    assert reply_to(Opcode.ICMP6_UNKNOWN_HEADER, problem_frame) is None


def test_what_is_neither_tcp_nor_udp_is_unreachable_by_its_host() -> None:
    ping = serialised(eth(4), ip(4, 1), icmp.icmp(8, 0, 0, icmp.echo(1, 2, b"")))
    _, inner = made(Opcode.REJECT, ping)
    assert codec.read_icmp(inner)[:2] == (3, 1)
    ping = serialised(eth(6), ip(6, 58), icmpv6.icmpv6(128, 0, 0, icmpv6.echo(1, 2, b"")))
    _, inner = made(Opcode.REJECT, ping)
    assert codec.read_icmp(inner)[:2] == (1, 1)


@pytest.mark.parametrize("second", REFUSALS)
@pytest.mark.parametrize("version", [4, 6])
def test_refusals_do_not_answer_each_other(second: Opcode, version: int) -> None:
    """A reset may expire on its way, which ICMP tells; otherwise nothing answers a refusal."""
    for frame in (tcp_frame(version, TCP_SYN), udp_frame(version), sctp_frame(5, b"\0\3\0\4")):
        for first in REFUSALS:
            refusal = reply_to(first, frame)
            if refusal is None:
                continue
            answer = reply_to(second, refusal)
            if second in (Opcode.ICMP4, Opcode.ICMP6) and answer is not None:
                assert parsed(refusal)[1].protocol in (PROTOCOL_TCP, PROTOCOL_SCTP)
                answer = reply_to(second, answer)
            assert answer is None


def icmp4_frame(kind: int) -> bytes:
    src, dst = b"\x0a\0\0\1", b"\x0a\0\1\2"
    error = codec.write_icmp(codec.Icmp(kind, 0, bytes(32)), src, dst)
    packet = codec.write_ip(Ip(src, dst, PROTOCOL_ICMP4, error))
    return codec.write_ethernet(Ethernet(b"\x0a" + bytes(5), b"\x0c" + bytes(5), 0x800, packet))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(
            serialised(eth(4, dst="ff:ff:ff:ff:ff:ff"), ip(4, 17), b"\0" * 8), id="broadcast frame"
        ),
        pytest.param(
            serialised(eth(4, dst="01:00:5e:00:00:05"), ip(4, 17), b"\0" * 8), id="multicast frame"
        ),
        pytest.param(udp_frame(4, dst="224.0.0.5"), id="multicast"),
        pytest.param(udp_frame(4, dst="255.255.255.255"), id="broadcast"),
        pytest.param(udp_frame(4, src="0.0.0.0"), id="from nobody"),
        pytest.param(udp_frame(4, src="224.0.0.5"), id="from a group"),
        pytest.param(udp_frame(6, dst="ff02::5"), id="IPv6 multicast"),
        pytest.param(udp_frame(6, src="::"), id="IPv6 from nobody"),
        pytest.param(icmp4_frame(3), id="unreachable"),
        pytest.param(icmp4_frame(5), id="redirect"),
        pytest.param(icmp4_frame(11), id="time exceeded"),
    ],
)
def test_not_everything_may_be_refused(frame: bytes) -> None:
    assert not [opcode for opcode in REFUSALS if reply_to(opcode, frame) is not None]


def test_later_fragments_are_not_refused() -> None:
    frame = bytearray(udp_frame(4))
    frame[20:22] = b"\0\x05"
    assert reply_to(Opcode.REJECT, bytes(frame)) is None


def test_other_protocols_get_no_reset() -> None:
    assert reply_to(Opcode.TCP_RESET, udp_frame(4)) is None
    assert reply_to(Opcode.SCTP_ABORT, tcp_frame(4, TCP_SYN)) is None


# ---- any bytes


SAMPLES = [
    tcp_frame(4, TCP_SYN, seq=1),
    udp_frame(6),
    sctp_frame(5, b"\1\0\0\x14" + bytes(16)),
    serialised(
        eth(6, dst=B_MAC),
        ip(6, 58, ttl=255),
        icmpv6.icmpv6(
            135, 0, 0, icmpv6.nd_neighbor(dst=A6, option=icmpv6.nd_option_sla(hw_src=B_MAC))
        ),
    ),
]


@pytest.mark.parametrize("opcode", sorted(REPLIES))
@pytest.mark.parametrize("frame", SAMPLES)
def test_damaged_frames(opcode: Opcode, frame: bytes) -> None:
    for each in damaged(frame):
        answered(opcode, each)


@pytest.mark.parametrize("opcode", sorted(REPLIES))
@given(
    head=st.sampled_from([frame[:cut] for frame in SAMPLES for cut in (0, 14, 23, 34, 54)]),
    tail=st.binary(max_size=100),
)
def test_any_bytes(opcode: Opcode, head: bytes, tail: bytes) -> None:
    answered(opcode, head + tail)


def answered(opcode: Opcode, frame: bytes) -> None:
    """A reply is well-formed, or there is none, or the frame is malformed."""
    try:
        reply = reply_to(opcode, frame)
    except MalformedPacketError:
        return
    if reply is not None and opcode is not Opcode.ARP:
        _, inner = parsed(reply)
        assert inner.protocol in (PROTOCOL_TCP, PROTOCOL_SCTP, PROTOCOL_ICMP4, PROTOCOL_ICMP6)
