"""Logical switches: delivery, isolation, flooding, learning, disabled ports."""

import pytest

from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, UDP, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {"a1": "0a:00:00:00:01:01", "a2": "0a:00:00:00:01:02", "a3": "0a:00:00:00:01:03"}
IP = {"a1": "10.0.1.1", "a2": "10.0.1.2", "a3": "10.0.1.3"}


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """Switch `a` with three known ports and two that take unknown addresses; switch `b` apart."""
    net = scene.net
    net.switch("a")
    for name, mac in MAC.items():
        last = name[-1]
        net.port("a", name, f"{mac} {IP[name]} fd01::{last}")
    net.switch("b")
    net.port("b", "b1", "0a:00:00:00:02:01 10.0.1.1 fd01::1")
    net.port("b", "b2", "0a:00:00:00:02:02 10.0.1.4 fd01::4")
    for name, hypervisor in {
        "a1": "hv1",
        "a2": "hv1",
        "a3": "hv2",
        "b1": "hv2",
        "b2": "hv1",
    }.items():
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    # The first packets through a tunnel are lost while Open vSwitch asks for the other end.
    until(lambda: scene.lab.vm("a1").ping(IP["a3"], timeout=1), "a packet got through the tunnel")


def test_ping_on_the_same_hypervisor(scene: Scene) -> None:
    assert scene.lab.vm("a1").reaches(IP["a2"])
    assert scene.lab.vm("a1").reaches("fd01::2")


def test_ping_between_hypervisors(scene: Scene) -> None:
    assert scene.lab.vm("a1").reaches(IP["a3"])
    assert scene.lab.vm("a3").reaches("fd01::1")


def test_switches_are_isolated(scene: Scene) -> None:
    """`b` uses the addresses of `a`; nothing crosses, whatever the destination."""
    with (
        Tap(scene.lab.vm("a1")) as a1,
        Tap(scene.lab.vm("b2")) as b2,
        Tap(scene.lab.vm("a2")) as a2,
    ):
        packet = udp_frame("a1", frames.BROADCAST, "255.255.255.255", 7001)
        a1.send(packet)
        a1.send(ethernet("0a:00:00:00:02:02", MAC["a1"], IPV4, b"\0" * 46))
        a2.expect(lambda frame: frame.dport == 7001, "the broadcast")
        # Sent later on b's own switch, so what leaked would have come before.
        with Tap(scene.lab.vm("b1")) as b1:
            b1.send(udp_from("0a:00:00:00:02:01", "10.0.1.1", frames.BROADCAST, "10.0.1.4", 7002))
            b2.expect(lambda frame: frame.dport == 7002, "b1's packet")
        assert not b2.matching(lambda frame: frame.src == MAC["a1"])


def udp_from(src_mac: str, src: str, dst_mac: str, dst: str, dport: int) -> bytes:
    return ethernet(dst_mac, src_mac, IPV4, ipv4(src, dst, UDP, udp(src, dst, 5000, dport)))


def udp_frame(source: str, dst_mac: str, dst: str, dport: int) -> bytes:
    return udp_from(MAC[source], IP[source], dst_mac, dst, dport)


@pytest.mark.parametrize("dst_mac", [frames.BROADCAST, "01:00:5e:00:00:05", "33:33:00:00:00:05"])
def test_broadcast_and_multicast_reach_every_port_once(scene: Scene, dst_mac: str) -> None:
    taps = {name: Tap(scene.lab.vm(name)) for name in MAC}
    try:
        taps["a1"].send(udp_frame("a1", dst_mac, "224.0.0.5", 7010))
        for name in ("a2", "a3"):
            # Known flows overtake those that the switch still works out: the flooded one first.
            taps[name].expect(lambda frame: frame.dport == 7010, "the flooded packet")
            taps["a1"].send(udp_frame("a1", MAC[name], IP[name], 7011))
            taps[name].expect(lambda frame: frame.dport == 7011, "the packet after the flooded one")
            flooded = taps[name].matching(lambda frame: frame.dport == 7010)
            assert len(flooded) == 1, f"{name} received {len(flooded)} copies"
        assert not taps["a1"].matching(lambda frame: frame.dport == 7010)
    finally:
        for tap in taps.values():
            tap.__exit__(None, None, None)


