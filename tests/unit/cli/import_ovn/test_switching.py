"""Switches and their ports, from rows to the document."""

import pytest

from cli.import_ovn.translation import Imported
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def test_ports_keep_what_they_are() -> None:
    database = Database()
    port = database.port(
        "web-1",
        "0A:00:00:00:00:01 10.0.0.1",
        "unknown",
        port_security=["0a:00:00:00:00:01 10.0.0.1"],
        enabled=False,
        options={"requested-chassis": "hv1,hv2"},
        external_ids={"vm": "7"},
        up=True,
    )
    database.switch(port, name="web", external_ids={"tenant": "shop"})
    imported = database.translated()
    assert imported.report.findings == []
    assert imported.document["logical_switches"] == {
        "web": {
            "external_ids": {"tenant": "shop"},
            "ports": {
                "web-1": {
                    "addresses": ["0a:00:00:00:00:01 10.0.0.1", "unknown"],
                    "port_security": ["0a:00:00:00:00:01 10.0.0.1"],
                    "enabled": False,
                    "requested_chassis": ["hv1", "hv2"],
                    "external_ids": {"vm": "7"},
                }
            },
        }
    }


def test_address_management_goes_with_a_switch() -> None:
    database = Database()
    options = {"subnet": "10.0.0.7/24", "exclude_ips": "10.0.0.2..10.0.0.9 10.0.0.20 192.0.2.1"}
    database.switch(other_config={**options, "ipv6_prefix": "fd00::"})
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"] == {
        "subnet4": "10.0.0.0/24",
        "subnet6": "fd00::/64",
        "exclude_ips": ["10.0.0.2..10.0.0.9", "10.0.0.20"],
    }
    assert losses(imported) == []
    assert "192.0.2.1" in notes(imported)[0].reason


def test_a_subnet_that_treadle_refuses_costs_address_management_only() -> None:
    database = Database()
    port = database.port("p", "dynamic", dynamic_addresses="0a:00:00:00:00:01 10.0.0.3")
    database.switch(port, other_config={"subnet": "10.0.0.2/31"})
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"] == {
        "ports": {"p": {"addresses": ["0a:00:00:00:00:01 10.0.0.3"]}}
    }
    assert losses(imported) == []
    assert notes(imported)[0].column == "other_config:subnet"


@pytest.mark.parametrize("element", ["dynamic", "0a:00:00:00:00:01 dynamic", "dynamic 10.0.0.3"])
def test_dynamic_addresses_stay_those_that_ovn_gave(element: str) -> None:
    database = Database()
    given = "0a:00:00:00:00:01 10.0.0.3 fd00::1"
    port = database.port("p", element, dynamic_addresses=given)
    database.switch(port, other_config={"subnet": "10.0.0.0/24"})
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"]["ports"]["p"] == {"addresses": [given]}
    assert losses(imported) == []


@pytest.mark.parametrize(
    ("options", "expected"), [({"subnet": "10.0.0.0/24"}, {"addresses": ["dynamic"]}), ({}, {})]
)
def test_an_address_not_yet_given_stays_dynamic_where_there_are_any(
    options: dict[str, str], expected: dict[str, list[str]]
) -> None:
    database = Database()
    database.switch(database.port("p", "dynamic"), other_config=options)
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"]["ports"] == {"p": expected}
    assert losses(imported) == []
    assert len(notes(imported)) == 1


@pytest.mark.parametrize("kind", ["vtep", "remote"])
def test_ports_of_other_types_are_left_out(kind: str) -> None:
    database = Database()
    database.switch(database.port("p", type=kind), database.port("q"))
    imported = database.translated()
    assert list(imported.document["logical_switches"]["sw"]["ports"]) == ["q"]
    assert losses(imported) == [("logical switch port p", "type")]


def test_a_tag_without_a_parent_means_nothing() -> None:
    database = Database()
    database.switch(database.port("p", tag=7))
    imported = database.translated()
    assert losses(imported) == []
    assert [each.column for each in notes(imported)] == ["tag"]


