"""Provider networks: what leaves the overlay, what comes in, and what does neither."""

import socket
import struct
from collections.abc import Callable
from typing import Self

import pytest

from chassis_agent.physical.provider import CUSTOMER_TAG, SERVICE_TAG
from cli.testbed.host import Host
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
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
    assert p1.reaches(IP["o1"])
    assert p2.reaches("fd19::101")
    assert o1.reaches(IP["p1"])
    assert o1.reaches("fd19::2")
    assert p1.tcp_connects(IP["o1"], 80)
    assert o1.tcp_connects(IP["p2"], 80)


def test_other_vlans_are_apart(scene: Scene) -> None:
    for name in ("o2", "o3"):
        assert not scene.lab.vm("p1").ping(scene.lab.outside(name).ip4, timeout=1)
        assert not scene.lab.outside(name).ping(IP["p1"], timeout=1)


def test_between_hypervisors_no_tunnel_is_taken(scene: Scene) -> None:
    assert scene.lab.vm("p1").reaches(IP["p2"])
    assert scene.lab.vm("p2").reaches("fd19::1")
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
        # Not the host itself, which may ask again by its own.
        asker = "0a:00:00:00:19:70"
        for name in ("p2", "p3"):
            tap.send(frames.arp_request(asker, "10.19.0.110", IP[name]))
            tap.expect(
                lambda frame, name=name: frame.arp_op == 2 and frame.src == MAC[name],  # type: ignore[misc]
                f"the answer of {name}",
            )
        answers = tap.matching(lambda frame: frame.arp_op == 2 and frame.dst == asker)
        assert [frame.src for frame in answers] == [MAC["p2"], MAC["p3"]]


def broadcast(src_mac: str, src: str, dport: int) -> bytes:
    datagram = udp(src, "255.255.255.255", 5000, dport)
    packet = ipv4(src, "255.255.255.255", UDP, datagram)
    return ethernet(frames.BROADCAST, src_mac, IPV4, packet)


def to_port(number: int) -> Callable[[Frame], bool]:
    return lambda frame: frame.dport == number


def test_routers_send_with_the_mac_address_of_their_hypervisor(scene: Scene) -> None:
    """Outside it is seen in one place each; workloads see the router's."""
    lab, net = scene.lab, scene.net
    router, macs = "0a:00:00:00:19:aa", {"hv1": "0a:00:00:00:19:c1", "hv2": "0a:00:00:00:19:c2"}
    net.switch("annex")
    net.port("annex", "annex-out", type="localnet", network_name="physnet1", tag=300)
    net.port("annex", "q1", "0a:00:00:00:1a:01 10.26.0.1")
    net.router("dvr")
    net.attach("dvr", "dc", "0a:00:00:00:19:ab", "10.19.0.200/24")
    net.attach("dvr", "annex", router, "10.26.0.254/24")
    q1 = lab.add_vm("q1", "hv2")
    lab.wait_until_up(["q1"])
    for name, mac in macs.items():
        setting = f"external_ids:treadle-chassis-mac-mappings=physnet1:{mac}"
        lab.hypervisor(name).switch.vsctl("set", "Open_vSwitch", ".", setting)
    p1 = lab.vm("p1")
    p1.namespace.ip("route", "replace", "10.26.0.0/24", "via", "10.19.0.200")

    def exchanged() -> bool:
        flows = lab.hypervisor("hv2").flows()
        return any(f"dl_src={macs['hv1']}" in flow and "dl_vlan=300" in flow for flow in flows)

    until(exchanged, "the other hypervisor knows the address")
    with Tap(q1) as tap:
        assert p1.reaches("10.26.0.1")
        asked = tap.expect(lambda frame: frame.ethertype == IPV4, "the question")
        assert asked.src == router
    for name, mac in macs.items():
        until(
            lambda name=name, mac=mac: lab.place_of("physnet1", mac) == name,  # type: ignore[misc]
            f"the switch outside has {mac} at {name}",
        )
    assert lab.place_of("physnet1", router) == ""
    lab.remove_vm("q1")


