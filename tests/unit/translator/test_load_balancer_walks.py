"""What load balancers of switches do with packets."""

from pathlib import Path

import pytest

from logical_flow.connections import ConnectionTable, ScriptedConnections, State, Tracked
from logical_flow.endpoints import Endpoints
from logical_flow.walk_events import Made, Walk
from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, send

CLIENT, B1, B2, GW = (f"0a:00:00:00:00:{last}" for last in ("01", "11", "12", "fe"))
VIP = "10.96.0.1"


@pytest.fixture
def net() -> Network:
    return network(f"""
    logical_switches:
      web:
        ports:
          client: {{addresses: ["{CLIENT} 10.0.0.1 fd00::1"]}}
          b1: {{addresses: ["{B1} 10.0.0.11 fd00::11"]}}
          b2: {{addresses: ["{B2} 10.0.0.12 fd00::12"]}}
          web-r: {{type: router, router_port: r-web}}
    logical_routers:
      r:
        ports:
          r-web: {{mac: "{GW}", networks: [10.0.0.254/24, "fd00::fe/64"]}}
    load_balancers:
      shop:
        switches: [web]
        vips:
          - {{address: {VIP}, port: 80, backends: ["10.0.0.11:8080", "10.0.0.12:8080"]}}
          - {{address: {VIP}, port: 81, backends: ["10.0.0.11:8081"]}}
          - {{address: {VIP}, backends: [10.0.0.12]}}
          - {{address: "fd96::1", port: 80, backends: ["[fd00::11]:8080"]}}
          - {{address: 10.96.0.2, port: 80, backends: []}}
      strict:
        protocol: udp
        reject: true
        switches: [web]
        vips:
          - {{address: 10.96.0.3, port: 53}}
    """)


def ask(net: Network, dst: str, what: str, src: str = "10.0.0.1") -> Walk:
    family = "ip6" if ":" in dst else "ip4"
    packet = f'inport == "client" && eth.src == {CLIENT} && eth.dst == {GW} && ip.ttl == 64'
    match = f"{packet} && {family}.src == {src} && {family}.dst == {dst} && {what}"
    return send(net, match)


def arrivals(walk: Walk) -> set[str]:
    return {delivery.port for delivery in walk.deliveries}


def test_one_of_the_backends_gets_it(net: Network) -> None:
    walk = ask(net, VIP, "tcp.src == 5000 && tcp.dst == 80")
    assert arrivals(walk) == {"b1", "b2"}
    ways = [event.kind for event in walk.events if isinstance(event, Made)]
    assert ways == ["one of: 10.0.0.11:8080", "one of: 10.0.0.12:8080"]
    assert {delivery.packet["tcp.dst"] for delivery in walk.deliveries} == {8080}


def test_a_reply_comes_from_the_virtual_address(net: Network) -> None:
    net.connections = ConnectionTable()
    (asked,) = ask(net, VIP, "tcp.src == 5000 && tcp.dst == 81").deliveries
    assert (asked.port, asked.packet["tcp.dst"]) == ("b1", 8081)
    (answer,) = send(
        net,
        f'inport == "b1" && eth.src == {B1} && eth.dst == {CLIENT} && ip4.src == 10.0.0.11 '
        "&& ip4.dst == 10.0.0.1 && tcp.src == 8081 && tcp.dst == 5000 && ip.ttl == 64",
    ).deliveries
    assert answer.port == "client"
    assert (answer.packet["ip4.src"], answer.packet["tcp.src"]) == (0x0A600001, 81)


def test_an_address_without_port_takes_the_rest(net: Network) -> None:
    for what in (
        "udp.src == 5 && udp.dst == 80",
        "tcp.src == 5 && tcp.dst == 8",
        "icmp4.type == 8",
    ):
        (got,) = ask(net, VIP, what).deliveries
        assert (got.port, got.packet["ip4.dst"]) == ("b2", 0x0A00000C)


def test_families_have_addresses_of_their_own(net: Network) -> None:
    (got,) = ask(net, "fd96::1", "tcp.src == 5 && tcp.dst == 80", src="fd00::1").deliveries
    assert got.port == "b1"


def test_without_backends(net: Network) -> None:
    assert arrivals(ask(net, "10.96.0.2", "tcp.src == 5 && tcp.dst == 80")) == set()
    (refusal,) = ask(net, "10.96.0.3", "udp.src == 5 && udp.dst == 53").deliveries
    assert (refusal.port, refusal.packet["icmp4.code"]) == ("client", 3)