def test_ports_to_provider_networks_are_imported() -> None:
    database = Database()
    options = {"network_name": "physnet1", "localnet_learn_fdb": "true"}
    database.switch(
        database.port("out", "unknown", type="localnet", options=options, tag=100),
        database.port("flat", "unknown", type="localnet", options={"network_name": "dc"}),
        database.port("meta", "0a:00:00:00:00:fe 10.0.0.254", type="localport"),
        other_config={"vlan-passthru": "true"},
    )
    imported = database.translated()
    switch = imported.document["logical_switches"]["sw"]
    assert switch["vlan_passthru"] is True
    assert switch["ports"]["out"] == {
        "type": "localnet",
        "addresses": ["unknown"],
        "network_name": "physnet1",
        "tag": 100,
        "learn_fdb": True,
    }
    assert switch["ports"]["flat"]["network_name"] == "dc"
    assert "tag" not in switch["ports"]["flat"]
    assert switch["ports"]["meta"]["type"] == "localport"
    assert losses(imported) == []


def test_a_way_outside_on_one_chassis_is_imported() -> None:
    database = Database()
    options = {"network_name": "physnet1", "l2gateway-chassis": "gw1", "ethtype": "802.1ad"}
    database.switch(
        database.port("out", "unknown", type="l2gateway", options=options, tag=100),
        database.port("off", "unknown", type="l2gateway", options={"network_name": "dc"}),
    )
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"]["ports"] == {
        "out": {
            "type": "l2gateway",
            "addresses": ["unknown"],
            "network_name": "physnet1",
            "requested_chassis": ["gw1"],
            "tag": 100,
            "vlan_protocol": "802.1ad",
        }
    }
    assert losses(imported) == []
    assert [each.column for each in notes(imported)] == ["options:l2gateway-chassis"]


def test_external_ports_are_imported_with_their_groups() -> None:
    database = Database()
    group = database.ha_chassis_group("racks", ("hv1", 20), ("hv2", 10))
    mac = "02:00:00:00:00:01"
    database.switch(
        database.port("metal", mac, type="external", ha_chassis_group=references(group)),
        database.port("alone", "02:00:00:00:00:02", type="external"),
    )
    imported = database.translated()
    ports = imported.document["logical_switches"]["sw"]["ports"]
    assert ports["metal"]["type"] == ports["alone"]["type"] == "external"
    assert ports["metal"]["ha_chassis_group"] == "racks"
    assert "ha_chassis_group" not in ports["alone"]
    assert losses(imported) == []


def test_what_a_port_to_a_provider_network_loses_is_told() -> None:
    database = Database()
    port = database.port(
        "out",
        type="localnet",
        options={"network_name": "dc"},
        port_security=["0a:00:00:00:00:01"],
    )
    nowhere = database.port("nowhere", "unknown", type="localnet")
    database.switch(port, nowhere)
    imported = database.translated()
    ports = imported.document["logical_switches"]["sw"]["ports"]
    assert list(ports) == ["out"]
    assert sorted(losses(imported)) == [
        ("logical switch port out", "addresses"),
        ("logical switch port out", "port_security"),
    ]
    assert [(each.object, each.column) for each in notes(imported)] == [
        ("logical switch port nowhere", "options")
    ]


def test_a_port_with_a_refused_field_is_left_out_as_a_whole() -> None:
    """Without its port security it would be more open than it was."""
    database = Database()
    port = database.port("p", "0a:00:00:00:00:01", port_security=["VRRPv3 0a:00:00:00:00:01"])
    database.switch(port)
    imported = database.translated()
    assert imported.document["logical_switches"] == {"sw": {}}
    assert losses(imported) == [("logical switch port p", "port_security")]