def test_a_local_port_is_on_every_hypervisor(scene: Scene) -> None:
    """Each speaks to the one on his own, and what it sends stays there."""
    lab, net = scene.lab, scene.net
    mac, ip = "0a:00:00:00:19:fe", "10.19.0.254"
    net.port("dc", "meta", f"{mac} {ip}", type="localport")
    facts = VmFacts(mac, (f"{ip}/24",), ())
    metas = {each: lab.add_vm("meta", each, facts, name=f"meta-{each}") for each in ("hv1", "hv2")}
    for name, hypervisor in {"p1": "hv1", "p2": "hv2"}.items():
        until(lambda name=name: lab.vm(name).ping(ip, timeout=1), f"{name} reaches it")  # type: ignore[misc]
        assert net.reachability({"source": name, "destination": "meta"})["answer"] == "yes"
        with Tap(metas[hypervisor]) as own, Tap(metas["hv1" if name == "p2" else "hv2"]) as other:
            vm = lab.vm(name)
            with Tap(vm) as tap:
                tap.send(udp_to(vm.mac, vm.ip4, mac, ip, 7300))
                own.expect(to_port(7300), "what was sent to it")
                # A broadcast comes later, and everywhere.
                tap.send(broadcast(vm.mac, vm.ip4, 7301))
                other.expect(to_port(7301), "the broadcast")
                assert not other.matching(to_port(7300))
    with Tap(lab.vm("p1")) as p1, Tap(lab.vm("p2")) as p2, Tap(lab.outside("o1")) as o1:
        with Tap(metas["hv1"]) as tap:
            tap.send(broadcast(mac, ip, 7302))
            tap.send(udp_to(mac, ip, MAC["p2"], IP["p2"], 7303))
        p1.expect(to_port(7302), "the broadcast of the local port")
        with Tap(lab.vm("p3")) as p3:
            p3.send(broadcast(MAC["p3"], IP["p3"], 7304))
        for tap in (p2, o1):
            tap.expect(to_port(7304), "a later broadcast")
            assert not tap.matching(lambda frame: frame.dport in (7302, 7303))
    for each in metas:
        lab.remove_vm(f"meta-{each}")


def test_a_bridge_that_is_missing_is_named(scene: Scene) -> None:
    hypervisor = scene.lab.hypervisor("hv2")
    hypervisor.map_bridges({"physnet1": "br-gone"})

    def told() -> str:
        return str(hypervisor.agent("status")["degraded"].get("provider_networks"))

    missing = "bridge br-gone, which is to lead to physnet1, does not exist"
    until(lambda: told() == missing, "the missing bridge is told")
    until(lambda: not scene.lab.vm("p1").ping(IP["p2"], timeout=1), "nothing gets there")
    sentence = f"the packet is lost on its way from hv1 to hv2: on hv2, {missing}"
    until(lambda: sentence in hindrances(scene, "icmp p1 -> p2"), "traces name it")
    hypervisor.map_bridges({})
    expected = "no bridge leads to physnet1: treadle-bridge-mappings has none for it"
    until(lambda: told() == expected, "that there is no mapping is told")
    hypervisor.map_bridges({"physnet1": "br-physnet1"})
    until(lambda: told() == "None", "the bridge is back")
    until(lambda: scene.lab.vm("p1").ping(IP["p2"], timeout=1), "p2 is reached again")
    until(lambda: hindrances(scene, "icmp p1 -> p2") == [], "traces find nothing in the way")


