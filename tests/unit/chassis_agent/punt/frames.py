"""Frames for tests, made by os-ken's packet library: a second opinion on every header."""

from __future__ import annotations

import itertools
from typing import Any

from os_ken.lib.packet import ethernet, ipv4, ipv6, packet, tcp, udp

from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Ip

A_MAC, B_MAC = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
A4, B4 = "10.0.0.1", "10.0.1.2"
A6, B6 = "fd00::1", "fd00:1::2"


def serialised(*protocols: Any) -> bytes:
    """The bytes of stacked protocols, with their checksums."""
    made = packet.Packet()
    for protocol in protocols:
        made.add_protocol(protocol)
    made.serialize()
    return bytes(made.data)


def eth(version: int, dst: str = B_MAC, src: str = A_MAC) -> ethernet.ethernet:
    return ethernet.ethernet(dst, src, 0x800 if version == 4 else 0x86DD)


def ip(version: int, protocol: int, src: str = "", dst: str = "", ttl: int = 64) -> Any:
    if version == 4:
        return ipv4.ipv4(src=src or A4, dst=dst or B4, proto=protocol, ttl=ttl, identification=1)
    return ipv6.ipv6(src=src or A6, dst=dst or B6, nxt=protocol, hop_limit=ttl)


def tcp_frame(version: int, bits: int, *, payload: bytes = b"", **fields: int) -> bytes:
    segment = tcp.tcp(1000, 80, bits=bits, window_size=500, **fields)
    return serialised(eth(version), ip(version, 6), segment, payload)


def udp_frame(version: int, payload: bytes = b"hello", **addresses: str) -> bytes:
    return serialised(eth(version), ip(version, 17, **addresses), udp.udp(1000, 53), payload)


def parsed(frame: bytes) -> tuple[Ethernet, Ip]:
    """A frame as values, after its checksums were checked."""
    outer = codec.read_ethernet(frame)
    inner = codec.read_ip(outer)
    if inner.version == 4:
        assert codec.checksum(outer.payload[:20]) == 0
    if inner.protocol == codec.PROTOCOL_ICMP4:
        assert codec.checksum(inner.payload) == 0
    elif inner.protocol in (codec.PROTOCOL_TCP, codec.PROTOCOL_UDP, codec.PROTOCOL_ICMP6):
        length = len(inner.payload)
        pseudo = inner.src + inner.dst + length.to_bytes(4, "big") + bytes((0, 0, 0))
        assert codec.checksum(pseudo + bytes((inner.protocol,)) + inner.payload) == 0
    return outer, inner


def damaged(frame: bytes) -> list[bytes]:
    """A frame cut short everywhere, and with each byte at its extremes."""
    cut = (frame[:length] for length in range(len(frame)))
    changed = (
        frame[:place] + bytes((value,)) + frame[place + 1 :]
        for place in range(len(frame))
        for value in (0, 1, 6, 0x2C, 0x7F, 0xFF)
    )
    return list(itertools.chain(cut, changed))
