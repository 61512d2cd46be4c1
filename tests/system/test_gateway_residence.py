"""Ports that reside with a gateway port, and gateway ports that are reached by a provider network.

What is for them from other chassis leaves by the bridge to the network, and takes no tunnel.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.frames import Frame
from tests.system.gateways import RANKS, charge, dead, lab_with_gateways, sessions_are_up
from tests.system.tap import Tap

pytestmark = pytest.mark.system

OUTSIDE, INSIDE = "0a:00:00:00:b0:01", "0a:00:00:00:b0:02"
RED, BLUE = "0a:00:00:00:b0:10", "0a:00:00:00:b0:20"
"""MAC addresses of the router."""
VLAN = {"red": 100, "blue": 200}
OWN, OWN6 = "198.51.100.1", "2001:db8:b0::1"
FLOATING, OTHER, APART = "198.51.100.111", "198.51.100.112", "198.51.100.113"
OTHER6 = "2001:db8:b0::112"
VMS = {
    "red1": ("red", "hv1", "10.161.1.11", "fd61:1::11"),
    "red2": ("red", "gw2", "10.161.1.12", "fd61:1::12"),
    "blue1": ("blue", "gw2", "10.161.2.11", "fd61:2::11"),
    "blue2": ("blue", "gw1", "10.161.2.12", "fd61:2::12"),
    "in1": ("inner", "hv1", "10.161.3.11", "fd61:3::11"),
    "in2": ("inner", "gw1", "10.161.3.12", "fd61:3::12"),
}
MAC = {name: f"0a:00:00:00:b1:{number:02x}" for number, name in enumerate(VMS, 1)}
PORT = 8080


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lab_with_gateways(tmp_path_factory, "physnet1") as scene:
        yield scene


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Switches `red` and `blue` in VLANs, `inner` in the overlay, and `public` outside."""
    lab, net = scene.lab, scene.net
    lab.add_outside("o1", "physnet1", "198.51.100.201/24", "2001:db8:b0::201/64")
    lab.add_outside("in-red", "physnet1", "10.161.1.201/24", "fd61:1::201/64", vlan=100)
    net.router("r")
    net.switch("public")
    net.port("public", "public-out", type="localnet", network_name="physnet1")
    net.router_port(
        "r",
        "r-public",
        OUTSIDE,
        f"{OWN}/24",
        f"{OWN6}/64",
        gateway_chassis=RANKS,
        redirect_type="bridged",
    )
    net.port("public", "public-r", type="router", router_port="r-public")
    for number, (switch, mac) in enumerate({"red": RED, "blue": BLUE, "inner": INSIDE}.items(), 1):
        net.switch(switch)
        networks = (f"10.161.{number}.1/24", f"fd61:{number}::1/64")
        resides = switch in VLAN
        net.router_port("r", f"r-{switch}", mac, *networks, reside_on_redirect_chassis=resides)
        net.port(switch, f"{switch}-r", type="router", router_port=f"r-{switch}")
    for switch, tag in VLAN.items():
        net.port(switch, f"{switch}-out", type="localnet", network_name="physnet1", tag=tag)
    for name, (switch, hypervisor, *ips) in VMS.items():
        net.port(switch, name, " ".join((MAC[name], *ips)))
        lab.add_vm(name, hypervisor)
    nat(scene, "snat", OWN, "10.161.0.0/16")
    nat(scene, "snat", OWN6, "fd61::/16")
    nat(scene, "dnat_and_snat", FLOATING, VMS["red1"][2])
    nat(scene, "dnat_and_snat", OTHER, VMS["in2"][2])
    nat(scene, "dnat_and_snat", OTHER6, VMS["in2"][3])
    apart = {"external_mac": "0a:00:00:00:b2:01", "logical_port": "red2"}
    nat(scene, "dnat_and_snat", APART, VMS["red2"][2], **apart)
    lab.wait_until_up()
    for name in ("red1", "in2", "o1"):
        who.serve(lab, name, PORT)
    first_is_in_charge(scene)


def first_is_in_charge(scene: Scene) -> None:
    """Wait until gw1 alone is in charge, and the network outside knows it."""
    until(lambda: sessions_are_up(scene), "sessions are up", 30)
    until(lambda: in_charge(scene, "gw1") and not in_charge(scene, "gw2"), "gw1 alone", 30)
    until(lambda: are_at(scene, "gw1"), "the network outside knows that", 60)


def are_at(scene: Scene, hypervisor: str) -> bool:
    """Whether the switch outside has the router behind a hypervisor; a packet tells it again."""
    o1, red = scene.lab.outside("o1"), scene.lab.outside("in-red")
    o1.ping(OWN, timeout=1)
    red.ping("10.161.1.1", timeout=1)
    return places(scene) == {hypervisor}


def nat(scene: Scene, kind: str, external: str, logical: str, **fields: Any) -> None:
    body = {"type": kind, "external_ip": external, "logical_ip": logical, **fields}
    scene.net.call("POST", "/logical-routers/r/nats", body)


