"""ARP and neighbour discovery, answered at the source chassis for known addresses."""

from itertools import count

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import ARP, BROADCAST, IPV4, NA, UDP, arp_request, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {name: f"0a:00:00:00:06:0{n}" for n, name in enumerate(("n1", "n2", "n3", "n4"), 1)}
IP = {name: f"10.0.6.{n}" for n, name in enumerate(("n1", "n2", "n3", "n4"), 1)}
IP6 = {name: f"fd06::{n}" for n, name in enumerate(("n1", "n2", "n3", "n4"), 1)}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`n1`, `n3` on hv1, `n2` on hv2; `n4` on hv2 takes unknown addresses; `r` is a router."""
    net = scene.net
    net.switch("nei")
    for name in ("n1", "n2", "n3"):
        net.port("nei", name, f"{MAC[name]} {IP[name]} {IP6[name]}")
    net.port("nei", "n4", "unknown")
    net.router("r6")
    net.attach("r6", "nei", "0a:00:00:00:06:fe", "10.0.6.254/24", "fd06::fe/64")
    for name, hypervisor in {"n1": "hv1", "n2": "hv2", "n3": "hv1"}.items():
        scene.lab.add_vm(name, hypervisor)
    scene.lab.add_vm("n4", "hv2", VmFacts(MAC["n4"], (f"{IP['n4']}/24", f"{IP6['n4']}/64"), ()))
    scene.lab.wait_until_up()


def mark(tap: Tap, source: str, target: str) -> bytes:
    return ethernet(
        MAC[target],
        MAC[source],
        IPV4,
        ipv4(IP[source], IP[target], UDP, udp(IP[source], IP[target], 1, 9999)),
    )


def test_arp_is_answered_at_the_source(scene: Scene) -> None:
    """Nobody else sees the request: not the owner of the address either."""
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n2")) as n2:
        n1.send(arp_request(MAC["n1"], IP["n1"], IP["n2"]))
        answer = n1.expect(lambda frame: frame.arp_op == 2, "an ARP answer")
        assert (answer.arp_sha, answer.arp_spa) == (MAC["n2"], IP["n2"])
        assert (answer.src, answer.dst) == (MAC["n2"], MAC["n1"])
        n1.send(mark(n1, "n1", "n2"))
        n2.expect(lambda frame: frame.dport == 9999, "the mark")
        assert not n2.matching(lambda frame: frame.arp_op == 1)


def test_router_address_is_answered(scene: Scene) -> None:
    with Tap(scene.lab.vm("n1")) as n1:
        n1.send(arp_request(MAC["n1"], IP["n1"], "10.0.6.254"))
        answer = n1.expect(lambda frame: frame.arp_op == 2, "an ARP answer")
        assert answer.arp_sha == "0a:00:00:00:06:fe"
        n1.send(frames.neighbour_solicitation(MAC["n1"], IP6["n1"], "fd06::fe"))
        answer = n1.expect(lambda frame: frame.icmp_type == NA, "a neighbour advertisement")
        assert answer.ip_src == "fd06::fe"
        assert answer.l4[-6:] == frames.mac("0a:00:00:00:06:fe")


def test_neighbour_solicitation_is_answered_at_the_source(scene: Scene) -> None:
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n2")) as n2:
        n1.send(frames.neighbour_solicitation(MAC["n1"], IP6["n1"], IP6["n2"]))
        answer = n1.expect(lambda frame: frame.icmp_type == NA, "a neighbour advertisement")
        assert (answer.src, answer.ip_src, answer.ip_dst) == (MAC["n2"], IP6["n2"], IP6["n1"])
        assert answer.payload[7] == 255
        assert answer.l4[8:24] == frames.ip(IP6["n2"])
        assert answer.l4[24:] == b"\x02\x01" + frames.mac(MAC["n2"])
        n1.send(mark(n1, "n1", "n2"))
        n2.expect(lambda frame: frame.dport == 9999, "the mark")
        assert not n2.matching(lambda frame: frame.icmp_type == frames.NS)


@pytest.mark.parametrize("family", ["ARP", "ND"])
def test_own_address_is_not_answered(scene: Scene, family: str) -> None:
    """Duplicate detection: who asks for its own address must not hear that it is taken."""
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n3")) as n3:
        if family == "ARP":
            n1.send(arp_request(MAC["n1"], "0.0.0.0", IP["n1"]))
            n1.send(arp_request(MAC["n1"], IP["n1"], IP["n1"]))
            n1.send(arp_request(MAC["n1"], IP["n1"], IP["n3"]))
            n1.expect(lambda frame: frame.arp_op == 2, "the answer to the request for another")
            assert {f.arp_spa for f in n1.matching(lambda f: f.arp_op == 2)} == {IP["n3"]}
            # Whoever has the address too must hear the question.
            n3.expect(lambda frame: frame.arp_op == 1, "the request for n1's own address")
        else:
            n1.send(frames.neighbour_solicitation(MAC["n1"], "::", IP6["n1"]))
            n1.send(frames.neighbour_solicitation(MAC["n1"], IP6["n1"], IP6["n3"]))
            n1.expect(lambda frame: frame.icmp_type == NA, "the answer to the other question")
            answers = n1.matching(lambda frame: frame.icmp_type == NA)
            assert {frame.ip_src for frame in answers} == {IP6["n3"]}


def test_duplicate_of_another_port_is_detected(scene: Scene) -> None:
    """Who probes for an address that another port has is told so."""
    with Tap(scene.lab.vm("n1")) as n1:
        n1.send(arp_request(MAC["n1"], "0.0.0.0", IP["n2"]))
        answer = n1.expect(lambda frame: frame.arp_op == 2, "an ARP answer")
        assert answer.arp_sha == MAC["n2"]
        n1.send(frames.neighbour_solicitation(MAC["n1"], "::", IP6["n2"]))
        answer = n1.expect(lambda frame: frame.icmp_type == NA, "a neighbour advertisement")
        assert answer.ip_src == IP6["n2"]


def test_unknown_port_answers_for_itself(scene: Scene) -> None:
    with Tap(scene.lab.vm("n4")) as n4:
        assert scene.lab.vm("n1").reaches(IP["n4"])
        n4.expect(lambda frame: frame.arp_op == 1 and frame.dst == BROADCAST, "the ARP request")
    assert scene.lab.vm("n1").reaches(IP6["n4"])


def test_a_declared_mac_address_is_used_without_asking(scene: Scene) -> None:
    """Until the neighbour presents itself, or for good where the declaration overrides that."""
    router, declared, real = "0a:00:00:00:06:fe", "0a:00:00:00:06:77", "0a:00:00:00:06:78"
    address, ports = "10.0.6.77", count(7001)

    def sent_to(n1: Tap, n4: Tap) -> str:
        """The MAC address to which the router sends what n1 sends to the address."""
        port = next(ports)
        packet = ipv4(IP["n1"], address, UDP, udp(IP["n1"], address, 1, port))
        n1.send(ethernet(router, MAC["n1"], IPV4, packet))
        return n4.expect(lambda frame: frame.dport == port, "the packet to the neighbour").dst

    path = "/logical-router-ports/r6-nei/static-mac-bindings"
    created = scene.net.call("POST", path, {"ip": address, "mac": declared})
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n4")) as n4:
        assert sent_to(n1, n4) == declared
        assert not n4.matching(lambda frame: frame.arp_op == 1)
        n4.send(ethernet(router, real, ARP, frames.arp(2, real, address, router, "10.0.6.254")))
        until(lambda: sent_to(n1, n4) == real, "the router to learn the address")
        binding = f"/static-mac-bindings/{created['id']}"
        scene.net.call("PATCH", binding, {"override_dynamic_mac": True})
        assert sent_to(n1, n4) == declared
        scene.net.delete(binding)
        assert sent_to(n1, n4) == real


def asks_for(frame: frames.Frame, address: str) -> bool:
    return frame.arp_op == 1 and frame.payload[24:28] == frames.ip(address)


def test_a_router_learns_from_questions_what_it_has_to(scene: Scene) -> None:
    """Who asks for others is learned where the router always learns, else once it is needed."""
    router, guest, asking = "0a:00:00:00:06:fe", "0a:00:00:00:06:99", "0a:00:00:00:06:9a"
    ports = count(7101)
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n4")) as n4:

        def send(address: str) -> int:
            """Send a packet from n1 to an address, by the router; return its port."""
            port = next(ports)
            packet = ipv4(IP["n1"], address, UDP, udp(IP["n1"], address, 1, port))
            n1.send(ethernet(router, MAC["n1"], IPV4, packet))
            return port

        def came(address: str, mac: str) -> bool:
            """Whether a packet to an address gets there without the router having to ask."""
            n4.received.clear()
            port = send(address)
            found = n4.expect(
                lambda frame: frame.dport == port or asks_for(frame, address),
                "the packet, or the question for its next hop",
                30,
            )
            return found.dport == port and found.dst == mac

        def ask(mac: str, own: str, target: str) -> None:
            n4.send(
                ethernet(BROADCAST, mac, ARP, frames.arp(1, mac, own, "00:00:00:00:00:00", target))
            )

        def is_learned(own: str, mac: str, target: str) -> bool:
            """Whether a host that asks is known at its MAC address."""
            ask(mac, own, target)
            return came(own, mac)

        until(lambda: is_learned("10.0.6.90", guest, "10.0.6.90"), "who presents himself", 30)
        scene.net.call("PATCH", "/logical-routers/r6", {"always_learn_from_arp_request": False})
        try:
            ask(guest, "10.0.6.91", "10.0.6.91")
            # What asks for the router comes after it, and is learned.
            until(lambda: is_learned("10.0.6.92", asking, "10.0.6.254"), "who asks for it", 30)
            n4.received.clear()
            port = send("10.0.6.91")
            question = n4.expect(
                lambda frame: asks_for(frame, "10.0.6.91"), "the question of the router", 30
            )
            n4.send(
                ethernet(
                    question.src,
                    guest,
                    ARP,
                    frames.arp(2, guest, "10.0.6.91", question.arp_sha, question.arp_spa),
                )
            )
            packet = n4.expect(lambda f: f.dport == port, "the packet once it is answered", 30)
            assert packet.dst == guest
            # One that is known and has moved is learned from any question.
            until(lambda: is_learned("10.0.6.91", asking, "10.0.6.91"), "who has moved", 30)
        finally:
            scene.net.call("PATCH", "/logical-routers/r6", {"always_learn_from_arp_request": True})


def asked_by_agent(scene: Scene) -> int:
    """How many packets the agent of hv1 was given to ask for their next hops."""
    received = scene.lab.hypervisor("hv1").agent("status")["punted"]["received"]
    return sum(received.get(opcode, 0) for opcode in ("ARP", "ND_NS"))


def test_a_router_asks_for_others_where_it_is_not_to_know_them(scene: Scene) -> None:
    """And packets get through all the same: the first waits for the answer."""
    net = scene.net
    net.router("s6")
    net.attach("s6", "nei", "0a:00:00:00:06:fd", "10.0.6.253/24", "fd06::fd/64")
    net.router_port("s6", "s6-far", "0a:00:00:00:66:fe", "10.66.0.254/24", "fd66::fe/64")
    routes = [
        net.call("POST", "/static-routes", {"logical_router": "r6", **route})["id"]
        for route in (
            {"ip_prefix": "10.66.0.0/24", "nexthop": "10.0.6.253"},
            {"ip_prefix": "fd66::/64", "nexthop": "fd06::fd"},
        )
    ]
    try:
        for options, questions in (({}, 0), ({"dynamic_neigh_routers": True}, 2)):
            net.call("PATCH", "/logical-routers/r6", options)
            before = asked_by_agent(scene)
            for far in ("10.66.0.254", "fd66::fe"):
                assert scene.lab.vm("n1").reaches(far)
            assert asked_by_agent(scene) - before >= questions
            assert questions or asked_by_agent(scene) == before
    finally:
        net.call("PATCH", "/logical-routers/r6", {"dynamic_neigh_routers": False})
        for each in routes:
            net.delete(f"/static-routes/{each}")
        net.delete("/logical-switch-ports/nei-s6")
        for port in ("s6-far", "s6-nei"):
            net.delete(f"/logical-router-ports/{port}")
        net.delete("/logical-routers/s6")


WAITING = 4
"""So many packets wait for one neighbour."""


class Absent:
    """An address behind the router's port, for which it has to ask: n4 hears the questions."""

    def __init__(self, scene: Scene, address: str) -> None:
        self.address = address
        self._six = ":" in address
        self._scene = scene
        self._ports = count(7301)

    def waits(self) -> dict[str, int]:
        """What became of packets that wait, of all that hv1 has seen."""
        punted = self._scene.lab.hypervisor("hv1").agent("status")["punted"]
        return {each: punted[each] for each in ("pending", "dropped", "unanswered")}

    def send(self, n1: Tap, packets: int) -> list[int]:
        """Send it so many packets by the router, each to a port of its own."""
        own, make, kind = (
            (IP6["n1"], frames.ipv6, frames.IPV6) if self._six else (IP["n1"], ipv4, IPV4)
        )
        ports = [next(self._ports) for _ in range(packets)]
        for port in ports:
            packet = make(own, self.address, UDP, udp(own, self.address, 1, port))
            n1.send(ethernet("0a:00:00:00:06:fe", MAC["n1"], kind, packet))
        return ports

    def is_question(self, frame: frames.Frame) -> bool:
        if self._six:
            return frame.icmp_type == frames.NS and frame.l4[8:24] == frames.ip(self.address)
        return asks_for(frame, self.address)

    def questions(self, n4: Tap) -> int:
        """How many questions for it came until now."""
        n4.drain()
        return len(n4.matching(self.is_question))

    def answer(self, question: frames.Frame) -> bytes:
        own = MAC["n4"]
        if self._six:
            return frames.neighbour_advertisement(
                own, self.address, question.src, question.ip_src, own
            )
        told = frames.arp(2, own, self.address, question.arp_sha, question.arp_spa)
        return ethernet(question.src, own, ARP, told)


