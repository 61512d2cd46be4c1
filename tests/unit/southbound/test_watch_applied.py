"""Waiting for agents: for those that are due something, for all of it, and for no others."""

import asyncio

import pytest

from southbound.rows import Datapath, PortBinding
from southbound.state import RealisedState
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import Agent, MakeAgent, until
from tests.unit.southbound.conftest import Everything, token_is_name

WEB = Datapath("d1", "ls", "web", 1)
DB = Datapath("d2", "ls", "db", 2)
PORT = PortBinding("p", "d2", "db-1", 1, "vif")


async def holding(make_agent: MakeAgent, name: str, *scopes: str, port: int = 0) -> Agent:
    """An agent that is settled, and from now on acknowledges nothing by itself."""
    agent = make_agent(name, *scopes, port=port)
    await agent.synced()
    await until(lambda: agent.batches[-1].serial == agent.client._inbox._serial)
    await asyncio.sleep(0.02)
    agent.acknowledging = False
    return agent


async def test_waits_for_the_agent_that_is_due(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await holding(make_agent, "hv1", "datapath:d1")
    await state.write(1, [WEB])
    assert await server.wait_applied(1, 0.05) == ["hv1"]
    assert server.status("hv1").applied_revision == 0
    waiting = asyncio.create_task(server.wait_applied(1, 30))
    await until(lambda: agent.batches[-1].revision == 1)
    agent.client.acknowledge(agent.batches[-1])
    assert await waiting == []
    assert server.status("hv1").applied_revision == 1


async def test_does_not_ask_agents_that_are_not_concerned(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await holding(make_agent, "hv1", "datapath:d1")
    await state.write(1, [DB])
    assert await server.wait_applied(1, 30) == []
    assert server.status("hv1").applied_revision == 1


async def test_an_agent_that_lacks_something_else_is_not_waited_for(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    await holding(make_agent, "hv1", "datapath:d1", "datapath:d2")
    await holding(make_agent, "hv2", "datapath:d2")
    await state.write(1, [WEB])
    await state.write(2, [DB])
    await state.write(3, [PORT], [WEB.row_id])
    assert await server.wait_applied(1, 0.05) == ["hv1"]
    assert await server.wait_applied(2, 0.05) == ["hv1", "hv2"]
    assert await server.wait_applied(2, 0.05, ["hv2", "hv9"]) == ["hv2"]
    await state.write(4, [Datapath("d3", "ls", "more", 3)])
    assert await server.wait_applied(4, 60) == []
    assert await server.wait_applied(3, 0.05, ["hv2"]) == ["hv2"]


async def test_waits_for_the_rows_of_scopes_that_a_change_made_an_agent_want(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await holding(make_agent, "hv1", "port:db-1")
    await state.write(1, [DB, PORT])
    waiting = asyncio.create_task(server.wait_applied(1, 30))
    await until(lambda: PORT.row_id in agent.rows)
    agent.client.subscribe(["datapath:d2"])
    agent.client.acknowledge(agent.batches[-1])
    await agent.synced()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    agent.client.acknowledge(agent.batches[-1])
    assert await waiting == []


async def test_later_changes_do_not_keep_a_waiter_waiting(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await holding(make_agent, "hv1", "datapath:d1")
    await state.write(1, [WEB])
    waiting = asyncio.create_task(server.wait_applied(1, 30))
    await until(lambda: agent.batches[-1].revision == 1)
    first = agent.batches[-1]
    await state.write(2, [Datapath("d1", "ls", "renamed", 1)])
    agent.client.acknowledge(first)
    assert await waiting == []
    assert await server.wait_applied(2, 0.05) == ["hv1"]


async def test_an_agent_that_reconnects_is_still_waited_for(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await holding(make_agent, "hv1", "datapath:d1")
    await state.write(1, [WEB])
    waiting = asyncio.create_task(server.wait_applied(1, 30))
    await asyncio.sleep(0)
    await agent.stop()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    agent.acknowledging = True
    agent.start()
    assert await waiting == []


async def test_a_chassis_that_is_removed_is_not_waited_for_any_more(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    patient = WatchServer(state, token_is_name, port=0, lease=600, access=Everything())
    await patient.start()
    try:
        agent = await holding(make_agent, "hv1", "datapath:d1", port=patient.port)
        await agent.stop()
        await until(lambda: not patient.status("hv1").connected)
        await state.write(1, [WEB])
        waiting = asyncio.create_task(patient.wait_applied(1, 60))
        assert await patient.wait_applied(1, 0.05) == ["hv1"]
        patient.remove_chassis("hv1")
        async with asyncio.timeout(30):
            assert await waiting == []
        assert await patient.wait_applied(1, 0.05) == []
    finally:
        await patient.stop()


async def test_an_agent_that_dies_is_not_waited_for(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    agent = await holding(make_agent, "hv1", "datapath:d1")
    await state.write(1, [WEB])
    waiting = asyncio.create_task(server.wait_applied(1, 30))
    await asyncio.sleep(0)
    await agent.stop()
    assert await waiting == []


async def test_a_revision_that_never_comes_is_said_so(server: WatchServer) -> None:
    with pytest.raises(TimeoutError, match="not translated"):
        await server.wait_applied(5, 0.01)


async def test_waits_until_the_revision_is_translated(
    state: RealisedState, server: WatchServer
) -> None:
    waiting = asyncio.create_task(server.wait_applied(3, 30))
    await state.write(2)
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await state.write(3)
    assert await waiting == []
