"""Routers, their ports and routes, from rows to the document."""

from typing import Any

import pytest

from cli.import_ovn.translation import Imported
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def with_routes(*routes: dict[str, Any], networks: tuple[str, ...] = ("10.0.0.1/24",)) -> Imported:
    """A router with the port ``p`` and these routes."""
    database = Database()
    uuids = [database.add("Logical_Router_Static_Route", **route) for route in routes]
    port = database.router_port("p", *networks)
    database.router(port, static_routes=references(*uuids))
    return database.translated()


def routes_of(imported: Imported) -> list[dict[str, Any]]:
    found = imported.document["logical_routers"]["r"].get("static_routes", [])
    assert isinstance(found, list)
    return found


def test_a_router_keeps_what_it_is() -> None:
    database = Database()
    port = database.router_port("p", "10.0.0.1/24", "FD00::1/64", enabled=False)
    database.router(port, enabled=False, external_ids={"a": "b"})
    imported = database.translated()
    assert imported.report.findings == []
    assert imported.document["logical_routers"] == {
        "r": {
            "enabled": False,
            "external_ids": {"a": "b"},
            "ports": {
                "p": {
                    "mac": "0a:00:00:00:01:01",
                    "networks": ["10.0.0.1/24", "fd00::1/64"],
                    "enabled": False,
                }
            },
        }
    }


@pytest.mark.parametrize("options", [{"chassis": "hv1"}, {}])
def test_replies_go_back_on_gateway_routers_alone(options: dict[str, str]) -> None:
    database = Database()
    route = database.add(
        "Logical_Router_Static_Route",
        ip_prefix="10.9.0.0/16",
        nexthop="10.0.0.9",
        options={"ecmp_symmetric_reply": "true"},
    )
    port = database.router_port("p", "10.0.0.1/24")
    database.router(port, static_routes=references(route), options=options)
    imported = database.translated()
    (found,) = routes_of(imported)
    assert found.get("ecmp_symmetric_reply", False) is bool(options)
    assert losses(imported) == []
    assert len(notes(imported)) == (0 if options else 1)


def test_a_port_on_two_routers() -> None:
    database = Database()
    port = database.router_port("p", "10.0.0.1/24")
    database.router(port, name="a")
    database.router(port, name="b")
    imported = database.translated()
    assert imported.document["logical_routers"]["b"] == {}
    assert losses(imported) == [("logical router port p", "name")]


def test_routers_that_are_linked_stay_so() -> None:
    database = Database()
    for name, peer in (("a", "b"), ("b", "a")):
        mac = f"0a:00:00:00:01:0{name}"
        port = database.router_port(name, f"10.0.0.1{ord(name)}/24", mac=mac, peer=[peer])
        database.router(port, name=f"r{name}")
    imported = database.translated()
    assert losses(imported) == []
    assert imported.document["logical_routers"]["ra"]["ports"]["a"]["peer"] == "b"
    assert imported.document["logical_routers"]["rb"]["ports"]["b"]["peer"] == "a"


@pytest.mark.parametrize(("peer", "lost"), [("q", True), ("p", True), ("sw-r", False)])
def test_a_link_that_leads_one_way_only(peer: str, lost: bool) -> None:
    database = Database()
    database.router(database.router_port("p", "10.0.0.1/24", peer=[peer]))
    database.router(database.router_port("q", "10.0.0.2/24"), name="s")
    database.switch(database.port("sw-r"))
    imported = database.translated()
    assert "peer" not in imported.document["logical_routers"]["r"]["ports"]["p"]
    assert (losses(imported) == [("logical router port p", "peer")]) is lost


