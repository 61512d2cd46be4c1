"""Packets that a switch hands to its agent, where sender and target are on two hypervisors.

Nothing that a VM sends may end a daemon: each test watches both switches live.
"""

import re
from collections.abc import Callable, Iterator

import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, SCTP, TCP, UDP, Frame, ethernet, ipv4, ipv6
from tests.system.tap import Tap

pytestmark = pytest.mark.system

VMS = {
    "a": ("red", "hv1", 10),
    "b": ("red", "hv2", 11),
    "c": ("blue", "hv2", 12),
    "d": ("red", "hv1", 13),
}
"""Port: its switch, its hypervisor, a number. No port of theirs has port security."""
NUMBER = {"red": 1, "blue": 2}
GATEWAY = {switch: f"0a:00:00:00:3f:0{n}" for switch, n in NUMBER.items()}
HOST = "0a:00:00:00:30:63"
"""The MAC address of the host behind the port `u` on hv2, which has no addresses of its own."""
STRANGER = "0a:00:00:00:30:62"
"""That of the host behind another such port, `w` on hv1."""


def mac(name: str) -> str:
    return f"0a:00:00:00:30:{VMS[name][2]}"


def ip4(name: str) -> str:
    return f"10.3.{NUMBER[VMS[name][0]]}.{VMS[name][2]}"


def ip6(name: str) -> str:
    return f"fd30:{NUMBER[VMS[name][0]]}::{VMS[name][2]}"


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    """`r30` joins `red` and `blue`; on `blue` two `unknown` ports have a host each."""
    net = scene.net
    net.router("r30")
    for switch, n in NUMBER.items():
        net.switch(switch)
        net.attach("r30", switch, GATEWAY[switch], f"10.3.{n}.1/24", f"fd30:{n}::1/64")
    for name, (switch, hypervisor, _) in VMS.items():
        net.port(switch, name, f"{mac(name)} {ip4(name)} {ip6(name)}")
        scene.lab.add_vm(name, hypervisor)
    for name in ("u", "w"):
        net.port("blue", name, "unknown")
    gateways = ("10.3.2.1", "fd30:2::1")
    scene.lab.add_vm("u", "hv2", VmFacts(HOST, ("10.3.2.99/24", "fd30:2::99/64"), gateways))
    scene.lab.add_vm("w", "hv1", VmFacts(STRANGER, ("10.3.2.98/24", "fd30:2::98/64"), gateways))
    scene.lab.wait_until_up()
    # The underlay answers ARP, too, before its first packet gets through.
    assert scene.lab.vm("a").reaches(ip4("b"))


@pytest.fixture(autouse=True)
def _switches_live(scene: Scene) -> Iterator[None]:
    roles = [f"{name}/ovs-vswitchd" for name in ("hv1", "hv2")]
    before = {role: scene.lab.process(role) for role in roles}
    yield
    for role, process in before.items():
        assert scene.lab.process(role) == process
        process.check()


@pytest.fixture
def rejecting(scene: Scene) -> Iterator[None]:
    """Ports 80 of every protocol are refused by `b` and `c`, and whatever has no port."""
    refused = "(udp.dst == 80 || tcp.dst == 80 || sctp.dst == 80 || ip.proto == 99)"
    acls = [
        scene.net.acl(
            f"ls:{switch}", "to-lport", 1000, f'outport == "{port}" && {refused}', "reject"
        )
        for switch, port in (("red", "b"), ("blue", "c"))
    ]
    yield
    for acl in acls:
        scene.net.delete(f"/acls/{acl}")


def packets(version: int, src: str, dst: str) -> list[bytes]:
    """A packet of each kind that `rejecting` refuses."""
    write = ipv4 if version == 4 else ipv6
    return [
        write(src, dst, UDP, frames.udp(src, dst, 5000, 80)),
        write(src, dst, TCP, frames.tcp(src, dst, 5000, 80)),
        write(src, dst, SCTP, frames.sctp_init(5000, 80, tag=7)),
        write(src, dst, 99, bytes(16)),
    ]


def refusals(version: int) -> list[Callable[[Frame], bool]]:
    """What `packets` are answered with."""
    unreachable = 3 if version == 4 else 1
    port = (3, 3) if version == 4 else (1, 4)
    return [
        lambda frame: (frame.icmp_type, frame.icmp_code) == port,
        lambda frame: bool(frame.tcp_flags & frames.RST),
        lambda frame: frame.protocol == SCTP and frame.l4[12] == 6,
        lambda frame: frame.icmp_type == unreachable and (frame.icmp_type, frame.icmp_code) != port,
    ]


def mark(scene: Scene, tap: Tap, target: str) -> None:
    """Have a packet of `a` get to `target` after all that it sent before."""
    src, dst = ip4("a"), ip4(target)
    with Tap(scene.lab.vm(target)) as receiver:
        to = mac(target) if VMS[target][0] == "red" else GATEWAY["red"]
        tap.send(ethernet(to, mac("a"), IPV4, ipv4(src, dst, UDP, frames.udp(src, dst, 1, 9999))))
        receiver.expect(lambda frame: frame.dport == 9999, "the mark")


