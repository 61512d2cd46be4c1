"""Routers, their ports, links between them, static routes and static MAC bindings."""

import pytest

from northbound.apply import apply
from northbound.errors import ConflictError, InvalidError, ReferencedError
from northbound.services import LOGICAL_ROUTER_PORTS, route_tables
from northbound.services.static_routes import MOST_MEMBERS
from tests.unit.northbound.network import Network


@pytest.fixture
def routers(network: Network) -> Network:
    """Two routers and a switch, each router with one port."""
    network.create("switch", name="web")
    for name, net in (("r1", "10.0.1"), ("r2", "10.0.2")):
        network.create("router", name=name)
        network.create(
            "router_port", name=f"{name}-a", logical_router=name, networks=[f"{net}.1/24"]
        )
    return network


def test_mac_is_made_up_once(routers: Network) -> None:
    mac = routers.get("router_port", "r1-a")["mac"]
    assert mac.startswith("0a:")
    assert mac != routers.get("router_port", "r2-a")["mac"]
    routers.update("router_port", "r1-a", networks=["10.9.0.1/24", "FD00::1/64"])
    assert routers.get("router_port", "r1-a")["mac"] == mac
    assert routers.get("router_port", "r1-a")["networks"] == ["10.9.0.1/24", "fd00::1/64"]


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"networks": ["10.0.0.0/24"]}, "/networks/0"),
        ({"networks": ["10.0.0.1/24", "10.0.0.1/16"]}, "/networks/1"),
        ({"mac": "01:00:00:00:00:00"}, "/mac"),
        ({"logical_router": "nowhere"}, "/logical_router"),
        ({"peer": "nowhere"}, "/peer"),
    ],
)
def test_port_that_cannot_be(routers: Network, values: dict[str, object], pointer: str) -> None:
    good = {"name": "p", "logical_router": "r1", "networks": ["10.0.3.1/24"]}
    assert list(routers.faults("router_port", **{**good, **values})) == [pointer]


def peers(network: Network) -> dict[str, str | None]:
    names = network.names("router_port")
    return {name: network.get("router_port", name)["peer"] for name in names}


def test_a_link_has_two_ends(routers: Network) -> None:
    routers.update("router_port", "r1-a", peer="r2-a")
    assert peers(routers) == {"r1-a": "r2-a", "r2-a": "r1-a"}
    routers.update("router_port", "r2-a", name="r2-b")
    assert peers(routers) == {"r1-a": "r2-b", "r2-b": "r1-a"}
    routers.update("router_port", "r2-b", peer=None)
    assert peers(routers) == {"r1-a": None, "r2-b": None}
    routers.update("router_port", "r1-a", peer="r2-b")
    routers.delete("router_port", "r1-a")
    assert peers(routers) == {"r2-b": None}


def test_a_port_has_one_use(routers: Network) -> None:
    routers.create(
        "router_port", name="third", logical_router="r1", networks=["10.0.3.1/24"], peer="r2-a"
    )
    routers.create("port", name="web-r1", logical_switch="web", router_port="r1-a")
    for action in (
        lambda: routers.update("router_port", "r1-a", peer="r2-a"),
        lambda: routers.update("router_port", "r1-a", peer="r1-a"),
        lambda: routers.update("router_port", "third", peer="r1-a"),
        lambda: routers.create("port", name="x", logical_switch="web", router_port="third"),
    ):
        routers.refuses(InvalidError, action)
    routers.refused(ConflictError, "port", name="x", logical_switch="web", router_port="r1-a")


def test_a_new_name_reaches_all_that_refer_to_it(routers: Network) -> None:
    routers.create("port", name="web-r1", logical_switch="web", router_port="r1-a")
    route = routers.create(
        "route",
        logical_router="r1",
        ip_prefix="10.9.0.0/16",
        nexthop="10.0.1.9",
        output_port="r1-a",
    )
    routers.update("router_port", "r1-a", name="uplink")
    assert routers.get("port", "web-r1")["router_port"] == "uplink"
    assert routers.get("route", route)["output_port"] == "uplink"


