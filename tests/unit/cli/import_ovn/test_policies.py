"""Routing policies, from rows to the document."""

from typing import Any

from cli.import_ovn.translation import Imported
from tests.unit.cli.import_ovn.rows import Database, losses, notes, references

GOOD = {"priority": 1, "match": "ip4", "action": "allow"}


def with_policies(*policies: dict[str, Any]) -> Imported:
    database = Database()
    database.add("Address_Set", name="office", addresses=["10.9.0.0/16"])
    uuids = [database.add("Logical_Router_Policy", **GOOD | policy) for policy in policies]
    port = database.router_port("p", "10.0.0.1/24", "fd00::1/64")
    database.router(port, policies=references(*uuids))
    return database.translated()


def policies_of(imported: Imported) -> list[dict[str, Any]]:
    found = imported.document["logical_routers"]["r"].get("policies", [])
    assert isinstance(found, list)
    return found


def test_policies_are_in_the_order_in_which_they_are_asked() -> None:
    imported = with_policies(
        {"match": "ip4.src == $office", "action": "reroute", "nexthop": ["10.0.0.9"]},
        {"priority": 7, "action": "drop", "external_ids": {"name": "x"}},
        {"priority": 3, "options": {"pkt_mark": "9"}, "match": 'inport == "p"'},
        {"priority": 2, "action": "reroute", "nexthops": ["fd00::8", "fd00::9"]},
        {"priority": 9, "chain": "lab", "action": "jump", "jump_chain": "deep"},
    )
    assert imported.report.findings == []
    assert [
        {key: value for key, value in each.items() if key not in ("match", "external_ids")}
        for each in policies_of(imported)
    ] == [
        {"priority": 7, "action": "drop"},
        {"priority": 3, "action": "allow", "pkt_mark": 9},
        {"priority": 2, "action": "reroute", "nexthops": ["fd00::8", "fd00::9"]},
        {"priority": 1, "action": "reroute", "nexthops": ["10.0.0.9"]},
        {"priority": 9, "action": "jump", "chain": "lab", "jump_chain": "deep"},
    ]


def test_a_policy_that_treadle_cannot_take_is_lost() -> None:
    imported = with_policies(
        {"match": "reg0 == 1"},
        {"match": "ct.est"},
        {"match": "ip4.dst == ^NODE"},
        {"priority": 2, "action": "reroute", "nexthops": ["10.0.0.9", "10.0.0.1"]},
        {"priority": 3, "action": "reroute", "nexthops": ["10.0.0.9", "fd00::9"]},
    )
    assert [column for _, column in losses(imported)] == [*["match"] * 3, "nexthops", "nexthops"]
    assert [each["nexthops"] for each in policies_of(imported)] == [["10.0.0.9"]] * 2


def test_what_ovn_passes_over_is_left_behind() -> None:
    imported = with_policies(
        {"match": "ip4.src == $gone"},
        {"priority": 2, "action": "reroute", "nexthops": ["10.7.0.9"]},
        {"priority": 3, "options": {"pkt_mark": "x"}},
        {"priority": 3, "options": {"pkt_mark": "0"}},
    )
    assert losses(imported) == []
    assert len(policies_of(imported)) == 1
    assert len(notes(imported)) == 5
