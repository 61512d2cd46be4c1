"""Every refusal is a problem document of its own kind."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api import problems
from api.app import create_app
from api.limits import Limits
from northbound import errors
from northbound.limits import WriteLimits
from tests.unit.api.conftest import Server


def problem_of(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    assert problem["instance"] == response.request.url.path
    kind = problems.KINDS[problem["type"].removeprefix("/problems/")]
    assert (problem["title"], problem["status"]) == (kind.title, kind.status)
    return problem


async def make_switch(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web", "subnet4": "10.0.0.0/30"})


async def test_wrong_fields_are_named_all_at_once(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    body = {"direction": "up", "priority": 99999, "match": "ip", "action": "drop"}
    response = await client.post("/v1/logical-switches/web/acls", json=body)
    problem = problem_of(response)
    assert problem["type"] == "/problems/invalid"
    assert {error["pointer"] for error in problem["errors"]} == {"#/direction", "#/priority"}
    assert problem["detail"] == "wrong: direction, priority"


async def test_a_wrong_element_of_a_list_is_pointed_at(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    body = {"name": "p", "addresses": ["0a:00:00:00:00:01", "0a:00:00:00:00:zz"]}
    problem = problem_of(await client.post("/v1/logical-switches/web/ports", json=body))
    assert problem["errors"][0]["pointer"] == "#/addresses/1"


async def test_a_match_that_does_not_parse_gets_a_caret(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    body = {"direction": "to-lport", "priority": 1, "match": "ip4 && tcp.dts == 80"}
    response = await client.post("/v1/logical-switches/web/acls", json={**body, "action": "drop"})
    (error,) = problem_of(response)["errors"]
    assert error["pointer"] == "#/match"
    assert error["position"] == 7
    text, caret = error["caret"].split("\n")
    assert text == "ip4 && tcp.dts == 80"
    assert caret.startswith("       ^")


async def test_a_match_may_only_name_sets_that_are_there(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    body = {"direction": "to-lport", "priority": 1, "match": "ip4.src == $nobody"}
    response = await client.post("/v1/logical-switches/web/acls", json={**body, "action": "drop"})
    (error,) = problem_of(response)["errors"]
    assert error["pointer"] == "#/match"
    assert "nobody" in error["reason"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": ', "not JSON"),
        ('{"name": "a", "name": "b"}', "'name' is given twice"),
        ('{"name": NaN}', "NaN"),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
async def test_a_body_that_cannot_be_read(
    client: httpx.AsyncClient, text: str | bytes, reason: str
) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post("/v1/logical-switches", content=text, headers=headers)
    problem = problem_of(response)
    assert problem["type"] == "/problems/unreadable"
    assert reason in problem["detail"]


async def test_a_body_has_to_be_an_object(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.post("/v1/logical-switches", json=["web"]))
    assert problem["errors"] == [{"pointer": "#", "reason": "has to be an object"}]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_only_json_is_taken(client: httpx.AsyncClient, media_type: str | None) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    response = await client.post("/v1/logical-switches", content='{"name": "a"}', headers=headers)
    assert problem_of(response)["type"] == "/problems/unsupported-media"
    assert response.headers["Accept"] == "application/json"


async def test_a_body_has_a_limit(server: Server) -> None:
    small = type(server.backend)(**{**vars(server.backend), "limits": Limits(body_limit=10)})
    transport = httpx.ASGITransport(create_app(small))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post("/v1/logical-switches", json={"name": "too-long-a-name"})
    assert problem_of(response)["type"] == "/problems/too-large"


async def test_a_name_that_is_taken(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    problem = problem_of(await client.post("/v1/logical-switches", json={"name": "web"}))
    assert problem["type"] == "/problems/taken"
    assert problem["errors"][0]["pointer"] == "#/name"
    (holder,) = problem["referents"]
    assert (holder["name"], holder["project"]) == ("web", "default")


async def test_a_reference_to_nothing(client: httpx.AsyncClient) -> None:
    body = {"name": "p", "logical_switch": "none"}
    problem = problem_of(await client.post("/v1/logical-switch-ports", json=body))
    assert problem["errors"][0]["pointer"] == "#/logical_switch"


async def test_an_exhausted_subnet(client: httpx.AsyncClient) -> None:
    await make_switch(client)
    statuses = []
    for i in range(3):
        body = {"name": f"p{i}", "addresses": ["dynamic"]}
        response = await client.post("/v1/logical-switches/web/ports", json=body)
        statuses.append(response.status_code)
    assert statuses[-1] == 409
    assert problem_of(response)["type"] == "/problems/exhausted"


async def test_no_such_object_path_and_method(client: httpx.AsyncClient) -> None:
    assert problem_of(await client.get("/v1/acls/none"))["type"] == "/problems/not-found"
    assert problem_of(await client.get("/v2/acls"))["type"] == "/problems/no-such-path"
    wrong = await client.put("/v1/acls", json={})
    assert problem_of(wrong)["type"] == "/problems/method-not-allowed"
    assert wrong.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("error", "slug", "headers"),
    [
        (errors.DatabaseBusyError("locked"), "unavailable", {"Retry-After": "1"}),
        (errors.DatabaseFullError("full"), "no-space", {}),
        (errors.DatabaseReadOnlyError("read-only"), "unavailable", {}),
        (ZeroDivisionError("the secret is 42"), "internal", {}),
    ],
)
async def test_faults_of_the_server(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    slug: str,
    headers: dict[str, str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(server.backend.database, "write", fail)
    with capture_logs() as logged:
        response = await server.client.post("/v1/logical-switches", json={"name": "web"})
    problem = problem_of(response)
    assert problem["type"] == f"/problems/{slug}"
    assert "42" not in problem["detail"]
    assert [each["exc_info"] for each in logged] == ([error] if slug == "internal" else [])
    assert {name: response.headers[name] for name in headers} == headers


async def test_every_type_of_problem_explains_itself(client: httpx.AsyncClient) -> None:
    for kind in problems.KINDS.values():
        explained = await client.get(kind.type)
        assert explained.json()["title"] == kind.title
    assert problem_of(await client.get("/problems/none"))["type"] == "/problems/no-such-path"


@pytest.mark.parametrize(
    ("limits", "path", "body", "detail"),
    [
        ({"body_limit": 10}, "logical-switches", {"name": "a" * 20}, "larger than 10 bytes"),
        ({"value_limit": 3}, "logical-switches", {"name": "a", "labels": {}, "x": [1, 2]}, "3"),
        (
            {"operation_limit": 1},
            "transactions",
            {"operations": [{"action": "delete", "kind": "acl", "ref": "x"}] * 2},
            "2 operations are more than 1",
        ),
    ],
)
async def test_bounds_are_named(
    server: Server, limits: dict[str, int], path: str, body: Any, detail: str
) -> None:
    bounded = replace(server.backend, limits=Limits(**limits))
    transport = httpx.ASGITransport(create_app(bounded))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        problem = problem_of(await client.post(f"/v1/{path}", json=body))
    assert problem["type"] == "/problems/too-large"
    assert detail in problem["detail"]


async def test_the_bound_of_a_set_is_named_and_pointed_at(server: Server) -> None:
    server.backend.database.limits = WriteLimits(members=1)
    values = {"name": "s", "addresses": ["10.0.0.1", "10.0.0.2"]}
    operation = {"action": "create", "kind": "address_set", "values": values}
    response = await server.client.post("/v1/transactions", json={"operations": [operation]})
    problem = problem_of(response)
    assert problem["status"] == 413
    assert problem["errors"][0]["pointer"] == "#/operations/0/values/addresses"
