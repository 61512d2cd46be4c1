"""Logical switches and their ports."""

import pytest

from northbound.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    ReferencedError,
    VersionMismatchError,
)
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from tests.unit.northbound.network import Network, only


def test_switch_and_port_as_users_see_them(network: Network) -> None:
    switch = network.create("switch", name="web", labels={"team": "shop"})
    port = network.create(
        "port",
        name="web-1",
        logical_switch="web",
        addresses=["0A:00:00:00:00:01 FD00::1 10.0.0.1", "unknown"],
        port_security=["0A:00:00:00:00:01 10.0.0.0/24"],
        requested_chassis=["hv1"],
    )
    assert network.get("switch", "web") == {
        "id": switch,
        "name": "web",
        "project": "default",
        "display_name": "",
        "subnet4": None,
        "subnet6": None,
        "exclude_ips": [],
        "vlan_passthru": False,
        "shared": False,
        "dhcpv4_options": None,
        "dhcpv6_options": None,
        "labels": {"team": "shop"},
        "external_ids": {},
        "tunnel_key": 1,
        "document": None,
        "version": 1,
    }
    assert network.get("port", port) == {
        "id": port,
        "name": "web-1",
        "project": "default",
        "display_name": "",
        "logical_switch": "web",
        "type": "vif",
        "addresses": ["0a:00:00:00:00:01 10.0.0.1 fd00::1", "unknown"],
        "port_security": ["0a:00:00:00:00:01 10.0.0.0/24"],
        "enabled": True,
        "router_port": None,
        "requested_chassis": ["hv1"],
        "activation_strategy": [],
        "virtual_ip": None,
        "virtual_parents": [],
        "ha_chassis_group": None,
        "vlan_protocol": None,
        "parent": None,
        "tag": None,
        "dhcp": True,
        "hostname": None,
        "dhcpv4_options": None,
        "dhcpv6_options": None,
        "network_name": None,
        "learn_fdb": False,
        "labels": {},
        "external_ids": {},
        "dynamic_addresses": None,
        "allocated_tag": None,
        "tunnel_key": 1,
        "document": None,
        "version": 2,
    }