def test_routes_keep_what_they_are() -> None:
    imported = with_routes(
        {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9", "external_ids": {"a": "b"}},
        {"ip_prefix": "10.9.1.1/16", "nexthop": "10.0.0.8", "policy": ["src-ip"]},
        {"ip_prefix": "192.0.2.1", "nexthop": "192.0.2.9", "output_port": ["p"]},
        {"ip_prefix": "198.51.100.0/24", "nexthop": "discard"},
    )
    assert imported.report.findings == []
    assert routes_of(imported) == [
        {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9", "external_ids": {"a": "b"}},
        {"ip_prefix": "10.9.0.0/16", "nexthop": "10.0.0.8", "policy": "src-ip"},
        {"ip_prefix": "192.0.2.1/32", "nexthop": "192.0.2.9", "output_port": "p"},
        {"ip_prefix": "198.51.100.0/24", "nexthop": "discard"},
    ]


@pytest.mark.parametrize(
    "route",
    [
        {"ip_prefix": "0.0.0.0/0", "nexthop": "192.0.2.1"},
        {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9", "output_port": ["gone"]},
    ],
)
def test_a_route_that_ovn_passes_over_is_left_behind(route: dict[str, Any]) -> None:
    imported = with_routes(route)
    assert (routes_of(imported), losses(imported)) == ([], [])
    assert "passed over by OVN" in notes(imported)[0].reason


@pytest.mark.parametrize("nexthop", ["10.0.0.1", "10.0.0.0", "10.0.0.255"])
def test_a_route_to_where_nobody_answers_drops_as_it_did(nexthop: str) -> None:
    imported = with_routes({"ip_prefix": "192.0.2.0/24", "nexthop": nexthop})
    assert [each["nexthop"] for each in routes_of(imported)] == ["discard"]
    assert losses(imported) == []
    assert f"imported as discard: {nexthop} is the" in notes(imported)[0].reason


def test_a_route_by_a_port_that_is_left_out_is_lost() -> None:
    imported = with_routes(
        {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9", "output_port": ["p"]},
        networks=("10.0.0.0/24",),
    )
    assert [column for _, column in losses(imported)] == ["networks", "networks", "output_port"]


def test_a_link_local_next_hop_is_at_the_only_port() -> None:
    imported = with_routes({"ip_prefix": "::/0", "nexthop": "fe80::1"}, networks=("fd00::1/64",))
    assert losses(imported) == []
    assert routes_of(imported)[0]["output_port"] == "p"


def test_several_next_hops_are_kept_that_go_together() -> None:
    route = {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9"}
    others = [
        {**route, "nexthop": "10.0.0.8"},
        {**route, "nexthop": "fe80::1", "output_port": ["p"]},
        {**route, "nexthop": "10.0.0.7", "route_table": "guests"},
        {**route, "nexthop": "10.0.0.6", "options": {"origin": "connected"}},
    ]
    imported = with_routes(route, *others, route, {**route, "nexthop": "discard"})
    assert [
        (each["nexthop"], each.get("route_table"), each.get("origin"))
        for each in routes_of(imported)
    ] == [
        ("10.0.0.7", "guests", None),
        ("10.0.0.6", None, "connected"),
        ("10.0.0.8", None, None),
        ("10.0.0.9", None, None),
    ]
    assert ["go together" in lost.reason for lost in imported.report.losses] == [True, True]
    assert "says the same" in notes(imported)[0].reason


def test_the_fields_of_a_choice_are_those_of_both_families() -> None:
    imported = with_routes(
        {
            "ip_prefix": "0.0.0.0/0",
            "nexthop": "10.0.0.9",
            "selection_fields": ["ipv6_src", "ip_src", "ip_proto", "tp_dst"],
        },
    )
    assert imported.document["logical_routers"]["r"]["static_routes"] == [
        {
            "ip_prefix": "0.0.0.0/0",
            "nexthop": "10.0.0.9",
            "selection_fields": ["ip_proto", "ip_src", "tp_dst"],
        }
    ]
    discarding = with_routes(
        {"ip_prefix": "0.0.0.0/0", "nexthop": "discard", "selection_fields": ["ip_src"]}
    )
    assert "selection_fields" not in routes_of(discarding)[0]
    assert losses(discarding) == []


@pytest.mark.parametrize(
    ("prefix", "nexthop"),
    [
        ("0.0.0.0/0", ""),
        ("0.0.0.0/0", "web-1"),
        ("0.0.0.0/0", "10.0.9"),
        ("0.0.0.0/0", "10.0.0.9/24"),
        ("10.0.0/16", "10.0.0.9"),
        ("::/0", "10.0.0.9"),
    ],
)
def test_a_route_that_ovn_cannot_read(prefix: str, nexthop: str) -> None:
    imported = with_routes({"ip_prefix": prefix, "nexthop": nexthop})
    assert losses(imported) == []
    assert "OVN passes over it" in notes(imported)[0].reason
    assert routes_of(imported) == []


def test_a_route_onto_a_link_is_lost() -> None:
    imported = with_routes({"ip_prefix": "192.0.2.0/24", "nexthop": "", "output_port": ["p"]})
    assert [column for _, column in losses(imported)] == ["nexthop"]


def test_spellings_that_ovn_reads() -> None:
    database = Database()
    route = database.route("10.257.2.3/255.255.0.0", "010.0.0.9")
    port = database.router_port("p", "10.0.0.1/255.255.255.0", "nonsense", mac="0:0:0:1:2:A")
    database.router(port, static_routes=references(route))
    imported = database.translated()
    assert imported.document["logical_routers"] == {
        "r": {
            "ports": {"p": {"mac": "00:00:00:01:02:0a", "networks": ["10.0.0.1/24"]}},
            "static_routes": [{"ip_prefix": "10.1.0.0/16", "nexthop": "10.0.0.9"}],
        }
    }
    assert losses(imported) == []
    assert ["'nonsense'" in note.reason for note in notes(imported)] == [True]


def test_a_port_that_ovn_cannot_read_hides_nothing() -> None:
    database = Database()
    port = database.router_port("p", "10.0.0.1/24", mac="nonsense")
    route = database.route("0.0.0.0/0", "10.0.0.9")
    database.router(port, static_routes=references(route))
    options = {"router-port": "p"}
    database.switch(database.port("up", "router", type="router", options=options))
    imported = database.translated()
    assert losses(imported) == []
    assert [note.column for note in notes(imported)] == ["mac", "options:router-port", "nexthop"]


def test_a_route_that_ovn_may_follow_or_not() -> None:
    """It has the priority of the flow that drops what no route fits."""
    route = {"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.9", "policy": ["src-ip"]}
    imported = with_routes(route)
    assert [column for _, column in losses(imported)] == ["policy"]


def with_bindings(*bindings: dict[str, Any], **port: Any) -> Imported:
    """A router with the port ``p``, and these static MAC bindings."""
    database = Database()
    database.router(database.router_port("p", "10.0.0.1/24", **port))
    for binding in bindings:
        row = {"logical_port": "p", "ip": "10.0.0.7", "mac": "0a:00:00:00:00:07", **binding}
        database.add("Static_MAC_Binding", **row)
    return database.translated()


def bindings_of(imported: Imported) -> list[dict[str, Any]]:
    port = imported.document["logical_routers"]["r"]["ports"]["p"]
    found = port.get("static_mac_bindings", [])
    assert isinstance(found, list)
    return found


def test_static_mac_bindings_are_copied() -> None:
    imported = with_bindings(
        {"override_dynamic_mac": True},
        {"ip": "FD00::7", "mac": "0A:00:00:00:00:08"},
        {"ip": "10.0.0.9", "mac": "a:0:0:0:0:9"},
    )
    assert imported.report.findings == []
    assert bindings_of(imported) == [
        {"ip": "10.0.0.7", "mac": "0a:00:00:00:00:07", "override_dynamic_mac": True},
        {"ip": "fd00::7", "mac": "0a:00:00:00:00:08"},
        {"ip": "10.0.0.9", "mac": "0a:00:00:00:00:09"},
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {"ip": "neighbour"},
        {"ip": "010.0.0.7"},
        {"mac": "ff:ff:ff:ff:ff:ff"},
        {"ip": "10.0.0.1"},
        {"ip": "10.0.0.255"},
        {"ip": "fe80::800:ff:fe00:101"},
    ],
)
def test_a_binding_of_what_is_no_host_is_lost(columns: dict[str, str]) -> None:
    imported = with_bindings(columns)
    assert bindings_of(imported) == []
    assert [column for _, column in losses(imported)] == list(columns)


def test_two_bindings_of_one_address() -> None:
    imported = with_bindings({}, {"mac": "0a:00:00:00:00:09"})
    assert len(bindings_of(imported)) == 1
    assert [column for _, column in losses(imported)] == ["ip"]


def test_a_binding_of_no_port_is_passed_over_by_ovn_too() -> None:
    imported = with_bindings({"logical_port": "nowhere"})
    assert losses(imported) == []
    assert [found.column for found in notes(imported)] == ["logical_port"]


def test_a_binding_of_a_port_that_is_not_imported_is_lost() -> None:
    database = Database()
    database.router(database.router_port("p", "10.0.0.1"))
    database.add("Static_MAC_Binding", logical_port="p", ip="10.0.0.7", mac="0a:00:00:00:00:07")
    assert [column for _, column in losses(database.translated())] == ["networks", "logical_port"]


def test_of_networks_that_overlap_one_is_kept() -> None:
    database = Database()
    wide = database.router_port("wide", "10.0.0.1/16", "10.2.0.1/24")
    inside = database.router_port("inside", "10.0.3.1/24", "10.1.0.1/24")
    database.router(wide, inside)
    imported = database.translated()
    ports = imported.document["logical_routers"]["r"]["ports"]
    kept = {network for port in ports.values() for network in port["networks"]}
    assert {"10.1.0.1/24", "10.2.0.1/24"} < kept
    assert len(kept & {"10.0.0.1/16", "10.0.3.1/24"}) == 1
    assert [column for _, column in losses(imported)] == ["networks"]


def test_a_port_with_only_a_mac_address_stays_one() -> None:
    database = Database()
    options = {"dynamic_neigh_routers": "true", "always_learn_from_arp_request": "false"}
    options["mac_binding_age_threshold"] = "4294967295"
    database.router(database.router_port("bare"), options=options)
    imported = database.translated()
    assert imported.report.findings == []
    router = imported.document["logical_routers"]["r"]
    assert router["dynamic_neigh_routers"]
    assert router["always_learn_from_arp_request"] is False
    assert router["mac_binding_age_threshold"] == 2**31 - 1
    assert router["ports"]["bare"]["networks"] == []


def test_nat_keeps_what_it_matches() -> None:
    database = Database()
    port = database.router_port("p", "192.0.2.1/24")
    web = database.nat("dnat", "192.0.2.7", "10.0.0.7", match="tcp.dst == 443", priority=3)
    rest = database.nat("dnat", "192.0.2.7", "10.0.0.8", priority=3)
    both = database.nat("dnat_and_snat", "192.0.2.9", "10.0.0.9", match="tcp")
    database.router(
        port,
        nat=references(web, rest, both),
        options={"chassis": "hv1", "dnat_force_snat_ip": "10.0.0.1 fd00::1"},
    )
    imported = database.translated()
    router = imported.document["logical_routers"]["r"]
    assert router["dnat_force_snat_ips"] == ["10.0.0.1", "fd00::1"]
    common = {"type": "dnat", "external_ip": "192.0.2.7"}
    assert router["nats"] == [
        common | {"logical_ip": "10.0.0.7", "match": "tcp.dst == 443", "priority": 3},
        common | {"logical_ip": "10.0.0.8"},
    ]
    assert [found for _, found in losses(imported)] == ["match"]