def test_users_stand_in_the_way_of_deletion(routers: Network) -> None:
    routers.create("port", name="web-r1", logical_switch="web", router_port="r1-a")
    routers.create(
        "route", logical_router="r1", ip_prefix="::/0", nexthop="fd00::9", output_port="r1-a"
    )
    with pytest.raises(ReferencedError) as caught:
        routers.delete("router_port", "r1-a")
    kinds = [referent.kind for referent in caught.value.referrers]
    assert kinds == ["logical_switch_port", "static_route"]
    routers.refuses(ReferencedError, lambda: routers.delete("router", "r1"))
    routers.refuses(ReferencedError, lambda: routers.delete("router", "r1", cascade=True))
    routers.delete("port", "web-r1")
    changes = routers.delete("router", "r1", cascade=True)
    assert sorted(change.table for change in changes) == [
        "logical_router",
        "logical_router_port",
        "static_route",
    ]


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"ip_prefix": "10.0.0.0/33"}, "/ip_prefix"),
        ({"nexthop": "10.0.1"}, "/nexthop"),
        ({"nexthop": "fd00::1"}, "/nexthop"),
        ({"nexthop": "10.0.9.1"}, "/nexthop"),
        ({"nexthop": "10.0.9.1", "output_port": "r2-a"}, "/output_port"),
        ({"nexthop": "10.0.9.1", "output_port": "nowhere"}, "/output_port"),
        ({"nexthop": "discard", "output_port": "r1-a"}, "/output_port"),
        ({"policy": "any"}, "/policy"),
    ],
)
def test_route_that_cannot_be(routers: Network, values: dict[str, object], pointer: str) -> None:
    good = {"logical_router": "r1", "ip_prefix": "0.0.0.0/0", "nexthop": "10.0.1.254"}
    assert list(routers.faults("route", **{**good, **values})) == [pointer]


def test_routes(routers: Network) -> None:
    good = {"logical_router": "r1", "ip_prefix": "10.9.0.7/16", "nexthop": "10.0.1.254"}
    route = routers.create("route", **good)
    assert routers.get("route", route)["ip_prefix"] == "10.9.0.0/16"
    routers.refused(ConflictError, "route", **good)
    routers.create("route", **{**good, "policy": "src-ip"})
    routers.create("route", **{**good, "ip_prefix": "10.9.0.0/17"})
    routers.update("route", route, nexthop="10.0.9.1", output_port="r1-a")


GROUP = {"logical_router": "r1", "ip_prefix": "10.9.0.0/16", "nexthop": "10.0.1.254"}


@pytest.mark.parametrize(
    "other",
    [
        {"nexthop": "10.0.1.253"},
        {"nexthop": "10.0.1.254", "output_port": "r1-a"},
        {"nexthop": "10.0.9.1", "output_port": "r1-a"},
        {"nexthop": "discard", "policy": "src-ip"},
        {"nexthop": "discard", "route_table": "guests"},
        {"nexthop": "fd00::9", "output_port": "r1-a", "origin": "learned"},
        {"nexthop": "discard", "override_connected": True},
    ],
)
def test_a_prefix_has_several_routes(routers: Network, other: dict[str, object]) -> None:
    routers.create("route", **GROUP)
    routers.create("route", **GROUP | other)
    routers.refused(ConflictError, "route", **GROUP | other)


