"""Packets are read and written as os-ken's library does, and any bytes are survived."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from os_ken.lib.packet import arp, ethernet, icmp, icmpv6

from chassis_agent.punt import codec
from chassis_agent.punt.codec import Arp, Ethernet, Icmp, Ip, Neighbour, Tcp
from chassis_agent.punt.errors import MalformedPacketError
from tests.unit.chassis_agent.punt.frames import (
    A4,
    A6,
    A_MAC,
    B4,
    B_MAC,
    damaged,
    eth,
    ip,
    parsed,
    serialised,
    tcp_frame,
    udp_frame,
)

A_MAC_BYTES, B_MAC_BYTES = (bytes.fromhex(mac.replace(":", "")) for mac in (A_MAC, B_MAC))


def test_arp() -> None:
    frame = serialised(
        ethernet.ethernet(B_MAC, A_MAC, 0x806),
        arp.arp(1, 0x800, 6, 4, 2, A_MAC, A4, B_MAC, B4),
    )
    outer = codec.read_ethernet(frame)
    inner = codec.read_arp(outer.payload)
    assert inner == Arp(2, A_MAC_BYTES, bytes((10, 0, 0, 1)), B_MAC_BYTES, bytes((10, 0, 1, 2)))
    assert codec.write_ethernet(outer._replace(payload=codec.write_arp(inner))) == frame[:42]


@pytest.mark.parametrize("version", [4, 6])
def test_tcp(version: int) -> None:
    frame = tcp_frame(version, 0x12, seq=5, ack=6, payload=b"data")
    outer, inner = parsed(frame)
    assert (outer.src, outer.dst) == (A_MAC_BYTES, B_MAC_BYTES)
    assert codec.read_tcp(inner) == Tcp(1000, 80, 5, 6, 0x12, 4, 500)
    empty = tcp_frame(version, 0x12, seq=5, ack=6)
    _, inner = parsed(empty)
    made = codec.write_tcp(Tcp(1000, 80, 5, 6, 0x12, window=500), inner.src, inner.dst)
    assert made == inner.payload


@pytest.mark.parametrize("version", [4, 6])
def test_udp(version: int) -> None:
    _, inner = parsed(udp_frame(version, b"odd"))
    assert codec.write_udp(1000, 53, b"odd", inner.src, inner.dst) == inner.payload


def test_ipv4_packets_without_an_identification_are_not_to_be_fragmented() -> None:
    """Fragments of several packets with the same identification would be mixed up."""
    written = codec.write_ip(Ip(bytes(4), bytes(4), 17, b"", 64))
    assert written[4:8].hex() == "00004000"


@given(st.binary(max_size=80) | st.sampled_from([b"\xff" * 20, bytes(20), b"\xff\xfe\0\1"]))
def test_the_checksum_is_that_of_words_with_carries_added(data: bytes) -> None:
    """RFC 1071 section 1."""
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2]) for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert codec.checksum(data) == ~total & 0xFFFF


def test_a_udp_checksum_of_zero_is_sent_as_ones() -> None:
    src, dst = b"\0" * 4, b"\0" * 4
    without = codec.write_udp(0, 0, b"\0\0", src, dst)
    left = int.from_bytes(without[6:8], "big")
    assert codec.write_udp(0, 0, left.to_bytes(2, "big"), src, dst)[6:8] == b"\xff\xff"


def test_icmp4() -> None:
    frame = serialised(eth(4), ip(4, 1), icmp.icmp(8, 0, 0, icmp.echo(1, 2, b"abc")))
    _, inner = parsed(frame)
    message = codec.read_icmp(inner)
    assert message == Icmp(8, 0, b"\0\1\0\2abc")
    assert codec.write_icmp(message, inner.src, inner.dst) == inner.payload


def test_neighbour_solicitation() -> None:
    option = icmpv6.nd_option_sla(hw_src=A_MAC)
    neighbour = icmpv6.nd_neighbor(dst=A6, option=option)
    frame = serialised(eth(6), ip(6, 58, ttl=255), icmpv6.icmpv6(135, 0, 0, neighbour))
    _, inner = parsed(frame)
    target = bytes.fromhex("fd000000000000000000000000000001")
    assert codec.read_neighbour(codec.read_icmp(inner)) == Neighbour(135, target, A_MAC_BYTES)
    made = codec.write_icmp(codec.solicitation(target, A_MAC_BYTES), inner.src, inner.dst)
    assert made == inner.payload


def test_neighbour_advertisement() -> None:
    option = icmpv6.nd_option_tla(hw_src=B_MAC)
    neighbour = icmpv6.nd_neighbor(res=0b111, dst=A6, option=option)
    frame = serialised(eth(6), ip(6, 58, ttl=255), icmpv6.icmpv6(136, 0, 0, neighbour))
    _, inner = parsed(frame)
    target = bytes.fromhex("fd000000000000000000000000000001")
    assert codec.read_neighbour(codec.read_icmp(inner)) == Neighbour(136, target, B_MAC_BYTES)
    made = codec.advertisement(target, B_MAC_BYTES, router=True, solicited=True)
    assert codec.write_icmp(made, inner.src, inner.dst) == inner.payload


def test_sctp_checksum() -> None:
    made = codec.write_sctp(codec.Sctp(1, 2, 3, b"\6\0\0\4"))
    packet = codec.Ip(b"\1" * 4, b"\2" * 4, codec.PROTOCOL_SCTP, made)
    assert codec.read_sctp(packet) == codec.Sctp(1, 2, 3, b"\6\0\0\4")
    without = made[:8] + bytes(4) + made[12:]
    assert int.from_bytes(made[8:12], "little") == codec.crc32c(without)


def test_padding_is_left_out() -> None:
    _, inner = parsed(udp_frame(4, b"x") + bytes(20))
    assert len(inner.payload) == 9


def test_tags_are_kept() -> None:
    frame = udp_frame(4)
    tagged = frame[:12] + bytes.fromhex("88a8 0001 8100 0002") + frame[12:]
    outer = codec.read_ethernet(tagged)
    assert (outer.ethertype, outer.vlans.hex()) == (0x800, "88a8000181000002")
    assert codec.write_ethernet(outer) == tagged


def test_extension_headers_are_passed_over() -> None:
    options, authentication = bytes((51, 0)) + bytes(6), bytes((17, 4)) + bytes(22)
    payload = options + authentication + b"transport"
    frame = ip6_with(0, payload)
    assert codec.read_ip(frame)[2:4] == (17, b"transport")
    first = bytes((17, 0, 0, 1)) + bytes(4)
    later = bytes((17, 0, 0, 8)) + bytes(4)
    assert not codec.read_ip(ip6_with(44, first + b"x")).is_later_fragment
    assert codec.read_ip(ip6_with(44, later + b"x")).is_later_fragment


def test_an_endless_chain_of_headers_ends() -> None:
    chain = (bytes((0, 0)) + bytes(6)) * 100
    assert codec.read_ip(ip6_with(0, chain)).protocol == 0


def ip6_with(protocol: int, payload: bytes) -> Ethernet:
    data = codec.write_ip(Ip(b"\1" * 16, b"\2" * 16, protocol, payload))
    return Ethernet(b"\2" * 6, b"\4" * 6, codec.ETHERTYPE_IPV6, data)


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_that_is_read_and_written_says_the_same(version: int) -> None:
    outer, inner = parsed(udp_frame(version))
    again = codec.write_ethernet(outer._replace(payload=codec.write_ip(inner)))
    assert parsed(again)[1] == inner


def read_everything(data: bytes) -> None:
    outer = codec.read_ethernet(data)
    if outer.ethertype == codec.ETHERTYPE_ARP:
        codec.read_arp(outer.payload)
        return
    inner = codec.read_ip(outer)
    codec.ip_datagram(outer)
    readers = {
        codec.PROTOCOL_TCP: codec.read_tcp,
        codec.PROTOCOL_SCTP: codec.read_sctp,
        codec.PROTOCOL_ICMP4: codec.read_icmp,
        codec.PROTOCOL_ICMP6: lambda packet: codec.read_neighbour(codec.read_icmp(packet)),
    }
    readers.get(inner.protocol, lambda packet: packet)(inner)


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    for whole in (data, bytes(12) + b"\x08\0" + data, bytes(12) + b"\x86\xdd" + data):
        try:
            read_everything(whole)
        except MalformedPacketError:
            continue


def test_damaged_frames() -> None:
    frames = [tcp_frame(4, 2), tcp_frame(6, 2), udp_frame(6)]
    for frame in (each for whole in frames for each in damaged(whole)):
        try:
            read_everything(frame)
        except MalformedPacketError:
            continue
