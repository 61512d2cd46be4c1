"""Questions from the server to an agent: answers, and every way to get none."""

import asyncio
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect

from southbound import wire
from southbound.errors import CannotAnswerError, NoAnswerInTimeError, NotConnectedError, TooOldError
from southbound.questions import (
    Compare,
    Comparison,
    Difference,
    Output,
    Question,
    Result,
    Step,
    Traced,
    TracePort,
    TraceTunnel,
    header_values,
    headers_of,
)
from southbound.rows import Chassis
from southbound.watch.answering import MAX_ANSWER
from southbound.watch.asking import MAX_OPEN
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, until
from tests.unit.southbound.faulty_link import FaultyLink

COMPARE = Compare(("d1",))
COMPARISON = Comparison(7, True, (Difference("missing", "ls_in_l2_lkup", "web", "w", "", 42),))
IP6 = 0x20010DB8 << 96 | 1


async def connected(server: WatchServer, chassis: str) -> None:
    await until(lambda: server.status(chassis).connected)


@pytest.mark.parametrize(
    "question",
    [
        COMPARE,
        TracePort("web-1", headers_of({"eth.type": 0x86DD, "ip6.dst": IP6}), "reply"),
        TraceTunnel("hv2", "d1", "web-1", "_MC_flood", {}),
    ],
)
@pytest.mark.parametrize(
    "result",
    [
        COMPARISON,
        Traced(
            (Step("output", 50, "reg15=0x2", 1 << 63),), (Output("db-1"), Output("", "hv2")), True
        ),
    ],
)
async def test_an_agent_gets_the_question_and_the_server_the_answer(
    server: WatchServer, make_agent: MakeAgent, question: Question, result: Result
) -> None:
    asked: list[Question] = []

    async def answerer(question: Question) -> Result:
        asked.append(question)
        return result

    make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    assert await server.ask("hv1", question, 5) == result
    assert asked == [question]


def test_headers_survive_and_the_rest_of_the_packet_stays_behind() -> None:
    packet = {"ip6.dst": IP6, "ip.ttl": 0, "eth.src": None, "reg0": 3, "outport": "web-1"}
    assert header_values(headers_of(packet)) == {"ip6.dst": IP6, "ip.ttl": 0}


async def test_nobody_is_connected(server: WatchServer) -> None:
    with pytest.raises(NotConnectedError):
        await server.ask("hv1", COMPARE, 5)


async def test_the_agent_can_not(server: WatchServer, make_agent: MakeAgent) -> None:
    async def answerer(_: Question) -> Result:
        raise CannotAnswerError("web-1 is not here")

    make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    with pytest.raises(CannotAnswerError, match="web-1 is not here"):
        await server.ask("hv1", COMPARE, 5)


async def test_a_failure_is_told_and_the_connection_goes_on(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    async def answerer(_: Question) -> Result:
        raise ValueError("no luck")

    agent = make_agent("hv1", "global", answerer=answerer)
    await agent.synced()
    for _ in range(2):
        with pytest.raises(CannotAnswerError, match="ValueError: no luck"):
            await server.ask("hv1", COMPARE, 5)


async def test_an_agent_that_answers_nothing_says_so(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    make_agent("hv1")
    await connected(server, "hv1")
    with pytest.raises(CannotAnswerError, match="answers no questions"):
        await server.ask("hv1", COMPARE, 5)


async def test_an_answer_that_is_too_long_is_not_sent(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    async def answerer(_: Question) -> Result:
        step = Step("output", 1, "x" * MAX_ANSWER, 1)
        return Traced((step,), (), False)

    make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    with pytest.raises(CannotAnswerError, match="too long"):
        await server.ask("hv1", COMPARE, 5)


async def test_a_late_answer_is_dropped_and_the_next_one_taken(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    may_answer = asyncio.Event()

    async def answerer(_: Question) -> Result:
        await may_answer.wait()
        return COMPARISON

    make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    with pytest.raises(NoAnswerInTimeError, match=r"0\.05 s"):
        await server.ask("hv1", COMPARE, 0.05)
    may_answer.set()
    assert await server.ask("hv1", COMPARE, 5) == COMPARISON


async def test_rows_come_while_a_question_waits(server: WatchServer, make_agent: MakeAgent) -> None:
    may_answer = asyncio.Event()

    async def answerer(_: Question) -> Result:
        await may_answer.wait()
        return COMPARISON

    agent = make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    asking = asyncio.create_task(server.ask("hv1", COMPARE, 5))
    await asyncio.sleep(0)
    agent.client.subscribe(["global"])
    await agent.synced()
    may_answer.set()
    assert await asking == COMPARISON


async def test_a_lost_connection_ends_the_wait(
    server: WatchServer, make_agent: MakeAgent, link: FaultyLink
) -> None:
    asked = asyncio.Event()

    async def answerer(_: Question) -> Result:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    make_agent("hv1", port=link.port, answerer=answerer)
    await connected(server, "hv1")
    asking = asyncio.create_task(server.ask("hv1", COMPARE, 5))
    await asked.wait()
    link.cut()
    with pytest.raises(NotConnectedError, match="lost"):
        await asking


async def test_questions_for_one_agent_have_a_bound(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    may_answer = asyncio.Event()

    async def answerer(_: Question) -> Result:
        await may_answer.wait()
        return COMPARISON

    make_agent("hv1", answerer=answerer)
    await connected(server, "hv1")
    asking = [asyncio.create_task(server.ask("hv1", COMPARE, 5)) for _ in range(MAX_OPEN)]
    await asyncio.sleep(0)
    with pytest.raises(CannotAnswerError, match="other questions"):
        await server.ask("hv1", COMPARE, 5)
    may_answer.set()
    assert await asyncio.gather(*asking) == [COMPARISON] * MAX_OPEN


async def test_an_older_agent_is_served_but_not_asked(server: WatchServer) -> None:
    headers = {"Authorization": "Bearer token-of-hv1"}
    url = f"ws://127.0.0.1:{server.port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(wire.encode(wire.Register(wire.OLDEST_AGENT, Chassis("hv1"), "i")))
        hello: Any = wire.decode_from_server(cast(bytes, await socket.recv()))
        assert hello.protocol == wire.OLDEST_AGENT
        with pytest.raises(TooOldError):
            await server.ask("hv1", COMPARE, 5)


async def test_an_answer_that_nobody_asked_for_is_dropped(server: WatchServer) -> None:
    headers = {"Authorization": "Bearer token-of-hv1"}
    url = f"ws://127.0.0.1:{server.port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(wire.encode(wire.Register(wire.PROTOCOL, Chassis("hv1"), "i")))
        await socket.recv()
        await socket.send(wire.encode(wire.Answer(99, COMPARISON)))
        await (await socket.ping())
        assert server.status("hv1").connected
