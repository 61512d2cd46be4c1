"""NATs that can be, and those that can't."""

from typing import Any

import pytest

from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.models.nat import Nat
from northbound.services import SERVICES
from tests.unit.northbound.network import Network

FLOATING = {
    "logical_router": "edge",
    "type": "dnat_and_snat",
    "external_ip": "192.0.2.7",
    "logical_ip": "10.0.0.7",
}
SNAT = {
    "logical_router": "edge",
    "type": "snat",
    "external_ip": "192.0.2.1",
    "logical_ip": "10.0.0.0/24",
}
MAC = "0a:00:00:00:00:07"


@pytest.fixture
def routers(network: Network) -> Network:
    network.create("switch", name="in")
    network.create("port", logical_switch="in", name="vm")
    network.create("set", name="office", addresses=["198.51.100.0/24"])
    for router, inside in (("edge", "10.0.0.1/24"), ("other", "10.9.0.1/24")):
        network.create("router", name=router)
        network.create("router_port", logical_router=router, name=f"{router}-in", networks=[inside])
    network.create(
        "router_port",
        logical_router="edge",
        name="edge-out",
        networks=["192.0.2.1/24", "2001:db8::1/64"],
    )
    return network


@pytest.mark.parametrize(
    ("values", "pointer", "reason"),
    [
        ({"external_ip": "198.51.100.7"}, "/external_ip", "in no network"),
        ({"external_ip": "192.0.2.0"}, "/external_ip", "is the network 192.0.2.0/24 itself"),
        ({"external_ip": "192.0.2.255"}, "/external_ip", "broadcast address"),
        ({"external_ip": "192.0.2.0/28"}, "/external_ip", "not an IP address"),
        ({"logical_ip": "fd00::7"}, "/logical_ip", "family"),
        ({"logical_ip": "10.0.0.0/24"}, "/logical_ip", "one address"),
        ({"logical_ip": "192.0.2.7"}, "/logical_ip", "external address itself"),
        ({"external_mac": MAC}, "/logical_port", "together"),
        ({"logical_port": "vm"}, "/external_mac", "together"),
        ({"logical_port": "nobody", "external_mac": MAC}, "/logical_port", "no logical switch"),
        (
            {"type": "dnat", "logical_port": "vm", "external_mac": MAC},
            "/external_mac",
            "no chassis",
        ),
        ({"external_port_range": "70000"}, "/external_port_range", "from 1 to 65535"),
        ({"external_port_range": "20-10"}, "/external_port_range", "from 1 to 65535"),
        ({"external_port_range": "http"}, "/external_port_range", "no range of ports"),
        ({"type": "snat", "stateless": True}, "/stateless", "needs connections"),
        ({"stateless": True, "external_port_range": "1-9"}, "/external_port_range", "stateless"),
        (
            {"allowed_external_ips": "office", "exempted_external_ips": "office"},
            "/exempted_external_ips",
            "says it already",
        ),
        ({"stateless": True, "allowed_external_ips": "office"}, "/allowed_external_ips", "all"),
        ({"allowed_external_ips": "nowhere"}, "/allowed_external_ips", "no address set"),
        ({"gateway_port": "other-in"}, "/gateway_port", "is no port of router 'edge'"),
        ({"match": "tcp"}, "/match", "give a dnat and a snat"),
        ({"type": "dnat", "match": "tcp.dst == x"}, "/match", "x"),
        ({"type": "dnat", "match": "ct.est"}, "/match", "not available in NATs"),
        ({"type": "dnat", "match": "reg0 == 1"}, "/match", "not available in NATs"),
        ({"type": "dnat", "match": "ip4.src == $office"}, "/match", "names no sets"),
        ({"type": "dnat", "match": 'inport == "edge-in"'}, "/match", "no ports"),
        ({"type": "dnat", "match": "ip6"}, "/match", "no packet of IPv4 fits it"),
        ({"type": "dnat", "priority": 5}, "/priority", "there is none"),
        ({"type": "dnat", "match": "tcp", "priority": 40000}, "/priority", "32767"),
        (
            {"type": "dnat", "match": "tcp", "exempted_external_ips": "office"},
            "/exempted_external_ips",
            "the match has to say it",
        ),
    ],
)
def test_nat_that_cannot_be(
    routers: Network, values: dict[str, Any], pointer: str, reason: str
) -> None:
    faults = routers.faults("nat", **FLOATING | values)
    assert list(faults) == [pointer]
    assert reason in faults[pointer]