def test_unicast_reaches_its_port_only(scene: Scene) -> None:
    with (
        Tap(scene.lab.vm("a1")) as a1,
        Tap(scene.lab.vm("a2")) as a2,
        Tap(scene.lab.vm("a3")) as a3,
    ):
        a1.send(udp_frame("a1", MAC["a3"], IP["a3"], 7020))
        a3.expect(lambda frame: frame.dport == 7020, "its packet")
        a1.send(udp_frame("a1", MAC["a2"], IP["a2"], 7021))
        a2.expect(lambda frame: frame.dport == 7021, "its packet")
        assert not a2.matching(lambda frame: frame.dport == 7020)


def test_unknown_destination_is_dropped_without_unknown_ports(scene: Scene) -> None:
    with (
        Tap(scene.lab.vm("a1")) as a1,
        Tap(scene.lab.vm("a2")) as a2,
        Tap(scene.lab.vm("a3")) as a3,
    ):
        a1.send(udp_frame("a1", "0a:00:00:00:99:99", "10.0.1.99", 7030))
        for name, tap in (("a2", a2), ("a3", a3)):
            a1.send(udp_frame("a1", MAC[name], IP[name], 7031))
            tap.expect(lambda frame: frame.dport == 7031, "the packet after it")
            assert not tap.matching(lambda frame: frame.dport == 7030)


@pytest.mark.parametrize("case", ["vlan tag", "multicast source"])
def test_ingress_admission(scene: Scene, case: str) -> None:
    packet = ipv4(IP["a1"], IP["a2"], UDP, udp(IP["a1"], IP["a2"], 1, 7040))
    bad = {
        "vlan tag": frames.vlan(MAC["a2"], MAC["a1"], 5, IPV4, packet),
        "multicast source": ethernet(MAC["a2"], "01:00:00:00:01:01", IPV4, packet),
    }[case]
    with Tap(scene.lab.vm("a1")) as a1, Tap(scene.lab.vm("a2")) as a2:
        a1.send(bad)
        a1.send(udp_frame("a1", MAC["a2"], IP["a2"], 7041))
        a2.expect(lambda frame: frame.dport == 7041, "the good packet after the bad one")
        assert len(a2.matching(lambda frame: frame.dport != 7041 and frame.ip_src == IP["a1"])) == 0


def test_disabled_port_drops_both_ways(scene: Scene) -> None:
    a1, a2, a3 = (scene.lab.vm(name) for name in ("a1", "a2", "a3"))
    scene.net.change_port("a2", enabled=False)
    try:
        assert not a1.ping(IP["a2"], timeout=1)
        with Tap(a1) as tap1, Tap(a2) as tap2, Tap(a3) as tap3:
            tap2.send(udp_frame("a2", MAC["a3"], IP["a3"], 7050))
            tap1.send(udp_frame("a1", frames.BROADCAST, "255.255.255.255", 7051))
            tap1.send(udp_frame("a1", MAC["a3"], IP["a3"], 7052))
            tap3.expect(lambda frame: frame.dport == 7052, "the packet after it")
            assert not tap3.matching(lambda frame: frame.dport == 7050)
            assert not tap2.matching(lambda frame: frame.src == MAC["a1"])
    finally:
        scene.net.change_port("a2", enabled=True)
    assert a1.reaches(IP["a2"])


