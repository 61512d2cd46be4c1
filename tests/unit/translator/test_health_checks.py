"""Backends that are checked: what agents are told, and what becomes of answers."""

import pytest

from incremental import RecordedFacts
from logical_flow.walk_events import Noted
from logical_flow.walk_network import Network
from southbound.rows import BackendCheck, VirtualAddress
from tests.unit.translator.walks import network, send
from translator.features.load_balancing import health
from translator.features.load_balancing.inputs import (
    HealthCheck,
    LoadBalancer,
    LoadBalancerBackend,
    LoadBalancerVip,
)

B1 = "0a:00:00:00:00:11"


@pytest.fixture
def net() -> Network:
    return network(f"""
    logical_switches:
      web:
        ports:
          client: {{addresses: ["0a:00:00:00:00:01 10.0.0.1"]}}
          b1: {{addresses: ["{B1} 10.0.0.11 fd00::11"]}}
        acls:
          - {{direction: from-lport, priority: 1, match: ip, action: drop}}
    load_balancers:
      shop:
        switches: [web]
        backends:
          - {{address: 10.0.0.11, logical_port: b1, source_ip: 10.0.0.253}}
          - {{address: "fd00::11", logical_port: b1, source_ip: "fd00::fd"}}
        vips:
          - address: 10.96.0.1
            port: 80
            backends: ["10.0.0.11:8080"]
            health_check: {{interval: 1}}
          - address: 10.96.0.2
            port: 80
            backends: ["10.0.0.11:8080"]
            health_check: {{interval: 2}}
          - address: "fd96::1"
            port: 80
            backends: ["[fd00::11]:8080"]
            health_check: {{interval: 1}}
    """)


@pytest.mark.parametrize(
    ("what", "is_taken"),
    [
        ("ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.253 && tcp.src == 8080", True),
        ("ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.253 && icmp4.type == 3", True),
        ("ip6.src == fd00::11 && ip6.dst == fd00::fd && tcp.src == 8080", True),
        ("ip6.src == fd00::11 && ip6.dst == fd00::fd && icmp6.type == 1", True),
        ("ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.253 && tcp.src == 8081", False),
        ("ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.253 && udp.src == 8080", False),
        ("ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.1 && tcp.src == 8080", False),
    ],
)
def test_answers_are_taken_off_before_acls(net: Network, what: str, is_taken: bool) -> None:
    ports = " && tcp.dst == 50000" if "tcp" in what else ""
    walk = send(net, f'inport == "b1" && eth.src == {B1} && ip.ttl == 64 && {what}{ports}')
    noted = [event.what for event in walk.events if isinstance(event, Noted)]
    assert ("backend_answer" in noted) == is_taken
    assert not walk.deliveries


def test_the_address_that_asks_is_answered_for(net: Network) -> None:
    (answer,) = send(
        net,
        f'inport == "b1" && eth.src == {B1} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.spa == 10.0.0.11 && arp.sha == {B1} && arp.tpa == 10.0.0.253",
    ).deliveries
    assert (answer.port, answer.packet["arp.op"]) == ("b1", 2)
    assert answer.packet["arp.sha"] == int.from_bytes(health.PROBER_MAC)


def test_what_is_not_in_use_is_refused_and_by_whom() -> None:
    """A virtual address with a port that is not there is checked by none, and stays closed."""
    how = HealthCheck(5, 3, 2, 3)
    vip = LoadBalancerVip("v", "lb", bytes([10, 96, 0, 1]), 80, ("10.0.0.1:80",), how)
    place = LoadBalancerBackend("b", "lb", bytes([10, 0, 0, 1]), "gone", bytes([10, 0, 0, 9]))
    facts = RecordedFacts(
        {
            LoadBalancerVip: {"v": vip},
            LoadBalancer: {"lb": LoadBalancer("lb", "tcp", False)},
            LoadBalancerBackend: {"b": place},
            health.checked: {"v": health.Checked("lb", "tcp", how)},
        },
        {health.places_of_backends: {("lb", bytes([10, 0, 0, 1])): ("b",)}},
    )
    assert health.virtual_address(facts, "v") == VirtualAddress("&v", "10.96.0.1", 80, "tcp")
    check = health.backend_check(facts, ("v", "10.0.0.1:80"))
    assert check == BackendCheck(
        *("&v", "10.0.0.1:80", "tcp", "", "", "", "10.0.0.9"), *(5, 3, 2, 3)
    )
    assert health.backend_check(facts, ("v", "10.0.0.2:80")) is None
    assert list(health.asked_hosts(("v", "10.0.0.1:80"), check)) == []