def test_nats_that_can_be(routers: Network) -> None:
    routers.create("nat", **SNAT)
    routers.create("nat", **SNAT | {"logical_ip": "10.1.0.0/16"})
    routers.create("nat", **FLOATING)
    routers.create("nat", **FLOATING | {"type": "dnat", "external_ip": "192.0.2.8"})
    routers.create(
        "nat", **FLOATING | {"external_ip": "203.0.113.1", "logical_ip": "10.0.0.9", "routed": True}
    )
    routers.create("nat", **FLOATING | {"external_ip": "2001:db8::7", "logical_ip": "fd00::7"})


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"logical_ip": "10.0.0.8"}, "external_ip"),
        ({"type": "dnat", "logical_ip": "10.0.0.8"}, "external_ip"),
        ({"external_ip": "192.0.2.8"}, "logical_ip"),
        ({"type": "snat", "external_ip": "192.0.2.8", "logical_ip": "10.0.0.7/32"}, "logical_ip"),
    ],
)
def test_what_two_nats_cannot_both_have(
    routers: Network, values: dict[str, Any], field: str
) -> None:
    routers.create("nat", **FLOATING)
    message = routers.refused(ConflictError, "nat", **FLOATING | values)
    assert f"nat: {field} " in message


def test_an_address_that_is_free_again(routers: Network) -> None:
    one = routers.create("nat", **FLOATING)
    other = routers.create(
        "nat", **FLOATING | {"external_ip": "192.0.2.8", "logical_ip": "10.0.0.8"}
    )
    routers.refuses(ConflictError, lambda: routers.update("nat", one, external_ip="192.0.2.8"))
    routers.delete("nat", other)
    routers.update("nat", one, external_ip="192.0.2.8")
    assert routers.get("nat", one)["external_ip"] == "192.0.2.8"


def test_a_floating_ip_follows_the_name_of_its_port(routers: Network) -> None:
    nat = routers.create("nat", **FLOATING, logical_port="vm", external_mac=MAC)
    routers.update("port", "vm", name="vm-2")
    assert routers.get("nat", nat)["logical_port"] == "vm-2"
    routers.delete("port", "vm-2")
    assert routers.get("nat", nat)["logical_port"] == "vm-2", "another port may be named so"


def test_a_gateway_port_is_held(routers: Network) -> None:
    routers.create("nat", **FLOATING, gateway_port="edge-out")
    message = routers.refuses(ReferencedError, lambda: routers.delete("router_port", "edge-out"))
    assert "is referenced by nat" in message
    routers.delete("router", "edge", cascade=True)
    assert "edge" not in routers.names("router")


def test_a_gateway_port_has_the_network(routers: Network) -> None:
    faults = routers.faults("nat", **FLOATING, gateway_port="edge-in")
    assert list(faults) == ["/external_ip"]


def test_an_address_set_is_held(routers: Network) -> None:
    nat = routers.create("nat", **FLOATING, exempted_external_ips="office")
    message = routers.refuses(ReferencedError, lambda: routers.delete("set", "office"))
    assert "is referenced by nat" in message
    routers.update("nat", nat, exempted_external_ips=None)
    routers.delete("set", "office")


def test_nats_that_are_for_different_packets(routers: Network) -> None:
    web = FLOATING | {"type": "dnat", "match": "tcp.dst == 443"}
    routers.create("nat", **web)
    routers.create(
        "nat", **web | {"match": "tcp.dst == 25", "priority": 1, "logical_ip": "10.0.0.8"}
    )
    routers.create("nat", **FLOATING | {"type": "dnat", "logical_ip": "10.0.0.9"})
    same = web | {"match": "udp.dst == 53", "logical_ip": "10.0.0.8"}
    assert "external_ip" in routers.refused(ConflictError, "nat", **same)
    routers.create("nat", **same | {"priority": 2})


@pytest.mark.parametrize(
    ("values", "pointer", "reason"),
    [
        ({}, "/dnat_force_snat_ips", "gateway router"),
        (
            {"chassis": "hv1", "dnat_force_snat_ips": ["10.0.0.1", "10.0.0.2"]},
            "/dnat_force_snat_ips",
            "family",
        ),
        (
            {"chassis": "hv1", "dnat_force_snat_ips": ["10.0.0.0/24"]},
            "/dnat_force_snat_ips/0",
            "IP",
        ),
    ],
)
def test_sources_that_are_forced(
    network: Network, values: dict[str, Any], pointer: str, reason: str
) -> None:
    fields = {"name": "gw", "dnat_force_snat_ips": ["10.0.0.1"]} | values
    faults = network.faults("router", **fields)
    assert list(faults) == [pointer]
    assert reason in faults[pointer]


