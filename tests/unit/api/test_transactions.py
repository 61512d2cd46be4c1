"""Atomic batches."""

from typing import Any

import httpx
import pytest


async def run(client: httpx.AsyncClient, *operations: dict[str, Any]) -> httpx.Response:
    return await client.post("/v1/transactions", json={"operations": operations})


def create(kind: str, alias: str | None = None, **values: Any) -> dict[str, Any]:
    operation = {"action": "create", "kind": kind, "values": values}
    return operation if alias is None else {**operation, "as": alias}


async def count_revisions(client: httpx.AsyncClient) -> int:
    return len((await client.get("/v1/revisions")).json()["items"])


async def test_a_batch_is_one_revision(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", name="web"),
        create("logical_switch_port", name="p1", logical_switch="web"),
        create("port_group", name="pg", ports=["p1"]),
    )
    assert response.status_code == 200, response.text
    result = response.json()
    assert (result["revision"], result["changed"]) == (1, True)
    assert {each["object"]["version"] for each in result["results"]} == {1}
    assert await count_revisions(client) == 1


async def test_a_refused_operation_undoes_those_before_it(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", name="web"),
        create("logical_switch_port", name="p1", logical_switch="web", addresses=["nonsense"]),
    )
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == "#/operations/1/values/addresses/0"
    assert (await client.get("/v1/logical-switches/web")).status_code == 404
    assert await count_revisions(client) == 0


async def test_aliases_stand_for_objects_that_have_no_name_yet(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", "new", name="web"),
        create("logical_switch_port", "port", name="p1", logical_switch="#new"),
        create("port_group", "group", name="pg", ports=["#port"]),
        create(
            "acl",
            "rule",
            port_group="#group",
            direction="to-lport",
            priority=1,
            match="ip4",
            action="drop",
        ),
        {"action": "update", "kind": "acl", "ref": "#rule", "values": {"action": "reject"}},
    )
    assert response.status_code == 200, response.text
    objects = [each["object"] for each in response.json()["results"]]
    assert objects[1]["logical_switch"] == "web"
    assert objects[2]["ports"] == ["p1"]
    assert objects[3] == objects[4]
    assert objects[4]["action"] == "reject"


async def test_operations_of_all_actions(client: httpx.AsyncClient) -> None:
    await run(
        client, create("logical_switch", name="a"), create("logical_switch", name="b", labels={})
    )
    response = await run(
        client,
        {
            "action": "replace",
            "kind": "logical_switch",
            "ref": "a",
            "values": {"name": "a", "labels": {"x": "y"}},
        },
        {"action": "delete", "kind": "logical_switch", "ref": "b", "if_version": 1},
        create("logical_switch", name="b"),
    )
    assert response.status_code == 200, response.text
    replaced, deleted, made = response.json()["results"]
    assert replaced["object"]["labels"] == {"x": "y"}
    assert deleted["object"] is None
    assert made["id"] != deleted["id"]


