"""Who a request is taken for, by what it shows."""

import asyncio

import pytest

from api.neutron.auth.setup import make_authentication
from northbound import tokens
from tests.unit.api.conftest import Server
from tests.unit.api.neutron.auth.conftest import ACME, Connect

NETWORK = {"network": {"name": "blue"}}


def new_token(server: Server, role: str, project: str | None = None) -> dict[str, str]:
    with server.backend.database.maintain() as session:
        name = f"{role}-{project}"
        chassis = "hv1" if role == "chassis" else None
        _, secret = tokens.create(session, name=name, role=role, project=project, chassis=chassis)
    return {"X-Auth-Token": secret}


async def test_without_credentials_the_host_itself_is_an_admin(connect: Connect) -> None:
    async with connect("none") as (client, _):
        assert (await client.post("/v2.0/networks", json=NETWORK)).status_code == 201
        for host in ("127.0.0.1:9696", "[::1]:9696", "localhost"):
            headers = {"Host": host}
            assert (await client.get("/v2.0/networks", headers=headers)).status_code == 200
        rebound = await client.get("/v2.0/networks", headers={"Host": "evil.example"})
        assert rebound.status_code == 401
        foreign = {"Origin": "https://evil.example"}
        assert (await client.get("/v2.0/networks", headers=foreign)).status_code == 200
        refused = await client.post("/v2.0/networks", json=NETWORK, headers=foreign)
        assert refused.status_code == 401
        assert "web pages" in refused.json()["error"]["message"]
        own = {"Origin": "http://localhost:9696"}
        assert (await client.post("/v2.0/networks", json=NETWORK, headers=own)).status_code == 201


async def test_tokens_of_treadle(connect: Connect) -> None:
    async with connect("token") as (client, server):

        async def make(headers: dict[str, str], **values: str) -> tuple[int, str]:
            body = {"network": {"name": "blue", **values}}
            answer = await client.post("/v2.0/networks", json=body, headers=headers)
            return answer.status_code, answer.json().get("network", {}).get("project_id", "")

        async def count(headers: dict[str, str]) -> int:
            answer = await client.get("/v2.0/networks", headers=headers)
            return len(answer.json()["networks"])

        admin, operator = new_token(server, "admin"), new_token(server, "operator")
        acme, viewer = new_token(server, "operator", "acme"), new_token(server, "viewer")
        acme_viewer = new_token(server, "viewer", "acme")
        assert await make(admin, project_id="zoo") == (201, "zoo")
        assert await make(operator) == (201, "default")
        assert await make(acme) == (201, "acme")
        assert (await make(acme, project_id="zoo"))[0] == 403
        assert (await make(viewer))[0] == (await make(acme_viewer))[0] == 403
        counts = [await count(each) for each in (admin, operator, viewer, acme, acme_viewer)]
        assert counts == [3, 3, 3, 1, 1]
        chassis = await client.get("/v2.0/networks", headers=new_token(server, "chassis"))
        assert chassis.status_code == 403
        for headers in ({}, {"X-Auth-Token": "treadle_wrong"}, {"X-Auth-Token": ""}):
            answer = await client.get("/v2.0/networks", headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["title"] == "Unauthorized"
        assert (await client.get("/")).status_code == 200


async def test_user_name_and_password(connect: Connect) -> None:
    async with connect("basic") as (client, _):
        answer = await client.post("/v2.0/networks", json=NETWORK, auth=("alice", "wonderland"))
        assert answer.json()["network"]["project_id"] == ACME
        rita = await client.post("/v2.0/networks", json=NETWORK, auth=("rita", "reads"))
        assert rita.status_code == 403
        nobody = await client.get("/v2.0/networks", auth=("nobody", "nothing"))
        assert nobody.status_code == 403
        for shown in (("alice", "wrong"), ("mallory", "wonderland"), ("alice", "x" * 5000)):
            wrong = await client.get("/v2.0/networks", auth=shown)
            assert wrong.status_code == 401
            assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
        for header in ("Basic", "Basic !", "Basic YWxpY2U=", "Basic /w==", "Bearer x", "Basic é"):
            headers = {"Authorization": header.encode()}
            answer = await client.get("/v2.0/networks", headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == 401


async def test_wrong_credentials_are_answered_ever_later(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    for method, shown in (
        ("token", {"headers": {"X-Auth-Token": "wrong"}}),
        ("identity", {"headers": {"X-Auth-Token": "wrong"}}),
        ("basic", {"auth": ("alice", "wrong")}),
    ):
        async with connect(method) as (client, _):
            with monkeypatch.context() as patch:
                patch.setattr("api.neutron.auth.slowing.asyncio.sleep", note)
                for _ in range(5):
                    await client.get("/v2.0/networks", **shown)  # type: ignore[arg-type]
        assert waits == [0, 0, 0, 0.5, 1]
        waits.clear()


async def test_users_are_needed(connect: Connect) -> None:
    async with connect("none") as (_, server):
        with pytest.raises(ValueError, match="needs users"):
            make_authentication("basic", server.backend)
