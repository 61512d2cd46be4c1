"""Which routes a request is compared with."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the routes that requests are compared with from now on."""
    paths: list[str] = []
    matches = APIRoute.matches

    def noting(route: APIRoute, scope: Any) -> Any:
        paths.append(route.path)
        return matches(route, scope)

    monkeypatch.setattr(APIRoute, "matches", noting)
    return paths


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/address-sets", 200),
        ("GET", "/v1/address-sets/none", 404),
        ("PUT", "/v1/address-sets", 405),
        ("GET", "/v1/address-sets/none/nothing", 404),
    ],
)
async def test_a_request_is_compared_with_the_routes_of_its_resource(
    client: httpx.AsyncClient, compared: list[str], method: str, path: str, status: int
) -> None:
    assert (await client.request(method, path)).status_code == status
    assert compared, "a route was looked for"
    assert all(each.split("/")[2] == "address-sets" for each in compared), compared


async def test_what_begins_with_a_parameter_is_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/problems/not-found")).status_code == 200
    assert (await client.get("/healthz")).status_code == 200


async def test_what_is_no_resource_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/", "/v1", "/v1/nothing", "/nothing/at/all"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
