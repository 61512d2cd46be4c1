"""External ports: workloads on a provider network, which one chassis of a group serves."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.testbed.dhcp_client import resolve
from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.dhcp.clients import Dhclient, udhcpc
from tests.system.frames import BROADCAST, IPV4, IPV6, RA, UDP, Frame, ethernet, ipv4, ipv6, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

ROUTER = "0a:00:00:00:21:fe"
SRIOV, METAL, STRANGER = "02:00:00:00:21:01", "02:00:00:00:21:02", "02:00:00:00:21:03"
IP = {"sriov": "10.21.0.11", "metal": "10.21.0.12", "v1": "10.21.0.1", "v2": "10.21.0.2"}
IP6 = "fd21::11"
LINK_LOCAL = "fe80::ff:fe00:2101"
"""Addresses of `sriov`, which asks for the first one."""
CHASSIS_MAC = {"hv1": "0a:00:00:00:21:c1", "hv2": "0a:00:00:00:21:c2"}
"""What hypervisors send on the provider network with in place of a router's own address."""
BACKENDS = {"w1": "10.22.0.1:8080", "w2": "10.22.0.2:8080"}
"""One is where the chassis in charge is, and one elsewhere."""
PROCESSES = ("agent", "ovs-vswitchd", "ovsdb-server")


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`sriov` asks for its address by DHCP, `metal` has one; `stranger` is no port of anybody's."""
    lab, net = scene.lab, scene.net
    lab.add_provider_network("physnet1")
    lab.add_outside("sriov", "physnet1", vlan=100, mac=SRIOV)
    lab.add_outside("metal", "physnet1", "10.21.0.12/24", vlan=100, mac=METAL)
    lab.add_outside("stranger", "physnet1", "10.21.0.101/24", vlan=100, mac=STRANGER)
    net.call(
        "POST",
        "/dhcp-options",
        {
            "name": "rack",
            "cidr": "10.21.0.0/24",
            "dhcpv4": {"routers": ["10.21.0.254"], "dns_servers": ["10.21.0.254"]},
        },
    )
    told6 = {"dns_servers": ["fd21::53"]}
    net.call("POST", "/dhcp-options", {"name": "rack6", "cidr": "fd21::/64", "dhcpv6": told6})
    net.call("POST", "/ha-chassis-groups", {"name": "racks", "chassis": ranks("hv1", "hv2")})
    net.switch("rack", dhcpv4_options="rack", dhcpv6_options="rack6")
    net.port("rack", "rack-out", type="localnet", network_name="physnet1", tag=100)
    for name, host in (
        ("sriov", f"{SRIOV} {IP['sriov']} {IP6}"),
        ("metal", f"{METAL} {IP['metal']}"),
    ):
        fields = {"type": "external", "ha_chassis_group": "racks", "hostname": name}
        net.port("rack", name, host, **fields)
    net.port("rack", "v1", f"0a:00:00:00:21:11 {IP['v1']}")
    net.port("rack", "v2", f"0a:00:00:00:21:12 {IP['v2']}")
    net.router("rt")
    net.attach("rt", "rack", ROUTER, "10.21.0.254/24", "fd21::fe/64")
    told = {"address_mode": "dhcpv6_stateful"}
    net.call("PATCH", "/logical-router-ports/rt-rack", {"ipv6_ra": told})
    net.switch("inner")
    net.attach("rt", "inner", "0a:00:00:00:22:fe", "10.22.0.254/24")
    net.port("inner", "w1", "0a:00:00:00:22:01 10.22.0.1")
    net.call("POST", "/dns-record-sets", {"name": "rack", "switches": ["rack"], "ttl": 30})
    record = {"dns_record_set": "rack", "hostname": "v1.rack.example", "addresses": [IP["v1"]]}
    net.call("POST", "/dns-records", record)
    net.port("inner", "w2", "0a:00:00:00:22:02 10.22.0.2")
    for name, hypervisor in (("v1", "hv1"), ("v2", "hv2"), ("w1", "hv2"), ("w2", "hv1")):
        lab.add_vm(name, hypervisor)
    for each in lab.hypervisors.values():
        # The switch outside may not take the router for behind one of them.
        setting = f"treadle-chassis-mac-mappings=physnet1:{CHASSIS_MAC[each.name]}"
        each.switch.vsctl("set", "Open_vSwitch", ".", f"external_ids:{setting}")
    lab.wait_until_up()
    until(lambda: served_by(scene) == ["hv1"], "a chassis is in charge", 30)


def ranks(*chassis: str) -> list[dict[str, object]]:
    return [{"chassis": name, "priority": 20 - number} for number, name in enumerate(chassis)]


