"""Frames are what their fields say, and only listed differences are passed over."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from logical_flow.packet import packet_from_match
from tests.differential.lab.canonical import canonical, is_superfluous, returns_to_its_sender
from tests.differential.lab.connecting import difference, tells_sender
from tests.differential.lab.conversation import Step
from tests.differential.lab.crafting import craft, reply_to
from tests.differential.lab.plan import as_in_labs, macs, phases
from tests.differential.lab.questions import Questions, asks_for, is_question
from tests.differential.lab.taps import Arrival
from tests.differential.lab.verdict import Verdict
from tests.differential.lab.ways import OUTSIDE, Way, own_interfaces, ways
from tests.differential.network.outside import NETWORK
from tests.differential.network.packets import random_beginnings, random_probes
from tests.differential.network.probe import Probe
from tests.differential.network.routes import ways_to_choose
from tests.differential.network.topologies import Document, random_topology
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


def test_questions_are_known_by_whom_they_are_for() -> None:
    asked = frames.arp_request(ROUTER, "10.0.9.251", "10.0.9.200")
    solicited = frames.neighbour_solicitation(ROUTER, "fd00:9::f1", "fd00:9::c8")
    ips = {"10.0.9.200", "fd00:9::c8"}
    assert asks_for(asked, ips)
    assert asks_for(solicited, ips)
    assert not asks_for(asked, {"10.0.9.251", "fd00:9::c8"})
    assert not asks_for(syn("10.0.9.200"), ips)


def test_errors_are_told_although_they_quote() -> None:
    error = ip4_frame("10.0.1.1", "10.0.1.2", frames.ICMP, frames.icmp4(3, bytes(4) + syn()[14:]))
    step = Step("p", error, [], [])
    told = str(Verdict(Probe("icmp4", "new"), step, intended=False, difference=""))
    assert "icmp4.type=3" in told


OUTSIDE_MAC = "0a:00:00:00:09:64"


def test_ports_that_share_an_interface_are_told_apart_by_tags() -> None:
    document: Document = {
        "logical_switches": {
            "ls1": {
                "ports": {
                    "parent": {"addresses": [f"{A} 10.0.1.1"]},
                    "nested": {"addresses": [f"{B} 10.0.1.2"], "parent": "parent", "tag": 7},
                    "net": {"type": "localnet", "network_name": NETWORK, "addresses": ["unknown"]},
                    "to-router": {"type": "router", "router_port": "lr1-ls1"},
                    "metal": {"type": "external", "addresses": ["0a:00:00:00:01:03"]},
                }
            }
        }
    }
    assert ways(document) == {"nested": Way("parent", 7), "net": Way(OUTSIDE[NETWORK])}
    assert own_interfaces(document) == ["parent"]


def test_labs_have_the_first_chassis_and_know_who_is_outside() -> None:
    document = next(
        found
        for seed in range(100)
        for found in [random_topology(Random(seed))]
        if any(has_several_chassis(port) for port in router_ports(found))
    )
    ports = list(router_ports(as_in_labs(document)))
    assert not any(map(has_several_chassis, ports))
    bindings = [binding for port in ports for binding in port.get("static_mac_bindings", ())]
    assert {"10.0.9.100", "fd00:9::64"} <= {b["ip"] for b in bindings if b["mac"] == OUTSIDE_MAC}
    assert any(has_several_chassis(port) for port in router_ports(document)), "it is a copy"


def test_labs_have_one_way_where_a_hash_would_choose() -> None:
    documents = [random_topology(Random(seed)) for seed in range(100)]
    assert any(ways_to_choose(document) > 1 for document in documents)
    assert all(ways_to_choose(as_in_labs(document)) == 1 for document in documents)


def router_ports(document: Document) -> Iterator[Document]:
    for router in document["logical_routers"].values():
        yield from router["ports"].values()


def has_several_chassis(port: Document) -> bool:
    return len(port.get("gateway_chassis", ())) > 1


@pytest.mark.parametrize("seed", range(20))
def test_connections_begin_truthfully(seed: int) -> None:
    """From a host's own addresses, to another of the same family."""
    rng = Random(seed)
    document = as_in_labs(random_topology(rng))
    for probe in random_beginnings(rng, document, 20):
        packet = packet_from_match(probe.packet)
        (found,) = (version for version in ("ip4", "ip6") if f"{version}.src" in packet)
        assert packet[f"{found}.dst"] != packet[f"{found}.src"]
        assert fields_of(craft({**packet, "inport": 0}))["eth.src"] in macs(document) | {
            int(f"0a000000{int(switch[2:]):02x}64", 16) for switch in document["logical_switches"]
        }


def udp_between(source: str, target: str) -> bytes:
    return ip4_frame(source, target, frames.UDP, frames.udp(source, target, 1000, 80))


def error_about(quoted: bytes, source: str, target: str) -> bytes:
    return ip4_frame(source, target, frames.ICMP, frames.icmp4(3, bytes(4) + quoted[14:], 3))


def test_an_error_tells_who_sent_the_packet_of_what_he_sent() -> None:
    """Not of what it was translated to, and nobody else."""
    sent = udp_between("10.0.1.1", "10.96.0.1")
    first = Step("p", sent, [], [])
    rightly = error_about(sent, "10.96.0.1", "10.0.1.1")
    inside = error_about(udp_between("10.0.1.1", "10.0.1.2"), "10.0.1.2", "10.0.1.1")
    told = [
        tells_sender(Step("q", inside, arrivals, []), first)
        for arrivals in (
            [Arrival("p", rightly)],
            [Arrival("p", inside)],
            [Arrival("q", rightly)],
            [Arrival("p", rightly), Arrival("p", rightly)],
            [],
        )
    ]
    assert told == [True, False, False, False, False]


def test_who_is_his_own_backend_hears_his_own_errors() -> None:
    quoted = udp_between("10.96.0.1", "10.0.1.1")
    sent = error_about(quoted, "10.0.1.1", "10.96.0.1")
    assert returns_to_its_sender(error_about(quoted, "10.96.0.1", "10.0.1.1"), sent)
    assert not returns_to_its_sender(sent, sent)
    assert not returns_to_its_sender(udp_between("10.96.0.1", "10.0.1.1"), sent)


def test_announcements_are_passed_over_unless_they_were_sent() -> None:
    announced = frames.arp_request(OUTSIDE_MAC, "10.0.9.1", "10.0.9.1")
    step = Step("p", syn(), [Arrival("q", syn())], [Arrival("q", syn()), Arrival("q", announced)])
    assert not difference(step)
    assert difference(step._replace(frame=announced))
    asked = frames.arp_request(OUTSIDE_MAC, "10.0.9.1", "10.0.9.2")
    assert difference(step._replace(theirs=[Arrival("q", syn()), Arrival("q", asked)]))