async def test_an_object_that_a_later_operation_deletes(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", "it", name="a"),
        {"action": "delete", "kind": "logical_switch", "ref": "#it"},
    )
    assert response.status_code == 200, response.text
    assert [each["object"] for each in response.json()["results"]] == [None, None]
    assert response.json()["changed"] is False
    assert await count_revisions(client) == 0


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"action": "create", "kind": "cloud", "values": {}}, "/kind"),
        ({"action": "melt", "kind": "acl"}, "/action"),
        ({"action": "create", "kind": "acl"}, "/values"),
        ({"action": "create", "kind": "acl", "ref": "x", "values": {}}, "/ref"),
        ({"action": "update", "kind": "acl", "values": {}}, "/ref"),
        ({"action": "update", "kind": "acl", "ref": "#none", "values": {}}, "/ref"),
        ({"action": "delete", "kind": "acl", "ref": "x", "values": {}}, "/values"),
        ({"action": "delete", "kind": "acl", "ref": "x", "as": "y"}, "/as"),
        ({"action": "delete", "kind": "acl", "ref": "none"}, ""),
        ({"action": "delete", "kind": "acl", "ref": "x", "colour": "red"}, "/colour"),
        ({"action": "delete", "kind": "acl", "ref": "x", "add": []}, "/add"),
        ({"action": "change_members", "kind": "acl", "ref": "x", "add": ["y"]}, "/kind"),
        ({"action": "change_members", "kind": "port_group", "add": ["y"]}, "/ref"),
        (
            {"action": "change_members", "kind": "port_group", "ref": "x", "values": {}},
            "/values",
        ),
        (
            {"action": "change_members", "kind": "port_group", "ref": "x", "if_version": 1},
            "/if_version",
        ),
        ({"action": "change_members", "kind": "port_group", "ref": "x", "add": ["y"]}, ""),
        (
            {
                "action": "create",
                "kind": "logical_switch_port",
                "values": {"name": "p", "logical_switch": "#none"},
            },
            "/values/logical_switch",
        ),
    ],
)
async def test_wrong_operations_are_pointed_at(
    client: httpx.AsyncClient, operation: dict[str, Any], pointer: str
) -> None:
    response = await run(client, operation)
    assert response.status_code in (404, 422)
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/operations/0{pointer}"]


async def test_members_change_in_a_batch(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", name="web"),
        create("logical_switch_port", name="p1", logical_switch="web"),
        create("port_group", name="pg", ports=["p1"]),
        create("address_set", name="office", addresses=["192.0.2.1", "192.0.2.2"]),
        create("logical_switch_port", "new", name="p2", logical_switch="web"),
        {
            "action": "change_members",
            "kind": "port_group",
            "ref": "pg",
            "add": ["#new"],
            "remove": ["p1"],
        },
        {
            "action": "change_members",
            "kind": "address_set",
            "ref": "office",
            "add": ["2001:DB8::1", "192.0.2.1"],
            "remove": ["192.0.2.2", "192.0.2.3"],
        },
    )
    assert response.status_code == 200, response.text
    assert [each["object"] for each in response.json()["results"][-2:]] == [None, None]
    assert (await client.get("/v1/port-groups/pg")).json()["ports"] == ["p2"]
    members = (await client.get("/v1/address-sets/office")).json()["addresses"]
    assert members == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize(
    ("kind", "change", "pointer"),
    [
        ("port_group", {"add": ["none"]}, "/add/0"),
        ("port_group", {"add": ["#none"]}, "/add/0"),
        ("port_group", {"remove": ["none"]}, "/remove/0"),
        ("address_set", {"add": ["192.0.2.1", "x"]}, "/add/1"),
        ("address_set", {"remove": ["x"]}, "/remove/0"),
        ("address_set", {"add": "192.0.2.1"}, "/add"),
    ],
)
async def test_wrong_members_are_pointed_at(
    client: httpx.AsyncClient, kind: str, change: dict[str, Any], pointer: str
) -> None:
    await run(client, create(kind, name="it"))
    operation = {"action": "change_members", "kind": kind, "ref": "it", **change}
    response = await run(client, operation)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/operations/0{pointer}"]


async def test_an_alias_is_given_once(client: httpx.AsyncClient) -> None:
    response = await run(
        client,
        create("logical_switch", "x", name="a"),
        create("logical_switch", "x", name="b"),
    )
    assert response.json()["errors"][0]["pointer"] == "#/operations/1/as"


async def test_a_stale_version_refuses_the_batch(client: httpx.AsyncClient) -> None:
    await run(client, create("logical_switch", name="a"))
    response = await run(
        client,
        create("logical_switch", name="b"),
        {"action": "delete", "kind": "logical_switch", "ref": "a", "if_version": 7},
    )
    assert response.status_code == 412
    assert response.json()["errors"][0]["pointer"] == "#/operations/1"
    assert (await client.get("/v1/logical-switches/b")).status_code == 404


async def test_an_empty_batch(client: httpx.AsyncClient) -> None:
    response = await run(client)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "#/operations"
