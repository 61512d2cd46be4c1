"""What is said of fragments holds whatever they turn out to be."""

from itertools import product

import pytest

from logical_flow.evaluate import Packet, matches
from logical_flow.fragments import as_switch_sees, doubtful_match, sure_match
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise

MATCHES = [
    "1",
    "0",
    "ip4",
    "tcp",
    "tcp.dst == 22",
    "tcp.dst != 22",
    "!(tcp.dst == 22)",
    "tcp && tcp.dst != {22, 80}",
    "22 < tcp.dst < 1024",
    "!(22 <= tcp.dst <= 80)",
    "tcp.flags[1]",
    "!tcp.flags[1]",
    "udp.src == 22 && udp.dst == 80",
    "ip4.src == 1.0.0.1 && tcp.dst == 22",
    "ip4.src == 1.0.0.1 || tcp.dst == 22",
    "!(ip4.src == 1.0.0.1 && tcp.dst == 22)",
    "ip && !(ip4.src == 1.0.0.1 || tcp.dst == 22)",
    "icmp4.type == 8 || (tcp && !(tcp.dst == 22))",
    "ip.is_frag",
    "!ip.is_frag && tcp.dst == 22",
    "ip.first_frag && udp.dst == 22",
    "nd_ns || nd_na",
    "ip.ttl == 255 && nd.target == fe80::1",
    "mldv2 || icmp6.type == 128",
    "ip4 && !tcp",
    "ip.proto != {6, 17}",
    "!icmp4",
    "!nd",
    "!(nd_ns || tcp.dst == 22)",
    "icmp6.type != 135",
]


def packets(fragment: int) -> list[Packet]:
    """Packets that the matches tell apart, all of them fragments of that kind."""
    found: list[Packet] = []
    families: list[Packet] = [
        {"eth.type": 0x800, "ip4.src": 0x01000001},
        {"eth.type": 0x800, "ip4.src": 0x01000002},
        {"eth.type": 0x86DD, "ip6.src": 0xFE80 << 112, "ip6.dst": (0xFF02 << 112) + 0x16},
    ]
    transports: list[Packet] = [
        {"ip.proto": 6, "tcp.dst": port, "tcp.flags": flags}
        for port, flags in product((0, 21, 22, 80, 1023), (0, 2))
    ]
    transports += [
        {"ip.proto": 17, "udp.src": source, "udp.dst": port}
        for source, port in product((0, 22), (22, 80))
    ]
    transports += [
        {"ip.proto": proto, "icmp4.type": kind} for proto, kind in product((1, 58), (0, 8))
    ]
    transports += [
        {"ip.proto": 58, "icmp6.type": kind, "nd.target": target}
        for kind, target in product((0, 128, 135, 136, 143), (0, (0xFE80 << 112) + 1))
    ]
    for family, transport, ttl in product(families, transports, (64, 255)):
        found.append({**family, **transport, "ip.frag": fragment, "ip.ttl": ttl})
    return found


@pytest.mark.parametrize("text", MATCHES)
def test_first_fragments_are_judged_whatever_they_hold(text: str) -> None:
    """What fits for sure fits, and what fits is sure or in doubt."""
    expression = parse_match(text, negations=True)
    sure, doubtful = sure_match(expression), doubtful_match(expression)
    for packet in packets(1):
        seen = as_switch_sees(packet)
        fits = matches(expression, packet)
        is_sure, is_doubtful = matches(sure, seen), matches(doubtful, seen)
        assert None not in (is_sure, is_doubtful), "a switch has to be able to tell"
        if is_sure:
            assert fits, packet
        if fits:
            assert is_sure or is_doubtful, packet


@pytest.mark.parametrize("text", MATCHES)
def test_whole_packets_are_judged_as_ever(text: str) -> None:
    expression = parse_match(text, negations=True)
    for packet in packets(0):
        assert as_switch_sees(packet) == packet
        assert matches(sure_match(expression), packet) == matches(expression, packet)
        assert matches(doubtful_match(expression), packet) is False


@pytest.mark.parametrize("text", MATCHES)
def test_the_results_are_matches_again(text: str) -> None:
    for made in (
        sure_match(parse_match(text, negations=True)),
        doubtful_match(parse_match(text, negations=True)),
    ):
        assert str(parse_match(str(made), negations=True)) == str(made)


@pytest.mark.parametrize(
    ("text", "flows"),
    [("ip4 && tcp", 0), ("ip4.src == 10.0.0.0/8", 0), ("tcp.dst == 22", 2), ("tcp.dst > 1023", 2)],
)
def test_what_fragments_cost(text: str, flows: int) -> None:
    """Nothing where no transport field is asked for; else a flow a family, however many ports."""
    assert len(normalise(doubtful_match(parse_match(text, negations=True)))) == flows


def test_what_a_switch_sees() -> None:
    whole: Packet = {"eth.type": 0x86DD, "ip.proto": 6, "tcp.dst": 22, "tcp.flags": 2}
    assert as_switch_sees(whole) == whole
    first = as_switch_sees({**whole, "ip.frag": 1})
    assert first == {"eth.type": 0x86DD, "ip.proto": 6, "ip.frag": 1, "tcp.flags": None}
    later = as_switch_sees({**whole, "ip.frag": 3})
    assert later == {"eth.type": 0x86DD, "ip.proto": 44, "ip.frag": 3}
    assert as_switch_sees({**whole, "ip.frag": 2}) == later, "there is no later one of none"
    assert as_switch_sees(first) == first
