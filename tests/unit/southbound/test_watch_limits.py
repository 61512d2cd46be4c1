"""What one agent may hold and how much it may ask for at once; and that nothing stays of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from southbound import wire
from southbound.rows import Datapath, PortBinding
from southbound.state import RealisedState
from southbound.watch.limits import (
    ITEMS_AT_ONCE,
    ITEMS_PER_SECOND,
    MAX_COUNTERS,
    MAX_DENIALS,
    STEP,
    Limits,
    Pace,
    bounded_counters,
)
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import until
from tests.unit.southbound.conftest import LEASE, token_is_name
from tests.unit.southbound.raw_agent import raw_agent

LIMITS = Limits(claims=5000, scopes=10_000)


@pytest.fixture
async def server(state: RealisedState) -> AsyncIterator[WatchServer]:
    server = WatchServer(state, token_is_name, port=0, lease=LEASE, limits=LIMITS)
    await server.start()
    await state.write(1, [Datapath("d1", "ls", "web", 1), PortBinding("p1", "d1", "p1", 1, "vif")])
    yield server
    await server.stop()


def names(count: int, prefix: str = "port-") -> tuple[str, ...]:
    return tuple(f"{prefix}{n}" for n in range(count))


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (wire.Subscribe(names(10_001, "port:")), "limit", "agents.scope_limit"),
        (wire.ClaimOnly(names(5001)), "limit", "agents.claim_limit"),
        (wire.Subscribe(("port:" + "x" * 300,)), "malformed", "305 characters"),
        (wire.ClaimOnly(("x" * 256,)), "malformed", "256 characters"),
        (wire.Claim("x" * 256), "malformed", "256 characters"),
        (wire.Acknowledge(99), "malformed", "never sent"),
    ],
)
async def test_who_asks_for_too_much_is_sent_away_with_the_reason(
    server: WatchServer, message: wire.Message, code: str, reason: str
) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        await agent.say(message)
        refused = await agent.until_ended()
        assert refused is not None
        assert refused.code == code
        assert reason in refused.reason
        assert len(refused.reason) < 300


async def test_limits_count_what_is_held_not_what_is_said(
    state: RealisedState, server: WatchServer
) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        for _ in range(3):
            await agent.say(wire.Subscribe(names(9000, "port:")), wire.ClaimOnly(names(5000)))
            await agent.say(wire.Unsubscribe(names(9000, "port:")))
        await agent.say(wire.Claim("port-0"), wire.Claim("port-1"))
        await until(lambda: len(state.facts.claimed_by("hv1")) == 5000)
        await agent.say(wire.Claim("one-more"))
        refused = await agent.until_ended()
        assert refused is not None
        assert "5001 ports" in refused.reason


async def test_long_messages_are_taken_in_steps_between_which_others_have_their_turn(
    server: WatchServer,
) -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with raw_agent(server.port, "hv1") as agent:
        await until(lambda: server.sessions.get("hv1") is not None)
        session = server.sessions.get("hv1")
        assert session is not None
        others = asyncio.create_task(take_turns())
        turns_at_step = []
        subscribe = server.sessions.subscribe

        def noting(*arguments: object) -> None:
            turns_at_step.append(turns)
            subscribe(*arguments)  # type: ignore[arg-type]

        server.sessions.subscribe = noting  # type: ignore[method-assign]
        await agent.say(wire.ClaimOnly(()), wire.Subscribe(names(10_000, "port:")))
        await until(lambda: len(session.wishes) == 10_000 and session._heard == 1)
        others.cancel()
        assert len(turns_at_step) == 10_000 // STEP
        assert len(set(turns_at_step)) == len(turns_at_step)
        await until(lambda: any(isinstance(m, wire.Update) and m.heard for m in agent.heard))
        updates = [m for m in agent.heard if isinstance(m, wire.Update) and m.parts]
        assert {len(update.parts) for update in updates} == {10_000}, "not one sent half heard"


async def test_nothing_stays_of_an_agent_that_held_much(
    state: RealisedState, server: WatchServer
) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        await agent.say(
            wire.ClaimOnly((*names(4000), "p1")),
            wire.Subscribe((*names(9000, "port:"), "datapath:d1", "set:$a")),
            wire.Counters(dict.fromkeys(names(1000), 1)),
        )
        await until(lambda: bool(s := server.sessions.get("hv1")) and len(s.counters) > 0)
        assert len(server.status("hv1").counters) == MAX_COUNTERS
    await until(lambda: server.sessions.get("hv1") is None)
    assert set(state.facts.claimed_by("hv1")) == {"p1"}, "the port that it has"
    assert not server.sessions._wishers
    assert not server.sessions._watchers


async def test_denials_are_counted_and_told_so_often(
    state: RealisedState, server: WatchServer
) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        await agent.say(*(wire.LearnedFdb(f"no-{n}", "0a:00:00:00:00:01") for n in range(500)))
        await agent.say(wire.Claim("p1"))
        await until(lambda: state.rows(PortBinding)["p1"].chassis == "hv1")
        session = server.sessions.get("hv1")
        assert session is not None
        assert session.denied == 500
        await until(lambda: len(agent.denied) == MAX_DENIALS)


async def test_what_is_normal_when_a_port_is_unplugged_is_not_denied(
    state: RealisedState, server: WatchServer
) -> None:
    async with raw_agent(server.port, "hv1") as agent:
        await agent.say(wire.ClaimOnly(("p1",)), wire.PortUp("p1", True))
        await until(lambda: state.rows(PortBinding)["p1"].up)
        await agent.say(wire.Release("p1"), wire.PortUp("p1", False), wire.Claim("after"))
        await until(lambda: "after" in state.facts.claimed_by("hv1"))
        session = server.sessions.get("hv1")
        assert session is not None
        assert session.denied == 0
        assert not agent.denied


async def test_a_claim_that_gets_nothing_is_answered_with_the_reason(
    state: RealisedState, server: WatchServer
) -> None:
    row = PortBinding("p2", "d1", "p2", 2, "vif", requested_chassis=("hv9",))
    await state.write(2, [row])
    async with raw_agent(server.port, "hv1") as agent:
        await agent.say(wire.ClaimOnly(("p2",)), wire.Claim("p2"))
        await until(lambda: len(agent.denied) == 2)
        assert set(agent.denied) == {"p2: other chassis are requested for it"}


def test_who_is_too_fast_waits() -> None:
    pace = Pace(0.0)
    assert pace.delay(int(ITEMS_AT_ONCE), 0.0) == 0
    delay = pace.delay(1000, 0.0)
    assert delay == pytest.approx(1000 / ITEMS_PER_SECOND)
    assert pace.delay(0, delay) == pytest.approx(0)
    assert pace.delay(int(ITEMS_AT_ONCE), 1e9) == 0


def test_counters_are_bounded() -> None:
    kept = bounded_counters({"x" * 256: 1, **{str(n): n for n in range(1000)}})
    assert kept == {str(n): n for n in range(MAX_COUNTERS)}
