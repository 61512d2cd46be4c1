"""Port security: each case as allowed and as spoofed, in both directions.

`p1` (hv1) is secured to one MAC with one IPv4 and one IPv6 address, `p2` (hv1) to
a MAC alone, `p3` (hv2) to a MAC and a network; `free` (hv2) is not secured.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import (
    BROADCAST,
    IPV4,
    IPV6,
    RARP,
    UDP,
    arp_request,
    ethernet,
    ipv4,
    ipv6,
    udp,
)
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {
    name: f"0a:00:00:00:05:0{number}" for number, name in enumerate(("p1", "p2", "p3", "free"), 1)
}
IP = {"p1": "10.0.5.1", "p2": "10.0.5.2", "p3": "10.0.5.3", "free": "10.0.5.4"}
IP6 = {"p1": "fd05::1", "p2": "fd05::2", "p3": "fd05::3", "free": "fd05::4"}
LINK_LOCAL_P1 = "fe80::800:ff:fe00:501"
OTHER_MAC = "0a:00:00:00:05:99"
MARK = 9999


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.switch("sec")
    secured = {
        "p1": [f"{MAC['p1']} {IP['p1']} {IP6['p1']}"],
        "p2": [MAC["p2"]],
        "p3": [f"{MAC['p3']} 10.0.5.0/24"],
        "free": [],
    }
    for name, port_security in secured.items():
        addresses = [f"{MAC[name]} {IP[name]} {IP6[name]}"]
        if name == "free":
            addresses.append("unknown")
        net.port("sec", name, *addresses, port_security=port_security)
        scene.lab.add_vm(name, "hv1" if name in ("p1", "p2") else "hv2")
    scene.lab.wait_until_up()


@pytest.fixture
def taps(scene: Scene) -> Iterator[dict[str, Tap]]:
    opened = {name: Tap(scene.lab.vm(name)) for name in MAC}
    yield opened
    for tap in opened.values():
        tap.__exit__(None, None, None)


def udp4(src_mac: str, src: str, dst_mac: str, dst: str, dport: int) -> bytes:
    return ethernet(dst_mac, src_mac, IPV4, ipv4(src, dst, UDP, udp(src, dst, 5000, dport)))


def udp6(src_mac: str, src: str, dst_mac: str, dst: str, dport: int) -> bytes:
    return ethernet(dst_mac, src_mac, IPV6, ipv6(src, dst, UDP, udp(src, dst, 5000, dport)))


def own_packet(name: str, target: str) -> bytes:
    """A packet that port security of `name` allows, as the mark after the one under test."""
    return udp4(MAC[name], IP[name], MAC[target], IP[target], MARK)


def passes(taps: dict[str, Tap], source: str, target: str, frame: bytes) -> bool:
    """Whether `frame` sent by `source` comes out at `target`, decided by the mark behind it."""
    taps[source].send(frame)
    taps[source].send(own_packet(source, target))
    taps[target].expect(lambda got: got.dport == MARK and got.src == MAC[source], "the mark")
    sent = frame[14:]
    return bool(taps[target].matching(lambda got: got.payload[: len(sent)] == sent))


P1_ALLOWED: dict[str, bytes] = {
    "own IPv4": udp4(MAC["p1"], IP["p1"], MAC["free"], IP["free"], 1),
    "own IPv6": udp6(MAC["p1"], IP6["p1"], MAC["free"], IP6["free"], 1),
    "own link-local": udp6(MAC["p1"], LINK_LOCAL_P1, MAC["free"], IP6["free"], 1),
    "DHCP discover from 0.0.0.0": ethernet(
        BROADCAST,
        MAC["p1"],
        IPV4,
        ipv4("0.0.0.0", "255.255.255.255", UDP, udp("0.0.0.0", "255.255.255.255", 68, 67)),
    ),
    "DHCPv6 solicit": udp6(MAC["p1"], LINK_LOCAL_P1, "33:33:00:01:00:02", "ff02::1:2", 547),
    "own ARP": arp_request(MAC["p1"], IP["p1"], "10.0.5.200"),
    "ARP probe from 0.0.0.0": arp_request(MAC["p1"], "0.0.0.0", "10.0.5.201"),
    "duplicate address detection": frames.neighbour_solicitation(MAC["p1"], "::", IP6["p1"]),
    "own neighbour solicitation": frames.neighbour_solicitation(MAC["p1"], IP6["p1"], "fd05::200"),
}
P1_SPOOFED: dict[str, bytes] = {
    "another MAC": udp4(OTHER_MAC, IP["p1"], MAC["free"], IP["free"], 2),
    "another IPv4 address": udp4(MAC["p1"], IP["p2"], MAC["free"], IP["free"], 2),
    "another IPv6 address": udp6(MAC["p1"], IP6["p2"], MAC["free"], IP6["free"], 2),
    "another link-local": udp6(MAC["p1"], "fe80::1", MAC["free"], IP6["free"], 2),
    "UDP from 0.0.0.0 that is not DHCP": ethernet(
        BROADCAST,
        MAC["p1"],
        IPV4,
        ipv4("0.0.0.0", "255.255.255.255", UDP, udp("0.0.0.0", "255.255.255.255", 68, 99)),
    ),
    "ARP with another sender IP": arp_request(MAC["p1"], IP["p2"], "10.0.5.200"),
    "ARP with another sender MAC": arp_request(MAC["p1"], IP["p1"], "10.0.5.202", sha=OTHER_MAC),
    "solicitation with another source": frames.neighbour_solicitation(
        MAC["p1"], IP6["p2"], "fd05::201"
    ),
    "router advertisement": ethernet(
        "33:33:00:00:00:01",
        MAC["p1"],
        IPV6,
        ipv6(
            *(LINK_LOCAL_P1, "ff02::1", frames.ICMPV6),
            frames.icmp6(LINK_LOCAL_P1, "ff02::1", 134, b"\x40\x00\x07\x08" + bytes(8)),
            hops=255,
        ),
    ),
    "DHCP offer": udp4(MAC["p1"], IP["p1"], MAC["free"], IP["free"], 68),
    "DHCPv6 advertise": udp6(MAC["p1"], LINK_LOCAL_P1, MAC["free"], IP6["free"], 546),
    "advertisement for another link-layer address": frames.neighbour_advertisement(
        MAC["p1"], IP6["p1"], MAC["free"], IP6["free"], OTHER_MAC
    ),
}


@pytest.mark.parametrize("case", P1_ALLOWED)
def test_allowed_source(taps: dict[str, Tap], case: str) -> None:
    assert passes(taps, "p1", "free", P1_ALLOWED[case])


@pytest.mark.parametrize("case", P1_SPOOFED)
def test_spoofed_source(taps: dict[str, Tap], case: str) -> None:
    assert not passes(taps, "p1", "free", P1_SPOOFED[case])


@pytest.mark.parametrize(
    ("case", "frame", "allowed"),
    [
        ("any IPv4", udp4(MAC["p2"], "10.9.9.9", MAC["free"], IP["free"], 3), True),
        ("any IPv6", udp6(MAC["p2"], "fd99::9", MAC["free"], IP6["free"], 3), True),
        ("DHCP offer", udp4(MAC["p2"], "10.9.9.9", MAC["free"], IP["free"], 68), False),
        ("RARP", ethernet(BROADCAST, MAC["p2"], RARP, b"\0\1\x08\0\6\4\0\3" + b"\1" * 20), True),
        ("another MAC", udp4(OTHER_MAC, "10.9.9.9", MAC["free"], IP["free"], 3), False),
    ],
)
def test_mac_alone(taps: dict[str, Tap], case: str, frame: bytes, allowed: bool) -> None:
    assert passes(taps, "p2", "free", frame) is allowed


@pytest.mark.parametrize(
    ("case", "frame", "allowed"),
    [
        ("inside", udp4(MAC["p3"], "10.0.5.77", MAC["free"], IP["free"], 4), True),
        ("outside", udp4(MAC["p3"], "10.0.6.77", MAC["free"], IP["free"], 4), False),
        (
            "IPv6 of a port with IPv4 only",
            udp6(MAC["p3"], IP6["p3"], MAC["free"], IP6["free"], 4),
            False,
        ),
    ],
)
def test_network(taps: dict[str, Tap], case: str, frame: bytes, allowed: bool) -> None:
    """An element whose host part is zero allows the whole network."""
    assert passes(taps, "p3", "free", frame) is allowed


def delivered(taps: dict[str, Tap], target: str, frame: bytes) -> bool:
    """Whether a frame sent by the unsecured port comes out at `target`."""
    return passes(taps, "free", target, frame)


FREE: Callable[[str, str, int], bytes] = lambda dst_mac, dst, dport: udp4(  # noqa: E731
    MAC["free"], IP["free"], dst_mac, dst, dport
)


@pytest.mark.parametrize(
    ("case", "target", "frame", "allowed"),
    [
        ("own address", "p1", FREE(MAC["p1"], IP["p1"], 5), True),
        ("another address", "p1", FREE(MAC["p1"], IP["p2"], 5), False),
        ("limited broadcast", "p1", FREE(BROADCAST, "255.255.255.255", 5), True),
        ("multicast", "p1", FREE("01:00:5e:00:00:05", "224.0.0.5", 5), True),
        ("own IPv6", "p1", udp6(MAC["free"], IP6["free"], MAC["p1"], IP6["p1"], 5), True),
        ("another IPv6", "p1", udp6(MAC["free"], IP6["free"], MAC["p1"], IP6["p2"], 5), False),
        (
            "IPv6 multicast",
            "p1",
            udp6(MAC["free"], IP6["free"], "33:33:00:00:00:01", "ff02::1", 5),
            True,
        ),
        ("MAC alone", "p2", FREE(MAC["p2"], "10.9.9.9", 5), True),
        ("inside the network", "p3", FREE(MAC["p3"], "10.0.5.88", 5), True),
        ("outside the network", "p3", FREE(MAC["p3"], "10.0.6.88", 5), False),
    ],
)
def test_destination(
    taps: dict[str, Tap], case: str, target: str, frame: bytes, allowed: bool
) -> None:
    assert delivered(taps, target, frame) is allowed


def test_secured_ports_reach_each_other(scene: Scene) -> None:
    for source, target in (("p1", "p2"), ("p1", "p3"), ("p3", "p1"), ("p2", "free")):
        assert scene.lab.vm(source).reaches(IP[target]), f"{source} to {target}"
    assert scene.lab.vm("p1").reaches(IP6["p2"])