def test_the_bridge_to_a_network_changes_at_run_time(scene: Scene) -> None:
    """The network card goes to another bridge, which is mapped, then removed, and back."""
    hypervisor, p1 = scene.lab.hypervisor("hv2"), scene.lab.vm("p1")
    first, other, card = "br-physnet1", "br-other", "pn-physnet1"
    switch = hypervisor.switch

    def told() -> str:
        return str(hypervisor.agent("status")["degraded"].get("provider_networks"))

    def joined() -> list[str]:
        bridges = set(switch.vsctl("list-br").split()) & {first, other}
        return [each for each in sorted(bridges) if is_joined(hypervisor, "dc-out", each)]

    def is_reached() -> bool:
        return p1.ping(IP["p2"], timeout=1) and scene.lab.outside("o1").ping(IP["p2"], timeout=1)

    assert is_reached()
    switch.add_learning_bridge(other)
    switch.vsctl("del-port", first, card, "--", "add-port", other, card)
    hypervisor.map_bridges({"physnet1": other})
    until(lambda: joined() == [other], "it is joined to the other bridge alone")
    until(is_reached, "p2 is reached by it")
    switch.vsctl("del-br", other)
    missing = f"bridge {other}, which is to lead to physnet1, does not exist"
    until(lambda: told() == missing, "that it is gone is told")
    until(lambda: not p1.ping(IP["p2"], timeout=1), "nothing gets there")
    switch.add_learning_bridge(other)
    switch.vsctl("add-port", other, card)
    until(lambda: told() == "None" and joined() == [other], "it is joined to it again")
    until(is_reached, "p2 is reached again")
    switch.vsctl("del-br", other, "--", "add-port", first, card)
    hypervisor.map_bridges({"physnet1": first})
    until(lambda: joined() == [first] and told() == "None", "it is joined to the first bridge")
    until(is_reached, "p2 is reached as before")


def test_what_is_learned_of_the_network_is_used(scene: Scene) -> None:
    net, o1 = scene.net, scene.lab.outside("o1")
    net.change_port("dc-out", learn_fdb=True)
    assert o1.reaches(IP["p1"])

    def learned() -> bool:
        flows = scene.lab.hypervisor("hv1").flows()
        return any(f"dl_dst={o1.mac}" in flow and "table=165" in flow for flow in flows)

    until(learned, "the address is learned")
    assert scene.lab.vm("p1").reaches(IP["o1"])
    net.change_port("dc-out", learn_fdb=False)


def test_tags_of_their_own_pass_where_they_may(scene: Scene) -> None:
    """In a VLAN of the provider network, tags of senders are inside of its own."""
    lab, net = scene.lab, scene.net
    inner = ipv4(IP["p1"], IP["p2"], UDP, udp(IP["p1"], IP["p2"], 5000, 7400))
    tagged = frames.vlan(MAC["p2"], MAC["p1"], 7, IPV4, inner)
    later = udp_to(MAC["p1"], IP["p1"], MAC["p2"], IP["p2"], 7401)
    with Tap(lab.vm("p1")) as p1, Tap(lab.vm("p2")) as p2:
        p1.send(tagged)
        p1.send(later)
        p2.expect(to_port(7401), "what has no tag")
        assert not p2.matching(lambda frame: inner in frame.raw)
        net.call("PATCH", "/logical-switches/dc", {"vlan_passthru": True})
        p1.send(tagged)
        p2.expect(lambda frame: inner in frame.raw, "what has a tag")
    assert lab.vm("p1").reaches(IP["p2"])  # p2 answers for itself
    net.call("PATCH", "/logical-switches/dc", {"vlan_passthru": False})


def hindrances(scene: Scene, packet: str) -> list[str]:
    answer = scene.net.client.post("/v1/trace", json={"packet": packet})
    answer.raise_for_status()
    return [each["text"] for each in answer.json()["verdict"]["hindrances"]]


def udp_to(src_mac: str, src: str, dst_mac: str, dst: str, dport: int) -> bytes:
    return ethernet(dst_mac, src_mac, IPV4, ipv4(src, dst, UDP, udp(src, dst, 5000, dport)))


