"""What a router does not forward, and from where it tells of errors."""

import pytest

from logical_flow.walk_network import Network
from tests.unit.translator.walks import delivered, network, reached

VM, GATEWAY, NEXT = "0a:00:00:00:01:01", "0a:00:00:00:01:fe", "0a:00:00:00:02:01"


@pytest.fixture(scope="module")
def net() -> Network:
    """Everything has a route: to `far`, which takes it for its own or not."""
    return network(f"""
    logical_switches:
      near:
        ports:
          vm: {{addresses: ["{VM} 10.0.1.1 10.0.5.1 fd00:1::1"]}}
          other: {{addresses: ["0a:00:00:00:01:02 10.0.1.2 fd00:1::2 fe80::2"]}}
          near-r: {{type: router, router_port: r-near}}
      beyond:
        ports:
          far: {{addresses: ["{NEXT} 10.0.2.1 fd00:2::1"]}}
          beyond-r: {{type: router, router_port: r-beyond}}
    logical_routers:
      r:
        ports:
          r-near:
            mac: "{GATEWAY}"
            networks: [10.0.1.254/24, 10.0.5.254/24, "fd00:1::fe/64"]
          r-beyond: {{mac: "0a:00:00:00:02:fe", networks: [10.0.2.254/24, "fd00:2::fe/64"]}}
        static_routes:
          - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.2.1}}
          - {{ip_prefix: "::/0", nexthop: "fd00:2::1"}}
    """)


def packet(version: int, src: str, dst: str, eth_dst: str = GATEWAY, more: str = "udp") -> str:
    return (
        f'inport == "vm" && eth.src == {VM} && eth.dst == {eth_dst} && ip{version}.src == {src} '
        f"&& ip{version}.dst == {dst} && ip.ttl == 64 && {more}"
    )


@pytest.mark.parametrize(
    ("version", "src", "dst"),
    [
        (4, "0.0.0.0", "10.0.2.1"),
        (4, "0.1.2.3", "10.0.2.1"),
        (4, "127.0.0.1", "10.0.2.1"),
        (4, "224.0.0.1", "10.0.2.1"),
        (4, "255.255.255.255", "10.0.2.1"),
        (4, "10.0.1.1", "127.0.0.1"),
        (4, "10.0.1.1", "0.0.0.0"),
        (4, "10.0.1.1", "224.0.1.1"),
        (4, "10.0.1.1", "239.255.255.250"),
        (4, "10.0.1.1", "255.255.255.255"),
        (6, "::", "fd00:2::1"),
        (6, "::", "fd00:1::2"),
        (6, "::1", "fd00:2::1"),
        (6, "ff02::1", "fd00:2::1"),
        (6, "fe80::1", "fd00:2::1"),
        (6, "fe80:0:0:1::1", "fd00:2::1"),
        (6, "febf::1", "2001:db8::1"),
        (6, "fd00:1::1", "::1"),
        (6, "fd00:1::1", "fe80:0:0:1::2"),
        (6, "fd00:1::1", "febf::2"),
        (6, "fd00:1::1", "ff0e::1"),
    ],
)
def test_what_has_no_meaning_beyond_its_link_is_not_forwarded(
    net: Network, version: int, src: str, dst: str
) -> None:
    assert reached(net, packet(version, src, dst)) == []


@pytest.mark.parametrize(
    ("version", "src", "dst", "to"),
    [
        (4, "10.0.1.1", "10.0.2.1", "far"),
        (4, "10.0.1.1", "223.255.255.255", "far"),
        (4, "198.51.100.1", "192.0.2.1", "far"),
        (6, "fd00:1::1", "fd00:2::1", "far"),
        (6, "fd00:1::1", "2001:db8::1", "far"),
        (6, "fec0::1", "fd00:2::1", "far"),
        (6, "fe80::1", "fd00:1::2", "other"),
        (6, "fe80::1", "fe80::2", "other"),
        (6, "fd00:1::1", "fe80::2", "other"),
    ],
)
def test_the_rest_is(net: Network, version: int, src: str, dst: str, to: str) -> None:
    assert reached(net, packet(version, src, dst)) == [to]


def test_frames_to_a_group_are_no_packets_to_a_host(net: Network) -> None:
    """Each router on the link would forward a copy (RFC 1812 section 5.3.4)."""
    assert "far" not in reached(net, packet(4, "10.0.1.1", "10.0.2.1", "01:00:5e:00:00:01"))
    assert "far" not in reached(net, packet(6, "fd00:1::1", "fd00:2::1", "33:33:00:00:00:01"))
    assert "far" not in reached(net, packet(4, "10.0.1.1", "10.0.2.1", "ff:ff:ff:ff:ff:ff"))


def test_the_router_answers_nobody_at_the_unspecified_address(net: Network) -> None:
    assert reached(net, packet(6, "::", "fd00:1::fe", more="icmp6.type == 128")) == []
    assert reached(net, packet(6, "::", "fd00:1::fe")) == []


def test_the_router_answers_at_link_local_addresses(net: Network) -> None:
    to_router = "fe80::800:ff:fe00:1fe"
    ping = packet(6, "fd00:1::1", to_router, more="icmp6.type == 128")
    assert delivered(net, ping)["icmp6.type"] == 129
    ping = packet(6, "fe80::800:ff:fe00:101", to_router, more="icmp6.type == 128")
    assert delivered(network_with_link_local(), ping)["icmp6.type"] == 129


def network_with_link_local() -> Network:
    """One in which the router knows the link-local address of the VM."""
    return network(f"""
    logical_switches:
      near:
        ports:
          vm: {{addresses: ["{VM} fe80::800:ff:fe00:101"]}}
          near-r: {{type: router, router_port: r-near}}
    logical_routers:
      r: {{ports: {{r-near: {{mac: "{GATEWAY}", networks: ["fd00:1::fe/64"]}}}}}}
    """)


@pytest.mark.parametrize(("src", "told_from"), [("10.0.1.1", 0x0A0001FE), ("10.0.5.1", 0x0A0005FE)])
def test_errors_come_from_the_senders_network(net: Network, src: str, told_from: int) -> None:
    expired = packet(4, src, "10.0.2.1").replace("ip.ttl == 64", "ip.ttl == 1")
    error = delivered(net, expired)
    assert (error["to"], error["icmp4.type"], error["ip4.src"]) == ("vm", 11, told_from)


def test_senders_elsewhere_are_told_from_the_first_address(net: Network) -> None:
    expired = packet(4, "192.0.2.9", "10.0.2.1").replace("ip.ttl == 64", "ip.ttl == 1")
    assert delivered(net, expired)["ip4.src"] == 0x0A0001FE