def test_two_ports_with_one_address() -> None:
    database = Database()
    ports = [database.port(name, f"0a:00:00:00:00:0{name} 10.0.0.1") for name in "12"]
    database.switch(*ports)
    imported = database.translated()
    assert list(imported.document["logical_switches"]["sw"]["ports"]) == ["1"]
    ((finding),) = imported.report.losses
    assert finding.object == "logical switch port 2"
    assert finding.reason == "not imported: 10.0.0.1 belongs to logical switch port 1"


def towards_router(*addresses: str) -> Imported:
    """A switch port with these addresses that leads to a router port."""
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.254/24", "fd00::1/64"))
    options = {"router-port": "r-sw"}
    database.switch(database.port("sw-r", *addresses, type="router", options=options))
    return database.translated()


@pytest.mark.parametrize("addresses", ["router", "0a:00:00:00:01:01 10.0.0.254 fd00::1"])
def test_a_port_towards_a_router_has_the_addresses_of_the_router_port(addresses: str) -> None:
    imported = towards_router(addresses)
    assert imported.report.findings == []
    assert imported.document["logical_switches"]["sw"]["ports"] == {
        "sw-r": {"type": "router", "router_port": "r-sw", "addresses": ["router"]}
    }


@pytest.mark.parametrize(
    ("addresses", "passed_over"),
    [
        (["0a:00:00:00:01:01"], []),
        (["router", "unknown"], []),
        (["0A:0:0:0:1:1 10.0.0.254/24"], []),
        (["0a:00:00:00:01:01 10.0.0.9"], ["10.0.0.9 not imported"]),
    ],
)
def test_addresses_that_a_port_towards_a_router_may_have(
    addresses: list[str], passed_over: list[str]
) -> None:
    imported = towards_router(*addresses)
    assert imported.document["logical_switches"]["sw"]["ports"] == {
        "sw-r": {"type": "router", "router_port": "r-sw", "addresses": ["router"]}
    }
    told = [finding.reason for finding in imported.report.losses]
    assert len(told) == len(passed_over)
    assert all(begin in reason for begin, reason in zip(passed_over, told, strict=True))


@pytest.mark.parametrize("addresses", [[], ["0a:00:00:00:01:02"], ["10.0.0.254"]])
def test_a_port_towards_a_router_that_gets_no_frames(addresses: list[str]) -> None:
    imported = towards_router(*addresses)
    assert losses(imported) == [("logical switch port sw-r", "addresses")]
    assert imported.document["logical_switches"]["sw"] == {}


def test_a_port_towards_no_router() -> None:
    database = Database()
    database.switch(database.port("p", "router", type="router", options={"router-port": "gone"}))
    imported = database.translated()
    assert losses(imported) == []
    assert [note.column for note in notes(imported)] == ["options:router-port"]


def test_a_port_towards_a_router_port_that_is_not_imported() -> None:
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.254/24", mac="01:00:00:00:00:01"))
    database.switch(database.port("p", "router", type="router", options={"router-port": "r-sw"}))
    imported = database.translated()
    assert [column for _, column in losses(imported)] == ["mac", "options:router-port"]


def test_spellings_that_ovn_reads() -> None:
    database = Database()
    port = database.port(
        "p",
        "0:1:2:3:4:2 192.168.81.4/24",
        "0A:00:00:00:00:01  010.0.0.1 etc",
        "nonsense",
        port_security=["0:1:2:3:4:2 192.168.81.4/24"],
    )
    database.switch(port)
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"]["ports"]["p"] == {
        "addresses": ["00:01:02:03:04:02 192.168.81.4", "0a:00:00:00:00:01 10.0.0.1"],
        "port_security": ["00:01:02:03:04:02 192.168.81.4/24"],
    }
    assert losses(imported) == []
    assert ["'etc'" in notes(imported)[0].reason, "'nonsense'" in notes(imported)[1].reason] == [
        True,
        True,
    ]