def test_replies_go_back_on_gateway_routers_alone(routers: Network) -> None:
    """A router comes to its chassis, and its routes to the option, in any order."""
    replies = {"ecmp_symmetric_reply": True}
    reason = routers.faults("route", **GROUP | replies)["/ecmp_symmetric_reply"]
    assert "router 'r1' is on no chassis" in reason
    routers.update("router", "r1", chassis="hv1")
    route = routers.create("route", **GROUP | replies)
    discards = GROUP | replies | {"nexthop": "discard", "ip_prefix": "10.8.0.0/16"}
    assert list(routers.faults("route", **discards)) == ["/ecmp_symmetric_reply"]
    routers.refuses(InvalidError, lambda: routers.update("router", "r1", chassis=None))
    routers.update("route", route, ecmp_symmetric_reply=False)
    routers.update("router", "r1", chassis=None)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"selection_fields": ["ip_src", "vlan"]}, "/selection_fields/1"),
        ({"selection_fields": ["ipv6_src"]}, "/selection_fields/0"),
        ({"selection_fields": ["ip_src"], "nexthop": "discard"}, "/selection_fields"),
    ],
)
def test_fields_that_no_next_hop_is_chosen_by(
    routers: Network, fields: dict[str, object], pointer: str
) -> None:
    assert list(routers.faults("route", **GROUP | fields)) == [pointer]


def test_fields_that_next_hops_are_chosen_by_are_a_set(routers: Network) -> None:
    named = ["tp_src", "ip_proto", "eth_src", "tp_src"]
    route = routers.create("route", **GROUP, selection_fields=named)
    assert routers.get("route", route)["selection_fields"] == ["eth_src", "ip_proto", "tp_src"]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"nexthop": "discard"}, "can't be both discarded and sent on"),
        ({"nexthop": "fd00::9", "output_port": "r1-a"}, "not of the family of 10.0.1.254"),
    ],
)
def test_routes_over_which_packets_cannot_be_spread(
    routers: Network, other: dict[str, str], reason: str
) -> None:
    route = routers.create("route", **GROUP)
    assert reason in routers.faults("route", **GROUP | other)["/nexthop"]
    spare = routers.create("route", **GROUP | other | {"ip_prefix": "10.8.0.0/16"})
    clash = {"ip_prefix": "10.9.0.0/16", **other}
    routers.refuses(InvalidError, lambda: routers.update("route", spare, **clash))
    routers.delete("route", route)
    routers.update("route", spare, **clash)


def test_so_many_next_hops_at_most(routers: Network) -> None:
    routers.create("router_port", name="wide", logical_router="r1", networks=["10.7.0.1/16"])
    for n in range(MOST_MEMBERS):
        routers.create("route", **GROUP | {"nexthop": f"10.7.1.{n}"})
    faults = routers.faults("route", **GROUP | {"nexthop": "10.7.2.1"})
    assert f"{MOST_MEMBERS} next hops" in faults["/nexthop"]


def test_a_route_that_overrides_goes_by_destination(routers: Network) -> None:
    values = GROUP | {"policy": "src-ip", "override_connected": True}
    assert list(routers.faults("route", **values)) == ["/override_connected"]


def test_networks_of_ports_lie_apart(routers: Network) -> None:
    routers.create("router_port", name="wide", logical_router="r1", networks=["10.7.0.1/16"])
    for network in ("10.7.3.1/24", "10.0.0.9/8", "10.7.0.2/16"):
        reason = routers.faults("router_port", logical_router="r1", networks=[network])
        assert "overlaps" in reason["/networks/0"]
    routers.create("router_port", name="apart", logical_router="r1", networks=["10.8.0.1/16"])
    routers.create("router_port", name="elsewhere", logical_router="r2", networks=["10.7.0.1/16"])
    update = {"networks": ["10.9.0.1/16", "10.7.0.3/30"]}
    routers.refuses(InvalidError, lambda: routers.update("router_port", "apart", **update))
    routers.update("router_port", "wide", networks=["10.7.0.1/16", "10.7.9.1/24", "fe80::9/64"])
    routers.update("router_port", "apart", networks=["10.8.0.1/16", "fe80::8/64"])


def test_networks_move_from_port_to_port_in_one_transaction(routers: Network) -> None:
    ports = {"m": {"networks": ["10.7.0.1/16"]}, "n": {"networks": ["10.8.0.1/16"]}}
    for _ in range(2):
        with routers.database.write(author="test") as tx:
            apply(tx, {"document": "moves", "logical_routers": {"moving": {"ports": ports}}})
        ports["m"], ports["n"] = ports["n"], ports["m"]