def served_by(scene: Scene) -> list[str]:
    """Return the hypervisors whose switch answers DHCP clients with the MAC address of `sriov`."""
    return [
        name
        for name, hypervisor in scene.lab.hypervisors.items()
        if any(f"dl_src={SRIOV}" in flow and "tp_dst=67" in flow for flow in hypervisor.flows())
    ]


def asks(xid: bytes, mac: str = SRIOV) -> bytes:
    """Return the first message of a DHCP client."""
    head = bytes((1, 1, 6, 0)) + xid + bytes(20)
    hardware = bytes.fromhex(mac.replace(":", "")).ljust(16, b"\0")
    message = head + hardware + bytes(192) + bytes((99, 130, 83, 99, 53, 1, 1, 255))
    datagram = udp("0.0.0.0", "255.255.255.255", 68, 67, message)
    return ethernet(BROADCAST, mac, IPV4, ipv4("0.0.0.0", "255.255.255.255", UDP, datagram))


def answers(xid: bytes) -> Callable[[Frame], bool]:
    return lambda frame: frame.dport == 68 and frame.l4[12:16] == xid


def to_port(number: int) -> Callable[[Frame], bool]:
    return lambda frame: frame.dport == number


def told(mac: str, src: str, dport: int, dst_mac: str = BROADCAST, dst: str = "") -> bytes:
    dst = dst or "255.255.255.255"
    datagram = udp(src, dst, 5000, dport)
    return ethernet(dst_mac, mac, IPV4, ipv4(src, dst, UDP, datagram))


def traced(scene: Scene, **request: object) -> Any:
    answer = scene.net.client.post("/v1/trace", json={**request, "live": True})
    assert answer.is_success, answer.text
    return answer.json()


def from_router(frame: Frame) -> bool:
    """Whether it is ARP of the router, whichever hypervisor sent it with its own address."""
    return frame.ethertype == frames.ARP and frame.raw[22:28] == bytes.fromhex(
        ROUTER.replace(":", "")
    )


def offered(scene: Scene) -> bool:
    with Tap(scene.lab.outside("sriov")) as tap:
        tap.send(asks(b"anew"))
        try:
            tap.expect(answers(b"anew"), "an offer", 3)
        except AssertionError:
            return False
    return True


def leased_once(scene: Scene) -> None:
    """Each message of the client gets one answer, whoever of the group is in charge.

    Who has just come to be in charge may not have all that answering takes.
    """
    until(lambda: offered(scene), "there are answers again", 60)
    with Tap(scene.lab.outside("sriov")) as tap, Tap(scene.lab.outside("stranger")) as stranger:
        tap.send(asks(b"once"))
        tap.expect(answers(b"once"), "an offer", 30)
        tap.send(asks(b"more"))
        tap.expect(answers(b"more"), "a later offer", 30)
        assert len(tap.matching(answers(b"once"))) == 1
        stranger.send(asks(b"none", STRANGER))
        stranger.send(frames.arp_request(STRANGER, "10.21.0.101", IP["v2"]))
        stranger.expect(lambda frame: frame.arp_op == 2, "an answer to what came later")
        assert not stranger.matching(answers(b"none"))


def test_a_client_on_the_network_gets_its_lease_once(scene: Scene, tmp_path: Path) -> None:
    leased_once(scene)
    lease = udhcpc(scene.lab.outside("sriov"), tmp_path)
    assert (lease["ip"], lease["router"]) == (IP["sriov"], "10.21.0.254")
    assert lease["hostname"] == "sriov"


def solicits_routers(mac: str, src: str) -> bytes:
    body = bytes(4) + b"\x01\x01" + frames.mac(mac)
    message = frames.icmp6(src, "ff02::2", frames.RS, body)
    packet = ipv6(src, "ff02::2", frames.ICMPV6, message, hops=255)
    return ethernet("33:33:00:00:00:02", mac, IPV6, packet)


def solicits_addresses(xid: bytes) -> bytes:
    """Return the first message of a DHCPv6 client on `sriov`."""
    client, wish = bytes((0, 3, 0, 1)) + frames.mac(SRIOV), b"iaid" + bytes(8)
    options = b"".join(
        code.to_bytes(2) + len(value).to_bytes(2) + value
        for code, value in ((1, client), (3, wish))
    )
    datagram = udp(LINK_LOCAL, "ff02::1:2", 546, 547, b"\x01" + xid + options)
    packet = ipv6(LINK_LOCAL, "ff02::1:2", UDP, datagram, hops=1)
    return ethernet("33:33:00:01:00:02", SRIOV, IPV6, packet)


