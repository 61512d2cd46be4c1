"""Traces of what would be: the verdict is the change's, and the change is not made."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from incremental import Failure
from southbound.rows import Chassis, FlowGroup, MacBinding, PortBinding
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo, trace, verdict
from tests.unit.diagnosis.trace.test_trace import flat

DNS = {
    "action": "create",
    "kind": "acl",
    "values": {
        "port_group": "databases",
        "name": "db-dns",
        "direction": "to-lport",
        "priority": 1000,
        "match": "outport == @databases && udp.dst == 53",
        "action": "allow-related",
    },
}
DNS_PACKET = "udp web-1 -> db-1:53"


@pytest.fixture
async def demo(server: Server) -> Server:
    return await apply_demo(server)


def batch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"operations": list(operations)}


def everything(server: Server) -> dict[str, list[Any]]:
    """All rows of all tables."""
    tables = MetaData()
    with server.backend.database.engine.connect() as connection:
        tables.reflect(connection)
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in tables.sorted_tables
        }


async def test_what_an_acl_would_let_through(demo: Server) -> None:
    assert (await verdict(demo, DNS_PACKET))["outcome"] == "dropped"
    found = await trace(demo, DNS_PACKET, **{"with": batch(DNS)})
    assert found["verdict"]["outcome"] == "delivered"
    assert found["revision"] == 1
    (created,) = found["proposed"]["created"]
    assert (created["kind"], created["name"]) == ("acl", "db-dns")
    assert not found["proposed"]["updated"] + found["proposed"]["deleted"]
    step = next(s for s in flat(found["steps"]) if s["cause"] and s["cause"]["name"] == "db-dns")
    assert step["group"] is None
    assert step["cause"]["proposed"]
    assert (step["cause"]["revision"], step["cause"]["author"]) == (None, None)
    assert (await verdict(demo, DNS_PACKET))["outcome"] == "dropped"


async def test_the_sentence_says_what_is_only_proposed(demo: Server) -> None:
    (acl,) = (await demo.client.get("/v1/acls", params={"name": "db-sql"})).json()["items"]
    drop = {"action": "update", "kind": "acl", "ref": acl["id"], "values": {"action": "drop"}}
    found = await verdict(demo, "tcp web-1 -> db-1:5432", **{"with": batch(drop)})
    assert found["text"].endswith(
        "by ACL db-sql (to-lport, tier 0, priority 1000) of port group databases, as proposed"
    )


async def test_nothing_is_written_and_nobody_is_told(demo: Server) -> None:
    realised = demo.realised
    told: list[Any] = []
    realised.listen(told.append)
    before = everything(demo)
    position, next_id = realised.feed.position, realised.groups.next_id
    groups = dict(realised.rows(FlowGroup))
    port = {
        "action": "create",
        "kind": "logical_switch_port",
        "values": {"name": "new", "logical_switch": "data", "addresses": ["dynamic"]},
    }
    delete = {"action": "delete", "kind": "logical_switch", "ref": "web", "cascade": True}
    for change in (batch(DNS), batch(port), [batch(DNS), batch(port)]):
        await trace(demo, DNS_PACKET, **{"with": change})
    await trace(demo, "icmp cache -> db-1", **{"with": batch(delete)})
    assert everything(demo) == before
    assert (realised.feed.position, realised.groups.next_id) == (position, next_id)
    assert dict(realised.rows(FlowGroup)) == groups
    assert told == []
    assert await demo.translator.differences() == []
    made = await demo.client.post("/v1/transactions", json=batch(DNS))
    assert made.json()["revision"] == 2


async def test_packets_may_come_from_what_is_only_proposed(demo: Server) -> None:
    client = {
        "action": "create",
        "kind": "logical_switch_port",
        "values": {
            "name": "client",
            "logical_switch": "web",
            "addresses": ["0a:00:00:20:01:30 10.20.1.30"],
        },
    }
    with_client = {"with": batch(client)}
    found = await verdict(demo, "icmp client -> 10.20.1.1", **with_client)
    assert found["outcome"] == "answered"
    assert [each["problem"] for each in found["absences"]] == ["unbound"]
    facts = demo.realised.facts
    facts.connected(Chassis("hv1"))
    facts.claim("hv1", "client")
    found = await verdict(demo, "icmp client -> 10.20.1.1", **with_client)
    assert [each["problem"] for each in found["absences"]] == ["not-up"], "hv1 would have it"


async def test_a_router_may_get_a_network(demo: Server) -> None:
    change = {
        "action": "update",
        "kind": "logical_router_port",
        "ref": "core-to-web",
        "values": {"networks": ["10.20.1.254/24"]},
    }
    found = await trace(demo, "icmp web-1 -> 10.20.1.254", **{"with": batch(change)})
    assert found["verdict"]["outcome"] == "answered"
    assert [each["name"] for each in found["proposed"]["updated"]] == ["core-to-web"]


async def test_what_was_learned_goes_with_the_port(demo: Server) -> None:
    realised = demo.realised
    realised.facts.connected(Chassis("hv1"))
    realised.facts.claim("hv1", "web-1")
    realised.facts.learned.learn_mac("hv1", "core-to-data", "10.20.2.99", "0a:00:00:20:02:99")
    packet = "icmp web-1 -> 10.20.2.99"
    assert (await verdict(demo, packet))["outcome"] != "asked"
    again = {
        "action": "create",
        "kind": "logical_router_port",
        "values": {
            "name": "core-to-data",
            "logical_router": "core",
            "mac": "0a:00:00:20:02:01",
            "networks": ["10.20.2.1/24"],
        },
    }
    detach = {"action": "delete", "kind": "logical_switch_port", "ref": "data-to-core"}
    attach = {
        "action": "create",
        "kind": "logical_switch_port",
        "values": {
            "name": "data-to-core",
            "logical_switch": "data",
            "type": "router",
            "router_port": "core-to-data",
        },
    }
    delete = {"action": "delete", "kind": "logical_router_port", "ref": "core-to-data"}
    change = batch(detach, delete, again, attach)
    assert (await verdict(demo, packet, **{"with": change}))["outcome"] == "asked"
    assert len(realised.rows(MacBinding)) == 1


async def test_documents_are_applied_as_they_would_be(demo: Server) -> None:
    document = {
        "document": "more",
        "port_groups": {"webservers": {"ports": ["web-1"]}},
    }
    response = await demo.client.post(
        "/v1/trace", json={"packet": DNS_PACKET, "with": document, "adopt": True}
    )
    applied = await demo.client.post("/v1/apply", params={"adopt": True}, json=document)
    assert (response.status_code, applied.status_code) == (409, 409)
    assert response.json()["type"] == applied.json()["type"]
    new = {"document": "more", "logical_switches": {"lab": {"ports": {"lab-1": {}}}}}
    found = await trace(demo, DNS_PACKET, **{"with": new})
    assert {each["name"] for each in found["proposed"]["created"]} == {"lab", "lab-1"}


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        (
            batch({**DNS, "values": {**DNS["values"], "match": "udp.dst === 53"}}),  # type: ignore[dict-item]
            422,
            "#/with/operations/0/values/match",
        ),
        (
            [batch(), batch({"action": "delete", "kind": "acl", "ref": "nope"})],
            422,
            "#/with/0/operations",
        ),
        (
            batch({"action": "delete", "kind": "acl", "ref": "nope"}),
            404,
            "#/with/operations/0",
        ),
        ({"document": "x", "logical_switches": {"a": {"port": {}}}}, 422, None),
        ({}, 422, "#/with/document"),
        ("a file", 422, None),
    ],
)
async def test_refusals_are_those_of_the_change(
    demo: Server, change: Any, status: int, pointer: str | None
) -> None:
    response = await demo.client.post("/v1/trace", json={"packet": DNS_PACKET, "with": change})
    assert response.status_code == status, response.text
    found = [each["pointer"] for each in response.json()["errors"]]
    assert all(each.startswith("#/with") for each in found)
    assert pointer is None or pointer in found


async def test_proposals_and_commits_at_once(demo: Server) -> None:
    """Whoever comes when: answers are those of some revision, and the end is as if only asked."""
    translator = demo.translator

    async def commit(number: int) -> None:
        values = {"addresses": [f"10.20.1.{number}"]}
        made = await demo.client.patch("/v1/address-sets/operators", json=values)
        assert made.status_code == 200, made.text
        await translator.catch_up()

    asked = [verdict(demo, DNS_PACKET, **{"with": batch(DNS)}) for _ in range(8)]
    found = await asyncio.gather(*asked, *(commit(30 + number) for number in range(4)))
    assert [each["outcome"] for each in found[:8] if each] == ["delivered"] * 8
    await demo.translate()
    assert demo.realised.revision == 5
    assert await translator.differences() == []


async def test_large_changes_and_their_faults_stay_out_of_sight(
    demo: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is computed in a thread is as invisible as what is not."""
    translator = demo.translator
    monkeypatch.setattr("translator.runner.BIG_BATCH", 0)
    seen: list[Any] = []
    engine = translator._engine
    work = engine.what_if

    def broken(changes: Any) -> Any:
        delta = work(changes)
        engine.failures["acl_flows", "x"] = delta.failures["acl_flows", "x"] = Failure(
            "acl_flows", "x", "it broke", ""
        )
        seen.append(list(translator.failures))
        del engine.failures["acl_flows", "x"]
        return delta

    monkeypatch.setattr(engine, "what_if", broken)
    found = await trace(demo, DNS_PACKET, **{"with": batch(DNS)})
    assert found["proposed"]["faults"] == ["acl_flows x: it broke"]
    assert seen == [[]]


async def test_a_commit_in_between_is_taken_into_account(
    demo: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is to the newest revision, and then others may commit what they like."""
    translator = demo.translator
    what_if, calls = translator._what_if, []

    async def interrupted(revision: int, changes: Any) -> Any:
        calls.append(revision)
        await demo.client.patch("/v1/logical-switches/web", json={"labels": {"n": f"{calls}"}})
        if len(calls) == 1:
            await translator._follow()
        return await what_if(revision, changes)

    monkeypatch.setattr(translator, "_what_if", interrupted)
    found = await trace(demo, DNS_PACKET, **{"with": batch(DNS)})
    assert (calls, found["revision"]) == ([1, 2], 2)
    assert demo.backend.database.revision() == 3
    assert found["verdict"]["outcome"] == "delivered"
    assert not any(row.name == "new" for row in demo.realised.rows(PortBinding).values())
