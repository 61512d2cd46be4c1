"""The packets of explanations: as matches, as answers, and turned around."""

from ipaddress import ip_address

import pytest

from diagnosis.explain import packets
from diagnosis.trace import discovery
from logical_flow.packet import MutablePacket, packet_from_match

MAC, OTHER = 0x0A0000000001, 0x0A0000000002
UDP = (
    'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 '
    "&& ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && udp.src == 5 && udp.dst == 53"
)
PING6 = (
    'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 '
    "&& ip6.src == fd00::1 && ip6.dst == fd00::2 && ip.ttl == 64 && icmp6.type == 128"
)


def question(target: str) -> MutablePacket:
    source = ip_address("10.0.0.1" if "." in target else "fd00::1")
    return discovery.question("a", MAC, source, ip_address(target))


def nonzero(packet: MutablePacket) -> MutablePacket:
    """Without fields that are 0, as absent ones are."""
    return {name: value for name, value in packet.items() if value != 0}


@pytest.mark.parametrize(
    "packet",
    [
        question("10.0.0.2"),
        question("fd00::2"),
        discovery.answer(question("10.0.0.2"), "b", OTHER),
        discovery.answer(question("fd00::2"), "b", OTHER),
        packets.reply_to(packet_from_match(UDP), "b", MAC),
        packets.reply_to(packet_from_match(PING6), "b", MAC),
        {**packet_from_match(UDP), "vlan.tci": 0x1005, "ip.ttl": 0},
    ],
)
def test_a_packet_as_a_match_is_the_packet(packet: MutablePacket) -> None:
    assert nonzero(packet_from_match(packets.as_match(packet))) == nonzero(packet)


@pytest.mark.parametrize("target", ["10.0.0.2", "fd00::2"])
def test_questions_and_answers(target: str) -> None:
    asked = question(target)
    told = discovery.answer(asked, "b", OTHER)
    assert discovery.asked_address(asked) == ip_address(target)
    assert discovery.answered_mac(told) == OTHER
    assert (discovery.answered_mac(asked), discovery.asked_address(told)) == (None, None)
    assert (told["eth.dst"], told["inport"]) == (MAC, "b")


def test_replies_turn_the_request_around() -> None:
    reply = packets.reply_to(packet_from_match(UDP), "b", MAC)
    assert reply is not None
    assert (reply["udp.src"], reply["udp.dst"]) == (53, 5)
    assert packets.addresses(reply) == (ip_address("10.0.0.2"), ip_address("10.0.0.1"))
    ping = packets.reply_to(packet_from_match(PING6), "b", MAC)
    assert ping is not None
    assert packets.is_echo_reply(ping)


@pytest.mark.parametrize(
    "match",
    [
        'inport == "a" && arp',
        'inport == "a" && ip4.dst == 224.0.0.5 && udp',
        'inport == "a" && ip4.dst == 10.0.0.2 && icmp4.type == 3',
        'inport == "a" && ip4.dst == 10.0.0.2 && ip.proto == 47',
    ],
)
def test_what_nobody_replies_to(match: str) -> None:
    assert packets.reply_to(packet_from_match(match), "b", MAC) is None


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (UDP, "udp/53"),
        (PING6, "icmp"),
        ("arp", "ARP"),
        ("ip4 && ip.proto == 47", "IP protocol 47"),
        ("eth.type == 0x88cc", "Ethernet type 0x88cc"),
    ],
)
def test_what_a_packet_speaks(match: str, text: str) -> None:
    assert packets.service(packet_from_match(match)) == text
