"""Members of port groups and address sets."""

import httpx
import pytest


@pytest.fixture
async def network(client: httpx.AsyncClient) -> httpx.AsyncClient:
    await client.post("/v1/logical-switches", json={"name": "web"})
    for name in ("p1", "p2"):
        await client.post("/v1/logical-switches/web/ports", json={"name": name})
    await client.post("/v1/port-groups", json={"name": "pg", "ports": ["p1"]})
    body = {"name": "nets", "addresses": ["10.0.0.0/24"]}
    await client.post("/v1/address-sets", json=body)
    return client


async def test_one_member_comes_and_goes(network: httpx.AsyncClient) -> None:
    added = await network.put("/v1/port-groups/pg/ports/p2")
    assert added.json()["ports"] == ["p1", "p2"]
    assert (await network.delete("/v1/port-groups/pg/ports/p1")).status_code == 204
    assert (await network.get("/v1/port-groups/pg")).json()["ports"] == ["p2"]


async def test_a_network_is_a_member_in_spite_of_its_slash(network: httpx.AsyncClient) -> None:
    added = await network.put("/v1/address-sets/nets/addresses/10.1.0.0/16")
    assert added.json()["addresses"] == ["10.0.0.0/24", "10.1.0.0/16"]
    gone = await network.delete("/v1/address-sets/nets/addresses/10.0.0.0/24")
    assert gone.status_code == 204
    assert (await network.get("/v1/address-sets/nets")).json()["addresses"] == ["10.1.0.0/16"]


async def test_doing_it_twice_changes_nothing(network: httpx.AsyncClient) -> None:
    first = await network.put("/v1/port-groups/pg/ports/p2")
    again = await network.put("/v1/port-groups/pg/ports/p2")
    assert again.headers["Treadle-Revision"] == first.headers["Treadle-Revision"]
    assert again.json() == first.json()


async def test_many_at_once_are_one_revision(network: httpx.AsyncClient) -> None:
    before = (await network.get("/v1/status")).json()["revision"]
    body = {"add": ["10.2.0.0/16", "10.3.0.1"], "remove": ["10.0.0.0/24"]}
    changed = await network.post("/v1/address-sets/nets/addresses", json=body)
    assert sorted(changed.json()["addresses"]) == ["10.2.0.0/16", "10.3.0.1"]
    assert int(changed.headers["Treadle-Revision"]) == before + 1


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("port-groups/pg/ports", {"add": ["p9"]}, "#/ports/0"),
        ("port-groups/pg/ports", {"add": "p2"}, "#/add"),
        ("port-groups/pg/ports", {"insert": ["p2"]}, "#/insert"),
        ("address-sets/nets/addresses", {"add": ["nowhere"]}, "#/addresses/0"),
    ],
)
async def test_wrong_members(
    network: httpx.AsyncClient, path: str, body: dict[str, object], pointer: str
) -> None:
    response = await network.post(f"/v1/{path}", json=body)
    assert response.status_code == 422, response.text
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


async def test_members_of_nothing(network: httpx.AsyncClient) -> None:
    assert (await network.put("/v1/port-groups/none/ports/p1")).status_code == 404


async def test_the_answer_is_short_for_those_who_prefer_that(network: httpx.AsyncClient) -> None:
    minimal = {"Prefer": "respond-async, return=minimal"}
    one = await network.put("/v1/address-sets/nets/addresses/10.9.0.1", headers=minimal)
    body = {"add": ["10.9.0.2"], "remove": ["10.0.0.0/24"]}
    many = await network.post("/v1/address-sets/nets/addresses", json=body, headers=minimal)
    for answer in (one, many):
        assert answer.status_code == 204
        assert answer.content == b""
        assert int(answer.headers["Treadle-Revision"]) > 0
    shown = await network.put(
        "/v1/address-sets/nets/addresses/10.9.0.1", headers={"Prefer": "return=representation"}
    )
    assert shown.status_code == 200
    assert shown.json()["addresses"] == ["10.9.0.1", "10.9.0.2"]
