"""Port security: each case both ways, allowed and spoofed."""

import pytest

from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, reached

MAC, OTHER = "0a:00:00:00:01:01", "0a:00:00:00:01:02"
LINK_LOCAL = "fe80::800:ff:fe00:101"


@pytest.fixture(scope="module")
def net() -> Network:
    return network(f"""
    logical_switches:
      web:
        ports:
          mac: {{addresses: ["{MAC}"], port_security: ["{MAC}"]}}
          sink: {{addresses: ["{OTHER} 10.0.1.2"]}}
      web4:
        ports:
          ip4:
            addresses: ["{MAC} 10.0.1.1"]
            port_security: ["{MAC} 10.0.1.1/24 192.0.2.0/24"]
          sink4: {{addresses: ["{OTHER} 10.0.1.2"]}}
      web6:
        ports:
          ip6: {{addresses: ["{MAC} fd00::1"], port_security: ["{MAC} fd00::1"]}}
          sink6: {{addresses: ["{OTHER} fd00::2"]}}
    """)


def frame(port: str, match: str, *, src: str = MAC, dst: str = OTHER) -> str:
    return f'inport == "{port}" && eth.src == {src} && eth.dst == {dst} && {match}'


BROADCAST = "ff:ff:ff:ff:ff:ff"
SENT = [
    ("mac", frame("mac", "ip4.src == 10.9.9.9"), True),
    ("mac", frame("mac", "ip6.src == fd99::9"), True),
    ("mac", frame("mac", "ip4.src == 10.9.9.9", src="0a:00:00:00:01:77"), False),
    ("mac", frame("mac", f"arp.op == 2 && arp.sha == {MAC}"), True),
    ("mac", frame("mac", f"arp.op == 2 && arp.sha == {OTHER}"), False),
    ("mac", frame("mac", f"nd_na && nd.tll == {MAC}"), True),
    ("mac", frame("mac", f"nd_na && nd.tll == {OTHER}"), False),
    ("mac", frame("mac", "icmp6 && ip.ttl == 255 && ip.frag == 1"), False),
    ("mac", frame("mac", "icmp6 && ip.ttl == 64 && ip.frag == 1"), True),
    ("mac", frame("mac", "icmp6 && ip.ttl == 64 && ip.frag == 3"), True),
    ("mac", frame("mac", "udp && ip.ttl == 255 && ip.frag == 1"), True),
    ("mac", frame("mac", "rarp.op == 3"), True),
    ("mac", frame("mac", "icmp6.type == 134 && ip.ttl == 255"), False),
    ("mac", frame("mac", "icmp6.type == 137 && ip.ttl == 255"), False),
    ("mac", frame("mac", "icmp6.type == 133 && ip.ttl == 255"), True),
    ("mac", frame("mac", "ip4.src == 10.0.1.1 && udp.src == 67 && udp.dst == 68"), False),
    ("mac", frame("mac", "ip6.src == fd00::1 && udp.src == 547 && udp.dst == 546"), False),
    ("mac", frame("mac", "ip4.src == 10.0.1.1 && udp.src == 68 && udp.dst == 67"), True),
    ("mac", frame("mac", "ip6.src == fd00::1 && udp.src == 546 && udp.dst == 547"), True),
    ("mac", frame("mac", "ip4.src == 10.0.1.1 && udp.dst == 546"), True),
    ("ip4", frame("ip4", "ip4.src == 10.0.1.1 && udp.src == 67 && udp.dst == 68"), False),
    ("ip6", frame("ip6", f"ip6.src == {LINK_LOCAL} && icmp6.type == 134 && ip.ttl == 255"), False),
    ("ip6", frame("ip6", f"ip6.src == {LINK_LOCAL} && udp.dst == 546"), False),
    ("ip6", frame("ip6", f"ip6.src == {LINK_LOCAL} && udp.dst == 547"), True),
    ("ip4", frame("ip4", "ip4.src == 10.0.1.1"), True),
    ("ip4", frame("ip4", "ip4.src == 10.0.1.3"), False),
    ("ip4", frame("ip4", "ip4.src == 192.0.2.77"), True),
    ("ip4", frame("ip4", f"ip6.src == {LINK_LOCAL}"), False),
    ("ip4", frame("ip4", f"arp.op == 2 && arp.sha == {MAC} && arp.spa == 10.0.1.1"), True),
    ("ip4", frame("ip4", f"arp.op == 2 && arp.sha == {MAC} && arp.spa == 10.0.1.2"), False),
    ("ip4", frame("ip4", f"arp.op == 2 && arp.sha == {OTHER} && arp.spa == 10.0.1.1"), False),
    ("ip4", frame("ip4", f"arp.op == 1 && arp.sha == {MAC} && arp.spa == 0.0.0.0"), True),
    ("ip4", frame("ip4", f"arp.op == 2 && arp.sha == {MAC} && arp.spa == 0.0.0.0"), False),
    ("ip4", frame("ip4", f"nd_na && nd.tll == {MAC}"), False),
    (
        "ip4",
        frame(
            "ip4",
            "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67",
            dst=BROADCAST,
        ),
        True,
    ),
    (
        "ip4",
        frame("ip4", "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.dst == 53"),
        False,
    ),
    ("ip6", frame("ip6", "ip6.src == fd00::1"), True),
    ("ip6", frame("ip6", f"ip6.src == {LINK_LOCAL}"), True),
    ("ip6", frame("ip6", "ip6.src == fe80::1"), False),
    ("ip6", frame("ip6", "ip4.src == 10.0.1.1"), False),
    ("ip6", frame("ip6", f"arp.op == 2 && arp.sha == {MAC}"), False),
    (
        "ip6",
        frame("ip6", f"nd_na && nd.tll == {MAC} && nd.target == fd00::1 && ip6.src == fd00::1"),
        True,
    ),
    (
        "ip6",
        frame("ip6", f"nd_na && nd.tll == {MAC} && nd.target == fd00::2 && ip6.src == fd00::1"),
        False,
    ),
    (
        "ip6",
        frame(
            "ip6",
            "nd_ns && ip6.src == :: && ip6.dst == ff02::1:ff00:1 && nd.target == fd00::1",
            dst="33:33:ff:00:00:01",
        ),
        True,
    ),
    (
        "ip6",
        frame(
            "ip6",
            "ip6.src == :: && ip6.dst == ff02::16 && icmp6.type == 143",
            dst="33:33:00:00:00:16",
        ),
        True,
    ),
    ("ip6", frame("ip6", "ip6.src == :: && ip6.dst == fd00::2 && tcp"), False),
]


