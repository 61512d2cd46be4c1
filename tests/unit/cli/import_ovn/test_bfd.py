"""BFD sessions, and routes and policies that go by them, from rows to the document."""

from typing import Any

from cli.import_ovn.translation import Imported
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references


def imported(
    bfd: dict[str, Any], *, gateway: bool = True, nexthop: str = "10.0.0.9", policy: bool = False
) -> Imported:
    """A router with a session and a route, or a policy, that names it."""
    database = Database()
    session = database.add("BFD", **{"logical_port": "p", "dst_ip": "10.0.0.9", **bfd})
    port = database.router_port("p", "10.0.0.1/24")
    fields: dict[str, Any] = {"options": {"chassis": "gw"}} if gateway else {}
    if policy:
        row = database.add(
            "Logical_Router_Policy",
            priority=1,
            match="ip4",
            action="reroute",
            nexthops=[nexthop],
            bfd_sessions=references(session),
        )
        database.router(port, policies=references(row), **fields)
    else:
        row = database.route("0.0.0.0/0", nexthop, bfd=references(session))
        database.router(port, static_routes=references(row), **fields)
    return database.translated()


def router(found: Imported) -> dict[str, Any]:
    values: dict[str, Any] = found.document["logical_routers"]["r"]
    return values


def test_a_session_and_a_route_that_goes_by_it() -> None:
    found = imported({"min_tx": 300, "min_rx": 400, "detect_mult": 3, "status": "up"})
    assert found.report.findings == []
    values = {"dst_ip": "10.0.0.9", "min_tx": 300, "min_rx": 400, "detect_mult": 3}
    assert router(found)["ports"]["p"]["bfd_sessions"] == [values]
    assert [route["bfd"] for route in router(found)["static_routes"]] == [True]


def test_a_policy_that_goes_by_it() -> None:
    found = imported({}, policy=True)
    assert found.report.findings == []
    assert [each["bfd"] for each in router(found)["policies"]] == [True]


def test_shorter_intervals_become_the_shortest() -> None:
    found = imported({"min_tx": 10})
    assert [finding.column for finding in notes(found)] == ["min_tx"]
    (session,) = router(found)["ports"]["p"]["bfd_sessions"]
    assert session["min_tx"] == 100


def test_a_route_whose_session_is_never_up_is_left_behind() -> None:
    found = imported({}, gateway=False)
    assert [finding.column for finding in notes(found)] == ["bfd"]
    assert "static_routes" not in router(found)


def test_a_session_with_another_host_is_none_of_the_next_hop() -> None:
    found = imported({}, nexthop="10.0.0.8")
    assert [column for _, column in losses(found)] == ["bfd"]
    assert "bfd" not in router(found)["static_routes"][0]


def test_a_session_of_no_port_is_passed_over() -> None:
    found = imported({"logical_port": "gone"})
    assert [finding.column for finding in notes(found)] == ["logical_port"]
    assert [column for _, column in losses(found)] == ["bfd"]