def test_a_way_outside_on_one_chassis(scene: Scene) -> None:
    """The others get there through the tunnel; which one it is follows its chassis."""
    lab, net = scene.lab, scene.net
    lab.add_outside("o4", "physnet1", "10.29.0.101/24", "fd29::101/64", vlan=400)
    net.switch("office")
    ways = {"type": "l2gateway", "network_name": "physnet1", "tag": 400}
    net.port("office", "office-out", requested_chassis=["hv2", "hv1"], **ways)
    net.port("office", "w1", "0a:00:00:00:29:01 10.29.0.1 fd29::1")
    net.port("office", "w2", "0a:00:00:00:29:02 10.29.0.2 fd29::2")
    lab.add_vm("w1", "hv1")
    lab.add_vm("w2", "hv2")
    lab.wait_until_up(["w1", "w2"])
    o4, w1 = lab.outside("o4"), lab.vm("w1")
    until(lambda: w1.ping("10.29.0.101", timeout=1), "the way outside")
    until(lambda: patches(scene, "office-out") == ["hv2"], "it leads outside on one chassis")
    assert w1.reaches("fd29::101")
    assert o4.reaches("10.29.0.1")
    assert o4.reaches("fd29::2")
    assert lab.vm("w2").reaches("10.29.0.101")
    with Tap(w1) as tap, Tap(lab.vm("w2")) as other:
        with Tap(o4) as sender:
            sender.send(broadcast(o4.mac, o4.ip4, 7300))
            sender.send(broadcast(o4.mac, o4.ip4, 7301))
        for each in (tap, other):
            each.expect(to_port(7301), "the later broadcast")
            assert len(each.matching(to_port(7300))) == 1
    net.port("office", "proxy", "0a:00:00:00:29:fe 10.29.0.254", type="localport")
    facts = VmFacts("0a:00:00:00:29:fe", ("10.29.0.254/24",), ())
    proxy = lab.add_vm("proxy", "hv2", facts)
    until(lambda: lab.vm("w2").ping("10.29.0.254", timeout=1), "the local port is reached")
    with Tap(proxy) as tap, Tap(o4) as outside:
        tap.send(broadcast(proxy.mac, proxy.ip4, 7302))
        tap.send(udp_to(proxy.mac, proxy.ip4, o4.mac, o4.ip4, 7303))
        with Tap(w1) as later:
            later.send(broadcast(w1.mac, w1.ip4, 7304))
        outside.expect(to_port(7304), "a later broadcast")
        assert not outside.matching(lambda frame: frame.dport in (7302, 7303))
    lab.remove_vm("proxy")
    net.change_port("office-out", requested_chassis=["hv1"])
    until(lambda: patches(scene, "office-out") == ["hv1"], "the other chassis leads outside")
    until(lambda: o4.ping("10.29.0.2", timeout=1), "the way outside by the other chassis")
    net.change_port("office-out", enabled=False)
    until(lambda: not o4.ping("10.29.0.2", timeout=1), "the way outside is closed")
    net.delete("/logical-switch-ports/office-out")
    until(lambda: patches(scene, "office-out") == [], "no patch ports are left")
    lab.remove_vm("w1")
    lab.remove_vm("w2")


def patches(scene: Scene, port: str) -> list[str]:
    """Return the hypervisors on which a port is joined to a provider bridge."""
    return [
        name
        for name, hypervisor in scene.lab.hypervisors.items()
        if is_joined(hypervisor, port, "br-physnet1")
    ]


def is_joined(hypervisor: Hypervisor, port: str, bridge: str) -> bool:
    """Whether patch ports join a port to a bridge."""
    return f"patch-{port}-to-" in hypervisor.switch.vsctl("list-ports", bridge)