def test_unknown_port_receives_what_nobody_owns_and_is_learned(scene: Scene) -> None:
    """Two `unknown` ports on different hypervisors and a sender with a known address."""
    net, lab = scene.net, scene.lab
    net.switch("u")
    for name, hypervisor in {"u1": "hv1", "u2": "hv2", "u3": "hv1"}.items():
        number = name[-1]
        mac, address = f"0a:00:00:00:03:0{number}", f"10.0.3.{number}"
        net.port("u", name, *(["unknown"] if name != "u3" else [f"{mac} {address}"]))
        lab.add_vm(name, hypervisor, vm_facts(mac, f"{address}/24"))
    lab.wait_until_up(["u1", "u2", "u3"])
    mac = {name: f"0a:00:00:00:03:0{name[-1]}" for name in ("u1", "u2", "u3")}
    with Tap(lab.vm("u1")) as u1, Tap(lab.vm("u2")) as u2, Tap(lab.vm("u3")) as u3:
        stranger = "0a:00:00:00:03:77"
        u3.send(udp_from(mac["u3"], "10.0.3.3", stranger, "10.0.3.77", 7060))
        u1.expect(lambda frame: frame.dport == 7060, "the packet to an unknown address")
        u2.expect(lambda frame: frame.dport == 7060, "the packet to an unknown address")
        # u2 speaks from that address: from then on only u2 receives what is sent to it.
        u2.send(udp_from(stranger, "10.0.3.77", mac["u3"], "10.0.3.3", 7061))
        u3.expect(lambda frame: frame.dport == 7061, "the stranger's packet")
        learned(scene, stranger)
        u3.send(udp_from(mac["u3"], "10.0.3.3", stranger, "10.0.3.77", 7062))
        u2.expect(lambda frame: frame.dport == 7062, "the packet to the learned address")
        u3.send(udp_from(mac["u3"], "10.0.3.3", "0a:00:00:00:03:78", "10.0.3.78", 7063))
        u1.expect(lambda frame: frame.dport == 7063, "a packet to another unknown address")
        assert not u1.matching(lambda frame: frame.dport == 7062)


def vm_facts(mac: str, *addresses: str):  # type: ignore[no-untyped-def]
    from cli.testbed.network_facts import VmFacts

    return VmFacts(mac, addresses, ())


def learned(scene: Scene, mac: str) -> None:
    """Wait until every agent knows where `mac` is."""
    for hypervisor in scene.lab.hypervisors.values():
        until(
            lambda hypervisor=hypervisor: any(mac in flow for flow in hypervisor.flows()),  # type: ignore[misc]
            f"{hypervisor.name} knows {mac}",
        )


def test_projects_call_their_networks_alike(scene: Scene) -> None:
    """Ports of another project are bound by id; names, addresses and sets are its own."""
    net = scene.net
    allowed = [{"name": "allowed", "addresses": [IP["a1"]]}, {"name": "allowed", "project": "acme"}]
    for values in allowed:
        net.call("POST", "/address-sets", values)
    net.switch("a", project="acme")
    for name, hypervisor in (("a1", "hv1"), ("a3", "hv2")):
        values = {
            "name": name,
            "logical_switch": "acme/a",
            "addresses": [f"{MAC[name]} {IP[name]}"],
        }
        net.call("POST", "/logical-switch-ports", values)
        port = net.get(f"/logical-switch-ports/{name}?project=acme")
        assert port["project"] == "acme"
        scene.lab.add_vm(port["id"], hypervisor, name=f"acme-{name}")
    scene.lab.wait_until_up()
    acme = scene.lab.vm("acme-a1")
    until(lambda: acme.ping(IP["a3"], timeout=1), "a packet got through the tunnel")
    assert not acme.ping(IP["a2"], timeout=1)
    acl = {"direction": "to-lport", "priority": 10, "match": "icmp4 && ip4.src == $allowed"}
    body = {**acl, "action": "drop", "logical_switch": "acme/a"}
    net.call("POST", "/acls", body)
    assert acme.reaches(IP["a3"]), "the set that holds the address is the other project's"
    own = net.get("/address-sets/allowed?project=acme")["id"]
    net.call("PUT", f"/address-sets/{own}/addresses/{IP['a1']}")
    assert not acme.ping(IP["a3"], timeout=1)
    assert scene.lab.vm("a1").reaches(IP["a3"])


def test_a_port_is_bound_by_its_id(scene: Scene) -> None:
    scene.net.port("a", "a4", "0a:00:00:00:01:04 10.0.1.4")
    port = scene.net.get("/logical-switch-ports/a4")["id"]
    scene.lab.add_vm(port, "hv2", name="a4")
    scene.lab.wait_until_up()
    assert scene.net.get("/port-bindings/a4")["chassis"] == "hv2"
    assert scene.lab.vm("a1").reaches("10.0.1.4")