def test_acls_see_what_the_client_asked_for() -> None:
    """In its first packet, in more before the first answer, and later."""
    net = network(f"""
    logical_switches:
      web:
        ports:
          client: {{addresses: ["{CLIENT} 10.0.0.1"]}}
          b1: {{addresses: ["{B1} 10.0.0.11"]}}
          web-r: {{type: router, router_port: r-web}}
        acls:
          - {{direction: from-lport, priority: 1, match: 'inport == "client" && ip4', action: drop}}
          - direction: from-lport
            priority: 9
            match: 'inport == "client" && ip4.dst == {VIP} && tcp.dst == 81'
            action: allow-related
    logical_routers:
      r:
        ports:
          r-web: {{mac: "{GW}", networks: [10.0.0.254/24]}}
    load_balancers:
      shop:
        switches: [web]
        vips:
          - {{address: {VIP}, port: 81, backends: ["10.0.0.11:8081"]}}
    """)
    net.connections = ConnectionTable()
    answer = (
        f'inport == "b1" && eth.src == {B1} && eth.dst == {CLIENT} && ip4.src == 10.0.0.11 '
        "&& ip4.dst == 10.0.0.1 && tcp.src == 8081 && tcp.dst == 5000 && ip.ttl == 64"
    )
    for _ in range(3):
        for _ in range(2):
            (asked,) = ask(net, VIP, "tcp.src == 5000 && tcp.dst == 81").deliveries
            assert (asked.port, asked.packet["tcp.dst"]) == ("b1", 8081)
        assert [delivery.port for delivery in send(net, answer).deliveries] == ["client"]
    assert arrivals(ask(net, "10.0.0.11", "tcp.src == 5001 && tcp.dst == 8081")) == set()


@pytest.mark.parametrize(("late", "asked"), [("false", VIP), ("true", "10.0.0.11")])
@pytest.mark.parametrize("verdict", ["allow-related", "reject"])
def test_associations_of_which_the_switch_tells_no_ports(
    late: str, asked: str, verdict: str
) -> None:
    """ACLs see the port as it was sent, since none is translated; so does who is refused."""
    net = network(f"""
    logical_switches:
      web:
        ports:
          client: {{addresses: ["{CLIENT} 10.0.0.1"]}}
          b1: {{addresses: ["{B1} 10.0.0.11"]}}
        acls:
          - direction: from-lport
            priority: 1
            match: sctp
            action: drop
            apply_after_lb: {late}
          - direction: from-lport
            priority: 9
            match: 'inport == "client" && ip4.dst == {asked} && sctp.dst == 80'
            action: {verdict}
            apply_after_lb: {late}
    load_balancers:
      shop:
        protocol: sctp
        switches: [web]
        vips:
          - {{address: {VIP}, port: 80, backends: ["10.0.0.11:80"]}}
    """)
    original = Endpoints(132, 0x0A000001, 0x0A600001, 0, 0)
    state = State.TRK | State.EST | State.DNAT
    net.connections = ScriptedConnections([Tracked(state, original=original)])
    (got,) = send(
        net,
        f'inport == "client" && eth.src == {CLIENT} && eth.dst == {B1} && ip4.src == 10.0.0.1 '
        "&& ip4.dst == 10.0.0.11 && sctp.src == 5000 && sctp.dst == 80 && ip.ttl == 64",
    ).deliveries
    if verdict == "reject":
        assert (got.port, got.packet["ip4.src"], got.packet["sctp.src"]) == (
            "client",
            0x0A600001,
            80,
        )
    else:
        assert (got.port, got.packet["ip4.dst"], got.packet["sctp.dst"]) == ("b1", 0x0A00000B, 80)


def test_a_client_that_is_its_own_backend(net: Network) -> None:
    net.connections = ConnectionTable()
    own = f'inport == "b1" && eth.src == {B1} && eth.dst == {GW} && ip.ttl == 64'
    request = f"{own} && ip4.src == 10.0.0.11 && ip4.dst == {VIP} && tcp.src == 5 && tcp.dst == 81"
    answer = f"{own} && ip4.src == 10.0.0.11 && ip4.dst == {VIP} && tcp.src == 8081 && tcp.dst == 5"
    for _ in range(2):
        (asked,) = send(net, request).deliveries
        assert (asked.port, asked.packet["tcp.dst"]) == ("b1", 8081)
        assert (asked.packet["ip4.src"], asked.packet["ip4.dst"]) == (0x0A600001, 0x0A00000B)
        (got,) = send(net, answer).deliveries
        assert (got.port, got.packet["tcp.src"]) == ("b1", 81)
        assert (got.packet["ip4.src"], got.packet["ip4.dst"]) == (0x0A600001, 0x0A00000B)


def test_the_example_of_the_page() -> None:
    example = Path(__file__).parents[3] / "examples" / "load-balancers" / "network.yaml"
    request = (
        'inport == "shopper" && eth.src == 0a:00:00:00:35:01 && eth.dst == 0a:00:00:00:35:fe '
        f"&& ip.ttl == 64 && ip4.src == 10.0.35.1 && ip4.dst == {VIP} "
        "&& tcp.src == 5000 && tcp.dst == 80"
    )
    assert arrivals(send(network(example.read_text()), request)) == {"store-1", "store-2"}
