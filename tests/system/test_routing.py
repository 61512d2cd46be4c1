"""Logical routers: distributed routing, ICMP errors, static routes, neighbour resolution."""

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import ICMP, IPV4, IPV6, SCTP, UDP, ethernet, ipv4, ipv6
from tests.system.tap import Tap

pytestmark = pytest.mark.system

GATEWAY = {"s1": "0a:00:00:00:10:01", "s2": "0a:00:00:00:10:02", "s3": "0a:00:00:00:10:03"}
ABORT = 6
"""The SCTP chunk."""
VMS = {
    # name: (switch, hypervisor, number)
    "v1": ("s1", "hv1", 11),
    "v2": ("s2", "hv1", 12),
    "v3": ("s2", "hv2", 13),
    "v4": ("s3", "hv2", 14),
}


def ip4(name: str) -> str:
    switch, _, number = VMS[name]
    return f"10.1.{switch[1]}.{number}"


def ip6(name: str) -> str:
    switch, _, number = VMS[name]
    return f"fd10:{switch[1]}::{number}"


def mac(name: str) -> str:
    return f"0a:00:00:00:11:{VMS[name][2]}"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`r1` joins `s1` and `s2`; `r2` has `s3`; a link and static routes join the routers."""
    net = scene.net
    net.router("r1")
    net.router("r2")
    for switch, router in {"s1": "r1", "s2": "r1", "s3": "r2"}.items():
        net.switch(switch)
        n = switch[1]
        net.attach(router, switch, GATEWAY[switch], f"10.1.{n}.1/24", f"fd10:{n}::1/64")
    net.router_port("r1", "r1-r2", "0a:00:00:00:12:01", "172.16.0.1/30", "fd12::1/126")
    net.router_port(
        "r2", "r2-r1", "0a:00:00:00:12:02", "172.16.0.2/30", "fd12::2/126", peer="r1-r2"
    )
    net.route("r1", "10.1.3.0/24", "172.16.0.2")
    net.route("r2", "10.1.0.0/16", "172.16.0.1")
    net.route("r1", "fd10:3::/64", "fd12::2")
    net.route("r2", "fd10::/16", "fd12::1")
    for name, (switch, hypervisor, _) in VMS.items():
        net.port(switch, name, f"{mac(name)} {ip4(name)} {ip6(name)}")
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()


@pytest.mark.parametrize(
    ("source", "target"),
    [("v1", "v2"), ("v1", "v3"), ("v3", "v1"), ("v1", "v4"), ("v4", "v2"), ("v4", "v3")],
)
def test_routed_ping(scene: Scene, source: str, target: str) -> None:
    assert scene.lab.vm(source).reaches(ip4(target))
    assert scene.lab.vm(source).reaches(ip6(target))


def test_one_hop_is_taken_off_the_ttl_for_each_router(scene: Scene) -> None:
    with Tap(scene.lab.vm("v3")) as v3, Tap(scene.lab.vm("v4")) as v4:
        scene.lab.vm("v1").ping(ip4("v3"))
        assert v3.expect(lambda frame: frame.protocol == ICMP, "the echo request").ttl == 63
        scene.lab.vm("v1").ping(ip4("v4"))
        assert v4.expect(lambda frame: frame.protocol == ICMP, "the echo request").ttl == 62


@pytest.mark.parametrize(
    "gateway", ["10.1.1.1", "10.1.2.1", "fd10:1::1", "fd10:2::1", "172.16.0.2"]
)
def test_router_answers_ping(scene: Scene, gateway: str) -> None:
    """Its own addresses, those of its other ports, and those of the next router."""
    assert scene.lab.vm("v1").reaches(gateway)


def send_and_expect_icmp(
    scene: Scene, packet: bytes, ethertype: int, kind: int, code: int, source: str
) -> frames.Frame:
    with Tap(scene.lab.vm("v1")) as v1:
        v1.send(ethernet(GATEWAY["s1"], mac("v1"), ethertype, packet))
        error = v1.expect(
            lambda frame: (frame.icmp_type, frame.icmp_code) == (kind, code), f"ICMP {kind}/{code}"
        )
    assert error.ip_src == source
    assert error.src == GATEWAY["s1"]
    return error


def test_time_exceeded(scene: Scene) -> None:
    packet = ipv4(ip4("v1"), ip4("v3"), UDP, frames.udp(ip4("v1"), ip4("v3"), 1, 33434), ttl=1)
    error = send_and_expect_icmp(scene, packet, IPV4, 11, 0, "10.1.1.1")
    # The quoted datagram: header and the first eight octets.
    assert error.l4[8 + 12 : 8 + 20] == frames.ip(ip4("v1")) + frames.ip(ip4("v3"))


def test_time_exceeded_ipv6(scene: Scene) -> None:
    packet = ipv6(ip6("v1"), ip6("v3"), UDP, frames.udp(ip6("v1"), ip6("v3"), 1, 33434), hops=1)
    send_and_expect_icmp(scene, packet, IPV6, 3, 0, "fd10:1::1")


def test_port_and_protocol_unreachable(scene: Scene) -> None:
    datagram = frames.udp(ip4("v1"), "10.1.1.1", 1, 4242)
    send_and_expect_icmp(scene, ipv4(ip4("v1"), "10.1.1.1", UDP, datagram), IPV4, 3, 3, "10.1.1.1")
    send_and_expect_icmp(
        scene, ipv4(ip4("v1"), "10.1.1.1", 132 + 1, b"\0" * 16), IPV4, 3, 2, "10.1.1.1"
    )
    datagram = frames.udp(ip6("v1"), "fd10:1::1", 1, 4242)
    send_and_expect_icmp(
        scene, ipv6(ip6("v1"), "fd10:1::1", UDP, datagram), IPV6, 1, 4, "fd10:1::1"
    )


def test_an_unknown_header_is_pointed_at(scene: Scene) -> None:
    options = bytes((99, 0)) + bytes(6)
    for first, payload, pointer in ((99, bytes(16), 6), (60, options + bytes(16), 40)):
        packet = ipv6(ip6("v1"), "fd10:1::1", first, payload)
        problem = send_and_expect_icmp(scene, packet, IPV6, 4, 1, "fd10:1::1")
        assert int.from_bytes(problem.l4[4:8]) == pointer
        assert problem.l4[8:] == packet


def test_tcp_to_the_router_is_reset(scene: Scene) -> None:
    assert scene.lab.vm("v1").tcp_outcome("10.1.1.1", 22) == "refused"
    assert scene.lab.vm("v1").tcp_outcome("fd10:1::1", 22) == "refused"


def test_sctp_to_the_router_is_aborted(scene: Scene) -> None:
    """The abort carries the tag that the association would have had (RFC 9260 section 8.4)."""
    init = frames.sctp_init(1024, 36412, tag=0x01020304)
    for packet, ethertype, gateway in (
        (ipv4(ip4("v1"), "10.1.1.1", SCTP, init), IPV4, "10.1.1.1"),
        (ipv6(ip6("v1"), "fd10:1::1", SCTP, init), IPV6, "fd10:1::1"),
    ):
        with Tap(scene.lab.vm("v1")) as v1:
            v1.send(ethernet(GATEWAY["s1"], mac("v1"), ethertype, packet))
            abort = v1.expect(lambda frame: frame.protocol == SCTP, "an SCTP packet")
        assert abort.ip_src == gateway
        assert abort.l4[:4] == (36412).to_bytes(2) + (1024).to_bytes(2)
        assert abort.l4[4:8] == bytes([1, 2, 3, 4])
        assert abort.l4[12] == ABORT


def test_link_local_addresses_of_the_router_refuse(scene: Scene) -> None:
    gateway = "fe80::800:ff:fe00:1001"
    datagram = frames.udp(ip6("v1"), gateway, 1, 4242)
    send_and_expect_icmp(scene, ipv6(ip6("v1"), gateway, UDP, datagram), IPV6, 1, 4, gateway)


def test_a_broadcast_address_is_nobodys(scene: Scene) -> None:
    with Tap(scene.lab.vm("v1")) as v1, Tap(scene.lab.vm("v2")) as v2:
        for port, source in ((4242, "10.1.1.255"), (4243, ip4("v1"))):
            packet = ipv4(source, ip4("v2"), UDP, frames.udp(source, ip4("v2"), 1, port))
            v1.send(ethernet(GATEWAY["s1"], mac("v1"), IPV4, packet))
        v2.expect(lambda frame: frame.dport == 4243, "the packet behind it")
        assert not v2.matching(lambda frame: frame.dport == 4242)


def arp_answers(scene: Scene) -> list[str]:
    """Who answers when v2 asks for its gateway, and then for v3."""
    with Tap(scene.lab.vm("v2")) as v2:
        for target in ("10.1.2.1", ip4("v3")):
            v2.send(frames.arp_request(mac("v2"), ip4("v2"), target))
        v2.expect(lambda f: f.arp_op == 2 and f.arp_spa == ip4("v3"), "the answer for v3")
        return [frame.arp_spa for frame in v2.matching(lambda frame: frame.arp_op == 2)]


def test_nothing_answers_for_a_disabled_router(scene: Scene) -> None:
    scene.net.call("PATCH", "/logical-routers/r1", {"enabled": False})
    try:
        assert arp_answers(scene) == [ip4("v3")]
    finally:
        scene.net.call("PATCH", "/logical-routers/r1", {"enabled": True})
    assert arp_answers(scene) == ["10.1.2.1", ip4("v3")]


def test_no_route_is_dropped(scene: Scene) -> None:
    assert not scene.lab.vm("v1").ping("192.0.2.1", timeout=1)


def test_static_route_wins_over_a_shorter_one_and_discard_drops(scene: Scene) -> None:
    net = scene.net
    created = net.call(
        "POST",
        "/logical-routers/r1/static-routes",
        {"ip_prefix": f"{ip4('v4')}/32", "nexthop": "discard"},
    )
    try:
        assert not scene.lab.vm("v1").ping(ip4("v4"), timeout=1)
    finally:
        net.delete(f"/static-routes/{created['id']}")
    assert scene.lab.vm("v1").reaches(ip4("v4"))


def test_unknown_neighbour_is_resolved_and_forgotten(scene: Scene) -> None:
    """A host behind an `unknown` port: the router asks for it, and the first packet gets there."""
    net, lab = scene.net, scene.lab
    net.port("s2", "x1", "unknown")
    x1 = lab.add_vm(
        "x1",
        "hv2",
        VmFacts("0a:00:00:00:11:77", ("10.1.2.77/24", "fd10:2::77/64"), ("10.1.2.1", "fd10:2::1")),
    )
    lab.wait_until_up(["x1"])
    with Tap(x1) as tap:
        assert lab.vm("v1").ping("10.1.2.77", timeout=30), "the first packet was not kept"
        request = tap.expect(lambda frame: frame.arp_op == 1, "an ARP request of the router")
        assert (request.arp_sha, request.arp_spa) == (GATEWAY["s2"], "10.1.2.1")
    assert lab.vm("v1").reaches("fd10:2::77")
    # What one chassis learned serves the other.
    assert lab.vm("v3").reaches("10.1.1.11")
    for hypervisor in lab.hypervisors.values():
        until(
            lambda hypervisor=hypervisor: any(  # type: ignore[misc]
                "0a:00:00:00:11:77" in flow for flow in hypervisor.flows()
            ),
            f"{hypervisor.name} knows the neighbour",
        )
    lab.remove_vm("x1")
    net.delete("/logical-switch-ports/x1")


def test_icmp_error_of_a_routed_host_comes_back(scene: Scene) -> None:
    """A closed UDP port of another host answers through the router."""
    with Tap(scene.lab.vm("v1")) as v1:
        datagram = frames.udp(ip4("v1"), ip4("v3"), 1, 4242)
        packet = ipv4(ip4("v1"), ip4("v3"), UDP, datagram)
        v1.send(ethernet(GATEWAY["s1"], mac("v1"), IPV4, packet))
        error = v1.expect(lambda f: (f.icmp_type, f.icmp_code) == (3, 3), "port unreachable")
        assert error.ip_src == ip4("v3")


def test_tcp_across_routers_and_hypervisors(scene: Scene) -> None:
    scene.lab.listen("v4", 8080)
    until(lambda: scene.lab.vm("v1").tcp_connects(ip4("v4"), 8080), "TCP from v1 to v4")
    assert scene.lab.vm("v1").tcp_connects(ip6("v4"), 8080)


def test_routed_packet_takes_one_tunnel_hop(scene: Scene) -> None:
    """From s1 on hv1 to s2 on hv2: routed on hv1, so hv2 sees it once, in the egress of s2."""
    flow = (
        "in_port=vm-v1,icmp,"
        f"dl_src={mac('v1')},dl_dst={GATEWAY['s1']},nw_src={ip4('v1')},nw_dst={ip4('v3')},"
        "nw_ttl=64,icmp_type=8,icmp_code=0"
    )
    trace = scene.lab.hypervisor("hv1").trace(flow)
    assert trace.count("tnl_push") + trace.count("native tunnel") >= 1, trace
    assert trace.count("-> output to native tunnel") <= 1, trace


def test_what_a_router_makes_passes_connection_tracking(scene: Scene) -> None:
    """A refusal is a reply in the connection of what it refuses."""
    acl = scene.net.acl("ls:s1", "to-lport", 10, "ip4.src == 192.0.2.1", "allow-related")
    refused = frames.tcp(ip4("v1"), "10.1.1.1", 1024, 81)
    packet = ipv4(ip4("v1"), "10.1.1.1", frames.TCP, refused)
    with Tap(scene.lab.vm("v1")) as v1:
        v1.send(ethernet(GATEWAY["s1"], mac("v1"), IPV4, packet))
        v1.expect(lambda frame: bool(frame.tcp_flags & frames.RST), "a reset")
    scene.net.delete(f"/acls/{acl}")
