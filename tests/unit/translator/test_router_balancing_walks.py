"""What load balancers of routers do with packets."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from logical_flow.walk_network import Network
from tests.unit.translator.edge import EDGE, at_gateway_port, packet, without_gateway
from tests.unit.translator.walks import delivered, network, reached

NETWORK = (
    EDGE
    + """load_balancers:
  shop:
    routers: [r]
    vips:
      - {address: 192.0.2.80, port: 80, backends: ["10.0.1.1:8080"]}
      - {address: 192.0.2.81, backends: [10.0.1.2]}
      - {address: 192.0.2.82, port: 80}
      - {address: 192.0.2.254, port: 80, backends: ["10.0.1.1:8080"]}
      - {address: 198.51.100.7, port: 80, backends: ["10.0.1.1:8080", "10.0.1.2:8080"]}
      - {address: "2001:db8::80", port: 80, backends: ["[fd00:1::1]:8080"]}
  strict:
    protocol: udp
    reject: true
    routers: [r]
    vips:
      - {address: 192.0.2.83, port: 53}
"""
)
GATEWAY_PORT = at_gateway_port(NETWORK)
OUTSIDE = {4: "192.0.2.9", 6: "2001:db8::9"}


@pytest.fixture(params=[NETWORK, GATEWAY_PORT], ids=["router", "gateway"])
def net(request: pytest.FixtureRequest) -> Network:
    return network(request.param)


def tcp(port: str, src: str, dst: str, sport: int, dport: int) -> str:
    return packet(port, src, dst, f"tcp.src == {sport} && tcp.dst == {dport}")


def seen(found: Any) -> tuple[str, str, int, str, int]:
    """Where a packet comes out, with its ends."""
    family = "ip6" if "ip6.src" in found else "ip4"
    ends = (str(ip_address(found[f"{family}.{side}"])) for side in ("src", "dst"))
    src, dst = ends
    return found["to"], src, found["tcp.src"], dst, found["tcp.dst"]


@pytest.mark.parametrize(
    ("vip", "port", "backend", "logical", "behind"),
    [
        ("192.0.2.80", 80, "vm1", "10.0.1.1", 8080),
        ("192.0.2.81", 7, "vm2", "10.0.1.2", 7),
        ("192.0.2.254", 80, "vm1", "10.0.1.1", 8080),
        ("2001:db8::80", 80, "vm1", "fd00:1::1", 8080),
    ],
)
def test_a_connection_and_its_replies(
    net: Network, vip: str, port: int, backend: str, logical: str, behind: int
) -> None:
    outside = OUTSIDE[6 if ":" in vip else 4]
    for _ in range(2):
        request = delivered(net, tcp("host", outside, vip, 5000, port))
        assert seen(request) == (backend, outside, 5000, logical, behind)
        reply = delivered(net, tcp(backend, logical, outside, behind, 5000))
        assert seen(reply) == ("host", vip, port, outside, 5000)


def test_one_of_several(net: Network) -> None:
    request = tcp("host", "192.0.2.9", "198.51.100.7", 5000, 80)
    assert reached(net, request) == ["vm1", "vm2"]


def test_what_backends_send_of_their_own_is_left_alone(net: Network) -> None:
    sent = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 8080, 4000))
    assert seen(sent) == ("host", "10.0.1.1", 8080, "192.0.2.9", 4000)


def test_without_backends(net: Network) -> None:
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.82", 5000, 80)) == []
    question = packet("host", "192.0.2.9", "192.0.2.83", "udp.src == 5 && udp.dst == 53")
    refusal = delivered(net, question)
    assert (refusal["to"], refusal["icmp4.type"], refusal["icmp4.code"]) == ("host", 3, 3)


@pytest.mark.parametrize("vip", ["192.0.2.80", "198.51.100.7"])
def test_other_ports_of_a_virtual_address(net: Network, vip: str) -> None:
    assert reached(net, tcp("host", "192.0.2.9", vip, 5000, 81)) == []
    assert reached(net, packet("host", "192.0.2.9", vip, "udp.src == 5 && udp.dst == 80")) == []
    echo = packet("host", "192.0.2.9", vip, "icmp4.type == 8 && icmp4.code == 0")
    answer = delivered(net, echo)
    assert (answer["to"], str(ip_address(answer["ip4.src"]))) == ("host", vip)


def test_an_own_address_with_another_port_refuses(net: Network) -> None:
    answer = delivered(net, tcp("host", "192.0.2.9", "192.0.2.254", 5000, 81))
    assert (answer["to"], answer["tcp.flags"] & 4) == ("host", 4)


@pytest.mark.parametrize("responder", ["reachable", "all", "none"])
@pytest.mark.parametrize("document", [NETWORK, GATEWAY_PORT], ids=["router", "gateway"])
def test_who_answers_for_it(document: str, responder: str) -> None:
    net = network(document.replace("  shop:\n", f"  shop:\n    neighbor_responder: {responder}\n"))
    arp = (
        'inport == "host" && eth.src == 0a:00:00:00:02:09 && eth.dst == ff:ff:ff:ff:ff:ff '
        "&& arp.op == 1 && arp.sha == 0a:00:00:00:02:09 && arp.spa == 192.0.2.9 "
        "&& arp.tpa == {ip} && arp.tha == 00:00:00:00:00:00"
    )
    nd = (
        'inport == "host" && eth.src == 0a:00:00:00:02:09 && eth.dst == 33:33:ff:00:00:80 '
        "&& ip6.src == 2001:db8::9 && ip6.dst == ff02::1:ff00:80 && ip.ttl == 255 "
        "&& icmp6.type == 135 && icmp6.code == 0 && nd.target == 2001:db8::80 "
        "&& nd.sll == 0a:00:00:00:02:09"
    )
    within = [] if responder == "none" else ["host"]
    assert reached(net, arp.format(ip="192.0.2.80")) == within
    assert reached(net, nd) == within
    beyond = ["host"] if responder == "all" else []
    assert reached(net, arp.format(ip="198.51.100.7")) == beyond


def test_without_a_gateway_the_switches_of_clients_balance() -> None:
    net = network(without_gateway(NETWORK))
    request = delivered(net, tcp("host", "192.0.2.9", "192.0.2.80", 5000, 80))
    assert seen(request) == ("vm1", "192.0.2.9", 5000, "10.0.1.1", 8080)
    reply = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 8080, 5000))
    assert seen(reply) == ("host", "192.0.2.80", 80, "192.0.2.9", 5000)


def test_the_example_of_the_page() -> None:
    page = Path(__file__).parents[3] / "docs" / "load-balancers.md"
    example = page.read_text().split("```yaml\n")[2].partition("```")[0]
    own, gateway = "0a:00:00:00:00:99", "0a:00:00:00:00:fd"
    request = (
        f'inport == "host" && eth.src == {own} && eth.dst == {gateway} && ip.ttl == 64 '
        "&& ip4.src == 192.0.2.9 && ip4.dst == 192.0.2.80 && tcp.src == 5000 && tcp.dst == 80"
    )
    assert reached(network(example), request) == ["web-1", "web-2"]


FORCED = NETWORK.replace(
    "    chassis: hv1\n", "    chassis: hv1\n    lb_force_snat_router_ip: true\n"
)
FORCED_IPS = NETWORK.replace(
    "    chassis: hv1\n",
    '    chassis: hv1\n    lb_force_snat_ips: [10.0.1.254, "fd00:1::fe"]\n',
)


@pytest.mark.parametrize("document", [FORCED, FORCED_IPS], ids=["port", "addresses"])
@pytest.mark.parametrize(
    ("vip", "logical", "source"),
    [
        ("192.0.2.80", "10.0.1.1", "10.0.1.254"),
        ("192.0.2.254", "10.0.1.1", "10.0.1.254"),
        ("2001:db8::80", "fd00:1::1", "fd00:1::fe"),
    ],
)
def test_backends_see_the_router(document: str, vip: str, logical: str, source: str) -> None:
    net = network(document)
    outside = OUTSIDE[6 if ":" in vip else 4]
    for _ in range(2):
        request = delivered(net, tcp("host", outside, vip, 5000, 80))
        assert seen(request) == ("vm1", source, 5000, logical, 8080)
        reply = delivered(net, tcp("vm1", logical, source, 8080, 5000))
        assert seen(reply) == ("host", vip, 80, outside, 5000)
    refused = delivered(net, tcp("vm1", logical, source, 9, 9))
    assert (refused["to"], refused["tcp.flags"] & 4) == ("vm1", 4)


@pytest.mark.parametrize("document", [FORCED, FORCED_IPS], ids=["port", "addresses"])
def test_backends_see_the_router_before_they_have_answered(document: str) -> None:
    """What is sent again, or sent next, is of the same connection."""
    net = network(document)
    for _ in range(3):
        request = delivered(net, tcp("host", "192.0.2.9", "192.0.2.80", 5000, 80))
        assert seen(request) == ("vm1", "10.0.1.254", 5000, "10.0.1.1", 8080)


def test_backends_see_who_asks_where_a_load_balancer_says_so() -> None:
    net = network(FORCED.replace("  shop:\n", "  shop:\n    skip_snat: true\n"))
    for _ in range(2):
        request = delivered(net, tcp("host", "192.0.2.9", "192.0.2.80", 5000, 80))
        assert seen(request) == ("vm1", "192.0.2.9", 5000, "10.0.1.1", 8080)
        reply = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 8080, 5000))
        assert seen(reply) == ("host", "192.0.2.80", 80, "192.0.2.9", 5000)


NAT = """
    nats:
      - {type: snat, external_ip: 192.0.2.254, logical_ip: 10.0.1.0/24}
