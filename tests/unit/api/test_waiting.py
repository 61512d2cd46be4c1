"""Responses that wait for a change to be in force."""

import asyncio

import pytest

from tests.unit.api.conftest import Server

BODY = {"name": "web"}


async def test_without_wait_the_response_comes_at_commit(server: Server) -> None:
    response = await server.client.post("/v1/logical-switches", json=BODY)
    assert response.status_code == 201
    assert server.backend.realised.revision == 0
    assert server.agents.asked == []


@pytest.mark.parametrize("wait", ["translated", "chassis"])
async def test_a_wait_that_is_rewarded(server: Server, wait: str) -> None:
    following = asyncio.create_task(server.backend.translator.run())
    response = await server.client.post("/v1/logical-switches", params={"wait": wait}, json=BODY)
    assert response.status_code == 201
    assert server.backend.realised.revision == 1
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
    following = asyncio.create_task(server.backend.translator.run())
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


@pytest.mark.parametrize("query", [{"wait": "forever"}, {"timeout": 0}, {"timeout": 601}])
async def test_wrong_options_refuse_before_anything_is_written(
    server: Server, query: dict[str, str]
) -> None:
    response = await server.client.post("/v1/logical-switches", params=query, json=BODY)
    assert response.status_code == 422
    assert (await server.client.get("/v1/revisions")).json()["items"] == []