def in_charge(scene: Scene, hypervisor: str) -> bool:
    return {"cr-r-public", "r-red", "red-r"} <= charge(scene, hypervisor)


def places(scene: Scene) -> set[str]:
    """The hypervisors that the network outside takes the addresses of the router to be at."""
    return {scene.lab.place_of("physnet1", mac) for mac in (RED, OUTSIDE)}


def sent(scene: Scene, source: str, router_mac: str, target: str) -> str:
    """What the switch of a workload does with a packet for a router."""
    vm = scene.lab.vm(source)
    hypervisor = scene.lab.hypervisor(VMS[source][1])
    ofport = hypervisor.switch.vsctl("get", "Interface", vm.state.interface, "ofport").strip()
    packet = f"icmp,nw_src={vm.ip4},nw_dst={target}"
    if ":" in target:
        packet = f"icmp6,ipv6_src={vm.ip6},ipv6_dst={target}"
    packet = f"in_port={ofport},{packet},dl_src={vm.mac},dl_dst={router_mac},nw_ttl=64"
    traced = hypervisor.trace(packet)
    return traced.splitlines()[-1]


def is_echo(frame: Frame) -> bool:
    return (frame.protocol, frame.icmp_type) in ((frames.ICMP, 8), (frames.ICMPV6, 128))


def test_what_is_routed_between_networks_arrives(scene: Scene) -> None:
    for source, target in (
        ("red1", "blue1"),
        ("blue1", "red1"),
        ("red1", "blue2"),
        ("red2", "blue1"),
        ("blue2", "red1"),
        ("red1", "in1"),
        ("in1", "red1"),
        ("in2", "blue1"),
        ("blue2", "in1"),
    ):
        for ip in VMS[target][2:]:
            assert scene.lab.vm(source).reaches(ip), f"{source} to {target}, {ip}"


def test_it_gets_to_the_chassis_in_charge_by_the_provider_network(scene: Scene) -> None:
    for source, target, tag in (("red1", "blue1", 100), ("blue1", "red1", 200)):
        mac = RED if tag == 100 else BLUE
        actions = sent(scene, source, mac, VMS[target][2])
        assert f"push_vlan(vid={tag},pcp=0)" in actions
        assert "tnl_push" not in actions
    with Tap(scene.lab.vm("blue1")) as blue1:
        scene.lab.vm("red1").ping(VMS["blue1"][2])
        echo = blue1.expect(is_echo, "the echo request")
        assert (echo.src, echo.ttl) == (BLUE, 63)
        blue1.drain()
        assert len(blue1.matching(is_echo)) == 1


def test_the_chassis_in_charge_alone_answers_for_the_router(scene: Scene) -> None:
    # Not the host itself, which may ask again by its own.
    asker = "0a:00:00:00:b0:77"
    with Tap(scene.lab.outside("in-red")) as tap:
        tap.send(frames.arp_request(asker, "10.161.1.202", "10.161.1.1"))
        tap.expect(lambda frame: frame.arp_op == 2 and frame.src == RED, "an answer")
        tap.send(frames.arp_request(asker, "10.161.1.202", VMS["red2"][2]))
        tap.expect(
            lambda frame: frame.arp_op == 2 and frame.src == MAC["red2"],
            "the answer to a later question",
        )
        answers = tap.matching(lambda frame: (frame.dst, frame.src) == (asker, RED))
        assert len(answers) == 1
    until(lambda: are_at(scene, "gw1"), "they are at gw1", 30)


def test_outside_is_reached_from_everywhere(scene: Scene) -> None:
    o1 = scene.lab.outside("o1")
    for ip, floating, own in (
        (o1.ip4, {"red1": FLOATING, "in2": OTHER}, OWN),
        (o1.ip6, {"in2": OTHER6}, OWN6),
    ):
        for source in ("red1", "blue1", "blue2", "in1", "in2"):
            assert scene.lab.vm(source).reaches(ip), f"{source} to {ip}"
            seen = who.ask(scene.lab, source, ip, PORT)
            assert seen == ["o1", floating.get(source, own)], f"{source} to {ip}"


def test_floating_ips_are_reached(scene: Scene) -> None:
    """Also one that is to be translated where its port is: it is routed elsewhere."""
    for address in (FLOATING, OTHER, OTHER6, APART):
        assert scene.lab.outside("o1").reaches(address), address
    assert who.ask(scene.lab, "o1", FLOATING, PORT)[0] == "red1"
    assert who.ask(scene.lab, "in1", OTHER, PORT) == ["in2", OWN]
    assert who.ask(scene.lab, "in1", OTHER6, PORT) == ["in2", OWN6]
    assert who.ask(scene.lab, "in1", FLOATING, PORT) == ["red1", OWN]
    assert who.ask(scene.lab, "red1", OTHER, PORT) == ["in2", FLOATING]


