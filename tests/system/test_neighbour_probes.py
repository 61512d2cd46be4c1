"""Neighbours of routers that are in use are asked before they are forgotten."""

from itertools import count

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, NS, UDP, Frame, ethernet, ipv4, ipv6, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

AGE = 9
"""Seconds; agents look three times in it."""
ROUTER, INWARD = "0a:00:00:00:51:fe", "0a:00:00:00:52:fe"
SENDER, GUEST = "0a:00:00:00:51:01", "0a:00:00:00:52:01"
ADDRESSES = {"10.52.0.1": "10.51.0.1", "fd52::1": "fd51::1"}
"""Of the guest, whom nobody has declared, by those of the sender."""
_ports = count(9001)


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """The guest knows no way back, so that it says nothing unless it is asked."""
    net = scene.net
    net.router("known", mac_binding_age_threshold=AGE)
    net.switch("askers")
    net.switch("guests")
    net.attach("known", "askers", ROUTER, "10.51.0.254/24", "fd51::fe/64")
    net.attach("known", "guests", INWARD, "10.52.0.254/24", "fd52::fe/64")
    net.port("askers", "sender", f"{SENDER} 10.51.0.1 fd51::1")
    net.port("guests", "guest", "unknown")
    scene.lab.add_vm("sender", "hv1")
    own = ("10.52.0.1/24", "fd52::1/64")
    scene.lab.add_vm("guest", "hv2", VmFacts(GUEST, own, ()))
    scene.lab.wait_until_up()


def send(tap: Tap, to: str) -> int:
    """Send a datagram to an address of the guest; return its port."""
    port, own = next(_ports), ADDRESSES[to]
    datagram = udp(own, to, 1, port)
    make, ethertype = (ipv6, IPV6) if ":" in to else (ipv4, IPV4)
    tap.send(ethernet(ROUTER, SENDER, ethertype, make(own, to, UDP, datagram)))
    return port


def is_question(frame: Frame) -> bool:
    return frame.src == INWARD and (frame.arp_op == 1 or frame.icmp_type == NS)


def questions(tap: Tap, *, for_one: bool) -> dict[str, int]:
    """How many questions of the router came, to the guest alone or to everyone, by address."""
    tap.drain()
    found = [frame for frame in tap.matching(is_question) if (frame.dst == GUEST) is for_one]
    return {to: sum((frame.icmp_type == NS) is (":" in to) for frame in found) for to in ADDRESSES}


def arrives(sender: Tap, guest: Tap) -> None:
    """Wait until packets to all addresses of the guest arrive."""
    for to in ADDRESSES:
        port = send(sender, to)
        guest.expect(lambda frame, port=port: frame.dport == port, "the packet", 30)


def test_a_neighbour_that_answers_stays(scene: Scene) -> None:
    """Packets go to it all the time, and it is never asked for by broadcast again."""
    with Tap(scene.lab.vm("sender")) as sender, Tap(scene.lab.vm("guest")) as guest:
        arrives(sender, guest)
        guest.received.clear()

        def is_asked_often() -> bool:
            for to in ADDRESSES:
                send(sender, to)
            return min(questions(guest, for_one=True).values()) >= 5

        until(is_asked_often, "the router asks the guest whether it is there", 90)
        assert set(questions(guest, for_one=False).values()) == {0}
        arrives(sender, guest)
        assert set(questions(guest, for_one=False).values()) == {0}


def test_a_silent_neighbour_is_forgotten_and_asked_for_anew(scene: Scene) -> None:
    namespace = scene.lab.vm("guest").namespace
    with Tap(scene.lab.vm("sender")) as sender, Tap(scene.lab.vm("guest")) as guest:
        arrives(sender, guest)
        namespace.ip("link", "set", "eth0", "arp", "off")
        try:
            guest.received.clear()

            def is_asked_for() -> bool:
                send(sender, "10.52.0.1")
                return questions(guest, for_one=False)["10.52.0.1"] > 0

            until(is_asked_for, "the router asks everyone", 90)
            assert questions(guest, for_one=True)["10.52.0.1"] >= 1, "it was asked alone before"
        finally:
            namespace.ip("link", "set", "eth0", "arp", "on")
        answer = frames.arp(2, GUEST, "10.52.0.1", INWARD, "10.52.0.254")
        guest.send(ethernet(INWARD, GUEST, frames.ARP, answer))
        arrives(sender, guest)
