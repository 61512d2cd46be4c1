"""What a router does with packets that are too big for where they go."""

from ipaddress import ip_address

import pytest

from logical_flow.endpoints import quoted_endpoints
from logical_flow.packet import packet_from_match
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from tests.unit.translator.edge import EDGE, at_gateway_port, packet
from tests.unit.translator.walks import network

NETWORK = """
logical_switches:
  one:
    ports: {vm1: {addresses: ["0a:00:00:00:00:01 10.0.1.1 fd00:1::1"]}, s-one: {router_port: r-one}}
  two:
    ports: {vm2: {addresses: ["0a:00:00:00:00:02 10.0.2.2 fd00:2::2"]}, s-two: {router_port: r-two}}
  six:
    ports: {vm6: {addresses: ["0a:00:00:00:00:06 10.0.6.6"]}, s-six: {router_port: r-six}}
logical_routers:
  r:
    ports:
      r-one: {networks: [10.0.1.254/24, "fd00:1::fe/64"], mac: "0a:00:00:00:00:f1"}
      r-two:
        networks: [10.0.2.254/24, "fd00:2::fe/64"]
        mac: "0a:00:00:00:00:f2"
        gateway_mtu: 1300
      r-six: {networks: ["fd00:6::fe/64"], mac: "0a:00:00:00:00:f6"}
"""
TO_VM2 = (
    'inport == "vm1" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:f1 '
    "&& {family}.src == {src} && {family}.dst == {dst} && ip.ttl == 64 && udp.dst == 9"
)
ENDS = {4: ("10.0.1.1", "10.0.2.2"), 6: ("fd00:1::1", "fd00:2::2")}
ROUTER = {4: "10.0.1.254", 6: "fd00:1::fe"}


def send(packet: str, length: int | None) -> Walk:
    said = {} if length is None else {"packet.length": length}
    return walk(network(NETWORK), packet_from_match(packet) | said)


def to_vm2(version: int) -> str:
    src, dst = ENDS[version]
    return TO_VM2.format(family=f"ip{version}", src=src, dst=dst)


TRANSLATED = (
    EDGE
    + """\
    nats:
      - {type: snat, external_ip: 192.0.2.254, logical_ip: 10.0.1.0/24}
      - {type: dnat_and_snat, external_ip: 192.0.2.2, logical_ip: 10.0.1.2}
      - {type: snat, external_ip: "2001:db8::fe", logical_ip: "fd00:1::/64"}
      - {type: dnat_and_snat, external_ip: "2001:db8::2", logical_ip: "fd00:1::2"}
"""
)
"""A router on a chassis, that translates."""


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("length", [None, 64, 1314])
def test_what_fits_is_delivered(version: int, length: int | None) -> None:
    (delivery,) = send(to_vm2(version), length).deliveries
    assert delivery.port == "vm2"


@pytest.mark.parametrize("version", [4, 6])
def test_the_sender_of_what_is_too_big_is_told(version: int) -> None:
    (delivery,) = send(to_vm2(version), 1315).deliveries
    error = delivery.packet
    assert delivery.port == "vm1"
    kinds = (error.get(f"icmp{version}.type"), error.get(f"icmp{version}.code"))
    assert kinds == ((3, 4) if version == 4 else (2, 0))
    assert ip_address(error[f"ip{version}.src"]) == ip_address(ROUTER[version])
    assert ip_address(error[f"ip{version}.dst"]) == ip_address(ENDS[version][0])
    assert (error["eth.src"], error["eth.dst"]) == (0x0A00000000F1, 0x0A0000000001)


@pytest.mark.parametrize("version", [4, 6])
def test_the_other_direction_has_no_limit(version: int) -> None:
    dst, src = ENDS[version]
    packet = TO_VM2.format(family=f"ip{version}", src=src, dst=dst)
    packet = packet.replace('"vm1"', '"vm2"').replace("00:01", "00:02").replace("00:f1", "00:f2")
    (delivery,) = send(packet, 9000).deliveries
    assert delivery.port == "vm1"


def test_who_came_by_a_port_without_such_an_address_is_told_nothing() -> None:
    packet = to_vm2(4).replace('"vm1"', '"vm6"').replace("00:01", "00:06").replace("00:f1", "00:f6")
    assert send(packet.replace("10.0.1.1", "10.0.6.6"), 1315).deliveries == []


def limited(document: str, port: str) -> str:
    """The same, with a limit of 1300 bytes beyond a router port."""
    return document.replace(f"{port}: {{", f"{port}: {{gateway_mtu: 1300, ")


