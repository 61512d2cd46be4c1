"""Responses that wait for a change to be in force."""

import asyncio

import pytest

from southbound.rows import Chassis
from tests.unit.api.conftest import Server

BODY = {"name": "web"}


async def test_without_wait_the_response_comes_at_commit(server: Server) -> None:
    response = await server.client.post("/v1/logical-switches", json=BODY)
    assert response.status_code == 201
    assert server.realised.revision == 0
    assert server.agents.asked == []


@pytest.mark.parametrize("wait", ["translated", "chassis"])
async def test_a_wait_that_is_rewarded(server: Server, wait: str) -> None:
    following = asyncio.create_task(server.translator.run())
    response = await server.client.post("/v1/logical-switches", params={"wait": wait}, json=BODY)
    assert response.status_code == 201
    assert server.realised.revision == 1
    assert server.agents.asked == ([1] if wait == "chassis" else [])
    following.cancel()


async def test_a_wait_for_the_translation_that_is_in_vain(server: Server) -> None:
    response = await server.client.post(
        "/v1/logical-switches", params={"wait": "translated", "timeout": 0.05}, json=BODY
    )
    assert response.status_code == 504
    problem = response.json()
    assert problem["type"] == "/problems/not-reached"
    assert problem["revision"] == 1
    assert (await server.client.get("/v1/logical-switches/web")).status_code == 200


async def test_a_wait_for_a_chassis_that_is_in_vain(server: Server) -> None:
    server.agents.lagging = ["hypervisor-2"]
    following = asyncio.create_task(server.translator.run())
    response = await server.client.post(
        "/v1/logical-switches", params={"wait": "chassis", "timeout": 5}, json=BODY
    )
    following.cancel()
    assert response.status_code == 504
    assert response.json()["waiting_for"] == ["hypervisor-2"]


async def test_waiting_can_go_on_with_the_revision(server: Server) -> None:
    await server.client.post("/v1/logical-switches", json=BODY)
    query = {"wait": "translated", "timeout": 0.05}
    assert (await server.client.get("/v1/revisions/1", params=query)).status_code == 504
    await server.translate()
    assert (await server.client.get("/v1/revisions/1", params=query)).status_code == 200


async def test_a_server_that_stops_ends_waits(server: Server) -> None:
    query = {"wait": "translated", "timeout": 600}
    waits = [
        asyncio.create_task(server.client.get("/v1/revisions/1", params=query)),
        asyncio.create_task(server.client.post("/v1/logical-switches", params=query, json=BODY)),
    ]
    server.backend.stopping.set()
    for response in await asyncio.gather(*waits):
        assert (response.status_code, response.json()["revision"]) == (504, 1)
        assert "is committed and stays so" in response.json()["detail"]


async def test_revision_0_is_the_empty_network(server: Server) -> None:
    for wait in ("translated", "chassis", "up"):
        answer = await server.client.get("/v1/revisions/0", params={"wait": wait})
        assert answer.status_code == 200
        assert answer.json() == {
            "id": 0,
            "created_at": None,
            "author": "",
            "comment": "",
            "changes": [],
        }


async def test_a_revision_that_is_still_to_come_is_waited_for(server: Server) -> None:
    query = {"wait": "translated", "timeout": 0.05}
    early = await server.client.get("/v1/revisions/1", params=query)
    assert early.status_code == 504
    assert early.json()["detail"] == "there was no revision 1 within 0.05 s"
    assert (await server.client.get("/v1/revisions/1001", params=query)).status_code == 404
    assert (await server.client.get("/v1/revisions/1")).status_code == 404

    following = asyncio.create_task(server.translator.run())
    query = {"wait": "translated", "timeout": 60}
    waiting = asyncio.create_task(server.client.get("/v1/revisions/1", params=query))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await server.client.post("/v1/logical-switches", json=BODY)
    answer = await waiting
    assert answer.status_code == 200
    assert answer.json()["changes"][0]["after"]["name"] == "web"
    following.cancel()


async def test_a_wait_until_ports_are_up(server: Server) -> None:
    facts = server.realised.facts
    facts.connected(Chassis("hv1"))
    facts.connected(Chassis("hv2"))
    for chassis, ports in (("hv1", ("web-1", "web-2")), ("hv2", ("web-3",))):
        for port in ports:
            facts.claim(chassis, port)
    facts.lapsed("hv2")
    following = asyncio.create_task(server.translator.run())
    await server.client.post("/v1/logical-switches", json=BODY)
    ports = [
        {
            "action": "create",
            "kind": "logical_switch_port",
            "values": {"name": f"web-{number}", "logical_switch": "web"},
        }
        for number in range(1, 5)
    ]
    body = {"operations": ports}
    waiting = asyncio.create_task(
        server.client.post("/v1/transactions", params={"wait": "up", "timeout": 2}, json=body)
    )
    answer = await waiting
    assert answer.status_code == 504
    # web-3 is on a chassis that is dead, web-4 on none.
    assert answer.json()["waiting_for"] == ["web-1", "web-2"]

    query = {"wait": "up", "timeout": 60}
    waiting = asyncio.create_task(server.client.get("/v1/revisions/2", params=query))
    facts.set_up("hv1", "web-1", True)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    facts.release("hv1", "web-2")
    assert (await waiting).status_code == 200
    other = await server.client.patch(
        "/v1/logical-switches/web", params=query, json={"labels": {"a": "b"}}
    )
    assert other.status_code == 200
    following.cancel()


@pytest.mark.parametrize("query", [{"wait": "forever"}, {"timeout": 0}, {"timeout": 601}])
async def test_wrong_options_refuse_before_anything_is_written(
    server: Server, query: dict[str, str]
) -> None:
    response = await server.client.post("/v1/logical-switches", params=query, json=BODY)
    assert response.status_code == 422
    assert (await server.client.get("/v1/revisions")).json()["items"] == []
