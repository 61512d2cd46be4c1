"""Declarative documents."""

import json
from typing import Any

import httpx
import pytest

from api.documents import ApplyResult

DOCUMENT = """\
document: shop
logical_switches:
  web:
    subnet4: 10.0.1.0/24
    ports:
      web-1: {addresses: [dynamic]}
      web-2:
    acls:
      - {direction: to-lport, priority: 100, match: icmp4, action: allow-related}
address_sets:
  offices: {addresses: [192.0.2.0/24]}
"""


async def apply(client: httpx.AsyncClient, text: str = DOCUMENT, **query: Any) -> httpx.Response:
    headers = {"Content-Type": "application/yaml"}
    return await client.post("/v1/apply", content=text, params=query, headers=headers)


async def test_the_second_time_nothing_is_written(client: httpx.AsyncClient) -> None:
    first = (await apply(client)).json()
    ApplyResult.model_validate(first)
    assert first["changed"] is True
    assert {(each["kind"], each["name"]) for each in first["created"]} >= {
        ("logical_switch", "web"),
        ("logical_switch_port", "web-1"),
        ("address_set", "offices"),
    }
    second = (await apply(client)).json()
    assert second["changed"] is False
    assert second["revision"] == first["revision"] == 1
    assert second["created"] == second["updated"] == second["deleted"] == []
    assert len((await client.get("/v1/revisions")).json()["items"]) == 1


async def test_what_differs_is_changed_and_what_is_gone_is_deleted(
    client: httpx.AsyncClient,
) -> None:
    await apply(client)
    await client.post("/v1/logical-switches", json={"name": "mine"})
    changed = DOCUMENT.replace("      web-2:\n", "").replace("192.0.2.0/24", "192.0.2.128/25")
    result = (await apply(client, changed)).json()
    assert [each["name"] for each in result["deleted"]] == ["web-2"]
    assert [each["name"] for each in result["updated"]] == ["offices"]
    assert (await client.get("/v1/logical-switches/mine")).status_code == 200


async def test_a_dry_run_writes_nothing(client: httpx.AsyncClient) -> None:
    result = (await apply(client, dry_run="true")).json()
    assert (result["dry_run"], result["changed"], result["revision"]) == (True, False, 0)
    assert len(result["created"]) == 5
    assert (await client.get("/v1/logical-switches")).json()["items"] == []


async def test_json_is_taken_as_well(client: httpx.AsyncClient) -> None:
    body = {"document": "d", "logical_routers": {"r": {}}}
    assert (await client.post("/v1/apply", json=body)).status_code == 200
    again = (await apply(client, json.dumps(body))).json()
    assert again["changed"] is False


async def test_objects_of_others_are_adopted_only_when_asked(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web"})
    refused = await apply(client)
    assert refused.status_code == 409
    assert (await apply(client, adopt="true")).status_code == 200
    found = (await client.get("/v1/logical-switches/web")).json()
    assert (found["document"], found["subnet4"]) == ("shop", "10.0.1.0/24")


async def test_the_document_is_named_that_owns_what_is_in_the_way(
    client: httpx.AsyncClient,
) -> None:
    await apply(client)
    document = {"document": "other", "logical_switches": {"web": {}}}
    problem = (await apply(client, json.dumps(document))).json()
    assert (problem["type"], problem["referents"][0]["document"]) == ("/problems/taken", "shop")
    (error,) = problem["errors"]
    assert error["pointer"] == "#/logical_switches/web/name"
    assert "'web' is already taken by logical switch web of document shop; " in error["reason"]


async def test_a_wrong_field_is_pointed_at(client: httpx.AsyncClient) -> None:
    response = await apply(client, DOCUMENT.replace("icmp4", "icmp5"))
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == "#/logical_switches/web/acls/0/match"
    assert error["caret"].startswith("icmp5\n^")
    assert (await client.get("/v1/logical-switches")).json()["items"] == []


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("a: [", "line 2, column 1"),
        ("a: 1\na: 2", "'a' is given twice, line 2, column 1"),
        ("a: !!python/object:os.system {}", "is not known"),
        ("a: &x [1]\nb: [" + "*x, " * 10 + "]\n", None),
    ],
)
async def test_yaml_that_cannot_be_read(
    client: httpx.AsyncClient, text: str, detail: str | None
) -> None:
    response = await apply(client, text)
    if detail is None:
        assert response.json()["type"] == "/problems/invalid"
    else:
        assert response.json()["type"] == "/problems/unreadable"
        assert detail in response.json()["detail"]


async def test_aliases_that_multiply_are_refused(client: httpx.AsyncClient) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    response = await apply(client, "\n".join(lines))
    assert response.status_code == 413
    assert "aliases" in response.json()["detail"]


async def test_a_document_is_a_mapping(client: httpx.AsyncClient) -> None:
    assert (await apply(client, "- a\n- b\n")).json()["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
async def test_a_document_with_nothing_in_it(client: httpx.AsyncClient, text: str) -> None:
    response = await apply(client, text)
    assert response.status_code == 422
    assert response.json()["errors"] == [{"pointer": "#", "reason": "a document is a mapping"}]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
async def test_a_document_of_nothing_but_brackets(client: httpx.AsyncClient, opening: str) -> None:
    """libyaml would go down into it until the stack of the process is used up."""
    response = await apply(client, "labels: " + opening * 100_000, dry_run="true")
    assert response.status_code == 400
    assert response.json()["type"] == "/problems/unreadable"