def test_an_address_that_treadle_refuses_is_lost_alone() -> None:
    database = Database()
    database.switch(database.port("p", "00:00:00:00:00:00", "0a:00:00:00:00:01 10.0.0.1"))
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"]["ports"] == {
        "p": {"addresses": ["0a:00:00:00:00:01 10.0.0.1"]}
    }
    assert losses(imported) == [("logical switch port p", "addresses")]


def test_what_means_nothing_on_a_port_towards_a_router() -> None:
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.254/24"))
    port = database.port(
        "p",
        "router",
        type="router",
        options={"router-port": "r-sw", "requested-chassis": "hv1"},
        port_security=["0a:00:00:00:00:01"],
    )
    database.switch(port)
    imported = database.translated()
    assert losses(imported) == []
    assert [note.column for note in notes(imported)] == [
        "port_security",
        "options:requested-chassis",
    ]


def test_two_ports_towards_one_router_port() -> None:
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.254/24"))
    options = {"router-port": "r-sw"}
    ports = [database.port(name, "router", type="router", options=options) for name in "ab"]
    database.switch(*ports)
    imported = database.translated()
    assert list(imported.document["logical_switches"]["sw"]["ports"]) == ["a"]
    assert losses(imported) == [("logical switch port b", "options:router-port")]


def test_a_port_on_two_switches() -> None:
    database = Database()
    port = database.port("p")
    database.switch(port, name="a")
    database.switch(port, name="b")
    imported = database.translated()
    assert losses(imported) == [("logical switch port p", "name")]


def test_nested_ports_keep_their_tags() -> None:
    """The tag that OVN gave out is one that is said: containers have it. One never given is."""
    database = Database()
    vm, other = database.port("vm"), database.port("other")
    said = database.port("a", parent_name="vm", tag_request=5, tag=5)
    given = database.port("b", parent_name="vm", tag_request=0, tag=1)
    waiting = database.port("c", parent_name="vm", tag_request=0)
    again = database.port("d", parent_name="vm", tag=5)
    orphan = database.port("e", parent_name="nothing", tag=5)
    untagged = database.port("h", tag=9)
    inner = database.port("f", parent_name="a", tag=7)
    options = {"requested-chassis": "hv1"}
    requested = database.port("g", parent_name="other", tag=5, options=options)
    database.switch(said, given, waiting, again, orphan, inner, requested, name="containers")
    database.switch(vm, other, untagged, name="vms")
    imported = database.translated()
    assert imported.document["logical_switches"]["containers"]["ports"] == {
        "a": {"parent": "vm", "tag": 5},
        "b": {"parent": "vm", "tag": 1},
        "c": {"parent": "vm", "tag": 0},
        "g": {"parent": "other", "tag": 5},
    }
    assert [column for _, column in losses(imported)] == ["parent_name"] * 3
    assert {finding.column for finding in notes(imported)} == {"options:requested-chassis", "tag"}


def test_virtual_ports_and_strategies() -> None:
    database = Database()
    moving = {"requested-chassis": "hv1,hv2", "activation-strategy": "rarp"}
    parent = database.port("a", options=moving)
    elsewhere = database.port("b")
    options = {"virtual-ip": "10.0.0.9", "virtual-parents": "a,b,c"}
    virtual = database.port("v", type="virtual", options=options)
    lost = database.port(
        "w", type="virtual", options={"virtual-ip": "10.0.0.8", "virtual-parents": "b"}
    )
    database.switch(parent, virtual, lost, name="s")
    database.switch(elsewhere, name="t")
    imported = database.translated()
    assert imported.document["logical_switches"]["s"]["ports"] == {
        "a": {"requested_chassis": ["hv1", "hv2"], "activation_strategy": ["rarp"]},
        "v": {"type": "virtual", "virtual_ip": "10.0.0.9", "virtual_parents": ["a"]},
    }
    assert [column for _, column in losses(imported)] == ["options:virtual-parents"]
    assert len(notes(imported)) == 3