def test_every_wrong_field_is_named(network: Network) -> None:
    faults = network.faults(
        "port",
        name="web 1",
        addresses=["unknown", "0a:00:00:00:00:01 10.0.0.0.1"],
        enabled="perhaps",
        colour="red",
    )
    assert set(faults) == {"/name", "/logical_switch", "/addresses/1", "/enabled", "/colour"}
    assert faults["/addresses/1"] == "'10.0.0.0.1' is not an IP address"


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"type": "router"}, "/router_port"),
        ({"type": "vif", "router_port": "r-web"}, "/router_port"),
        ({"router_port": "r-web", "addresses": ["unknown"]}, "/addresses"),
        ({"router_port": "r-web", "port_security": ["0a:00:00:00:00:01"]}, "/port_security"),
        ({"router_port": "nowhere"}, "/router_port"),
        ({"addresses": ["router"]}, "/addresses"),
        ({"addresses": ["dynamic", "0a:00:00:00:00:01 dynamic"]}, "/addresses"),
        ({"addresses": ["dynamic"]}, "/addresses"),
        ({"type": "bridge"}, "/type"),
        ({"type": "localnet"}, "/network_name"),
        ({"type": "localnet", "network_name": "a,b"}, "/network_name"),
        ({"type": "l2gateway", "requested_chassis": ["hv1"]}, "/network_name"),
        ({"type": "l2gateway", "network_name": "dc"}, "/requested_chassis"),
        ({"type": "external"}, "/addresses"),
        (
            {"type": "localnet", "network_name": "dc", "vlan_protocol": "802.1ad"},
            "/vlan_protocol",
        ),
        (
            {"type": "localnet", "network_name": "dc", "tag": 7, "vlan_protocol": "802.1x"},
            "/vlan_protocol",
        ),
        ({"vlan_protocol": "802.1ad"}, "/vlan_protocol"),
        ({"type": "external", "addresses": ["unknown"]}, "/addresses"),
        (
            {"type": "external", "addresses": ["02:00:00:00:00:01"], "requested_chassis": ["h"]},
            "/requested_chassis",
        ),
        ({"type": "vif", "ha_chassis_group": "racks"}, "/ha_chassis_group"),
        (
            {"type": "l2gateway", "network_name": "d", "requested_chassis": ["h"], "tag": 0},
            "/tag",
        ),
        (
            {"type": "localnet", "network_name": "dc", "requested_chassis": ["hv1"]},
            "/requested_chassis",
        ),
        ({"type": "localnet", "network_name": "dc", "tag": 0}, "/tag"),
        ({"type": "localnet", "network_name": "dc", "tag": 4095}, "/tag"),
        ({"type": "localnet", "network_name": "dc", "addresses": ["dynamic"]}, "/addresses"),
        (
            {"type": "localnet", "network_name": "dc", "port_security": ["0a:00:00:00:00:01"]},
            "/port_security",
        ),
        ({"network_name": "dc"}, "/network_name"),
        ({"learn_fdb": True}, "/learn_fdb"),
        ({"logical_switch": "nowhere"}, "/logical_switch"),
    ],
)
def test_port_that_cannot_be(network: Network, values: dict[str, object], pointer: str) -> None:
    network.create("switch", name="web")
    network.create("router", name="r")
    network.create("router_port", name="r-web", logical_router="r", networks=["10.0.0.1/24"])
    assert list(network.faults("port", **{"name": "p", "logical_switch": "web", **values})) == [
        pointer
    ]


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"subnet4": "10.0.0.1/24"}, "/subnet4"),
        ({"subnet4": "10.0.0.0/31"}, "/subnet4"),
        ({"subnet4": "fd00::/64"}, "/subnet4"),
        ({"subnet4": "224.0.1.0/24"}, "/subnet4"),
        ({"subnet4": "127.0.0.0/24"}, "/subnet4"),
        ({"subnet4": "0.0.0.0/0"}, "/subnet4"),
        ({"subnet6": "ff02::/64"}, "/subnet6"),
        ({"subnet6": "::/64"}, "/subnet6"),
        ({"subnet6": "fd00::/48"}, "/subnet6"),
        ({"exclude_ips": ["10.0.0.1"]}, "/exclude_ips"),
        ({"subnet4": "10.0.0.0/24", "exclude_ips": ["10.0.0.2", "10.0.1.1"]}, "/exclude_ips/1"),
        ({"labels": {"a": 1}}, "/labels/a"),
    ],
)
def test_switch_that_cannot_be(network: Network, values: dict[str, object], pointer: str) -> None:
    assert list(network.faults("switch", **{"name": "web", **values})) == [pointer]


def test_names_are_unique(network: Network) -> None:
    network.create("switch", name="web")
    network.create("port", name="p", logical_switch="web")
    network.create("router", name="web")
    network.create("router_port", name="rp", logical_router="web", networks=["10.0.0.1/24"])
    message = network.refused(ConflictError, "switch", name="web")
    assert "name 'web' is already taken by logical switch web" in message
    network.refused(ConflictError, "port", name="p", logical_switch="web")
    network.refused(ConflictError, "port", name="rp", logical_switch="web")
    network.refused(
        ConflictError, "router_port", name="p", logical_router="web", networks=["10.0.0.2/24"]
    )
    network.refuses(ConflictError, lambda: network.update("router_port", "rp", name="p"))


def test_update_is_a_merge_patch(network: Network) -> None:
    network.create("switch", name="web", subnet4="10.0.0.0/24", labels={"a": "1", "b": "2"})
    changes = network.update("switch", "web", subnet4=None, labels={"a": None, "c": "3"})
    assert only(changes) == (
        "logical_switch",
        {
            "subnet4": ("10.0.0.0/24", None),
            "labels": ({"a": "1", "b": "2"}, {"b": "2", "c": "3"}),
        },
    )


def test_same_again_changes_nothing(network: Network) -> None:
    network.create("switch", name="web")
    network.create("port", name="p", logical_switch="web", addresses=["0a:00:00:00:00:01 fd00::1"])
    revision = network.database.revision()
    assert network.update("port", "p", addresses=["0A:00:00:00:00:01 FD00:0::1"]) == []
    assert network.update("switch", "web") == []
    assert network.database.revision() == revision


