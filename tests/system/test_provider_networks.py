"""Provider networks: what leaves the overlay, what comes in, and what does neither."""

from collections.abc import Callable

import pytest

from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, UDP, Frame, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {"p1": "0a:00:00:00:19:01", "p2": "0a:00:00:00:19:02", "p3": "0a:00:00:00:19:03"}
IP = {"p1": "10.19.0.1", "p2": "10.19.0.2", "p3": "10.19.0.3", "o1": "10.19.0.101"}
OUTSIDE = {"o1": 100, "o2": 200, "o3": None}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Switch `dc` in VLAN 100 of a provider network, where `o1` is; `o2` and `o3` aren't."""
    lab, net = scene.lab, scene.net
    lab.add_provider_network("physnet1")
    for number, (name, vlan) in enumerate(OUTSIDE.items(), 101):
        addresses = (f"10.19.0.{number}/24", f"fd19::{number}/64")
        lab.add_outside(name, "physnet1", *addresses, vlan=vlan)
    lab.listen("o1", 80)
    net.switch("dc")
    net.port("dc", "dc-out", type="localnet", network_name="physnet1", tag=100)
    for name, mac in MAC.items():
        net.port("dc", name, f"{mac} {IP[name]} fd19::{name[-1]}")
    for name, hypervisor in {"p1": "hv1", "p2": "hv2", "p3": "hv2"}.items():
        lab.add_vm(name, hypervisor)
        lab.listen(name, 80)
    lab.wait_until_up()


def test_hosts_on_the_network_are_reached_and_reach(scene: Scene) -> None:
    p1, p2, o1 = scene.lab.vm("p1"), scene.lab.vm("p2"), scene.lab.outside("o1")
    assert p1.ping(IP["o1"], count=2)
    assert p2.ping("fd19::101", count=2)
    assert o1.ping(IP["p1"], count=2)
    assert o1.ping("fd19::2", count=2)
    assert p1.tcp_connects(IP["o1"], 80)
    assert o1.tcp_connects(IP["p2"], 80)


def test_other_vlans_are_apart(scene: Scene) -> None:
    for name in ("o2", "o3"):
        assert not scene.lab.vm("p1").ping(scene.lab.outside(name).ip4, timeout=1)
        assert not scene.lab.outside(name).ping(IP["p1"], timeout=1)


def test_between_hypervisors_no_tunnel_is_taken(scene: Scene) -> None:
    assert scene.lab.vm("p1").ping(IP["p2"], count=2)
    assert scene.lab.vm("p2").ping("fd19::1", count=2)
    hypervisor = scene.lab.hypervisor("hv1")
    ofport = hypervisor.switch.vsctl(
        "get", "Interface", scene.lab.vm("p1").state.interface, "ofport"
    )
    packet = f"in_port={ofport.strip()},icmp,dl_src={MAC['p1']},dl_dst={MAC['p2']}"
    traced = hypervisor.trace(f"{packet},nw_src={IP['p1']},nw_dst={IP['p2']},nw_ttl=64")
    assert "push_vlan(vid=100,pcp=0)" in traced.splitlines()[-1], traced
    assert "tnl_push" not in traced.splitlines()[-1]


def test_one_copy_of_a_broadcast_gets_everywhere(scene: Scene) -> None:
    lab = scene.lab
    for number, name in enumerate(("p1", "o1"), 7100):
        sender = lab.host(name)
        taps = [Tap(lab.host(each)) for each in ("p1", "p2", "p3", "o1") if each != name]
        with Tap(sender) as tap:
            tap.send(broadcast(sender.mac, sender.ip4, number))
            # What it has more comes before what was sent later.
            tap.send(broadcast(sender.mac, sender.ip4, number + 100))
        for tap in taps:
            tap.expect(to_port(number + 100), "the later broadcast")
            assert len(tap.matching(to_port(number))) == 1, tap.vm.name
            tap.close()


def test_who_is_asked_for_answers_alone(scene: Scene) -> None:
    """The switch answers where the question is, but not for what comes from outside."""
    o1 = scene.lab.outside("o1")
    with Tap(o1) as tap:
        tap.send(frames.arp_request(o1.mac, IP["o1"], IP["p2"]))
        tap.expect(lambda frame: frame.ethertype == frames.ARP, "the answer")
        tap.send(frames.arp_request(o1.mac, IP["o1"], IP["p3"]))
        tap.expect(lambda frame: frame.src == MAC["p3"], "the answer to a later question")
        answers = tap.matching(lambda frame: frame.ethertype == frames.ARP)
        assert [frame.src for frame in answers] == [MAC["p2"], MAC["p3"]]


def broadcast(src_mac: str, src: str, dport: int) -> bytes:
    datagram = udp(src, "255.255.255.255", 5000, dport)
    packet = ipv4(src, "255.255.255.255", UDP, datagram)
    return ethernet(frames.BROADCAST, src_mac, IPV4, packet)


def to_port(number: int) -> Callable[[Frame], bool]:
    return lambda frame: frame.dport == number