def is_advertisement(frame: Frame) -> bool:
    return frame.icmp_type == RA


def answers6(xid: bytes) -> Callable[[Frame], bool]:
    return lambda frame: frame.dport == 546 and frame.l4[9:12] == xid


def agent_has_answered(scene: Scene, vm: str, asking: Tap) -> None:
    """Wait until what the agent behind a VM has to say to what `asking` sent has come there.

    The switch takes the VM's question after that, and its agent as well.
    """
    number = vm.removeprefix("v")
    mac, address = f"0a:00:00:00:21:1{number}", IP[vm]
    question = frames.arp_request(SRIOV, IP["sriov"], address)
    asking.reach(asking, question, lambda frame: frame.arp_spa == address, "the VM's answer")
    with Tap(scene.lab.vm(vm)) as tap:
        own = solicits_routers(mac, f"fe80::800:ff:fe00:211{number}")
        tap.reach(tap, own, is_advertisement, "an answer of the agent")
        tap.reach(asking, told(mac, address, 7230), to_port(7230), "what the VM sends last")


@pytest.mark.parametrize(("chassis", "other", "vm"), [("hv1", "hv2", "v2"), ("hv2", "hv1", "v1")])
def test_routers_and_addresses_of_ipv6_are_told_once(
    scene: Scene, chassis: str, other: str, vm: str
) -> None:
    """By whichever chassis is in charge; the one that isn't has nothing to say."""
    net = scene.net
    net.call("PATCH", "/ha-chassis-groups/racks", {"chassis": ranks(chassis, other)})
    until(lambda: served_by(scene) == [chassis], "the chassis is in charge", 30)
    sriov = scene.lab.outside("sriov")
    try:
        with Tap(sriov) as tap:
            # Who has just come to be in charge may not have all that answering takes.
            tap.reach(tap, solicits_routers(SRIOV, LINK_LOCAL), is_advertisement, "a router's")
            tap.reach(tap, solicits_addresses(b"any"), answers6(b"any"), "a server's")
            # The answer to what is sent last comes after all of those.
            tap.send(solicits_addresses(b"end"))
            tap.expect(answers6(b"end"), "an offer at the end")
        with Tap(sriov) as tap:
            tap.send(solicits_routers(SRIOV, LINK_LOCAL))
            advertisement = tap.expect(is_advertisement, "a router advertisement")
            assert advertisement.src == CHASSIS_MAC[chassis]
            assert advertisement.ip_src == "fe80::800:ff:fe00:21fe"
            assert advertisement.dst == SRIOV
            tap.send(solicits_addresses(b"one"))
            offer = tap.expect(answers6(b"one"), "an offer")
            assert frames.ip(IP6) in offer.l4
            agent_has_answered(scene, vm, tap)
            assert len(tap.matching(is_advertisement)) == 1
            assert len(tap.matching(answers6(b"one"))) == 1
    finally:
        net.call("PATCH", "/ha-chassis-groups/racks", {"chassis": ranks("hv1", "hv2")})
        until(lambda: served_by(scene) == ["hv1"], "the first chassis is in charge again", 30)


def test_ipv6_clients_on_the_network(scene: Scene, tmp_path: Path) -> None:
    sriov = scene.lab.outside("sriov")
    heard = sriov.namespace.run("rdisc6", "-1", "-r", "20", "-w", "1500", "eth0", timeout=60)
    assert "fd21::/64" in heard
    with Dhclient(sriov, tmp_path, "-6") as client:
        lease = client.wait_for("BOUND6")
        assert (lease["new_ip6_address"], lease["new_dhcp6_name_servers"]) == (IP6, "fd21::53")


def test_workloads_reach_it_and_it_reaches_them(scene: Scene) -> None:
    lab = scene.lab
    metal = lab.outside("metal")
    for name in ("v1", "v2"):
        assert lab.vm(name).reaches(IP["metal"])
        assert metal.reaches(IP[name])
    assert metal.reaches("10.21.0.101")


def test_nothing_of_it_comes_twice(scene: Scene) -> None:
    lab = scene.lab
    taps = {name: Tap(lab.host(name)) for name in ("v1", "v2", "stranger", "metal")}
    taps["metal"].send(told(METAL, IP["metal"], 7210))
    taps["metal"].send(told(METAL, IP["metal"], 7211, STRANGER, "10.21.0.101"))
    taps["stranger"].send(told(STRANGER, "10.21.0.101", 7212, METAL, IP["metal"]))
    taps["metal"].send(told(METAL, IP["metal"], 7213))
    for name in ("v1", "v2", "stranger"):
        taps[name].expect(to_port(7213), "the last broadcast")
        assert len(taps[name].matching(to_port(7210))) == 1
    taps["metal"].expect(to_port(7212), "what a neighbour sent")
    taps["stranger"].send(told(STRANGER, "10.21.0.101", 7214, METAL, IP["metal"]))
    taps["metal"].expect(to_port(7214), "what a neighbour sent last")
    assert len(taps["stranger"].matching(to_port(7211))) == 1
    assert len(taps["metal"].matching(to_port(7212))) == 1
    assert not taps["metal"].matching(to_port(7210))
    for tap in taps.values():
        tap.close()


