"""Gateways of routers and router ports, from rows to the document."""

from typing import Any

from tests.unit.cli.import_ovn.rows import Database, losses, references


def ranked(database: Database, *ranks: tuple[str, int]) -> list[Any]:
    return references(
        *(
            database.add("Gateway_Chassis", name=f"p-{each}", chassis_name=each, priority=rank)
            for each, rank in ranks
        )
    )


def test_chassis_of_ports_and_routers_are_kept() -> None:
    database = Database()
    group = database.ha_chassis_group("border", ("gw1", 20), ("gw2", 10))
    own = database.router_port(
        "own", "10.0.0.1/24", gateway_chassis=ranked(database, ("gw2", 5), ("gw1", 30))
    )
    shared = database.router_port("shared", "10.0.1.1/24", ha_chassis_group=references(group))
    database.router(own, shared, name="dr")
    database.router(name="gr", options={"chassis": "gw3"})
    imported = database.translated()
    assert imported.report.findings == []
    ports = imported.document["logical_routers"]["dr"]["ports"]
    assert ports["own"]["gateway_chassis"] == [
        {"chassis": "gw1", "priority": 30},
        {"chassis": "gw2", "priority": 5},
    ]
    assert ports["shared"]["ha_chassis_group"] == "border"
    assert imported.document["logical_routers"]["gr"]["chassis"] == "gw3"
    assert imported.document["ha_chassis_groups"]["border"]["chassis"] == [
        {"chassis": "gw1", "priority": 20},
        {"chassis": "gw2", "priority": 10},
    ]


def test_a_group_comes_before_chassis_of_the_ports_own() -> None:
    database = Database()
    group = database.ha_chassis_group("border", ("gw1", 20))
    port = database.router_port(
        "p",
        "10.0.0.1/24",
        ha_chassis_group=references(group),
        gateway_chassis=ranked(database, ("gw2", 5)),
    )
    database.router(port)
    imported = database.translated()
    assert losses(imported) == []
    (finding,) = imported.report.findings
    assert finding.column == "gateway_chassis"
    values = imported.document["logical_routers"]["r"]["ports"]["p"]
    assert "gateway_chassis" not in values
    assert values["ha_chassis_group"] == "border"


def test_on_a_gateway_router_no_port_is_a_gateway_of_its_own() -> None:
    database = Database()
    port = database.router_port("p", "10.0.0.1/24", gateway_chassis=ranked(database, ("gw2", 5)))
    database.router(port, options={"chassis": "gw1"})
    imported = database.translated()
    assert losses(imported) == []
    assert "gateway_chassis" not in imported.document["logical_routers"]["r"]["ports"]["p"]
