"""The identity service: who gets a token, what is in it, what it is good for, and when it ends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.neutron.auth import tokens as token_module
from api.neutron.auth.directory import DirectoryError, DirectoryFile
from api.neutron.auth.tokens import Grant, Tokens
from tests.unit.api.neutron.auth.conftest import ACME, Connect, hash_of, users_file

TOKENS = "/identity/v3/auth/tokens"
DOMAIN = {"id": "default"}


def by_password(name: str, password: str, **scope: Any) -> dict[str, Any]:
    user = {"name": name, "password": password, "domain": {"name": "Default"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, **scope}}


def by_method(method: str, shown: Any, **scope: Any) -> dict[str, Any]:
    return {"auth": {"identity": {"methods": [method], method: shown}, **scope}}


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[httpx.AsyncClient]:
    async with connect("identity") as (client, _):
        yield client


async def log_in(client: httpx.AsyncClient, body: Any) -> tuple[str, dict[str, Any]]:
    answer = await client.post(TOKENS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"], answer.json()["token"]


async def refused(client: httpx.AsyncClient, status: int, body: Any) -> str:
    answer = await client.post(TOKENS, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, status), answer.text
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    message: str = error["message"]
    return message


async def test_a_token_is_for_the_users_project_and_has_a_catalog(
    client: httpx.AsyncClient,
) -> None:
    token, shown = await log_in(client, by_password("alice", "wonderland"))
    assert shown["user"]["name"] == "alice"
    assert (shown["project"]["id"], shown["project"]["name"]) == (ACME, "acme")
    assert [role["name"] for role in shown["roles"]] == ["member", "reader"]
    urls = {entry["type"]: entry["endpoints"][0]["url"] for entry in shown["catalog"]}
    assert urls == {
        "identity": "http://localhost:9696/identity",
        "network": "http://localhost:9696",
        "load-balancer": "http://192.0.2.1:9876",
    }
    interfaces = [each["interface"] for each in shown["catalog"][0]["endpoints"]]
    assert interfaces == ["public", "internal", "admin"]
    body = {"network": {"name": "blue"}}
    made = await client.post("/v2.0/networks", json=body, headers={"X-Auth-Token": token})
    assert made.json()["network"]["project_id"] == ACME


async def test_the_catalog_has_the_public_url(connect: Connect) -> None:
    async with connect("identity", public_url="https://cloud/") as (client, _):
        _, shown = await log_in(client, by_password("alice", "wonderland"))
        assert shown["catalog"][1]["endpoints"][0]["url"] == "https://cloud"


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"id": ACME}},
        {"project": {"name": "acme", "domain": DOMAIN}},
        {"project": {"name": "acme", "domain": {"name": "Default"}}},
    ],
)
async def test_scopes(client: httpx.AsyncClient, scope: dict[str, Any]) -> None:
    body = by_password("root", "toor", scope=scope)
    _, shown = await log_in(client, body)
    assert [role["name"] for role in shown["roles"]] == ["reader"]
    assert shown["project"]["id"] == ACME


async def test_a_token_without_a_project_is_exchanged_for_one_with_it(
    client: httpx.AsyncClient,
) -> None:
    token, shown = await log_in(client, by_password("root", "toor", scope="unscoped"))
    assert "project" not in shown
    assert "catalog" not in shown
    headers = {"X-Auth-Token": token}
    assert (await client.get("/v2.0/networks", headers=headers)).status_code == 403
    projects = (await client.get("/identity/v3/auth/projects", headers=headers)).json()["projects"]
    assert [each["name"] for each in projects] == ["acme", "default"]
    body = by_method("token", {"id": token}, scope={"project": {"id": ACME}})
    _, rescoped = await log_in(client, body)
    assert rescoped["methods"] == ["password", "token"]
    assert rescoped["expires_at"] == shown["expires_at"]
    assert rescoped["project"]["id"] == ACME


@pytest.mark.parametrize(
    "shown",
    [
        {"id": "alice.ci", "secret": "tick-tock"},
        {"name": "ci", "user": {"name": "alice", "domain": DOMAIN}, "secret": "tick-tock"},
        {"name": "ci", "user": {"id": "alice"}, "secret": "tick-tock"},
    ],
)
async def test_application_credentials_have_their_own_roles(
    client: httpx.AsyncClient, shown: dict[str, Any]
) -> None:
    token, told = await log_in(client, by_method("application_credential", shown))
    assert [role["name"] for role in told["roles"]] == ["reader"]
    assert told["application_credential"]["name"] == "ci"
    headers = {"X-Auth-Token": token}
    assert (await client.get("/v2.0/networks", headers=headers)).status_code == 200
    body = {"network": {}}
    assert (await client.post("/v2.0/networks", json=body, headers=headers)).status_code == 403
    again = by_method("token", {"id": token})
    assert (await client.post(TOKENS, json=again)).status_code == 401


CREDENTIAL = {"id": "alice.ci", "secret": "tick-tock"}


@pytest.mark.parametrize(
    "body",
    [
        by_password("alice", "wrong"),
        by_password("alice", "x" * 5000),
        by_password("mallory", "wonderland"),
        by_password("alice", "wonderland", scope={"project": {"id": "default"}}),
        by_password("alice", "wonderland", scope={"project": {"id": "none"}}),
        by_password("alice", "wonderland", scope={"system": {"all": True}}),
        by_password("alice", "wonderland", scope={"domain": {"id": "default"}}),
        by_method("token", {"id": "x.y"}),
        by_method("token", {"id": "x" * 10_000}),
        by_method("totp", {}),
        by_method("application_credential", {"id": "alice.ci", "secret": "wonderland"}),
        by_method("application_credential", {"id": "alice.old", "secret": "tick-tock"}),
        by_method("application_credential", {"id": "none", "secret": "tick-tock"}),
        by_method("application_credential", CREDENTIAL, scope={"project": {"id": ACME}}),
        by_method(
            "password",
            {"user": {"name": "alice", "password": "wonderland", "domain": {"name": "other"}}},
        ),
        {
            "auth": {
                "identity": {
                    "methods": ["password", "application_credential"],
                    "password": {"user": {"id": "rita", "password": "reads"}},
                    "application_credential": CREDENTIAL,
                }
            }
        },
    ],
)
async def test_who_gets_no_token(client: httpx.AsyncClient, body: Any) -> None:
    await refused(client, 401, body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"auth": 1},
        {"auth": {"identity": {}}},
        {"auth": {"identity": {"methods": []}}},
        {"auth": {"identity": {"methods": ["password"] * 9}}},
        {"auth": {"identity": {"methods": ["password"]}}},
        by_method("password", {"user": {"id": "alice"}}),
        by_method("password", {"user": {"name": "alice", "password": "wonderland"}}),
        by_method("password", {"user": {"id": 1, "password": "wonderland"}}),
        by_password("alice", "wonderland", scope={"colour": {}}),
        by_password("alice", "wonderland", scope=1),
        {"auth": {"identity": [[]] * 600}},
    ],
)
async def test_bodies_that_ask_for_nothing(client: httpx.AsyncClient, body: Any) -> None:
    await refused(client, 400, body)


async def test_bodies_that_are_too_large_or_no_json(client: httpx.AsyncClient) -> None:
    assert (await client.post(TOKENS, content=b"x" * 70_000)).status_code == 413
    for content in (b"{", b"\xff", b'{"auth": "\\ud800"}'):
        assert (await client.post(TOKENS, content=content)).status_code == 400


async def test_tokens_are_shown_and_end(client: httpx.AsyncClient) -> None:
    alice, shown = await log_in(client, by_password("alice", "wonderland"))
    root, _ = await log_in(client, by_password("root", "toor"))
    rita, _ = await log_in(client, by_password("rita", "reads"))

    async def ask(method: str, caller: str, subject: str) -> httpx.Response:
        headers = {"X-Auth-Token": caller, "X-Subject-Token": subject}
        return await client.request(method, TOKENS, headers=headers)

    assert (await ask("GET", alice, alice)).json()["token"] == shown
    assert (await ask("HEAD", root, alice)).status_code == 200
    assert (await ask("GET", rita, alice)).status_code == 403
    assert (await ask("GET", root, "none")).status_code == 404
    assert (await ask("GET", "none", alice)).status_code == 401
    answer = await client.get(
        f"{TOKENS}?nocatalog", headers={"X-Auth-Token": root, "X-Subject-Token": alice}
    )
    assert "catalog" not in answer.json()["token"]
    assert (await ask("DELETE", alice, alice)).status_code == 204
    assert (await ask("GET", root, alice)).status_code == 404
    networks = await client.get("/v2.0/networks", headers={"X-Auth-Token": alice})
    assert networks.status_code == 401
    assert networks.headers["WWW-Authenticate"] == 'Keystone uri="http://localhost:9696/identity"'
    assert networks.json()["error"]["code"] == 401


async def test_what_the_file_says_now_holds_for_tokens_of_before(
    client: httpx.AsyncClient, users: DirectoryFile
) -> None:
    alice, _ = await log_in(client, by_password("alice", "wonderland"))
    rita, _ = await log_in(client, by_password("rita", "reads"))

    def write(text: str) -> None:
        Path(str(users)).write_text(text)

    async def status(token: str) -> int:
        return (await client.get("/v2.0/networks", headers={"X-Auth-Token": token})).status_code

    write("[users.alice]\ncolour = 1\n")
    with pytest.raises(DirectoryError, match=r"users\.alice\.colour"):
        users.reload()
    assert await status(alice) == 200
    write(users_file().replace(hash_of("wonderland"), hash_of("looking-glass")))
    users.reload()
    assert (await status(alice), await status(rita)) == (401, 200)
    write(users_file().replace('acme = ["reader"] }\n\n[users.nobody]', "}\n\n[users.nobody]"))
    users.reload()
    assert (await status(alice), await status(rita)) == (200, 401)


async def test_who_there_is(client: httpx.AsyncClient) -> None:
    alice, _ = await log_in(client, by_password("alice", "wonderland"))
    root, _ = await log_in(client, by_password("root", "toor"))

    async def get(path: str, token: str = root) -> httpx.Response:
        return await client.get(f"/identity/v3/{path}", headers={"X-Auth-Token": token})

    projects = (await get("projects")).json()["projects"]
    assert [each["name"] for each in projects] == ["acme", "default"]
    assert len((await get("projects?name=acme")).json()["projects"]) == 1
    assert (await get(f"projects/{ACME}", alice)).json()["project"]["description"] == "Acme"
    assert (await get("projects/none")).status_code == 404
    assert (await get("projects/default", alice)).status_code == 403
    assert (await get("users/alice", alice)).json()["user"]["default_project_id"] == ACME
    assert (await get("users/root", alice)).status_code == 403
    assert (await get("users/none")).status_code == 404
    assert (await get("users/none/projects")).status_code == 404
    assert len((await get("users/root/projects")).json()["projects"]) == 2
    assert len((await get("users")).json()["users"]) == 4
    assert [each["name"] for each in (await get("roles")).json()["roles"]] == [
        "admin",
        "member",
        "reader",
    ]
    assert (await get("roles/admin")).status_code == 200
    assert (await get("roles/none")).status_code == 404
    assert (await get("domains")).json()["domains"][0]["id"] == "default"
    assert (await get("domains/default")).status_code == 200
    assert (await get("domains/none")).status_code == 404
    assert len((await get("auth/catalog", alice)).json()["catalog"]) == 3
    for path in ("projects", "users", "roles", "roles/admin"):
        assert (await get(path, alice)).status_code == 403
        assert (await get(path, "none")).status_code == 401


async def test_discovery(client: httpx.AsyncClient) -> None:
    for path in ("/identity", "/identity/"):
        answer = await client.get(path)
        assert answer.status_code == 300
        [version] = answer.json()["versions"]["values"]
        assert version["links"][0]["href"] == "http://localhost:9696/identity/v3/"
    assert (await client.get("/identity/v3")).json()["version"] == version
    assert version["id"].startswith("v3")


async def test_without_it_there_is_no_identity_service(connect: Connect) -> None:
    async with connect("basic") as (client, _):
        assert (await client.get("/identity/v3")).status_code == 404


def grant(**changed: Any) -> Grant:
    values = {
        "user": "alice",
        "project": None,
        "methods": ("password",),
        "issued_at": 10.0,
        "expires_at": 20.0,
        "audit_id": "a",
        "secret": "s",
    }
    return Grant(**{**values, **changed})


def test_a_token_is_read_by_who_signed_it_until_it_ends() -> None:
    tokens = Tokens()
    token = tokens.issue(grant())
    assert tokens.read(token, 19) == grant()
    assert tokens.read(token, 20) is None
    assert Tokens().read(token, 11) is None
    body, _, signature = token.partition(".")
    forged = Tokens().issue(grant(user="root")).partition(".")[0]
    for other in (body, f"{forged}.{signature}", f"{body}.", f".{signature}", "", "é.ü"):
        assert tokens.read(other, 11) is None


def test_revoked_tokens_are_remembered_as_long_as_they_would_have_lasted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_module, "REVOKED_OF_ONE", 3)
    tokens = Tokens()
    kept = tokens.issue(grant(audit_id="kept"))
    for number in range(3):
        tokens.revoke(grant(audit_id=str(number)), 11)
    assert tokens.read(tokens.issue(grant(audit_id="1")), 11) is None
    assert tokens.read(kept, 11) is not None
    tokens.revoke(grant(audit_id="3"), 12)  # one too many: all of that user's end
    assert tokens.read(kept, 12) is None
    assert tokens.read(tokens.issue(grant(issued_at=13)), 13) is not None
    assert tokens.read(tokens.issue(grant(user="bob", audit_id="kept")), 12) is not None
