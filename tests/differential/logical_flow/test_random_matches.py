"""Random texts are matches to OVN if they are here, and then mean the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logical_flow.errors import LanguageError
from logical_flow.evaluate import Sets, matches
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise
from logical_flow.packet import packet_from_match

from .ovn_southbound import TABLES, OvnSouthbound, ovn_southbound
from .random_matches import Writer

MEMBERS = {
    "$web": ["10.0.0.0/24", "10.1.0.1"],
    "$web6": ["fd00::1"],
    "$macs": ["0a:00:00:00:00:01"],
    "@some": ["a"],
}
SETS = Sets(MEMBERS)

TEXTS = 2000
COMPARED = 280
"""As many of the texts that both take are tried on packets: an `ovn-trace` a packet and 28."""

TCP4 = (
    'inport == "a" && eth.src == 0a:00:00:00:00:01 && reg0 == 5 && ip4.src == 10.0.0.7 && '
    "ip4.dst == 10.1.0.1 && ip.ttl == 64 && tcp.dst == 80 && tcp.src == 1500 && tcp.flags == 2"
)
TAGGED = (
    'inport == "b" && eth.dst == ff:ff:ff:ff:ff:ff && vlan.present && vlan.vid == 5 && '
    "reg9 == 2 && ip4.src == 10.1.0.1 && ip4.dst == 10.0.0.1 && ip.ttl == 1 && udp.dst == 53"
)
SOLICITATION = (
    'inport == "c" && eth.dst == 33:33:00:00:00:01 && ip6.src == fd00::1 && ip6.dst == ff02::2 '
    "&& ip.ttl == 255 && icmp6.type == 135 && icmp6.code == 0 && nd.target == fd00::2 && "
    "nd.sll == 0a:00:00:00:00:01"
)
ECHO = (
    'inport == "b" && flags.loopback == 1 && ip4.src == 224.0.0.1 && ip.ttl == 9 && '
    "icmp4.type == 8 && icmp4.code == 0"
)
ARP = 'inport == "a" && arp && arp.op == 1 && arp.spa == 10.0.0.1 && arp.sha == 0a:00:00:00:00:01'
SCTP6 = 'inport == "c" && ip6.src == fd01::1 && ip6.dst == fd00::2 && ip.ttl == 2 && sctp.src == 5'
PACKETS = [TCP4, TAGGED, SOLICITATION, ECHO, ARP, SCTP6]


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[OvnSouthbound]:
    with ovn_southbound(tmp_path, ["a", "b", "c"], MEMBERS) as southbound:
        yield southbound


def ours(text: str) -> str:
    """Why the text is no match; empty if it is one."""
    try:
        parse_match(text)
    except LanguageError as error:
        return error.message
    return ""


def always_fits(text: str) -> bool:
    """Whether any packet fits: about such matches `ovn-trace` is silent."""
    return any(not each.terms and not each.dimensions for each in normalise(parse_match(text)))


def test_ovn_takes_the_same_texts_and_reads_them_alike(ovn: OvnSouthbound) -> None:
    writer = Writer(seed=7)
    texts = list(dict.fromkeys(writer.text() for _ in range(TEXTS)))
    theirs = ovn.refusals(texts)
    refusals = {text: (ours(text), theirs.get(text, "")) for text in texts}
    assert {t: each for t, each in refusals.items() if bool(each[0]) != bool(each[1])} == {}
    taken = [text for text, (refusal, _) in refusals.items() if not refusal]
    assert len(taken) > TEXTS // 4, "texts that nobody takes say nothing"
    some = [text for text in taken if not always_fits(text)][:COMPARED]
    differing: dict[str, str] = {}
    for start in range(0, len(some), TABLES):
        chunk = some[start : start + TABLES]
        for packet, fitting in ovn.fitting(chunk, PACKETS):
            fields = packet_from_match(packet)
            fits = {text for text in chunk if matches(parse_match(text), fields, SETS)}
            differing.update(dict.fromkeys(fits ^ fitting, packet))
    assert differing == {}


@pytest.mark.parametrize(
    "text",
    ["!!ip4", "tcp.dst == 80/0xff", "ip4.src == $web6", "reg0[0..3] == 31", "ct_mark.natted"],
)
def test_what_is_known_to_differ_does(ovn: OvnSouthbound, text: str) -> None:
    """Each is told in `docs/matches.md`."""
    assert bool(ours(text)) is not (text in ovn.refusals([text]))
