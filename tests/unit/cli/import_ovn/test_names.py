"""Names that OVN has and Treadle has not."""

import pytest

from cli.import_ovn.names import ORIGINAL_NAME
from tests.unit.cli.import_ovn.rows import Database, losses, references


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web:1.a_b-c", "web:1.a_b-c"),
        ("a b/c", "a_b_c-00000001"),
        ("_x", "x-00000001"),
        ("", "ovn-00000001"),
        ("ü", "ovn-00000001"),
    ],
)
def test_a_switch_has_a_name_that_treadle_takes(name: str, expected: str) -> None:
    database = Database()
    database.switch(name=name)
    imported = database.translated()
    assert list(imported.document["logical_switches"]) == [expected]
    values = imported.document["logical_switches"][expected]
    assert values.get("external_ids", {}) == ({} if name == expected else {ORIGINAL_NAME: name})
    assert losses(imported) == []


def test_switches_with_one_name_are_told_apart() -> None:
    database = Database()
    database.switch(name="a")
    database.switch(name="a")
    database.router(name="a")
    imported = database.translated()
    assert set(imported.document["logical_switches"]) == {"a-00000001", "a-00000002"}
    assert set(imported.document["logical_routers"]) == {"a"}


def test_a_made_up_name_takes_nobodys() -> None:
    database = Database()
    database.switch(name="a b")
    database.switch(name="a_b-00000001")
    assert set(database.translated().document["logical_switches"]) == {
        "a_b-00000001-0000-4000-8000-000000000000",
        "a_b-00000001",
    }


def test_a_router_port_gives_way_to_the_switch_port_of_its_name() -> None:
    """Hypervisors bind switch ports by their names. Which one OVN sees is anybody's guess."""
    database = Database()
    route = database.route("0.0.0.0/0", "10.0.0.9", output_port=["p"])
    port = database.router_port("p", "10.0.0.1/24")
    database.router(port, static_routes=references(route))
    options = {"router-port": "p"}
    database.switch(
        database.port("p"), database.port("q", "router", type="router", options=options)
    )
    imported = database.translated()
    assert losses(imported) == [("logical router port p", "name")]
    router = imported.document["logical_routers"]["r"]
    assert list(router["ports"]) == ["p-00000002"]
    assert router["static_routes"][0]["output_port"] == "p-00000002"
    ports = imported.document["logical_switches"]["sw"]["ports"]
    assert ports["q"]["router_port"] == "p-00000002"


def test_a_port_that_hypervisors_bind_keeps_its_name_or_stays() -> None:
    database = Database()
    database.switch(database.port("a b"))
    imported = database.translated()
    assert imported.document["logical_switches"] == {"sw": {}}
    assert losses(imported) == [("logical switch port a b", "name")]


def test_matches_follow_a_port_to_its_name() -> None:
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.1/24"))
    options = {"router-port": "r-sw"}
    port = database.port("to r", "router", type="router", options=options)
    match = 'outport == {"to r", "p"} && ip'
    acl = database.acl(match)
    database.switch(port, database.port("p"), acls=references(acl))
    imported = database.translated()
    assert losses(imported) == []
    (found,) = imported.document["logical_switches"]["sw"]["acls"]
    assert found["match"] == 'outport == {"to_r-00000003", "p"} && ip'


def test_a_name_written_in_another_way_is_not_overlooked() -> None:
    database = Database()
    database.router(database.router_port("r-sw", "10.0.0.1/24"))
    options = {"router-port": "r-sw"}
    port = database.port("to r", "router", type="router", options=options)
    database.switch(port, acls=references(database.acl('outport == "to\\u0020r"')))
    imported = database.translated()
    assert [column for _, column in losses(imported)] == ["match"]


@pytest.mark.parametrize(
    ("name", "expected"), [("my-group", "my_group_00000001"), ("7", "ovn_7_00000001")]
)
def test_groups_whose_names_no_match_can_write(name: str, expected: str) -> None:
    database = Database()
    database.add("Port_Group", name=name)
    assert list(database.translated().document["port_groups"]) == [expected]


def test_external_ids_that_are_too_long_are_listed() -> None:
    database = Database()
    database.switch(external_ids={"good": "1", "bad": "x" * 256})
    imported = database.translated()
    assert imported.document["logical_switches"]["sw"] == {"external_ids": {"good": "1"}}
    assert [found.column for found in imported.report.findings] == ["external_ids:bad"]
    assert losses(imported) == []