def test_acls_apply_to_what_comes_and_goes(scene: Scene) -> None:
    """Statefully at the workload, whose connections its hypervisor tracks; each packet by itself
    at the way outside."""
    lab, net = scene.lab, scene.net
    o1, p1 = lab.outside("o1"), lab.vm("p1")
    acls = [
        net.acl("ls:dc", "from-lport", 2000, 'inport == "p1" && tcp', "allow-related"),
        net.acl("ls:dc", "to-lport", 2000, 'outport == "p2" && tcp.dst == 80', "allow-related"),
        net.acl("ls:dc", "to-lport", 1000, 'outport == {"p1", "p2"} && ip4', "drop"),
    ]
    assert p1.tcp_connects(IP["o1"], 80), "replies of its own connections come in"
    assert o1.tcp_outcome(IP["p1"], 80, timeout=1) == "timeout"
    assert o1.tcp_connects(IP["p2"], 80), "what is allowed comes in, and is answered"
    assert not o1.ping(IP["p2"], timeout=1)
    acls.append(net.acl("ls:dc", "from-lport", 3000, 'inport == "dc-out" && tcp.src == 80', "drop"))
    assert p1.tcp_outcome(IP["o1"], 80, timeout=1) == "timeout"
    net.delete(f"/acls/{acls.pop()}")
    acls.append(net.acl("ls:dc", "to-lport", 3000, 'outport == "dc-out" && tcp.dst == 80', "drop"))
    assert p1.tcp_outcome(IP["o1"], 80, timeout=1) == "timeout"
    assert o1.tcp_connects(IP["p2"], 80), "the other way it is not the destination's port"
    for acl in acls:
        net.delete(f"/acls/{acl}")
    until(lambda: o1.ping(IP["p1"], timeout=1), "all comes in again")


def test_service_tags_leave_and_come_in(scene: Scene) -> None:
    """A host outside of all VLANs sees frames as they are, with their tags."""
    lab, net = scene.lab, scene.net
    net.switch("customer")
    net.port(
        "customer",
        "customer-out",
        type="localnet",
        network_name="physnet1",
        tag=500,
        vlan_protocol="802.1ad",
    )
    mac = "0a:00:00:00:50:01"
    net.port("customer", "s1", f"{mac} 10.50.0.1")
    s1 = lab.add_vm("s1", "hv1")
    lab.wait_until_up(["s1"])
    o3 = lab.outside("o3")
    with Tap(s1) as tap, Tags(o3) as tags:
        until(lambda: patches(scene, "customer-out") == ["hv1"], "the way outside")

        def arrives() -> bool:
            tap.send(broadcast(mac, "10.50.0.1", 7500))
            return (500, SERVICE_TAG) in tags.look()

        until(arrives, "a frame with a service tag")
        assert (500, CUSTOMER_TAG) not in tags.look()
        with Tap(o3) as sender:
            frame = broadcast(o3.mac, "10.50.0.101", 7501)
            sender.send(frame[:12] + SERVICE_TAG.to_bytes(2) + (500).to_bytes(2) + frame[12:])
        tap.expect(to_port(7501), "a frame that had a service tag", 30)
    lab.remove_vm("s1")


_SOL_PACKET, _AUXDATA, _VLAN_VALID = 263, 8, 1 << 4  # of packet(7)


class Tags:
    """Follows which VLAN tags frames to a host have, as a context manager."""

    def __init__(self, host: Host) -> None:
        self._seen: set[tuple[int, int]] = set()
        self._socket = host.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.bind(("eth0", 3))
        self._socket.setsockopt(_SOL_PACKET, _AUXDATA, 1)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def look(self) -> set[tuple[int, int]]:
        """Return VLANs and types of the tags so far. The kernel has taken them off the frames."""
        while True:
            try:
                _, ancillary, _, _ = self._socket.recvmsg(2048, 256)
            except BlockingIOError:
                return self._seen
            for _level, _kind, auxiliary in ancillary:
                status, _, _, _, _, tci, ethertype = struct.unpack("=IIIHHHH", auxiliary[:20])
                if status & _VLAN_VALID:
                    self._seen.add((tci & 0xFFF, ethertype or CUSTOMER_TAG))
