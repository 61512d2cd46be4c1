"""Questions that take long: bounded in number and size, and no writer waits for them."""

import asyncio
import threading
from typing import Any

import pytest

from api.errors import TooManyQuestionsError
from api.turns import Turns
from diagnosis.trace.proposal import MAX_OPERATIONS, MAX_PARTS
from tests.unit.api.conftest import Server
from tests.unit.api.demo import apply_demo, trace
from tests.unit.diagnosis.trace.test_trace_with import DNS, DNS_PACKET, batch

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/trace", {"packet": DNS_PACKET, "with": batch(DNS)}),
    ("/v1/reachability", {"source": "web-1", "destination": "db-1", "service": "udp/53"}),
]


@pytest.fixture
async def demo(server: Server) -> Server:
    return await apply_demo(server)


@pytest.mark.parametrize(("path", "question"), QUESTIONS)
async def test_writers_go_on_while_a_change_is_looked_at(
    demo: Server, monkeypatch: pytest.MonkeyPatch, path: str, question: dict[str, Any]
) -> None:
    engine = demo.translator._engine
    work = engine.what_if
    begun, written = threading.Event(), threading.Event()

    def held_up(changes: Any) -> Any:
        begun.set()
        assert written.wait(60), "nothing could be written"
        return work(changes)

    monkeypatch.setattr(engine, "what_if", held_up)
    asked = asyncio.create_task(demo.client.post(path, json=question))
    assert await asyncio.to_thread(begun.wait, 60)
    changed = await demo.client.patch("/v1/logical-switches/web", json={"labels": {"a": "b"}})
    written.set()
    assert changed.status_code == 200
    assert (await asked).status_code == 200


@pytest.mark.parametrize(("path", "question"), QUESTIONS)
async def test_writers_go_on_while_a_change_is_carried_out(
    demo: Server, monkeypatch: pytest.MonkeyPatch, path: str, question: dict[str, Any]
) -> None:
    from diagnosis.trace import proposal

    work = proposal.run_batch
    begun, written = threading.Event(), threading.Event()

    def held_up(tx: Any, operations: Any) -> Any:
        done = work(tx, operations)
        tx.flush()
        begun.set()
        assert written.wait(60), "nothing could be written"
        return done

    monkeypatch.setattr(proposal, "run_batch", held_up)
    monkeypatch.setattr("diagnosis.explain.looking.run_batch", held_up)
    asked = asyncio.create_task(demo.client.post(path, json=question))
    assert await asyncio.to_thread(begun.wait, 60)
    changed = await demo.client.patch("/v1/logical-switches/web", json={"labels": {"a": "b"}})
    written.set()
    assert changed.status_code == 200
    assert (await asked).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (batch(*[DNS] * (MAX_OPERATIONS + 1)), "operations, and may have"),
        ([batch(*[DNS] * (MAX_OPERATIONS // 2 + 1))] * 2, "operations, and may have"),
        (
            {"document": "x", "address_sets": {"s": {"addresses": ["10.0.0.1"] * MAX_PARTS}}},
            "parts, and may have",
        ),
    ],
)
async def test_changes_that_are_too_large_are_refused(
    demo: Server, change: Any, reason: str
) -> None:
    answer = await demo.client.post("/v1/trace", json={"packet": DNS_PACKET, "with": change})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "#/with"
    assert reason in error["reason"]


async def test_changes_of_too_many_rows_are_refused(
    demo: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diagnosis.trace.proposal.MAX_ROWS", 5)
    delete = {"action": "delete", "kind": "logical_switch", "ref": "web", "cascade": True}
    question = {"packet": DNS_PACKET, "with": batch(delete)}
    answer = await demo.client.post("/v1/trace", json=question)
    assert answer.status_code == 422
    assert "rows, and may have 5" in answer.json()["errors"][0]["reason"]


async def test_walks_that_are_too_long_are_refused(
    demo: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logical_flow.walk.MAX_EVENTS", 10)
    answer = await demo.client.post("/v1/trace", json={"packet": DNS_PACKET})
    assert answer.status_code == 422
    assert "more than 10 steps" in answer.json()["errors"][0]["reason"]


async def test_who_comes_when_too_many_wait_is_told_to_come_again(demo: Server) -> None:
    object.__setattr__(demo.backend, "questions", Turns(running=1, waiting=0))
    async with demo.backend.questions.turn():
        for path, question in QUESTIONS:
            answer = await demo.client.post(path, json=question)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["type"] == "/problems/busy"
    assert (await trace(demo, DNS_PACKET))["verdict"]["outcome"] == "dropped"


async def test_turns_come_in_order_and_are_given_back() -> None:
    turns = Turns(running=1, waiting=2)
    order: list[int] = []

    async def take(number: int) -> None:
        async with turns.turn():
            order.append(number)

    async with turns.turn():
        waiting = [asyncio.create_task(take(number)) for number in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyQuestionsError, match="2 others wait"):
            await take(2)
        gone = asyncio.create_task(take(3))
        await asyncio.sleep(0)
        gone.cancel()
    await asyncio.gather(*waiting)
    assert order == [0, 1]
    with pytest.raises(TooManyQuestionsError):
        async with turns.turn(), Turns(running=0, patience=0.0).turn():
            pass
    await take(4)
    assert order == [0, 1, 4]
