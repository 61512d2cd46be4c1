"""Who answers a DNS query, and what goes on to the server that was asked."""

from collections.abc import Mapping
from typing import Any

import pytest

from logical_flow.names import AAAA, PTR, A
from logical_flow.packet import packet_from_match
from logical_flow.walk import walk
from logical_flow.walk_events import Drop, Noted, Walk
from tests.unit.translator.walks import network

NETWORK = """
logical_switches:
  web:
    ports:
      vm: {addresses: ["0a:00:00:00:00:01 10.0.0.1 fd00::1"]}
      server: {addresses: ["0a:00:00:00:00:02 10.0.0.2 fd00::2"]}
  other:
    ports:
      vm2: {addresses: ["0a:00:00:00:00:03 10.0.0.1"]}
      server2: {addresses: ["0a:00:00:00:00:04 10.0.0.2"]}
dns_record_sets:
  shop:
    switches: [web]
    ttl: 30
    records:
      - {hostname: WWW.Shop.Example., addresses: [10.0.0.7, "fd00::7"]}
      - {hostname: old.shop.example, addresses: [10.0.0.8]}
      - {hostname: 7.0.0.10.in-addr.arpa, pointer: www.shop.example}
  more:
    switches: [web]
    records: [{hostname: www.shop.example, addresses: [10.0.0.9]}]
  ours:
    switches: [web]
    owned: true
    domain: corp.example
    records: [{hostname: db.corp.example, addresses: [10.0.0.5]}]
"""
QUERY = (
    'inport == "vm" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 '
    "&& ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 "
    "&& udp.src == 4242 && udp.dst == 53"
)


def ask(name: str | None, kind: int = A, query: str = QUERY, document: str = NETWORK) -> Walk:
    packet = packet_from_match(query)
    asked = {} if name is None else {"dns.name": name, "dns.type": kind}
    return walk(network(document), packet | asked)


def told(found: Walk) -> str:
    """What the network knows of the name, in words."""
    return next(
        event.values[-1]
        for event in found.events
        if isinstance(event, Noted) and event.what == "dns_lookup"
    )


def delivered(found: Walk) -> Mapping[str, Any]:
    (delivery,) = found.deliveries
    return {**delivery.packet, "to": delivery.port}


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("www.shop.example", A, "10.0.0.7, 10.0.0.9"),
        ("www.shop.example", AAAA, "fd00::7"),
        ("old.shop.example", AAAA, "nothing of that type"),
        ("7.0.0.10.in-addr.arpa", PTR, "www.shop.example"),
        ("db.corp.example", A, "10.0.0.5"),
        ("db.corp.example", 15, "nothing of that type"),
        ("corp.example", A, "nothing of that type"),
        ("none.corp.example", A, "there is no such name"),
        ("a.b.c.corp.example", PTR, "there is no such name"),
    ],
)
def test_what_is_known_is_answered(name: str, kind: int, text: str) -> None:
    found = ask(name, kind)
    assert text == told(found)
    answer = delivered(found)
    assert answer["to"] == "vm"
    assert (answer["eth.src"], answer["eth.dst"]) == (0x0A0000000002, 0x0A0000000001)
    assert (answer["ip4.src"], answer["ip4.dst"]) == (0x0A000002, 0x0A000001)
    assert (answer["udp.src"], answer["udp.dst"]) == (53, 4242)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("www.other.example", A),
        ("shop.example", A),
        ("www.shop.example", 15),
        ("notcorp.example", A),
        ("7.0.0.10.in-addr.arpa", A),
    ],
)
def test_what_is_not_known_goes_to_the_server(name: str, kind: int) -> None:
    answer = delivered(ask(name, kind))
    assert (answer["to"], answer["udp.dst"]) == ("server", 53)


def test_a_query_over_ipv6_is_answered() -> None:
    query = QUERY.replace("ip4.src == 10.0.0.1", "ip6.src == fd00::1")
    query = query.replace("ip4.dst == 10.0.0.2", "ip6.dst == fd00::2")
    answer = delivered(ask("www.shop.example", query=query))
    assert (answer["to"], answer["ip6.src"] & 0xFF, answer["ip6.dst"] & 0xFF) == ("vm", 2, 1)


def test_names_are_known_on_their_switches_alone() -> None:
    query = QUERY.replace('"vm"', '"vm2"').replace("00:01", "00:03").replace("00:02", "00:04")
    assert delivered(ask("www.shop.example", query=query))["to"] == "server2"


def test_other_ports_and_protocols_are_no_queries() -> None:
    for query in (QUERY.replace("53", "5353"), QUERY.replace("udp", "tcp")):
        assert delivered(ask("www.shop.example", query=query))["to"] == "server"


def test_what_is_asked_for_has_to_be_known() -> None:
    found = ask(None)
    (drop,) = [event for event in found.events if isinstance(event, Drop)]
    assert not drop.certain
    assert "which name" in drop.reason


@pytest.mark.parametrize("direction", ["to-lport", "from-lport"])
def test_acls_decide_about_what_goes_on_alone(direction: str) -> None:
    acls = f"""
    acls:
      - {{direction: {direction}, priority: 1, match: ip, action: drop}}
"""
    document = NETWORK.replace("  other:", acls.lstrip("\n") + "  other:", 1)
    assert delivered(ask("www.shop.example", document=document))["to"] == "vm"
    assert ask("www.other.example", document=document).deliveries == []