@pytest.mark.usefixtures("rejecting")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("target", ["b", "c"])
def test_refusals_come_back_through_tunnel_and_router(
    scene: Scene, target: str, version: int
) -> None:
    ethertype, address = (IPV4, ip4) if version == 4 else (IPV6, ip6)
    to = mac(target) if VMS[target][0] == "red" else GATEWAY["red"]
    sent = packets(version, address("a"), address(target))
    with Tap(scene.lab.vm("a")) as a:
        for packet, wanted in zip(sent, refusals(version), strict=True):
            a.send(ethernet(to, mac("a"), ethertype, packet))
            answer = a.expect(wanted, "a refusal")
            assert (answer.ip_src, answer.ip_dst) == (address(target), address("a"))


@pytest.mark.usefixtures("rejecting")
@pytest.mark.parametrize(
    ("version", "source"),
    [
        (4, "10.3.1.77"),
        (4, "10.3.2.77"),
        (4, "192.0.2.7"),
        (4, "10.3.1.1"),
        (6, "fd30:1::77"),
        (6, "fd30:2::77"),
        (6, "2001:db8::7"),
        (6, "fe80::77"),
        (6, "::"),
    ],
)
@pytest.mark.parametrize("target", ["b", "c"])
def test_addresses_that_no_port_has_are_refused_in_peace(
    scene: Scene, target: str, version: int, source: str
) -> None:
    """The refusal is for a neighbour that nobody knows: it makes its switch's agent ask again."""
    ethertype, address = (IPV4, ip4) if version == 4 else (IPV6, ip6)
    with Tap(scene.lab.vm("a")) as a:
        for to in (mac(target), GATEWAY["red"]):
            for packet in packets(version, source, address(target)):
                a.send(ethernet(to, mac("a"), ethertype, packet))
        mark(scene, a, target)
        a.send(ethernet(mac("b"), mac("a"), IPV4, packets(4, ip4("a"), ip4("b"))[1]))
        a.expect(lambda frame: bool(frame.tcp_flags & frames.RST), "the refusal behind them")


@pytest.mark.parametrize("version", [4, 6])
def test_packets_wait_for_a_neighbour_on_another_hypervisor(scene: Scene, version: int) -> None:
    """The other one's agent learns it; the packet goes on where it waits."""
    source, target = (ip4("a"), "10.3.2.99") if version == 4 else (ip6("a"), "fd30:2::99")
    ethertype, write = (IPV4, ipv4) if version == 4 else (IPV6, ipv6)
    packet = write(source, target, UDP, frames.udp(source, target, 1, 9998))
    with Tap(scene.lab.vm("a")) as a, Tap(scene.lab.vm("u")) as u:
        a.send(ethernet(GATEWAY["red"], mac("a"), ethertype, packet))
        u.expect(lambda frame: frame.dport == 9998, "the packet that waited")


@pytest.mark.parametrize("version", [4, 6])
def test_routers_answer_with_errors_of_their_own(scene: Scene, version: int) -> None:
    """Time exceeded of what was to be forwarded, refusals of what was for the router."""
    source, target, gateway = (
        (ip4("a"), ip4("c"), "10.3.2.1") if version == 4 else (ip6("a"), ip6("c"), "fd30:2::1")
    )
    ethertype, write = (IPV4, ipv4) if version == 4 else (IPV6, ipv6)
    with Tap(scene.lab.vm("a")) as a:
        a.send(
            ethernet(
                *(GATEWAY["red"], mac("a"), ethertype),
                write(source, target, UDP, frames.udp(source, target, 1, 80), 1),
            )
        )
        expired = 11 if version == 4 else 3
        a.expect(lambda frame: frame.icmp_type == expired, "time exceeded")
        for packet in packets(version, source, gateway):
            a.send(ethernet(GATEWAY["red"], mac("a"), ethertype, packet))
        a.expect(lambda frame: bool(frame.tcp_flags & frames.RST), "a reset of the router")
        a.expect(lambda frame: frame.protocol == SCTP, "an abort of the router")


@pytest.mark.parametrize("version", [4, 6])
def test_packets_to_an_absent_neighbour_ask_for_it_a_few_times(scene: Scene, version: int) -> None:
    """However many they are: one question for all of them, repeated while nothing answers."""
    source, target = (ip4("a"), "10.3.2.200") if version == 4 else (ip6("a"), "fd30:2::200")
    ethertype, write = (IPV4, ipv4) if version == 4 else (IPV6, ipv6)
    packet = write(source, target, UDP, frames.udp(source, target, 1, 9))

    def asks(frame: Frame) -> bool:
        if version == 4:
            return frame.arp_op == 1 and frame.payload[24:28] == frames.ip(target)
        return frame.icmp_type == frames.NS and frame.l4[8:24] == frames.ip(target)

    def unanswered() -> int:
        return int(scene.lab.hypervisor("hv1").agent("status")["punted"]["unanswered"])

    before = unanswered()
    with Tap(scene.lab.vm("a")) as a, Tap(scene.lab.vm("c")) as c:
        for _ in range(600):
            a.send(ethernet(GATEWAY["red"], mac("a"), ethertype, packet))
        until(lambda: unanswered() > before, "the agent gave up")
        mark(scene, a, "c")
        c.expect(lambda frame: frame.dport == 9999, "the mark behind the questions")
        rounds = unanswered() - before + 1
        assert 1 <= len(c.matching(asks)) <= 3 * rounds