@pytest.mark.parametrize("address", ["10.0.6.201", "fd06::201"])
def test_what_waits_for_a_neighbour_is_bounded(scene: Scene, address: str) -> None:
    """However many packets there are, there is one question a second, three in all.

    Packets that wait in vain, or are pushed out by newer ones, are dropped and counted.
    """
    absent, packets = Absent(scene, address), 12
    with Tap(scene.lab.vm("n1")) as n1, Tap(scene.lab.vm("n4")) as n4:
        before = absent.waits()
        absent.send(n1, packets)

        def is_over() -> bool:
            return absent.waits()["unanswered"] == before["unanswered"] + 1

        until(is_over, "the router gives up", 30)
        until(lambda: absent.questions(n4) >= 3, "three questions", 30)
        assert absent.questions(n4) == 3
        after = absent.waits()
        assert after["dropped"] == before["dropped"] + packets
        assert after["pending"] == before["pending"]
        ports = absent.send(n1, packets)
        pushed = after["dropped"] + packets - WAITING
        until(lambda: absent.waits()["dropped"] == pushed, "only the last packets wait", 30)
        until(lambda: absent.questions(n4) > 3, "a question for the next packets", 30)
        question = n4.matching(absent.is_question)[-1]
        n4.send(absent.answer(question))
        n4.expect(lambda frame: frame.dport == ports[-1], "the last packet", 30)
        arrived = [frame.dport for frame in n4.matching(lambda f: f.dport in ports)]
        assert sorted(arrived) == ports[-WAITING:]
        assert absent.waits()["dropped"] == pushed
