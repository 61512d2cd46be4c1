"""Matches mean to OVN what they mean here, on packets with and without the headers.

Left out: ``ip.dscp`` and ``ip.ecn``, which ``ovn-trace`` can't give to a packet, and
matches that are always true, about which it is silent.

In one point the two differ on purpose. A negated predicate of a field with
prerequisites, such as ``!ip.is_frag``, fits packets without that field in OVN, while
here the prerequisites of a field hold whichever way it is tested, as they do for
comparisons in both.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logical_flow.evaluate import Sets, matches
from logical_flow.match_parser import parse_match
from logical_flow.packet import packet_from_match

from .ovn_southbound import TABLES, OvnSouthbound, ovn_southbound

MEMBERS = {
    "$web": ["10.0.0.0/24", "10.1.0.1"],
    "$web6": ["fd00::1"],
    "$none": [],
    "@some": ["a", "b"],
}
SETS = Sets(MEMBERS)

SINGLE = [
    "0",
    "eth.bcast",
    "!eth.bcast",
    "eth.mcast",
    "eth.mcastv6",
    "eth.src == 0a:00:00:00:00:01",
    "eth.dst[40..47] == 0xff",
    "eth.type == 0x800",
    "vlan.present",
    "!vlan.present",
    "vlan.vid == 5",
    "vlan.pcp > 2",
    "vlan.vid != 5",
    "ip4",
    "ip6",
    "ip",
    "ip.proto == {6, 17}",
    "ip.ttl == {0, 1}",
    "ip.is_frag",
    "ip.later_frag",
    "ip.first_frag",
    "ip4.src == 10.0.0.0/24",
    "ip4.src != 10.0.0.0/24",
    "!(ip4.src == 10.0.0.7)",
    "ip4.src == $web",
    "ip4.src != $web",
    "ip4.src == {$web, $none, 1.2.3.4}",
    "ip4.dst > 10.0.0.9",
    "ip4.mcast",
    "ip4.src_mcast",
    "ip6.src == $web6",
    "ip6.dst == fd00::/16",
    "ip6.mcast",
    "ip6.label == 5",
    "icmp4",
    "icmp6",
    "icmp",
    "igmp",
    "icmp4.type == 8 && icmp4.code == 0",
    "icmp6.type == {128, 135}",
    "arp",
    "arp.op == 1",
    "arp.spa == 10.0.0.1",
    "arp.tpa != 10.0.0.1",
    "arp.sha[0..7] >= 2",
    "rarp",
    "nd",
    "nd_ns",
    "nd_na",
    "nd_rs",
    "nd_ra",
    "nd.target == fd00::5",
    "nd.sll == 0a:00:00:00:00:01",
    "nd.tll == 0a:00:00:00:00:01",
    "tcp",
    "udp",
    "sctp",
    "tcp.dst == 80",
    "tcp.dst != 80",
    "!(tcp.dst == {80, 443})",
    "tcp.dst != {80, 443}",
    "1000 <= tcp.src < 2000",
    "udp.dst <= 53",
    "sctp.src == 5",
    "tcp.flags == 2",
    "tcp.flags == 0x2/0x3",
    'inport == "a"',
    'inport == {"a", "c"}',
    "inport == @some",
    'inport == {@some, "c"}',
    "reg0 == 5",
    "reg0[0..2] != 5",
    "!reg0[1]",
    "xxreg0[96..98] == 5",
    "xreg0[32] && reg1 == 0",
    "reg9 < 3",
    "xreg4[0..31] == 2",
    "flags.loopback",
    "!(!(tcp.dst == 80))",
    "!(tcp.dst == 80 || udp.dst == 53)",
    "!(ip4.src == 10.0.0.7 && tcp.dst == 80)",
]
JOINED = [
    f"({left}) {operator} ({right})"
    for operator in ("&&", "||")
    for left, right in zip(SINGLE, SINGLE[7:] + SINGLE[:7], strict=True)
]

FRAMES = [
    'inport == "a" && eth.src == 0a:00:00:00:00:01',
    (
        'inport == "c" && eth.dst == ff:ff:ff:ff:ff:ff && vlan.present && vlan.vid == 5 '
        "&& vlan.pcp == 3 && reg0 == 5 && reg9 == 2"
    ),
    (
        'inport == "b" && eth.dst == 33:33:00:00:00:01 && vlan.present && vlan.vid == 6 '
        "&& reg0 == 7 && flags.loopback == 1"
    ),
]
HEADERS = [
    "1",
    "arp && arp.op == 1 && arp.spa == 10.0.0.1 && arp.sha == 00:00:00:00:00:01",
    "arp && arp.op == 2 && arp.tpa == 10.0.0.1 && arp.sha == 00:00:00:00:00:03",
    "eth.type == 0x8035",
    "ip4.src == 10.0.0.7 && ip.ttl == 64 && tcp.dst == 80 && tcp.src == 1500 && tcp.flags == 2",
    "ip4.src == 10.1.0.1 && ip.ttl == 1 && tcp.dst == 443 && tcp.flags == 6",
    "ip4.src == 224.0.0.1 && ip4.dst == 225.0.0.1 && ip.ttl == 0 && udp.dst == 53",
    "ip4.dst == 10.0.0.10 && ip.ttl == 9 && icmp4.type == 8 && icmp4.code == 0",
    "ip4 && ip.ttl == 9 && ip.proto == 2",
    "ip4 && ip.ttl == 9 && ip.proto == 6 && ip.frag == 1",
    "ip4 && ip.ttl == 9 && ip.proto == 6 && ip.frag == 3",
    "ip6.src == fd00::1 && ip6.dst == fd00::2 && ip.ttl == 9 && sctp.src == 5 && ip6.label == 5",
    "ip6.src == fd01::1 && ip6.dst == ff02::2 && ip.ttl == 9 && udp.dst == 54",
    (
        "ip6 && ip.ttl == 255 && icmp6.type == 135 && icmp6.code == 0 && nd.target == fd00::5 "
        "&& nd.sll == 0a:00:00:00:00:01"
    ),
    (
        "ip6 && ip.ttl == 255 && icmp6.type == 136 && icmp6.code == 0 && nd.target == fd00::6 "
        "&& nd.tll == 0a:00:00:00:00:01"
    ),
    "ip6 && ip.ttl == 255 && icmp6.type == 133 && icmp6.code == 0",
    "ip6 && ip.ttl == 255 && icmp6.type == 134 && icmp6.code == 0",
    "ip6 && ip.ttl == 64 && icmp6.type == 128",
]
PACKETS = [f"{frame} && {headers}" for headers in HEADERS for frame in FRAMES]


@pytest.fixture
def ovn(tmp_path: Path) -> Iterator[OvnSouthbound]:
    with ovn_southbound(tmp_path, ["a", "b", "c"], MEMBERS) as southbound:
        yield southbound


def test_ovn_agrees_on_which_packets_fit(ovn: OvnSouthbound) -> None:
    sources = SINGLE + JOINED
    expressions = {source: parse_match(source) for source in sources}
    differing: dict[str, str] = {}
    for start in range(0, len(sources), TABLES):
        some = sources[start : start + TABLES]
        for packet, theirs in ovn.fitting(some, PACKETS):
            fields = packet_from_match(packet)
            ours = {source for source in some if matches(expressions[source], fields, SETS)}
            differing.update(dict.fromkeys(ours ^ theirs, packet))
    assert differing == {}


def test_only_here_a_negated_predicate_keeps_its_prerequisites(ovn: OvnSouthbound) -> None:
    ((packet, theirs),) = ovn.fitting(["!ip.is_frag"], ['inport == "a" && arp'])
    assert theirs == {"!ip.is_frag"}
    assert not matches(parse_match("!ip.is_frag"), packet_from_match(packet))
