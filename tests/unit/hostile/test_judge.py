"""The judge of hostile frames accuses what should not have passed, and nothing else."""

import struct

from tests.hostile.judge import Judge, Stranger
from tests.system.frames import (
    IPV4,
    IPV6,
    TCP,
    arp_request,
    ethernet,
    ip,
    ipv4,
    ipv6,
    tcp,
)

HELD, OTHER = "0a:00:00:00:00:01", "0a:00:00:00:00:02"


def judge() -> Judge:
    return Judge(
        "vm", port=22, sender=HELD, addresses=[ip("10.0.0.1"), ip("fd00::1")], macs=[HELD, OTHER]
    )


def frame4(src: str, port: int, *, flags: int = 0, mac: str = HELD) -> bytes:
    packet = bytearray(ipv4(src, "10.0.0.2", TCP, tcp(src, "10.0.0.2", 1000, port)))
    packet[6:8] = flags.to_bytes(2, "big")
    return ethernet(OTHER, mac, IPV4, bytes(packet))


def test_honest_frames_are_not_accused() -> None:
    assert judge().accusation(frame4("10.0.0.1", 80)) is None
    assert judge().accusation(arp_request(HELD, "10.0.0.1", "10.0.0.2")) is None
    assert judge().accusation(frame4("10.9.9.9", 80, mac=OTHER)) is None


def test_spoofed_sources_are_accused() -> None:
    for raw in (
        frame4("10.0.0.9", 80),
        frame4("10.0.0.1", 80, mac="0a:66:66:66:66:66"),
        arp_request(HELD, "10.0.0.9", "10.0.0.2"),
        arp_request(HELD, "10.0.0.1", "10.0.0.2", sha=OTHER),
        ethernet(OTHER, HELD, IPV6, ipv6("fd00::9", "fd00::2", 59, b"")),
    ):
        assert judge().accusation(raw) is not None


def test_the_forbidden_port_is_accused_whole_and_in_its_first_fragment() -> None:
    assert judge().accusation(frame4("10.0.0.1", 22)) is not None
    assert judge().accusation(frame4("10.0.0.1", 22, flags=0x2000)) is not None


def test_the_forbidden_port_behind_extension_headers_is_accused() -> None:
    segment = tcp("fd00::1", "fd00::2", 1000, 22)
    for first, chain in (
        (60, struct.pack("!BB", TCP, 0) + bytes(6)),
        (44, struct.pack("!BBHI", TCP, 0, 1, 7)),
        (0, struct.pack("!BB", 44, 0) + bytes(6) + struct.pack("!BBHI", TCP, 0, 0, 7)),
    ):
        raw = ethernet(OTHER, HELD, IPV6, ipv6("fd00::1", "fd00::2", first, chain + segment))
        assert judge().accusation(raw) is not None


def test_a_packet_too_short_for_a_header_accuses_no_one() -> None:
    assert judge().accusation(frame4("10.0.0.1", 22)[:40]) is None


def test_a_stranger_is_known_by_mac_and_behind_a_router_by_address() -> None:
    stranger = Stranger("vm", "0a:66:66:66:66:67", [ip("10.0.0.66")])
    assert stranger.accusation(frame4("10.0.0.1", 80, mac="0a:66:66:66:66:67")) is not None
    assert stranger.accusation(frame4("10.0.0.66", 80)) is not None
    assert stranger.accusation(frame4("10.0.0.1", 80)) is None
