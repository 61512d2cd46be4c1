"""What a chassis may watch: what its bound ports need, when they need it, and nothing besides."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from southbound.rows import Datapath, FlowGroup, PortBinding, Row, SetMember
from southbound.state import RealisedState
from southbound.watch.cache import RowCache
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import Agent, MakeAgent, by_id, until
from tests.unit.southbound.conftest import LEASE, token_is_name
from tests.unit.southbound.faulty_link import FaultyLink

LS1, LS2, LS3 = (Datapath(f"ls{n}", "ls", f"ls{n}", n) for n in (1, 2, 3))
LR = Datapath("lr", "lr", "lr", 9)
ALL = ["datapath:ls1", "datapath:ls2", "datapath:ls3", "datapath:lr", "set:$a", "set:@b"]


@pytest.fixture
async def server(state: RealisedState) -> AsyncIterator[WatchServer]:
    server = WatchServer(state, token_is_name, port=0, lease=LEASE)
    await server.start()
    yield server
    await server.stop()


def vif(name: str, switch: str, requested: tuple[str, ...] = ()) -> PortBinding:
    return PortBinding(name, switch, name, 1, "vif", requested_chassis=requested)


def joint(switch: str) -> tuple[PortBinding, PortBinding]:
    """The two patch ports between a switch and the router."""
    here, there = f"{switch}-lr", f"lr-{switch}"
    return (
        PortBinding(here, switch, here, 7, "patch", peer=there, peer_datapath="lr"),
        PortBinding(there, "lr", there, 8, "patch", peer=here, peer_datapath=switch),
    )


def naming(number: int, datapath: str, *sets: str) -> FlowGroup:
    payload = msgspec.msgpack.encode([[7, f"ip4.src == {name}"] for name in sets])
    return FlowGroup(number, datapath, "acl", "a", 1, payload)


async def written(state: RealisedState, *rows: Row, deletes: tuple[Row, ...] = ()) -> None:
    for row in rows:
        if isinstance(row, FlowGroup):
            state.groups.id_of(f"group {row.id}")
    await state.write(state.revision + 1, rows, [row.row_id for row in deletes])


def of(state: RealisedState, *scopes: str) -> dict[tuple[str, str], Row]:
    return by_id(*(row for scope in scopes for row in state.in_scope(scope)))


async def watching(make_agent: MakeAgent, name: str, *ports: str, **more: object) -> Agent:
    """An agent that asks for everything there is, whatever it may have."""
    agent = make_agent(name, *ALL, **more)
    agent.client.claim_only(ports)
    await agent.synced()
    return agent


@pytest.fixture
async def network(state: RealisedState) -> None:
    """ls1 and ls2 on a router, ls3 alone; each with a port."""
    switches = [LS1, LS2, LS3, LR, *(vif(f"p{n}", f"ls{n}") for n in (1, 2, 3))]
    sets = [SetMember("$a", "10.0.0.1"), SetMember("@b", "p3")]
    flows = [naming(1, "ls2", "$a"), naming(2, "ls3", "@b")]
    await written(state, *switches, *joint("ls1"), *joint("ls2"), *sets, *flows)


@pytest.mark.usefixtures("network")
async def test_without_a_port_there_is_nothing(state: RealisedState, make_agent: MakeAgent) -> None:
    agent = await watching(make_agent, "hv1")
    assert agent.rows == {}
    await written(state, vif("p4", "ls1"))
    await asyncio.sleep(0.05)
    assert agent.rows == {}


@pytest.mark.usefixtures("network")
async def test_a_bound_port_gives_what_it_reaches_and_its_sets(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    agent = await watching(make_agent, "hv1", "p1")
    assert agent.rows == of(state, "datapath:ls1", "datapath:lr", "datapath:ls2", "set:$a")


@pytest.mark.usefixtures("network")
async def test_what_was_asked_for_too_early_comes_once_it_may(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    agent = await watching(make_agent, "hv1")
    agent.client.claim("p3")
    await until(lambda: agent.rows == of(state, "datapath:ls3", "set:@b"))
    await written(state, *joint("ls3"))
    await until(lambda: agent.rows == of(state, *ALL))
    await written(state, deletes=joint("ls3"))
    await until(lambda: agent.rows == of(state, "datapath:ls3", "set:@b"))
    await written(state, naming(2, "ls3"), naming(3, "ls3", "$a"))
    await until(lambda: agent.rows == of(state, "datapath:ls3", "set:$a"))
    agent.client.release("p3")
    await until(lambda: agent.rows == {})


@pytest.mark.usefixtures("network")
async def test_a_port_that_moves_takes_its_rows_along_at_once(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    one = await watching(make_agent, "hv1", "p3")
    two = await watching(make_agent, "hv2")
    before = one.rows
    one.batches.clear()
    two.client.claim("p3")
    await until(lambda: one.rows == {} and bool(two.rows))
    assert len(one.batches) == 1
    assert two.rows.keys() == before.keys()


@pytest.mark.usefixtures("network")
async def test_the_row_of_a_port_is_for_those_who_claim_it_and_may(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    await written(state, vif("p2", "ls2", ("hv2",)))
    ports = ["port:p1", "port:p2", "port:lr-ls1", "port:none"]
    agent = make_agent("hv1", *ports)
    agent.client.claim_only(["p1", "p2", "lr-ls1", "none"])
    await agent.synced()
    assert agent.rows == of(state, "port:p1")
    await written(state, vif("p2", "ls2"))
    await until(lambda: agent.rows == of(state, "port:p1", "port:p2"))
    await written(state, vif("none", "ls2"))
    await until(lambda: agent.rows == of(state, "port:p1", "port:p2", "port:none"))
    agent.client.release("p1")
    await until(lambda: agent.rows == of(state, "port:p2", "port:none"))


@pytest.mark.usefixtures("network")
async def test_nothing_is_taken_from_an_agent_that_comes_back(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    """Whose claims the server has lost with its chassis, and not heard anew yet."""
    agent = await watching(make_agent, "hv1", "p3", port=link.port)
    before = agent.rows
    agent.batches.clear()
    link.cut()
    await until(lambda: not agent.client.connected)
    state.facts.remove_chassis("hv1")
    await until(lambda: agent.client.connected and state.rows(PortBinding)["p3"].chassis == "hv1")
    await agent.synced()
    await until(lambda: agent.client._inbox._serial > 0)
    assert agent.rows.keys() == before.keys()
    assert not any(batch.deletes for batch in agent.batches)


@pytest.mark.usefixtures("network")
async def test_nothing_is_sent_before_claims_to_an_agent_with_rows_of_its_own(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent, tmp_path: Path
) -> None:
    cache = RowCache(tmp_path / "rows")
    first = await watching(make_agent, "hv1", "p3", cache=cache, cache_delay=0.01)
    rows = first.rows
    await until(lambda: bool(loaded := cache.load()) and len(loaded.scopes) == len(ALL))
    await first.stop()
    await until(lambda: not server.status("hv1").connected)
    state.facts.remove_chassis("hv1")
    again = make_agent("hv1", *ALL, cache=RowCache(tmp_path / "rows"))
    await until(lambda: again.client.connected and again.rows.keys() == rows.keys())
    await asyncio.sleep(0.05)
    assert again.client._inbox._serial == 0
    again.client.claim_only(["p3"])
    await again.synced()
    assert again.rows.keys() == rows.keys()
    assert not any(batch.deletes for batch in again.batches)


@pytest.mark.usefixtures("network")
async def test_what_became_allowed_while_away_comes_whole(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    agent = await watching(make_agent, "hv1", "p1", port=link.port)
    link.cut()
    await until(lambda: not agent.client.connected)
    await written(state, *joint("ls3"))
    await agent.synced()
    await until(lambda: agent.rows == of(state, *ALL))