def test_a_port_needs_no_network(routers: Network) -> None:
    port = routers.create("router_port", name="bare", logical_router="r1", networks=[])
    assert routers.get("router_port", port)["networks"] == []
    assert list(routers.faults("router_port", name="bad", logical_router="r1")) == ["/networks"]


def test_networks_leave_neighbours_that_were_bound(routers: Network) -> None:
    routers.create("binding", logical_router_port="r1-a", ip="10.0.1.79", mac="0a:00:00:00:00:77")
    for network in ("10.0.1.79/24", "10.0.1.77/30"):  # its own address; its broadcast address
        routers.refuses(
            InvalidError,
            lambda network=network: routers.update("router_port", "r1-a", networks=[network]),
        )
    routers.update("router_port", "r1-a", networks=["10.0.1.2/24"])


def test_tables_that_flows_cannot_tell_apart(
    routers: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route_tables, "route_table_number", lambda name: 0 if name == "main" else 7)
    routers.update("router_port", "r1-a", route_table="guests")
    faults = routers.faults("route", **GROUP | {"route_table": "staff"})
    assert "guests" in faults["/route_table"]
    routers.create("route", **GROUP | {"route_table": "guests"})


@pytest.fixture
def dual(routers: Network) -> Network:
    """A router with a port of both families, one with a link, and one of IPv6 only."""
    routers.create(
        "router_port",
        name="dual",
        logical_router="r1",
        mac="0a:00:00:00:01:01",
        networks=["10.1.0.1/24", "10.2.0.9/29", "fd00:1::1/64"],
    )
    routers.create("router_port", name="link", logical_router="r1", networks=["10.3.0.0/31"])
    routers.create("router_port", name="six", logical_router="r1", networks=["fd00:6::1/64"])
    return routers


@pytest.mark.parametrize(
    ("nexthop", "output_port", "reason"),
    [
        ("10.1.0.1", None, "the address of the router's own port 'dual'"),
        ("10.1.0.1", "r1-a", "the address of the router's own port 'dual'"),
        ("10.1.0.0", None, "the network 10.1.0.0/24 itself"),
        ("10.1.0.255", None, "the broadcast address of 10.1.0.0/24"),
        ("10.1.0.255", "dual", "the broadcast address of 10.1.0.0/24"),
        ("10.2.0.8", None, "the network 10.2.0.8/29 itself"),
        ("10.2.0.15", None, "the broadcast address of 10.2.0.8/29"),
        ("10.3.0.0", None, "the address of the router's own port 'link'"),
        ("fd00:1::1", None, "the address of the router's own port 'dual'"),
        ("fe80::800:ff:fe00:101", "dual", "link-local address of the router's own port 'dual'"),
        ("fe80::1", None, "in no network of the router; name an output_port"),
        ("10.9.9.9", "six", "no IPv4 address to ask for it from"),
        ("127.0.0.1", "dual", "a loopback address"),
        ("::1", "dual", "a loopback address"),
        ("224.0.0.5", "dual", "a multicast address"),
        ("ff02::1", "dual", "a multicast address"),
        ("0.0.0.0", "dual", "the unspecified address"),
        ("::", "dual", "the unspecified address"),
        ("0.1.2.3", "dual", "'this network'"),
        ("255.255.255.255", "dual", "the broadcast address"),
    ],
)
def test_next_hops_that_are_no_host(
    dual: Network, nexthop: str, output_port: str | None, reason: str
) -> None:
    prefix = "::/0" if ":" in nexthop else "0.0.0.0/0"
    route = {"logical_router": "r1", "ip_prefix": prefix, "nexthop": nexthop}
    faults = dual.faults("route", **route, output_port=output_port)
    assert reason in faults.pop("/nexthop")
    assert faults == {}


