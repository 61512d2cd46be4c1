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


RESIDES = {"options": {"reside-on-redirect-chassis": "true"}}
BRIDGED = {"options": {"redirect-type": "bridged"}}


def ports_of(database: Database, *ports: str, localnet: bool = True, **router: Any) -> Any:
    """What becomes of a router with `ports`, and of the switch behind the port `inner`."""
    attached = [
        database.port("to", "router", type="router", options={"router-port": "inner"}),
        *(
            [database.port("out", "unknown", type="localnet", options={"network_name": "physnet1"})]
            if localnet
            else []
        ),
    ]
    database.switch(*attached)
    database.router(*ports, **router)
    return database.translated()


def test_ways_to_gateway_ports_are_kept() -> None:
    database = Database()
    chassis = ranked(database, ("gw1", 1))
    imported = ports_of(
        database,
        database.router_port("outer", "10.0.0.1/24", gateway_chassis=chassis, **BRIDGED),
        database.router_port("inner", "10.0.1.1/24", **RESIDES),
    )
    assert imported.report.findings == []
    ports = imported.document["logical_routers"]["r"]["ports"]
    assert ports["outer"]["redirect_type"] == "bridged"
    assert ports["inner"]["reside_on_redirect_chassis"] is True


def test_what_ovn_passes_over_of_ways_to_gateway_ports_is_noted() -> None:
    for localnet, gateways, router in (
        (False, 1, {}),
        (True, 0, {}),
        (True, 2, {}),
        (True, 1, {"options": {"chassis": "gw1"}}),
    ):
        database = Database()
        outer = [
            database.router_port(
                f"outer{number}",
                f"10.0.{number}.1/24",
                gateway_chassis=ranked(database, ("gw1", 1)),
            )
            for number in range(gateways)
        ]
        inner = database.router_port("inner", "10.1.1.1/24", **RESIDES)
        imported = ports_of(database, *outer, inner, localnet=localnet, **router)
        assert losses(imported) == []
        columns = {finding.column for finding in imported.report.findings}
        assert "options:reside-on-redirect-chassis" in columns
        ports = imported.document["logical_routers"]["r"]["ports"]
        assert "reside_on_redirect_chassis" not in ports["inner"]


def test_a_redirection_needs_one_gateway_port() -> None:
    for gateways, kind in ((0, "bridged"), (2, "bridged"), (1, "carrier pigeon")):
        database = Database()
        ports = [
            database.router_port(
                f"p{number}",
                f"10.0.{number}.1/24",
                gateway_chassis=ranked(database, ("gw1", 1)) if number < gateways else [],
                options={"redirect-type": kind},
            )
            for number in range(max(gateways, 1))
        ]
        database.router(*ports)
        imported = database.translated()
        assert losses(imported) == []
        assert {each.column for each in imported.report.findings} == {"options:redirect-type"}
