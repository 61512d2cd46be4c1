"""Frames are what their fields say, and only listed differences are passed over."""

from collections import Counter
from random import Random

import pytest

from logical_flow.packet import packet_from_match
from tests.differential.lab.canonical import canonical, is_superfluous
from tests.differential.lab.conversation import Step
from tests.differential.lab.crafting import craft, reply_to
from tests.differential.lab.plan import phases
from tests.differential.lab.questions import Questions, is_question
from tests.differential.lab.taps import Arrival
from tests.differential.lab.verdict import Verdict
from tests.differential.network.packets import random_probes
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import random_topology
from tests.system import frames
from tests.system.agent.frame_fields import fields_of

A, B = "0a:00:00:00:01:01", "0a:00:00:00:01:02"


def ip4_frame(source: str, target: str, protocol: int, segment: bytes, ttl: int = 64) -> bytes:
    return frames.ethernet(B, A, frames.IPV4, frames.ipv4(source, target, protocol, segment, ttl))


def syn(target: str = "10.0.1.2", *, source: str = "10.0.1.1") -> bytes:
    return ip4_frame(source, target, frames.TCP, frames.tcp(source, target, 1000, 80))


@pytest.mark.parametrize("seed", range(5))
def test_frames_have_the_fields_of_their_packets(seed: int) -> None:
    rng = Random(seed)
    for probe in random_probes(rng, random_topology(rng), 50):
        packet = packet_from_match(probe.packet)
        del packet["inport"]
        found = fields_of(craft(packet))
        assert {name: found[name] for name in packet} == packet


def test_what_connection_tracking_refuses() -> None:
    packet = fields_of(syn())
    assert frames.parse(craft(packet, valid=False)).tcp_flags == frames.SYN | frames.ACK
    datagram = {**packet, "ip.proto": frames.UDP, "udp.src": 1, "udp.dst": 2}
    good, bad = craft(datagram), craft(datagram, valid=False)
    assert fields_of(good) == fields_of(bad)
    assert good != bad


def test_replies_turn_around() -> None:
    reply = reply_to(fields_of(syn()))
    assert reply is not None
    assert (reply["tcp.src"], reply["tcp.dst"]) == (80, 1000)
    assert reply_to(reply) == fields_of(syn())
    error = frames.icmp4(3, bytes(32))
    assert reply_to(fields_of(ip4_frame("10.0.1.1", "10.0.1.2", frames.ICMP, error))) is None


def test_discovery_comes_last_and_nothing_is_lost() -> None:
    rng = Random(1)
    document = random_topology(rng)
    probes = list(random_probes(rng, document, 60))
    routed, teaching = phases(document, probes)
    assert sorted([*routed, *teaching]) == sorted(probes)
    assert not any("arp.op" in probe.packet for probe in routed)
    assert all("arp.op" in probe.packet or "nd." in probe.packet for probe in teaching)


def test_resets_may_differ_in_hop_limit_and_numbers() -> None:
    segments = [
        frames.tcp("10.0.1.2", "10.0.1.1", 80, 1000, flags, seq)
        for flags, seq in ((frames.RST, 7), (frames.RST | frames.ACK, 0))
    ]
    ours = ip4_frame("10.0.1.2", "10.0.1.1", frames.TCP, segments[0], 254)
    theirs = ip4_frame("10.0.1.2", "10.0.1.1", frames.TCP, segments[1], 62)
    assert canonical(ours, syn()) == canonical(theirs, syn())
    other = frames.tcp("10.0.1.2", "10.0.1.1", 81, 1000, frames.RST)
    found = ip4_frame("10.0.1.2", "10.0.1.1", frames.TCP, other, 254)
    assert canonical(found, syn()) != canonical(ours, syn())


def test_other_frames_may_not_differ() -> None:
    assert canonical(syn(), syn()) == syn()
    assert canonical(syn("10.0.1.3"), syn()) != canonical(syn(), syn())


@pytest.mark.parametrize(
    ("sent", "superfluous"),
    [
        (syn(), False),
        (syn(source="224.0.0.1"), True),
        (syn("255.255.255.255"), True),
        (b"\xff" * 6 + syn()[6:], True),
        (ip4_frame("10.0.1.1", "10.0.1.2", frames.ICMP, frames.icmp4(3, bytes(32))), True),
        (ip4_frame("10.0.1.1", "10.0.1.2", frames.ICMP, frames.icmp_echo()), False),
    ],
)
def test_refusals_of_what_may_not_be_refused(sent: bytes, superfluous: bool) -> None:
    error = frames.icmp4(11, bytes(4) + sent[14:])
    answer = ip4_frame("10.0.1.254", "10.0.1.1", frames.ICMP, error)
    assert is_superfluous(answer, sent) is superfluous
    assert not is_superfluous(sent, sent), "what is sent on is no refusal"


ROUTER = "0a:00:00:01:01:01"


def test_who_may_not_be_told_is_not_asked_for_either() -> None:
    question = frames.arp_request(ROUTER, "10.0.1.254", "10.0.1.1")
    assert is_superfluous(question, b"\xff" * 6 + syn()[6:])
    assert not is_superfluous(question, syn()), "the sender of this may be told"
    other = frames.arp_request(ROUTER, "10.0.1.254", "10.0.1.9")
    assert not is_superfluous(other, b"\xff" * 6 + syn()[6:])


def test_a_question_counts_the_first_time() -> None:
    question = Arrival("p", frames.neighbour_solicitation(ROUTER, "fd00:1::f1", "fd00:1::9"))
    once, nothing = Counter([question]), Counter[Arrival]()
    asked = Questions()
    assert asked.without_repeats(once, nothing, syn()) == once, "only one lab asks"
    assert asked.without_repeats(once, nothing, syn()) == nothing, "it asks again"
    assert asked.without_repeats(once, once, syn()) == once, "the other one asks, too"
    assert asked.without_repeats(once + once, once, syn()) == once


def test_only_questions_may_come_again() -> None:
    arrivals = Counter([Arrival("p", syn())])
    asked = Questions()
    for _ in range(2):
        assert asked.without_repeats(arrivals, Counter(), syn()) == arrivals


def test_questions_are_those_of_routers() -> None:
    asked = frames.arp_request(ROUTER, "10.0.1.254", "10.0.1.9")
    assert is_question(asked, syn())
    assert not is_question(asked, asked), "it was sent, and is only sent on"
    assert not is_question(syn(), ip4_frame("10.0.1.9", "10.0.1.1", frames.UDP, b""))


def test_errors_are_told_although_they_quote() -> None:
    error = ip4_frame("10.0.1.1", "10.0.1.2", frames.ICMP, frames.icmp4(3, bytes(4) + syn()[14:]))
    step = Step("p", error, [], [])
    told = str(Verdict(Probe("icmp4", "new"), step, intended=False, difference=""))
    assert "icmp4.type=3" in told