@pytest.fixture
def outside(routers: Network) -> Network:
    """The network of `edge-out` is a switch, with another router and a subnet."""
    routers.create("switch", name="out", subnet4="192.0.2.0/29")
    routers.create(
        "port", logical_switch="out", name="out-edge", router_port="edge-out", type="router"
    )
    routers.create(
        "router_port", logical_router="other", name="other-out", networks=["192.0.2.3/24"]
    )
    routers.create(
        "port", logical_switch="out", name="out-other", router_port="other-out", type="router"
    )
    return routers


def test_an_external_address_is_nobody_elses_on_the_switch(outside: Network) -> None:
    outside.create(
        "port", logical_switch="out", name="host", addresses=["0a:00:00:00:00:09 192.0.2.9"]
    )
    message = outside.refused(ConflictError, "nat", **FLOATING | {"external_ip": "192.0.2.9"})
    assert "external_ip" in message
    assert "port host" in message
    assert "port out-other" in outside.refused(
        ConflictError, "nat", **FLOATING | {"external_ip": "192.0.2.3"}
    )
    nat = outside.create("nat", **FLOATING | {"external_ip": "192.0.2.2"})
    again = FLOATING | {"external_ip": "192.0.2.2", "logical_router": "other"}
    assert "port out-edge" in outside.refused(ConflictError, "nat", **again)
    vm = {"logical_switch": "out", "name": "vm-2", "addresses": ["0a:00:00:00:00:08 192.0.2.2"]}
    assert "port out-edge" in outside.refused(ConflictError, "port", **vm)
    outside.create("port", logical_switch="out", name="vm-3", addresses=["dynamic"])
    assert outside.get("port", "vm-3")["dynamic_addresses"].endswith(" 192.0.2.4")
    outside.update("nat", nat, external_ip="192.0.2.6")
    outside.create("port", **vm)
    outside.delete("nat", nat)
    outside.create("nat", **again | {"external_ip": "192.0.2.6"})


def test_an_address_of_several_nats_is_held_until_the_last_goes(outside: Network) -> None:
    vm = {"logical_switch": "out", "name": "vm-2", "addresses": ["0a:00:00:00:00:08 192.0.2.2"]}
    nats = [
        outside.create("nat", **SNAT | {"external_ip": "192.0.2.2", "logical_ip": network})
        for network in ("10.0.0.0/24", "10.1.0.0/24")
    ]
    outside.delete("nat", nats[0])
    assert "192.0.2.2" in outside.refused(ConflictError, "port", **vm)
    outside.delete("nat", nats[1])
    outside.create("port", **vm)
    nats = [
        outside.create("nat", **SNAT | {"external_ip": "192.0.2.6", "logical_ip": network})
        for network in ("10.2.0.0/24", "10.3.0.0/24")
    ]
    with outside.database.write(author="test") as tx:
        rows = [row for each in nats if (row := tx.by_id(Nat, each)) is not None]
        SERVICES["nat"].remove(tx, rows)
    outside.update("port", "vm-2", addresses=["0a:00:00:00:00:08 192.0.2.6"])


def test_a_router_attached_later_holds_what_it_translates(routers: Network) -> None:
    routers.create("switch", name="out")
    routers.create("nat", **FLOATING)
    vm = {"logical_switch": "out", "name": "vm-2", "addresses": ["0a:00:00:00:00:08 192.0.2.7"]}
    routers.create(
        "port", logical_switch="out", name="out-edge", router_port="edge-out", type="router"
    )
    assert "192.0.2.7" in routers.refused(ConflictError, "port", **vm)
    routers.delete("port", "out-edge")
    routers.create("port", **vm)


def test_a_port_keeps_the_networks_of_nats(routers: Network) -> None:
    routers.create("nat", **FLOATING)
    routed = FLOATING | {"external_ip": "203.0.113.1", "logical_ip": "10.0.0.9", "routed": True}
    routers.create("nat", **routed)
    message = routers.refuses(
        InvalidError,
        lambda: routers.update("router_port", "edge-out", networks=["2001:db8::1/64"]),
    )
    assert "needs a network with 192.0.2.7" in message
    message = routers.refuses(ReferencedError, lambda: routers.delete("router_port", "edge-out"))
    assert "is referenced by nat" in message
    routers.update("router_port", "edge-out", networks=["192.0.2.129/24"])
    routers.delete("router", "edge", cascade=True)
