"""Floating IPs that are translated on the hypervisor of their port, and not at the gateway.

The gateway is on hv1. On hv2 are `vm1`, which has a floating IP of that kind, `vm2`, which goes
out as the router, and `vm3` with a floating IP at the gateway.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli.testbed.namespace import Namespace
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import ARP, ICMP, ICMPV6, IPV4, UDP, Frame
from tests.system.hops import assert_hops
from tests.system.tap import Tap

pytestmark = pytest.mark.system

PORT, MTU = 8080, 1300
INSIDE, OUTSIDE = "0a:00:00:00:80:01", "0a:00:00:00:80:02"
"""The MAC addresses of the router."""
FLOATING_MAC = "0a:00:00:00:80:71"
FLOATING = {4: "198.51.100.71", 6: "2001:db8:80::71"}
AT_GATEWAY = {4: "198.51.100.73", 6: "2001:db8:80::73"}
ROUTER = {4: "198.51.100.2", 6: "2001:db8:80::2"}
VMS = {
    "vm1": ("0a:00:00:00:81:01", "10.80.0.11", "fd80::11"),
    "vm2": ("0a:00:00:00:81:02", "10.80.0.12", "fd80::12"),
    "vm3": ("0a:00:00:00:81:03", "10.80.0.13", "fd80::13"),
}
VERSIONS = pytest.mark.parametrize("version", [4, 6])


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    lab.add_provider_network("physnet1")
    lab.add_outside("host", "physnet1", "198.51.100.9/24", "2001:db8:80::9/64")
    lab.listen("host", PORT)
    net.switch("public")
    net.port("public", "public-out", "unknown", type="localnet", network_name="physnet1")
    net.switch("in")
    net.router("edge")
    net.attach("edge", "in", INSIDE, "10.80.0.1/24", "fd80::1/64")
    gateway = [{"chassis": "hv1", "priority": 10}]
    networks = f"{ROUTER[4]}/24", f"{ROUTER[6]}/64"
    net.router_port("edge", "edge-public", OUTSIDE, *networks, gateway_chassis=gateway)
    net.port("public", "public-edge", type="router", router_port="edge-public")
    for name, addresses in VMS.items():
        net.port("in", name, " ".join(addresses))
        lab.add_vm(name, "hv2")
    for version, network in ((4, "10.80.0.0/24"), (6, "fd80::/64")):
        nat(scene, type="snat", external_ip=ROUTER[version], logical_ip=network)
        nat(
            scene,
            type="dnat_and_snat",
            external_ip=FLOATING[version],
            logical_ip=address("vm1", version),
            logical_port="vm1",
            external_mac=FLOATING_MAC,
        )
    for version, external in AT_GATEWAY.items():
        nat(
            scene,
            type="dnat_and_snat",
            external_ip=external,
            logical_ip=address("vm3", version),
        )
    lab.wait_until_up()
    for name in VMS:
        lab.listen(name, PORT)
    scene.settle()
    vm2 = lab.vm("vm2")
    until(lambda: vm2.ping("198.51.100.9"), "the way out by the gateway", 30)


def nat(scene: Scene, **fields: Any) -> str:
    return str(scene.net.call("POST", "/logical-routers/edge/nats", fields)["id"])


def address(name: str, version: int = 4) -> str:
    return VMS[name][1 if version == 4 else 2]


@contextmanager
def gateway_out_of_reach(scene: Scene) -> Iterator[None]:
    """No tunnel leads to hv1 meanwhile; its way to the provider network stays."""
    underlay = Namespace(f"{scene.lab.name}-underlay")
    underlay.ip("link", "set", "up-hv1", "down")
    try:
        yield
    finally:
        underlay.ip("link", "set", "up-hv1", "up")
        vm2 = scene.lab.vm("vm2")
        until(lambda: vm2.ping("198.51.100.9", timeout=1), "the way out by the gateway", 30)


@VERSIONS
def test_the_gateway_has_no_part_in_it(scene: Scene, version: int) -> None:
    vm1, vm2, host = scene.lab.vm("vm1"), scene.lab.vm("vm2"), scene.lab.outside("host")
    outside = host.ip4 if version == 4 else host.ip6
    assert vm1.reaches(outside), "and the router knows the host's address"
    with gateway_out_of_reach(scene):
        with Tap(host) as tap:
            assert vm1.reaches(outside)
            assert vm1.tcp_connects(outside, PORT)
            echo = tap.expect(lambda f: f.protocol in (ICMP, ICMPV6), "the echo request")
        assert (echo.src, echo.ip_src) == (FLOATING_MAC, FLOATING[version])
        host.namespace.ip("neighbour", "flush", "all")
        with Tap(scene.lab.vm("vm1")) as tap:
            assert host.reaches(FLOATING[version])
            assert host.tcp_connects(FLOATING[version], PORT)
            came = tap.expect(lambda f: f.dport == PORT, "the connection")
        assert (came.ip_src, came.ip_dst) == (outside, address("vm1", version))
        assert not vm2.ping(outside, timeout=1), "what needs the gateway"


def test_outside_each_address_is_in_one_place(scene: Scene) -> None:
    assert scene.lab.vm("vm1").reaches("198.51.100.9")
    assert scene.lab.vm("vm2").reaches("198.51.100.9")
    for mac, place in ((OUTSIDE, "hv1"), (FLOATING_MAC, "hv2")):
        until(
            lambda mac=mac, place=place: scene.lab.place_of("physnet1", mac) == place,  # type: ignore[misc]
            f"{mac} is at {place}",
        )


@VERSIONS
def test_one_answer_comes_to_who_asks(scene: Scene, version: int) -> None:
    """Both hypervisors are asked; the one where packets for an address are translated answers."""
    host = scene.lab.outside("host")
    # Not the host itself, which may ask again by its own.
    asker, asking = "0a:00:00:00:80:72", {4: "198.51.100.10", 6: "2001:db8:80::10"}[version]
    asked = dict.fromkeys((ROUTER[version], AT_GATEWAY[version]), OUTSIDE)
    asked[FLOATING[version]] = FLOATING_MAC
    assert scene.lab.vm("vm1").reaches(host.ip4)
    assert scene.lab.vm("vm2").reaches(host.ip4)

    def is_answer(frame: Frame) -> bool:
        return frame.dst == asker and (frame.arp_op == 2 or frame.icmp_type == frames.NA)

    with Tap(host) as tap:
        for ip, mac in asked.items():
            ask = frames.arp_request if version == 4 else frames.neighbour_solicitation
            tap.send(ask(asker, asking, ip))
            tap.expect(
                lambda f, m=mac, ip=ip: is_answer(f) and f.src == m and frames.ip(ip) in f.raw,
                f"the answer for {ip}",
            )
        # What both have to say comes before what they are asked for later.
        for ip in (ROUTER[version], FLOATING[version]):
            assert host.reaches(ip)
        tap.drain()
        assert [frame.src for frame in tap.matching(is_answer)] == list(asked.values())


@VERSIONS
def test_those_inside_reach_it_by_what_the_outside_knows(scene: Scene, version: int) -> None:
    """By the gateway, and with a floating IP of their own; and it reaches itself, and those."""
    lab = scene.lab
    for asker in ("vm2", "vm3", "vm1"):
        with Tap(lab.vm("vm1")) as tap:
            assert lab.vm(asker).tcp_connects(FLOATING[version], PORT), asker
            seen = {"vm2": ROUTER, "vm3": AT_GATEWAY, "vm1": FLOATING}[asker]
            came = tap.expect(lambda f: f.dport == PORT, f"the connection of {asker}")
            assert came.ip_src == seen[version]
    assert lab.vm("vm1").tcp_connects(AT_GATEWAY[version], PORT)


@VERSIONS
def test_it_is_told_that_the_hops_to_itself_are_over(scene: Scene, version: int) -> None:
    """The way leads through the router twice, on this hypervisor."""
    hops = {4: ("10.80.0.1", ROUTER[4]), 6: ("fd80::1", ROUTER[6])}[version]
    with Tap(scene.lab.vm("vm1")) as tap:
        assert_hops(tap, VMS["vm1"][0], INSIDE, address("vm1", version), FLOATING[version], hops)


@VERSIONS
def test_those_behind_the_gateway_are_told_that_the_hops_to_it_are_over(
    scene: Scene, version: int
) -> None:
    """The second hop is on the hypervisor of the floating IP, and they are told at the gateway."""
    hops = {4: ("10.80.0.1", ROUTER[4]), 6: ("fd80::1", ROUTER[6])}[version]
    for name in ("vm2", "vm3"):
        with Tap(scene.lab.vm(name)) as tap:
            source = address(name, version)
            assert_hops(tap, VMS[name][0], INSIDE, source, FLOATING[version], hops)


@contextmanager
def limited(scene: Scene, port: str) -> Iterator[None]:
    """Beyond a router port no bigger packets are carried meanwhile."""
    path = f"/logical-router-ports/{port}"
    scene.net.call("PATCH", path, {"gateway_mtu": MTU})
    try:
        yield
    finally:
        scene.net.call("PATCH", path, {"gateway_mtu": None})


def assert_is_told(tap: Tap, router_mac: str, source: str, target: str, teller: str) -> None:
    """Assert that who sends a byte too much hears the MTU, and of what it has sent.

    `tap` is the sender's; `teller` is who the error comes from.
    """
    is_ip4 = "." in target
    write, ethertype = (frames.ipv4, IPV4) if is_ip4 else (frames.ipv6, frames.IPV6)
    kind, told, ends = ((3, 4), 6, slice(12, 20)) if is_ip4 else ((2, 0), 4, slice(8, 40))
    headers = 28 if is_ip4 else 48
    datagram = frames.udp(source, target, 4300, 9, bytes(MTU + 1 - headers))
    packet = write(source, target, UDP, datagram)
    tap.send(frames.ethernet(router_mac, tap.vm.mac, ethertype, packet))
    error = tap.expect(
        lambda f: (f.icmp_type, f.icmp_code, f.ip_src) == (*kind, teller), f"the error of {teller}"
    )
    assert error.ip_dst == source
    assert int.from_bytes(error.l4[told:8]) == MTU
    assert error.l4[8:][ends] == packet[ends], "what it quotes is as it was sent"


@VERSIONS
def test_those_inside_are_told_what_is_too_big_outside(scene: Scene, version: int) -> None:
    """Before anything is translated, by the router that they know."""
    host = scene.lab.outside("host")
    outside, router = {4: (host.ip4, "10.80.0.1"), 6: (host.ip6, "fd80::1")}[version]
    with limited(scene, "edge-public"):
        for name in VMS:
            with Tap(scene.lab.vm(name)) as tap:
                assert_is_told(tap, INSIDE, address(name, version), outside, router)


@VERSIONS
def test_those_outside_are_told_what_is_too_big_inside(scene: Scene, version: int) -> None:
    """By the address that they know: none of inside shows, whether they ask or answer."""
    host = scene.lab.outside("host")
    outside, ethertype = {4: (host.ip4, IPV4), 6: (host.ip6, frames.IPV6)}[version]
    ends = address("vm2", version), outside
    question = {4: frames.ipv4, 6: frames.ipv6}[version](*ends, UDP, frames.udp(*ends, 9, 4300))
    with limited(scene, "edge-in"), Tap(host) as tap, Tap(scene.lab.vm("vm2")) as vm2:
        vm2.send(frames.ethernet(INSIDE, vm2.vm.mac, ethertype, question))
        got = tap.expect(lambda f: f.dport == 4300, "the question")
        assert (got.ip_src, got.l4[:2]) == (ROUTER[version], bytes([0, 9]))
        assert_is_told(tap, OUTSIDE, outside, ROUTER[version], ROUTER[version])
        assert_is_told(tap, FLOATING_MAC, outside, FLOATING[version], FLOATING[version])
        assert_is_told(tap, OUTSIDE, outside, AT_GATEWAY[version], AT_GATEWAY[version])


@contextmanager
def stateless(scene: Scene, *externals: str) -> Iterator[None]:
    """These floating IPs are translated packet by packet meanwhile."""
    nats = scene.net.client.get("/v1/nats").json()["items"]
    paths = [f"/nats/{each['id']}" for each in nats if each["external_ip"] in externals]
    assert len(paths) == len(externals)
    for path in paths:
        scene.net.call("PATCH", path, {"stateless": True})
    try:
        yield
    finally:
        for path in paths:
            scene.net.call("PATCH", path, {"stateless": False})


def test_of_stateless_ones_no_address_inside_shows(scene: Scene) -> None:
    """Neither outside, nor to who asks for them from inside."""
    host, externals = scene.lab.outside("host"), (*AT_GATEWAY.values(), *FLOATING.values())
    with stateless(scene, *externals), limited(scene, "edge-in"):
        with Tap(host) as tap:
            assert_is_told(tap, OUTSIDE, host.ip4, AT_GATEWAY[4], AT_GATEWAY[4])
            assert_is_told(tap, FLOATING_MAC, host.ip4, FLOATING[4], FLOATING[4])
            assert_is_told(tap, FLOATING_MAC, host.ip6, FLOATING[6], FLOATING[6])
        with Tap(scene.lab.vm("vm2")) as tap:
            assert_is_told(tap, INSIDE, address("vm2"), AT_GATEWAY[4], AT_GATEWAY[4])
            assert_is_told(tap, INSIDE, address("vm2"), FLOATING[4], FLOATING[4])


def test_those_inside_are_told_by_what_the_outside_knows(scene: Scene) -> None:
    """What they sent is too big inside of floating IPs, wherever these are translated.

    Of IPv4: Open vSwitch's own datapath changes the MTU of IPv6 where it translates the error.
    """
    with limited(scene, "edge-in"):
        for name in VMS:
            with Tap(scene.lab.vm(name)) as tap:
                for target in (FLOATING[4], AT_GATEWAY[4]):
                    assert_is_told(tap, INSIDE, address(name), target, target)


def test_an_error_comes_back_to_its_hypervisor(scene: Scene) -> None:
    vm1, host = scene.lab.vm("vm1"), scene.lab.outside("host")
    ends = address("vm1"), host.ip4
    datagram = frames.udp(*ends, 4100, 9)
    with Tap(vm1) as tap:
        packet = frames.ipv4(*ends, frames.UDP, datagram)
        tap.send(frames.ethernet(INSIDE, vm1.mac, IPV4, packet))
        error = tap.expect(lambda f: f.icmp_type == 3, "the error of the host")
    assert error.l4[8 + 12 : 8 + 16] == frames.ip(address("vm1")), (
        "what it quotes is as it was sent"
    )


def test_it_goes_where_its_port_goes(scene: Scene) -> None:
    """From hypervisor to hypervisor: also to that of the gateway, and back. Each tells so."""
    host = scene.lab.outside("host")
    for hypervisor in ("hv1", "hv2"):
        with Tap(host) as tap:
            scene.lab.move_vm("vm1", hypervisor)
            scene.lab.wait_until_up(["vm1"])
            for ip in FLOATING.values():
                tap.expect(frames.is_gratuitous(ip, FLOATING_MAC), f"an announcement of {ip}")
        vm1 = scene.lab.vm("vm1")
        until(lambda vm=vm1: vm.ping(host.ip4, timeout=1), f"the way out of {hypervisor}", 30)  # type: ignore[misc]
        until(lambda: host.ping(FLOATING[4], timeout=1), f"the way in to {hypervisor}", 30)


@pytest.fixture
def _second(scene: Scene) -> Iterator[None]:
    """The router has another gateway port, on hv2, to a network of the overlay with `there`."""
    lab, net = scene.lab, scene.net
    net.switch("second")
    gateway = [{"chassis": "hv2", "priority": 10}]
    own = ("0a:00:00:00:80:03", "203.0.113.2/24")
    net.router_port("edge", "edge-second", *own, gateway_chassis=gateway)
    net.port("second", "second-edge", type="router", router_port="edge-second")
    net.port("second", "there", "0a:00:00:00:81:09 203.0.113.9")
    lab.add_vm("there", "hv1")
    lab.wait_until_up(["there"])
    lab.listen("there", PORT)
    yield
    lab.remove_vm("there")
    for port in ("second-edge", "there"):
        net.delete(f"/logical-switch-ports/{port}")
    net.delete("/logical-router-ports/edge-second")
    net.delete("/logical-switches/second")


@pytest.mark.usefixtures("_second")
def test_of_two_gateway_ports_the_one_that_is_named_translates(scene: Scene) -> None:
    """Addresses that are in none of their networks; one of them means another VM at each."""
    lab = scene.lab
    host, there = lab.outside("host"), lab.vm("there")
    apart, shared = "192.0.2.80", "192.0.2.81"
    for asker, gateway in ((host, ROUTER[4]), (there, "203.0.113.2")):
        asker.namespace.ip("route", "replace", "192.0.2.0/24", "via", gateway)
    at_second = {"gateway_port": "edge-second", "routed": True}
    made = [
        nat(scene, type="snat", external_ip=apart, logical_ip="10.80.0.0/24", **at_second),
        nat(scene, type="dnat", external_ip=shared, logical_ip=address("vm2"), **at_second),
        nat(
            scene,
            type="dnat",
            external_ip=shared,
            logical_ip=address("vm3"),
            gateway_port="edge-public",
            routed=True,
        ),
    ]
    try:
        for outside, seen in ((there, apart), (host, ROUTER[4])):
            with Tap(outside) as tap:
                assert lab.vm("vm2").tcp_connects(outside.ip4, PORT)
                came = tap.expect(lambda f: f.dport == PORT, "the connection")
                assert came.ip_src == seen
        for outside, name in ((there, "vm2"), (host, "vm3")):
            with Tap(lab.vm("vm2")) as vm2, Tap(lab.vm("vm3")) as vm3:
                assert outside.tcp_connects(shared, PORT)
                for tap in (vm2, vm3):
                    tap.drain()
                    came_to = tap.matching(
                        lambda f, o=outside: f.dport == PORT and f.ip_src == o.ip4
                    )
                    assert bool(came_to) == (tap.vm.name == name)
    finally:
        for each in made:
            scene.net.delete(f"/nats/{each}")


def test_without_its_port_it_is_nowhere(scene: Scene) -> None:
    host = scene.lab.outside("host")
    scene.net.change_port("vm1", enabled=False)
    assert not host.ping(FLOATING[4], timeout=1)
    scene.net.change_port("vm1", enabled=True)
    assert host.reaches(FLOATING[4])


def test_that_of_a_virtual_port_is_where_it_was_spoken_for(scene: Scene) -> None:
    """Its address is on hv2, behind vm2, then on hv1."""
    lab, net, host = scene.lab, scene.net, scene.lab.outside("host")
    virtual, external, mac = "10.80.0.50", "198.51.100.75", "0a:00:00:00:80:75"
    net.port("in", "virtual", type="virtual", virtual_ip=virtual, virtual_parents=["vm2", "vm3"])
    nat(
        scene,
        type="dnat_and_snat",
        external_ip=external,
        logical_ip=virtual,
        logical_port="virtual",
        external_mac=mac,
    )
    assert not host.ping(external, timeout=1), "none has it"
    lab.move_vm("vm3", "hv1")
    lab.wait_until_up(["vm3"])
    for name in ("vm2", "vm3"):
        vm = lab.vm(name)
        vm.namespace.ip("address", "add", f"{virtual}/24", "dev", "eth0")
        with Tap(vm) as tap:
            announcement = frames.arp(1, vm.mac, virtual, "00:00:00:00:00:00", virtual)
            tap.send(frames.ethernet(frames.BROADCAST, vm.mac, ARP, announcement))
        # The switch outside has to hear where the MAC address is.
        out = ("ping", "-n", "-c", "1", "-W", "1", "-I", virtual, host.ip4)
        until(
            lambda vm=vm, out=out: " 0% packet loss" in vm.namespace.run(*out, check=False),  # type: ignore[misc]
            f"the way out of {name}",
            30,
        )
        with Tap(vm) as tap:
            assert host.reaches(external)
            tap.expect(lambda f: f.ip_dst == virtual, f"the request to {name}")
        vm.namespace.ip("address", "del", f"{virtual}/24", "dev", "eth0")