@pytest.mark.parametrize("version", [4, 6])
def test_redirected_packets_leave_for_the_router_by_the_provider_network(
    scene: Scene, version: int
) -> None:
    """They have an address of their chassis as source, so that switches know the router at gw1."""
    o1 = scene.lab.outside("o1")
    ip, own = {4: (o1.ip4, OWN), 6: (o1.ip6, OWN6)}[version]
    assert scene.lab.vm("in1").reaches(ip)
    actions = sent(scene, "in1", INSIDE, ip)
    assert f"dst={OUTSIDE}" in actions
    assert f"src={OUTSIDE}" not in actions
    assert "tnl_push" not in actions
    with Tap(o1) as tap:
        assert scene.lab.vm("in1").ping(ip)
        echo = tap.expect(is_echo, "the echo request")
        assert (echo.src, echo.ip_src, echo.ttl) == (OUTSIDE, own, 62)
        tap.drain()
        assert len(tap.matching(is_echo)) == 1
    until(lambda: are_at(scene, "gw1"), "they are at gw1", 30)


def test_with_an_address_of_its_own_a_chassis_sends_from_that(scene: Scene) -> None:
    own = "0a:00:00:00:b3:01"
    setting = f"external_ids:treadle-chassis-mac-mappings=physnet1:{own}"
    switch, o1 = scene.lab.hypervisor("hv1").switch, scene.lab.outside("o1")
    switch.vsctl("set", "Open_vSwitch", ".", setting)
    try:
        until(lambda: f"src={own}" in sent(scene, "in1", INSIDE, o1.ip4), "it is in use", 30)
        assert scene.lab.vm("in1").reaches(o1.ip4)
    finally:
        switch.vsctl("remove", "Open_vSwitch", ".", "external_ids", "treadle-chassis-mac-mappings")
    until(lambda: f"src={own}" not in sent(scene, "in1", INSIDE, o1.ip4), "it is gone", 30)


@pytest.mark.parametrize(("source", "target"), [("red1", "blue1"), ("in1", "198.51.100.201")])
def test_a_lacking_bridge_is_told(scene: Scene, source: str, target: str) -> None:
    """Nothing takes the tunnel instead; traces name the network and the chassis."""
    hypervisor, vm = scene.lab.hypervisor("hv1"), scene.lab.vm(source)
    ip = scene.lab.vm(target).ip4 if target in VMS else target

    def hindrances() -> list[str]:
        answer = scene.net.client.post("/v1/trace", json={"packet": f"icmp {source} -> {target}"})
        assert answer.is_success, answer.text
        return [each["text"] for each in answer.json()["verdict"]["hindrances"]]

    assert vm.reaches(ip)
    until(lambda: hindrances() == [], "nothing is in the way", 30)
    hypervisor.map_bridges({})
    why = "on hv1, no bridge leads to physnet1: treadle-bridge-mappings has none for it"
    sentence = f"the packet is lost on its way from hv1 to gw1: {why}"
    try:
        until(lambda: sentence in hindrances(), "traces name it", 30)
        until(lambda: not vm.ping(ip, timeout=1), "packets are lost", 30)
    finally:
        hypervisor.map_bridges({"physnet1": "br-physnet1"})
    until(lambda: hindrances() == [] and vm.ping(ip, timeout=1), "nothing is in the way", 30)


def test_another_chassis_takes_over(scene: Scene) -> None:
    o1 = scene.lab.outside("o1")
    first_is_in_charge(scene)
    with dead(scene, "gw1"):
        until(lambda: in_charge(scene, "gw2"), "gw2 is in charge", 30)
        for source, ip in itertools.product(("red1", "in1"), (o1.ip4, o1.ip6)):
            until(
                lambda source=source, ip=ip: scene.lab.vm(source).ping(ip, timeout=1),  # type: ignore[misc]
                f"{source} reaches outside",
                30,
            )
        until(lambda: scene.lab.vm("red1").ping(VMS["blue1"][2], timeout=1), "blue is reached", 30)
        until(lambda: are_at(scene, "gw2"), "the network outside knows that", 30)
    first_is_in_charge(scene)
    for source in ("red1", "in1", "blue1"):
        until(
            lambda source=source: scene.lab.vm(source).ping(o1.ip4, timeout=1),  # type: ignore[misc]
            f"{source} reaches outside",
            30,
        )


def test_residing_ends_with_the_option(scene: Scene) -> None:
    """The port is on every chassis again: what it routes takes no way by the gateway."""
    scene.net.call("PATCH", "/logical-router-ports/r-blue", {"reside_on_redirect_chassis": False})
    try:
        scene.settle()
        assert "tnl_push" not in sent(scene, "blue1", BLUE, VMS["blue2"][2])
        assert scene.lab.vm("blue1").reaches(VMS["in1"][2])
    finally:
        patch = {"reside_on_redirect_chassis": True}
        scene.net.call("PATCH", "/logical-router-ports/r-blue", patch)
    until(lambda: scene.lab.vm("blue1").ping(VMS["red1"][2], timeout=1), "by the gateway again", 30)