@pytest.mark.parametrize(
    ("nexthop", "output_port"),
    [
        ("10.1.0.254", None),
        ("10.2.0.14", None),
        ("10.3.0.1", None),
        ("fd00:1::", None),
        ("fd00:1::2", None),
        ("fe80::1", "dual"),
        ("10.9.9.9", "dual"),
    ],
)
def test_next_hops_that_may_be_hosts(dual: Network, nexthop: str, output_port: str | None) -> None:
    """IPv6 has no broadcast, and other routers answer for a network's own address."""
    prefix = "::/0" if ":" in nexthop else "0.0.0.0/0"
    dual.create(
        "route", logical_router="r1", ip_prefix=prefix, nexthop=nexthop, output_port=output_port
    )


@pytest.mark.parametrize(
    ("nexthop", "own"),
    [
        ("10.1.0.254", "10.1.0.254/24"),
        ("10.1.0.248", "10.1.0.250/29"),
        ("10.1.0.127", "10.1.0.120/28"),
        ("fd00:1::2", "fd00:1::2/64"),
    ],
)
def test_a_port_does_not_turn_a_next_hop_into_no_host(
    dual: Network, nexthop: str, own: str
) -> None:
    prefix = "2001:db8::/32" if ":" in nexthop else "192.0.2.0/24"
    dual.create("route", logical_router="r1", ip_prefix=prefix, nexthop=nexthop)
    refused = dual.refuses(
        InvalidError, lambda: dual.update("router_port", "dual", networks=["10.9.0.1/24", own])
    )
    assert f"networks.1: {nexthop} is the next hop of the router's route to {prefix}" in refused


def test_link_made_in_one_transaction(routers: Network) -> None:
    with routers.database.write(author="test") as tx:
        for name, router in (("a", "r1"), ("b", "r2")):
            values = {"name": name, "logical_router": router, "networks": ["10.5.0.1/30"]}
            LOGICAL_ROUTER_PORTS.create(tx, values)
        LOGICAL_ROUTER_PORTS.update(tx, "a", {"peer": "b"})
        LOGICAL_ROUTER_PORTS.update(tx, "b", {"networks": ["10.5.0.2/30"], "peer": "a"})
    assert peers(routers)["b"] == "a"
    assert len(tx.changes) == 2


BINDING = {"logical_router_port": "dual", "ip": "10.1.0.7", "mac": "0a:00:00:00:00:07"}


@pytest.mark.parametrize(
    ("values", "pointer", "reason"),
    [
        ({"ip": "10.1.0.1"}, "/ip", "the address of the router's own port 'dual'"),
        ({"ip": "10.1.0.255"}, "/ip", "the broadcast address of 10.1.0.0/24"),
        ({"ip": "fe80::800:ff:fe00:101"}, "/ip", "link-local address of the router's own port"),
        ({"ip": "ff02::1"}, "/ip", "a multicast address"),
        ({"ip": "10.1.0.7/24"}, "/ip", "not an IP address"),
        ({"mac": "01:00:5e:00:00:01"}, "/mac", "01:00:5e:00:00:01"),
        ({"logical_router_port": "nowhere"}, "/logical_router_port", "no logical router port"),
    ],
)
def test_bindings_that_cannot_be(
    dual: Network, values: dict[str, str], pointer: str, reason: str
) -> None:
    faults = dual.faults("binding", **BINDING | values)
    assert list(faults) == [pointer]
    assert reason in faults[pointer]


def test_an_address_has_one_binding_on_a_port(dual: Network) -> None:
    """In any spelling; other ports have their own, and what is bound needn't be in a network."""
    first = dual.create("binding", **BINDING | {"ip": "FD00:9::7"})
    assert first in dual.refused(ConflictError, "binding", **BINDING | {"ip": "fd00:9:0::7"})
    dual.create("binding", **BINDING | {"logical_router_port": "six", "ip": "fd00:9::7"})
    dual.update("binding", first, mac="0A:00:00:00:00:08", override_dynamic_mac=True)
    assert dual.get("binding", first)["mac"] == "0a:00:00:00:00:08"