def test_rename_and_swap_names(network: Network) -> None:
    first = network.create("switch", name="a")
    second = network.create("switch", name="b")
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCHES.update(tx, "a", {"name": "c"})
        LOGICAL_SWITCHES.update(tx, "b", {"name": "a"})
        LOGICAL_SWITCHES.update(tx, "c", {"name": "b"})
    assert network.get("switch", "b")["id"] == first
    assert network.get("switch", "a")["id"] == second


def test_what_is_fixed_stays(network: Network) -> None:
    network.create("switch", name="web")
    network.create("switch", name="db")
    network.create("port", name="p", logical_switch="web")
    network.refuses(InvalidError, lambda: network.update("port", "p", logical_switch="db"))
    network.refuses(InvalidError, lambda: network.update("port", "p", type="router"))


def test_version_guards_changes(network: Network) -> None:
    network.create("switch", name="web")
    network.update("switch", "web", labels={"a": "1"})
    with pytest.raises(VersionMismatchError) as caught, network.database.write(author="t") as tx:
        LOGICAL_SWITCHES.update(tx, "web", {"labels": {}}, if_version=1)
    assert (caught.value.expected, caught.value.actual) == (1, 2)
    with pytest.raises(VersionMismatchError), network.database.write(author="t") as tx:
        LOGICAL_SWITCHES.delete(tx, "web", if_version=1)
    with network.database.write(author="t") as tx:
        LOGICAL_SWITCHES.delete(tx, "web", if_version=2)
    assert tx.committed == 3


def test_ports_stand_in_the_way_of_deletion(network: Network) -> None:
    network.create("switch", name="web")
    network.create("port", name="p1", logical_switch="web")
    network.create("port", name="p2", logical_switch="web")
    with pytest.raises(ReferencedError) as caught:
        network.delete("switch", "web")
    assert [referent.name for referent in caught.value.referrers] == ["p1", "p2"]
    network.create(
        "acl", logical_switch="web", direction="to-lport", priority=1, match="ip4", action="drop"
    )
    deleted = [change.table for change in network.delete("switch", "web", cascade=True)]
    assert sorted(deleted) == [
        "acl",
        "logical_switch",
        "logical_switch_port",
        "logical_switch_port",
    ]
    with pytest.raises(NotFoundError):
        network.get("port", "p1")


def test_deleted_port_leaves_its_groups(network: Network) -> None:
    network.create("switch", name="web")
    port = network.create("port", name="p1", logical_switch="web")
    group = network.create("group", name="pg", ports=["p1"])
    version = network.get("group", "pg")["version"]
    changes = network.delete("port", "p1")
    assert {(change.table, change.object_id) for change in changes} == {
        ("port_group_port", f"{group}/{port}"),
        ("logical_switch_port", port),
    }
    assert network.get("group", "pg")["ports"] == []
    assert network.get("group", "pg")["version"] > version


def test_delete_and_create_again_in_one_transaction(network: Network) -> None:
    old = network.create("switch", name="web")
    with network.database.write(author="test") as tx:
        LOGICAL_SWITCHES.delete(tx, "web")
        new = LOGICAL_SWITCHES.create(tx, {"name": "web"})
        LOGICAL_SWITCH_PORTS.create(tx, {"name": "p", "logical_switch": "web"})
    assert new.id != old
    assert network.get("port", "p")["logical_switch"] == "web"
    assert network.names("switch") == ["web"]


def test_lists_filter(network: Network) -> None:
    for switch in ("a", "b"):
        network.create("switch", name=switch, labels={"side": switch})
        for i in range(2):
            network.create("port", name=f"{switch}{i}", logical_switch=switch, labels={"n": str(i)})
    assert network.names("port", logical_switch="a") == ["a0", "a1"]
    assert network.names("port", **{"label.n": "1"}) == ["a1", "b1"]
    assert network.names("port", logical_switch="b", **{"label.n": "1"}) == ["b1"]
    assert network.names("switch", **{"label.side": "b"}) == ["b"]
    assert network.names("port", name="b0", type="vif") == ["b0"]
    with pytest.raises(NotFoundError):
        network.names("port", logical_switch="c")
    with pytest.raises(InvalidError, match="is no filter here"):
        network.names("port", colour="red")
