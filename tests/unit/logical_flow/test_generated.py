"""The packets that actions make, field by field."""

import pytest

from logical_flow.action import PacketKind
from logical_flow.action.generated import generate
from logical_flow.packet import MutablePacket, packet_from_match

ETHERNET = "eth.src == 00:00:00:00:00:01 && eth.dst == 00:00:00:00:00:02"
TCP4 = f"{ETHERNET} && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && tcp.src == 9 && tcp.dst == 80"
UDP6 = f"{ETHERNET} && ip6.src == fd00::1 && ip6.dst == fd00::ab:cdef && udp.src == 9"
SOLICITATION = f"{ETHERNET} && ip6.src == fd00::1 && ip6.dst == ff02::1:ff00:2 && nd_ns && "
SOLICITATION += "nd.target == fd00::2 && nd.sll == 00:00:00:00:00:01"


def made(kind: PacketKind, source: str) -> MutablePacket:
    packet = generate(kind, packet_from_match(source))
    assert packet is not None
    return packet


def test_arp_asks_for_the_destination() -> None:
    assert made(PacketKind.ARP, TCP4) == {
        "eth.src": 1,
        "eth.dst": 2,
        "eth.type": 0x806,
        "arp.op": 1,
        "arp.sha": 1,
        "arp.spa": 0x0A000001,
        "arp.tha": 0,
        "arp.tpa": 0x0A000002,
    }


def test_a_solicitation_goes_to_the_solicited_node() -> None:
    packet = made(PacketKind.ND_NS, UDP6)
    assert packet["eth.dst"] == 0x3333FFABCDEF
    assert packet["ip6.dst"] == 0xFF0200000000000000000001FFABCDEF
    assert packet["nd.target"] == 0xFD000000000000000000000000ABCDEF
    assert (packet["icmp6.type"], packet["ip.ttl"], packet["nd.sll"]) == (135, 255, 1)
    assert "udp.src" not in packet


@pytest.mark.parametrize("kind", [PacketKind.ND_NA, PacketKind.ND_NA_ROUTER])
def test_an_advertisement_goes_back_to_who_asked(kind: PacketKind) -> None:
    packet = made(kind, SOLICITATION)
    assert (packet["eth.src"], packet["eth.dst"]) == (2, 1)
    assert packet["ip6.src"] == packet["nd.target"] == 0xFD000000000000000000000000000002
    assert packet["ip6.dst"] == 0xFD000000000000000000000000000001
    assert (packet["icmp6.type"], packet["nd.tll"]) == (136, 2)
    assert "nd.sll" not in packet


def test_icmp_errors_leave_the_addresses_to_their_actions() -> None:
    four, six = made(PacketKind.ICMP4, TCP4), made(PacketKind.ICMP6, UDP6)
    assert (four["ip4.src"], four["icmp4.type"], four["icmp4.code"]) == (0x0A000001, 3, 1)
    assert (six["eth.src"], six["icmp6.type"], six["icmp6.code"]) == (1, 1, 1)
    assert four["ip.ttl"] == six["ip.ttl"] == 255
    assert "tcp.dst" not in four


@pytest.mark.parametrize(("flags", "answer"), [(0x002, 0x014), (0x010, 0x004)])
def test_a_reset_acknowledges_what_did_not(flags: int, answer: int) -> None:
    packet = made(PacketKind.TCP_RESET, f"{TCP4} && tcp.flags == {flags}")
    assert (packet["tcp.src"], packet["tcp.dst"], packet["tcp.flags"]) == (80, 9, answer)
    assert packet["ip4.src"] == 0x0A000001


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (TCP4, {"ip.proto": 6, "tcp.dst": 9, "ip4.dst": 0x0A000001, "eth.dst": 1}),
        (
            f"{ETHERNET} && ip4.src == 10.0.0.1 && udp",
            {"ip.proto": 1, "icmp4.type": 3, "icmp4.code": 3, "ip4.dst": 0x0A000001},
        ),
        (
            f"{ETHERNET} && ip4.src == 10.0.0.1 && icmp4.type == 8",
            {"ip.proto": 1, "icmp4.type": 3, "icmp4.code": 1, "eth.dst": 1},
        ),
        (UDP6, {"ip.proto": 58, "icmp6.type": 1, "icmp6.code": 4}),
        (f"{ETHERNET} && ip6.src == fd00::1 && sctp.dst == 5", {"ip.proto": 132, "sctp.src": 5}),
        (f"{ETHERNET} && ip6.src == fd00::1 && ip.proto == 47", {"icmp6.type": 1, "icmp6.code": 1}),
    ],
)
def test_a_refusal_suits_what_it_refuses(source: str, expected: MutablePacket) -> None:
    packet = made(PacketKind.REJECT, source)
    assert {name: packet.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "source",
    [
        f"{TCP4} && tcp.flags == 0x14",
        f"{ETHERNET} && icmp4.type == 11",
        f"{ETHERNET} && icmp6.type == 2",
        "eth.dst == ff:ff:ff:ff:ff:ff && udp && ip4",
        f"{ETHERNET} && udp && ip4 && ip.frag == 3",
    ],
)
def test_refusals_floods_and_fragments_are_not_refused(source: str) -> None:
    assert generate(PacketKind.REJECT, packet_from_match(source)) is None


@pytest.mark.parametrize("answer", ["reject", "sctp_abort", "icmp4"])
def test_an_abort_is_not_refused(answer: str) -> None:
    abort = made(PacketKind.SCTP_ABORT, f"{ETHERNET} && ip4.src == 10.0.0.1 && sctp.dst == 80")
    assert generate(PacketKind(answer), abort) is None
    assert generate(PacketKind.ARP, abort) is not None


def test_what_is_not_known_stays_unknown() -> None:
    packet = packet_from_match(UDP6) | {"ip6.dst": None}
    made_packet = generate(PacketKind.ND_NS, packet)
    assert made_packet is not None
    assert (made_packet["eth.dst"], made_packet["nd.target"]) == (None, None)


@pytest.mark.parametrize("kind", ["icmp4", "reject"])
@pytest.mark.parametrize(
    "source",
    [
        "eth.mcast && ip4.src == 10.0.0.1 && udp",
        "ip4.src == 0.0.0.0 && udp",
        "ip4.src == 10.0.0.1 && ip4.dst == 224.0.0.1 && udp",
        "ip4.src == 10.0.0.1 && icmp4.type == 3",
        "ip4.src == 10.0.0.1 && ip.later_frag",
    ],
)
def test_what_may_not_be_refused(kind: str, source: str) -> None:
    assert generate(PacketKind(kind), packet_from_match(source)) is None


def test_the_answer_to_an_asker_without_address_goes_to_all_nodes() -> None:
    packet = made(PacketKind.ND_NA, "nd_ns && ip6.src == :: && nd.target == fd00::1")
    assert packet["ip6.dst"] == 0xFF02 << 112 | 1