@pytest.mark.parametrize(("port", "packet", "passes"), SENT, ids=lambda value: str(value)[-60:])
def test_sending(net: Network, port: str, packet: str, passes: bool) -> None:
    sink = {"mac": "sink", "ip4": "sink4", "ip6": "sink6"}[port]
    assert reached(net, packet) == ([sink] if passes else [])


def receive(match: str, sink: str = "sink4", dst: str = MAC) -> str:
    return f'inport == "{sink}" && eth.src == {OTHER} && eth.dst == {dst} && {match}'


RECEIVED = [
    ("ip4", receive("ip4.dst == 10.0.1.1"), True),
    ("ip4", receive("ip4.dst == 10.0.1.3"), False),
    ("ip4", receive("ip4.dst == 192.0.2.9"), True),
    ("ip4", receive("ip4.dst == 10.0.1.255"), True),
    ("ip4", receive("ip4.dst == 255.255.255.255"), True),
    ("ip4", receive("ip4.dst == 224.0.0.251"), True),
    ("ip4", receive("ip6.dst == fd00::1"), False),
    ("ip4", receive("ip4.dst == 10.9.9.9", dst=BROADCAST), True),
    ("ip6", receive("ip6.dst == fd00::1", "sink6"), True),
    ("ip6", receive(f"ip6.dst == {LINK_LOCAL}", "sink6"), True),
    ("ip6", receive("ip6.dst == ff02::1", "sink6", "33:33:00:00:00:01"), True),
    ("ip6", receive("ip6.dst == fd00::9", "sink6"), False),
    ("ip6", receive("ip4.dst == 10.0.1.1", "sink6"), False),
    ("mac", receive("ip4.dst == 10.9.9.9", "sink"), True),
]


@pytest.mark.parametrize(("port", "packet", "passes"), RECEIVED, ids=lambda value: str(value)[-60:])
def test_receiving(net: Network, port: str, packet: str, passes: bool) -> None:
    assert reached(net, packet) == ([port] if passes else [])