def test_a_flood_of_refusals_leaves_those_of_others_alone(scene: Scene) -> None:
    """`a` and `d` are on one hypervisor, whose agent refuses what both send."""
    acl = scene.net.acl("ls:red", "from-lport", 1000, "udp.dst == 81", "reject")
    ports = range(5000, 5050)

    def refused(source: str, port: int) -> bytes:
        src, dst = ip4(source), ip4("b")
        packet = ipv4(src, dst, UDP, frames.udp(src, dst, port, 81))
        return ethernet(mac("b"), mac(source), IPV4, packet)

    def quoted_port(frame: Frame) -> int:
        return int.from_bytes(frame.l4[28:30]) if frame.icmp_type == 3 else 0

    with Tap(scene.lab.vm("a")) as a, Tap(scene.lab.vm("d")) as d:
        for port in ports:
            for _ in range(100):
                a.send(refused("a", port))
            d.send(refused("d", port))
        for port in ports:
            d.expect(lambda frame, port=port: quoted_port(frame) == port, f"refusal {port}")  # type: ignore[misc]
        a.expect(lambda frame: frame.icmp_type == 3, "a refusal")
    scene.net.delete(f"/acls/{acl}")


def neighbours(scene: Scene, hypervisor: str) -> dict[str, str]:
    """What the routers of a hypervisor learned: MAC address by the number of the IP address."""
    found = {}
    for flow in scene.lab.hypervisor(hypervisor).flows():
        learned = _LEARNED.search(flow)
        if learned:
            found[learned[1]] = learned[2]
    return found


_LEARNED = re.compile(r"reg0=(0x[0-9a-f]+),.*set_field:([0-9a-f:]{17})->eth_dst")
"""Of a neighbour flow: the first 32 bits of its address, and its MAC address."""


def announce(tap: Tap, source: str, *addresses: str) -> None:
    """Say to all of `blue` that the sender has these addresses."""
    for address in addresses:
        if ":" in address:
            group = "ff02::1"
            body = b"\x20\0\0\0" + frames.ip(address) + b"\x02\x01" + frames.mac(source)
            message = frames.icmp6("fe80::62", group, frames.NA, body)
            packet = ipv6("fe80::62", group, frames.ICMPV6, message, hops=255)
            tap.send(ethernet("33:33:00:00:00:01", source, IPV6, packet))
        else:
            tap.send(frames.arp_request(source, address, address))


def test_asking_for_the_gateway_wins_a_stolen_address_back(scene: Scene) -> None:
    number = f"{int.from_bytes(frames.ip('10.3.2.99')):#x}"

    def known_as(mac_address: str) -> None:
        for hypervisor in ("hv1", "hv2"):
            until(
                lambda hypervisor=hypervisor: (  # type: ignore[misc]
                    neighbours(scene, hypervisor).get(number) == mac_address
                ),
                f"{hypervisor} knows {mac_address}",
            )

    with Tap(scene.lab.vm("w")) as w, Tap(scene.lab.vm("u")) as u:
        announce(u, HOST, "10.3.2.99")
        known_as(HOST)
        announce(w, STRANGER, "10.3.2.99")
        known_as(STRANGER)
        u.send(frames.arp_request(HOST, "10.3.2.99", "10.3.2.1"))
        answer = u.expect(lambda frame: frame.arp_op == 2, "the router's answer")
        assert (answer.arp_sha, answer.arp_spa) == (GATEWAY["blue"], "10.3.2.1")
        known_as(HOST)
        assert not w.matching(lambda frame: frame.arp_op == 1 and frame.src == HOST)
    assert scene.lab.vm("a").reaches("10.3.2.99")


def test_a_router_learns_hosts_of_its_networks_only(scene: Scene) -> None:
    wrong4 = ("10.3.2.1", "10.3.2.0", "10.3.2.255", "8.8.8.8", "127.0.0.1", "224.0.0.1")
    wrong6 = ("fd30:2::1", "fd30:2::", "::1", "ff02::7", "2001:db8::1")
    with Tap(scene.lab.vm("w")) as w:
        announce(w, STRANGER, *wrong4, *wrong6, "10.3.2.97", "fe80::97")
        for number in (f"{int.from_bytes(frames.ip('10.3.2.97')):#x}", "0xfe800000"):
            until(
                lambda number=number: neighbours(scene, "hv2").get(number) == STRANGER,  # type: ignore[misc]
                f"the neighbour {number}",
            )
    learned = neighbours(scene, "hv2").keys()
    assert not learned & {f"{int.from_bytes(frames.ip(ip)[:4]):#x}" for ip in wrong4}
    assert not learned & {"0x1", "0x0", "0xff020000", "0x20010db8"}