load_balancers:
"""


@pytest.mark.parametrize("document", [NETWORK, GATEWAY_PORT], ids=["router", "gateway"])
def test_sources_and_virtual_addresses_side_by_side(document: str) -> None:
    net = network(document.replace("load_balancers:\n", NAT.lstrip("\n")))
    for _ in range(2):
        request = delivered(net, tcp("host", "192.0.2.9", "192.0.2.254", 5000, 80))
        assert seen(request) == ("vm1", "192.0.2.9", 5000, "10.0.1.1", 8080)
        reply = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 8080, 5000))
        assert seen(reply) == ("host", "192.0.2.254", 80, "192.0.2.9", 5000)
        own = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 4000, 22))
        assert seen(own) == ("host", "192.0.2.254", 4000, "192.0.2.9", 22)
        answer = delivered(net, tcp("host", "192.0.2.9", "192.0.2.254", 22, 4000))
        assert seen(answer) == ("vm1", "192.0.2.9", 22, "10.0.1.1", 4000)


@pytest.mark.parametrize(
    ("client", "vip", "logical", "backend", "source"),
    [
        ("10.0.1.2", "192.0.2.80", "10.0.1.1", "vm1", "192.0.2.254"),
        ("10.0.1.2", "192.0.2.81", "10.0.1.2", "vm2", "192.0.2.254"),
        ("10.0.1.2", "192.0.2.254", "10.0.1.1", "vm1", "192.0.2.254"),
        ("fd00:1::2", "2001:db8::80", "fd00:1::1", "vm1", "2001:db8::fe"),
    ],
)
@pytest.mark.parametrize("nat", [False, True], ids=["alone", "with-snat"])
def test_a_client_inside_comes_by_the_gateway_port(
    nat: bool, client: str, vip: str, logical: str, backend: str, source: str
) -> None:
    """Even if it gets itself."""
    net = network(
        GATEWAY_PORT.replace("load_balancers:\n", NAT.lstrip("\n")) if nat else GATEWAY_PORT
    )
    behind = 80 if vip == "192.0.2.81" else 8080
    for _ in range(2):
        request = delivered(net, tcp("vm2", client, vip, 5000, 80))
        assert seen(request) == (backend, source, 5000, logical, behind)
        reply = delivered(net, tcp(backend, logical, source, behind, 5000))
        assert seen(reply) == ("vm2", vip, 80, client, 5000)
    own = "fd00:1::fe" if ":" in vip else "10.0.1.254"
    for hops, teller in enumerate((own, source), start=1):
        packet = tcp("vm2", client, vip, 6000, 80).replace("ip.ttl == 64", f"ip.ttl == {hops}")
        told = delivered(net, packet)
        family = "ip6" if ":" in vip else "ip4"
        ends = tuple(str(ip_address(told[f"{family}.{end}"])) for end in ("src", "dst"))
        assert (told["to"], *ends) == ("vm2", teller, client)


def test_answers_at_a_gateway_port_have_the_address_that_was_asked() -> None:
    """From one external address to another, where there are virtual addresses, too."""
    nats = NAT.lstrip("\n").replace(
        "load_balancers:\n",
        "      - {type: dnat_and_snat, external_ip: 192.0.2.2, logical_ip: 10.0.1.2}\n"
        "      - {type: dnat, external_ip: 192.0.2.90, logical_ip: 10.0.1.1}\n"
        "load_balancers:\n",
    )
    net = network(GATEWAY_PORT.replace("load_balancers:\n", nats))
    for _ in range(2):
        request = delivered(net, tcp("vm2", "10.0.1.2", "192.0.2.90", 5000, 22))
        assert seen(request) == ("vm1", "192.0.2.2", 5000, "10.0.1.1", 22)
        reply = delivered(net, tcp("vm1", "10.0.1.1", "192.0.2.2", 22, 5000))
        assert seen(reply) == ("vm2", "192.0.2.90", 22, "10.0.1.2", 5000)


def test_a_group_brings_load_balancers_to_routers() -> None:
    grouped = NETWORK.replace("  shop:\n    routers: [r]\n", "  shop:\n")
    grouped += "load_balancer_groups:\n  all: {load_balancers: [shop], routers: [r]}\n"
    request = delivered(network(grouped), tcp("host", "192.0.2.9", "192.0.2.80", 5000, 80))
    assert seen(request) == ("vm1", "192.0.2.9", 5000, "10.0.1.1", 8080)