def test_one_chassis_routes_for_it(scene: Scene) -> None:
    metal = scene.lab.outside("metal")
    with Tap(metal) as tap:
        tap.send(frames.arp_request(METAL, IP["metal"], "10.21.0.254"))
        tap.expect(from_router, "the router's answer")
        tap.send(frames.arp_request(METAL, IP["metal"], IP["v2"]))
        tap.expect(lambda frame: frame.src == "0a:00:00:00:21:12", "a later answer")
        assert len(tap.matching(from_router)) == 1
    metal.namespace.ip("route", "replace", "10.22.0.0/24", "via", "10.21.0.254")
    assert metal.reaches("10.22.0.1")
    assert scene.lab.vm("w1").reaches(IP["metal"])
    with Tap(scene.lab.vm("w1")) as inner, Tap(metal) as tap:
        for number in (7220, 7221):
            tap.send(told(METAL, IP["metal"], number, ROUTER, "10.22.0.1"))
        inner.expect(to_port(7221), "what was sent later")
        assert len(inner.matching(to_port(7220))) == 1


def test_names_are_looked_up_for_it(scene: Scene) -> None:
    metal = scene.lab.outside("metal")
    assert resolve(metal.namespace, "v1.rack.example", "10.21.0.254", 4) == IP["v1"]