GATEWAYS = pytest.mark.parametrize(
    "document", [TRANSLATED, at_gateway_port(TRANSLATED)], ids=["router", "port"]
)


def told(document: str, sender: str, src: str, dst: str) -> tuple[str, list[str]]:
    """What the sender of a datagram that is too big hears: from whom, and about which packet."""
    fields = packet_from_match(packet(sender, src, dst, "udp.src == 5000 && udp.dst == 53"))
    (delivery,) = walk(network(document), fields | {"packet.length": 1315}).deliveries
    error = delivery.packet
    family, kind = ("ip6", (2, 0)) if ":" in src else ("ip4", (3, 4))
    icmp = family.replace("ip", "icmp")
    assert delivery.port == sender
    assert (error[f"{icmp}.type"], error[f"{icmp}.code"]) == kind
    assert error[f"{family}.dst"] == int(ip_address(src))
    about = quoted_endpoints(error)
    assert about is not None
    ends = [str(ip_address(end)) for end in (about.source, about.destination)]
    return str(ip_address(error[f"{family}.src"])), ends


@GATEWAYS
@pytest.mark.parametrize(
    ("sender", "src", "dst", "router"),
    [
        ("vm1", "10.0.1.1", "192.0.2.9", "10.0.1.254"),
        ("vm2", "10.0.1.2", "192.0.2.9", "10.0.1.254"),
        ("vm1", "fd00:1::1", "2001:db8::9", "fd00:1::fe"),
        ("vm2", "fd00:1::2", "2001:db8::9", "fd00:1::fe"),
    ],
)
def test_who_is_translated_is_told_of_what_was_sent(
    document: str, sender: str, src: str, dst: str, router: str
) -> None:
    """The limit is that of the outside, before which addresses are translated."""
    assert told(limited(document, "r-out"), sender, src, dst) == (router, [src, dst])


FLOATING_MAC = "0a:00:00:00:02:02"
BEHIND = at_gateway_port(TRANSLATED)
for _logical in ("10.0.1.2", '"fd00:1::2"'):
    BEHIND = BEHIND.replace(
        f"logical_ip: {_logical}",
        f'logical_ip: {_logical}, logical_port: vm2, external_mac: "{FLOATING_MAC}"',
    )
LOCAL = BEHIND.replace(
    "      out-r:", "      net: {type: localnet, network_name: physnet1}\n      out-r:"
)
"""A gateway port, but floating IPs are translated on the chassis of their port."""
FLOATING = pytest.mark.parametrize(
    "document",
    [
        each.replace("dnat_and_snat,", f"dnat_and_snat, stateless: {stateless},")
        for each in (TRANSLATED, at_gateway_port(TRANSLATED), LOCAL)
        for stateless in ("false", "true")
    ],
    ids=["router", "router-stateless", "port", "port-stateless", "local", "local-stateless"],
)


@FLOATING
@pytest.mark.parametrize(
    ("src", "external"), [("192.0.2.9", "192.0.2.2"), ("2001:db8::9", "2001:db8::2")]
)
def test_outside_no_inner_address_shows(document: str, src: str, external: str) -> None:
    """The limit is inside of a floating IP: the error comes from that, and quotes it."""
    assert told(limited(document, "r-in"), "host", src, external) == (external, [src, external])


@FLOATING
@pytest.mark.parametrize(
    ("sender", "src", "external"),
    [
        ("vm1", "10.0.1.1", "192.0.2.2"),
        ("vm2", "10.0.1.2", "192.0.2.2"),
        ("vm1", "fd00:1::1", "2001:db8::2"),
        ("vm2", "fd00:1::2", "2001:db8::2"),
    ],
)
def test_inside_neither(document: str, sender: str, src: str, external: str) -> None:
    """Who asks for a floating IP from inside goes out as the router, or as that one itself."""
    assert told(limited(document, "r-in"), sender, src, external) == (external, [src, external])


def test_the_gateway_has_no_part_in_errors_of_floating_ips_elsewhere() -> None:
    """They leave from where the floating IP is, which knows the connection."""
    text = packet("host", "192.0.2.9", "192.0.2.2", "udp.src == 5000 && udp.dst == 53")
    fields = packet_from_match(text.replace("0a:00:00:00:02:fe", FLOATING_MAC))
    walked = walk(network(limited(LOCAL, "r-in")), fields | {"packet.length": 1315})
    (delivery,) = walked.deliveries
    assert delivery.packet["eth.src"] == int(FLOATING_MAC.replace(":", ""), 16)
    assert not [event for event in walked.events if "cr-" in str(event)]
