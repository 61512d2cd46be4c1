"""Who may do what."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.app import create_app
from northbound import tokens
from northbound.attempts import FREE
from northbound.database import Database
from tests.unit.api.conftest import Server, serve


def token(database: Database, role: str, *, expires_at: datetime | None = None) -> dict[str, str]:
    """A header with a new token of that role."""
    chassis = "hypervisor-1" if role == "chassis" else None
    with database.maintain() as session:
        _, secret = tokens.create(
            session, name=f"a-{role}", role=role, chassis=chassis, expires_at=expires_at
        )
    return {"Authorization": f"Bearer {secret}"}


READ, WRITE, MANAGE = ("GET", "/v1/acls"), ("POST", "/v1/logical-switches"), ("GET", "/v1/tokens")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("viewer", {READ}),
        ("operator", {READ, WRITE}),
        ("admin", {READ, WRITE, MANAGE}),
        ("chassis", set()),
    ],
)
async def test_roles(
    guarded: Server, database: Database, role: str, allowed: set[tuple[str, str]]
) -> None:
    headers = token(database, role)
    for method, path in (READ, WRITE, MANAGE):
        body = {"name": "web"} if method == "POST" else None
        response = await guarded.client.request(method, path, json=body, headers=headers)
        if (method, path) in allowed:
            assert response.is_success, response.text
        else:
            assert response.status_code == 403
            assert response.json()["type"] == "/problems/forbidden"


async def test_every_operation_of_v1_asks_for_a_token(guarded: Server) -> None:
    described = (await guarded.client.get("/openapi.json")).json()
    for path, operations in described["paths"].items():
        if not path.startswith("/v1/"):
            continue
        concrete = path.replace("{revision}", "1").replace("{ref}", "x").replace("{member}", "y")
        for method in operations:
            response = await guarded.client.request(method.upper(), concrete)
            assert response.status_code == 401, (method, path)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("value", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer "])
@pytest.mark.parametrize("needed", [True, False])
async def test_a_bad_token_is_refused_also_where_none_is_needed(
    database: Database, needed: bool, value: str
) -> None:
    async with serve(database, authentication=needed) as running:
        response = await running.client.get("/v1/acls", headers={"Authorization": value})
    assert response.status_code == 401


async def test_an_expired_and_a_revoked_token(guarded: Server, database: Database) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired = token(database, "admin", expires_at=past)
    assert (await guarded.client.get("/v1/acls", headers=expired)).status_code == 401
    viewer = token(database, "viewer")
    assert (await guarded.client.get("/v1/acls", headers=viewer)).status_code == 200
    with database.maintain() as session:
        tokens.delete(session, "a-viewer")
    assert (await guarded.client.get("/v1/acls", headers=viewer)).status_code == 401


async def test_a_token_is_held_to_its_role_on_loopback_too(
    server: Server, database: Database
) -> None:
    viewer = token(database, "viewer")
    response = await server.client.post(
        "/v1/logical-switches", json={"name": "web"}, headers=viewer
    )
    assert response.status_code == 403


async def test_the_author_of_a_revision_is_the_token(guarded: Server, database: Database) -> None:
    headers = token(database, "operator")
    await guarded.client.post(
        "/v1/logical-switches", params={"comment": "why"}, json={"name": "web"}, headers=headers
    )
    (revision,) = (await guarded.client.get("/v1/revisions", headers=headers)).json()["items"]
    assert (revision["author"], revision["comment"]) == ("a-operator", "why")


async def test_the_author_without_a_token_is_local(client: httpx.AsyncClient) -> None:
    await client.post("/v1/logical-switches", json={"name": "web"})
    (revision,) = (await client.get("/v1/revisions")).json()["items"]
    assert revision["author"] == "local"


async def test_without_authentication_only_names_of_this_host_are_answered(
    server: Server,
) -> None:
    transport = httpx.ASGITransport(create_app(server.backend))
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        assert (await client.get("/v1/acls")).status_code == 401
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:6680") as client:
        assert (await client.get("/v1/acls")).status_code == 200


async def test_tokens_are_made_listed_and_revoked(guarded: Server, database: Database) -> None:
    admin = token(database, "admin")
    client = guarded.client
    body = {"name": "bob", "role": "operator", "expires_in": 3600}
    made = await client.post("/v1/tokens", json=body, headers=admin)
    assert made.status_code == 201
    bob = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await client.get("/v1/acls", headers=bob)).status_code == 200
    listed = (await client.get("/v1/tokens", headers=admin)).json()["items"]
    assert {each["name"] for each in listed} == {"a-admin", "bob"}
    assert all("token" not in each for each in listed)
    assert (await client.delete("/v1/tokens/bob", headers=admin)).status_code == 204
    assert (await client.get("/v1/acls", headers=bob)).status_code == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "x", "role": "king"}, "#/role"),
        ({"name": "x", "role": "chassis"}, "#/chassis"),
        ({"name": "x", "role": "viewer", "chassis": "h1"}, "#/chassis"),
        ({"name": "x", "role": "viewer", "expires_in": -1}, "#/expires_in"),
        ({"name": "x", "role": "viewer", "expires_in": 1e308}, "#/expires_in"),
        ({"name": "x", "role": "viewer", "expires_in": 1e12}, "#/expires_in"),
        ({"name": "x", "role": "viewer", "colour": "red"}, "#/colour"),
    ],
)
async def test_wrong_tokens(
    client: httpx.AsyncClient, body: dict[str, object], pointer: str
) -> None:
    response = await client.post("/v1/tokens", json=body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost", True),
        ("https://localhost", True),
        ("http://localhost:8000", False),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
    ],
)
async def test_without_tokens_web_pages_of_elsewhere_change_nothing(
    server: Server, origin: str, allowed: bool
) -> None:
    headers = {"Origin": origin}
    made = await server.client.post("/v1/logical-switches", json={"name": "web"}, headers=headers)
    assert made.status_code == (201 if allowed else 401)
    if not allowed:
        assert "may not change anything" in made.json()["detail"]
    gone = await server.client.delete("/v1/logical-switches/web", headers=headers)
    assert gone.status_code == (204 if allowed else 401)
    found = await server.client.get("/v1/logical-switches", headers=headers)
    assert found.status_code == 200
    assert "access-control-allow-origin" not in found.headers


async def test_two_origins_are_as_good_as_the_worse(server: Server) -> None:
    headers = [("Origin", "http://localhost"), ("Origin", "https://evil.example")]
    made = await server.client.post("/v1/logical-switches", json={"name": "web"}, headers=headers)
    assert made.status_code == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_a_page_can_send_unasked_is_no_body(server: Server, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    for path in ("/v1/logical-switches", "/v1/apply", "/v1/transactions"):
        made = await server.client.post(path, content=b'{"name": "web"}', headers=headers)
        assert made.status_code == 415, path


async def test_a_wait_ends_with_its_token(guarded: Server, database: Database) -> None:
    headers = token(database, "operator")
    waiting = asyncio.create_task(
        guarded.client.post(
            "/v1/logical-switches",
            params={"wait": "translated", "timeout": 60},
            json={"name": "web"},
            headers=headers,
        )
    )
    while await guarded.backend.committed_revision() == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    with database.maintain() as session:
        tokens.delete(session, "a-operator")
    async with asyncio.timeout(30):
        response = await waiting
    assert response.status_code == 401
    assert response.json()["detail"] == "the token was revoked while its bearer waited"
    assert await guarded.backend.committed_revision() == 1, "what was done is done"
    assert guarded.backend.token_watch._looking is None, "and nobody looks any more"


async def test_wrong_tokens_are_answered_ever_later(guarded: Server) -> None:
    for _ in range(FREE):
        response = await guarded.client.get("/v1/acls", headers={"Authorization": "Bearer wrong"})
        assert response.status_code == 401
    assert guarded.backend.attempts.failed("127.0.0.1", time.monotonic()) > 0