def test_acls_see_its_port_on_every_hypervisor(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    metal = lab.outside("metal")
    drop = net.acl("ls:rack", "from-lport", 1000, 'inport == "metal" && icmp4', "drop")
    until(lambda: not metal.ping(IP["v1"], timeout=1), "nothing gets in")
    assert not metal.ping(IP["v2"], timeout=1)
    assert metal.reaches("10.21.0.101"), "neighbours there don't see our ACLs"
    net.delete(f"/acls/{drop}")
    drop = net.acl("ls:rack", "to-lport", 1000, 'outport == "metal" && icmp4', "drop")
    assert not lab.vm("v1").ping(IP["metal"], timeout=1)
    assert not lab.vm("v2").ping(IP["metal"], timeout=1)
    net.delete(f"/acls/{drop}")
    net.change_port("metal", port_security=[f"{METAL} 10.21.0.13"])
    assert not metal.ping(IP["v1"], timeout=1)
    net.change_port("metal", port_security=[], enabled=False)
    assert not metal.ping(IP["v2"], timeout=1)
    net.change_port("metal", enabled=True)
    until(lambda: metal.ping(IP["v2"], timeout=1), "it gets in again")


@pytest.mark.parametrize(
    ("packet", "inport", "chassis"),
    [
        ("icmp 10.21.0.101 -> v2", "rack-out", ["hv2"]),
        ("icmp 10.21.0.101 -> metal", "rack-out", ["hv1"]),
        ("icmp metal -> v2", None, ["hv2"]),
        ("icmp metal -> w1", None, ["hv1", "hv2"]),
        ("icmp v1 -> metal", None, ["hv1"]),
        ("icmp v1 -> v2", None, ["hv1"]),
    ],
)
def test_switches_do_what_the_walk_says(
    scene: Scene, packet: str, inport: str | None, chassis: list[str]
) -> None:
    """What the network outside brings is asked about where it is taken in."""
    found = traced(scene, packet=packet, inport=inport)
    assert found["verdict"]["outcome"] == "delivered", found["verdict"]
    assert found["live"]["agrees"] is True, found["live"]
    assert sorted(each["chassis"] for each in found["live"]["chassis"]) == chassis


def all_answer(scene: Scene, vip: str) -> None:
    """Wait until each backend has answered `metal` at a virtual address, and seen its address."""
    seen: set[Any] = set()

    def have_answered() -> bool:
        seen.add(tuple(who.ask(scene.lab, "metal", vip, 80, seconds=3)))
        return seen >= {(name, IP["metal"]) for name in BACKENDS}

    until(have_answered, "both backends answer")


def test_its_connections_to_virtual_addresses_are_balanced(scene: Scene) -> None:
    """On the chassis in charge, where replies come from backends that are elsewhere, too."""
    lab, net = scene.lab, scene.net
    metal = lab.outside("metal")
    vip = "10.23.0.80"
    for name in BACKENDS:
        who.serve(lab, name, 8080)
    metal.namespace.ip("route", "replace", "10.23.0.0/24", "via", "10.21.0.254")
    metal.namespace.ip("route", "replace", "10.22.0.0/24", "via", "10.21.0.254")
    until(lambda: metal.ping("10.22.0.1", timeout=1), "the router is in reach")
    net.call("POST", "/load-balancers", {"name": "shop", "switches": ["rack"]})
    try:
        body = {"address": vip, "port": 80, "backends": list(BACKENDS.values())}
        net.call("POST", "/load-balancers/shop/vips", body)
        row = net.get("/load-balancers/shop/vips")["items"][0]["id"]
        all_answer(scene, vip)
        assert who.is_silent(lab, "metal", vip, 81)
        # What isn't for the address is what it was, also to and from backends.
        for name, address in BACKENDS.items():
            host, _, port = address.partition(":")
            assert who.ask(lab, "metal", host, int(port)) == [name, IP["metal"]]
            assert lab.vm(name).reaches(IP["metal"])
        for packet, chassis in (
            (f"tcp metal -> {vip}:80", set()),
            ("tcp w1 -> metal:5000", {"hv1", "hv2"}),
            ("tcp w2 -> metal:5000", {"hv1"}),
        ):
            found = traced(scene, packet=packet)
            assert found["verdict"]["outcome"] == "delivered", found["verdict"]
            assert found["live"]["agrees"] is True, found["live"]
            assert chassis in (set(), {each["chassis"] for each in found["live"]["chassis"]})
        net.call("PATCH", "/ha-chassis-groups/racks", {"chassis": ranks("hv2", "hv1")})
        until(lambda: served_by(scene) == ["hv2"], "another chassis is in charge")
        all_answer(scene, vip)
        with who.connect(lab, "metal", vip, 80) as held:
            first = who.again(held)[0]
            others = [address for name, address in BACKENDS.items() if name != first]
            net.call("PATCH", f"/load-balancer-vips/{row}", {"backends": others})
            until(lambda: who.again(held) in ("reset", "closed"), "its connection ends")
        asked = {"source": "metal", "destination": vip, "service": "tcp/80"}
        told = net.reachability(asked)
        assert told["reachable"] is True, told["text"]
    finally:
        net.delete("/load-balancers/shop")
        net.call("PATCH", "/ha-chassis-groups/racks", {"chassis": ranks("hv1", "hv2")})
    until(lambda: served_by(scene) == ["hv1"], "the first chassis is in charge again")


def test_a_switch_that_is_not_in_charge(scene: Scene) -> None:
    """What is for another chassis goes no further on this one; neither the walk nor it says so."""
    live = traced(scene, packet="icmp metal -> w1", entry_chassis="hv2")["live"]
    (leg,) = live["chassis"][0]["legs"]
    text = "goes nowhere; the walk goes on where it is taken in, on chassis hv1"
    assert leg["text"].endswith(text), live
    asked = {"packet": "icmp 10.21.0.101 -> v2", "inport": "rack-out", "entry_chassis": "hv1"}
    live = traced(scene, **asked)["live"]
    assert live["agrees"] is True, live
    (leg,) = live["chassis"][0]["legs"]
    assert leg["text"].endswith("as the walk says; the network brings it to chassis hv2"), live


def test_another_chassis_stands_in(scene: Scene) -> None:
    """All of the first one stops at once, as when its power fails."""
    lab = scene.lab
    for process in PROCESSES:
        lab.process(f"hv1/{process}").send(signal.SIGSTOP)
    try:
        hv2 = lab.hypervisor("hv2")

        def serves() -> bool:
            return any(f"dl_src={SRIOV}" in f and "tp_dst=67" in f for f in hv2.flows())

        until(serves, "the other chassis is in charge", 30)
        leased_once(scene)
        until(lambda: lab.outside("metal").ping("10.22.0.1", timeout=1), "it routes as well", 30)
    finally:
        for process in reversed(PROCESSES):
            lab.process(f"hv1/{process}").send(signal.SIGCONT)
    until(lambda: served_by(scene) == ["hv1"], "the first chassis is in charge again", 60)
    leased_once(scene)
    scene.net.call("PATCH", "/ha-chassis-groups/racks", {"chassis": ranks("hv2", "hv1")})
    until(lambda: served_by(scene) == ["hv2"], "the ranks are the other way round", 30)
    leased_once(scene)
