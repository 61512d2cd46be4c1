"""The watch when the network, the agent's disk or its user misbehave."""

import asyncio
import socket
from pathlib import Path
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from southbound import wire
from southbound.rows import AnyRow, Chassis, Datapath, FlowGroup, Row
from southbound.state import RealisedState
from southbound.watch import connection
from southbound.watch.backoff import Backoff
from southbound.watch.cache import RowCache, cached_rows
from southbound.watch.client import WatchClient
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, by_id, until
from tests.unit.southbound.conftest import Everything, token_is_name
from tests.unit.southbound.faulty_link import FaultyLink


def datapath(name: str) -> Datapath:
    return Datapath("d1", "ls", name, 1)


async def big_snapshot(state: RealisedState, revision: int = 1) -> list[Row]:
    rows: list[Row] = [
        FlowGroup(state.groups.id_of(f"o{n}"), "d1", "k", "i", revision, bytes(20_000))
        for n in range(100)
    ]
    await state.write(revision, rows)
    return rows


async def test_a_snapshot_cut_in_the_middle_is_begun_again(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    rows = await big_snapshot(state)
    link.cut_after(500_000)
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()
    assert link.connections == 2
    assert agent.rows == by_id(*rows)


async def test_rows_stay_while_a_new_snapshot_is_incomplete(
    state: RealisedState, server: WatchServer, link: FaultyLink, make_agent: MakeAgent
) -> None:
    await big_snapshot(state)
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()
    before = agent.rows
    agent.batches.clear()
    state.feed.horizon = state.feed.position + 2
    link.cut_after(500_000)
    link.cut()
    await state.write(2, [datapath("new")], [next(iter(before))])
    await until(lambda: link.connections >= 3)
    await until(lambda: agent.client.revision == 2 and bool(agent.batches))
    assert len(agent.batches) == 1, "nothing came of the incomplete one"
    assert agent.rows == by_id(*state.in_scope("datapath:d1"))


async def test_a_cut_connection_resumes_with_the_difference(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    rows = await big_snapshot(state)
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()
    passed = link.passed
    link.cut()
    await until(lambda: not agent.client.connected)
    await state.write(2, [datapath("new")], [rows[0].row_id])
    await until(lambda: agent.client.revision == 2)
    assert agent.rows == by_id(datapath("new"), *rows[1:])
    assert link.passed - passed < 6_000, "what each end understands, and the difference"


async def test_changes_of_wishes_while_away_are_told_on_return(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    await state.write(1, [datapath("one"), Datapath("d2", "ls", "two", 2)])
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()
    link.cut()
    await until(lambda: not agent.client.connected)
    agent.client.unsubscribe(["datapath:d1"])
    agent.client.subscribe(["datapath:d2"])
    await agent.synced()
    assert agent.rows == by_id(Datapath("d2", "ls", "two", 2))


async def test_a_new_server_knows_nothing_of_the_old_ones_positions(
    state: RealisedState, server: WatchServer, link: FaultyLink, make_agent: MakeAgent
) -> None:
    await state.write(1, [datapath("one")])
    await state.write(2, [Datapath("d2", "ls", "two", 2)])
    agent = make_agent("hv1", "datapath:d1", "datapath:d2", port=link.port)
    await agent.synced()
    await server.stop()
    await until(lambda: not agent.client.connected)
    assert len(agent.rows) == 2, "forwarding goes on with the rows at hand"
    second = WatchServer(state, token_is_name, port=0, access=Everything())
    await second.start()
    await state.write(3, [datapath("renamed")], [("datapath", "d2")])
    link.aim(second.port)
    await until(lambda: agent.client.revision == 3)
    assert agent.rows == by_id(datapath("renamed"))
    await agent.stop()
    await second.stop()


async def test_a_slow_reader_gets_the_last_state_and_no_queue(
    state: RealisedState, server: WatchServer, link: FaultyLink, make_agent: MakeAgent
) -> None:
    await big_snapshot(state)
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()
    session = server.sessions.get("hv1")
    assert session is not None
    link.stall()
    sent = session.sent
    for revision in range(2, 300):
        await state.write(
            revision,
            [FlowGroup(1, "d1", "k", "i", revision, revision.to_bytes(2, "big") * 50_000)],
        )
    assert session.sent - sent < 150, "what could not be sent was not composed either"
    assert len(session._dirty) <= 1
    composed = session.sent
    link.flow()
    # The client is ahead of its user, who takes batches from it.
    await until(lambda: agent.rows == by_id(*state.in_scope("datapath:d1")))
    assert agent.client.revision == 299
    assert session.sent - composed <= 2


async def test_a_half_closed_connection_is_given_up(
    state: RealisedState, link: FaultyLink, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global", port=link.port)
    await agent.synced()
    link.half_close()
    await until(lambda: link.connections == 2 and agent.client.connected)


async def test_the_same_agent_replaces_its_own_stale_connection(
    state: RealisedState, server: WatchServer, link: FaultyLink, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global", port=link.port)
    await agent.synced()
    link.stall()
    socket = agent.client._socket
    assert socket is not None
    socket.transport.abort()
    link.flow()
    await until(lambda: link.connections == 2 and agent.client.connected)
    assert server.sessions.is_connected("hv1")


async def all_answers(socket: ClientConnection) -> list[wire.FromServer]:
    answers = []
    try:
        while True:
            answers.append(wire.decode_from_server(cast(bytes, await socket.recv())))
    except ConnectionClosed:
        return answers


@pytest.mark.parametrize(
    "messages",
    [
        [b"\xc1"],
        [wire.encode(wire.Subscribe(("global",)))],
        [wire.encode(wire.Register(1, Chassis("hv1"), "i")), wire.encode(wire.Acknowledge(9))],
        [wire.encode(wire.Register(1, Chassis("hv1"), "i")), b"garbage"],
        [wire.encode(wire.Register(1, Chassis("hv1"), "i"))] * 2,
    ],
)
async def test_nonsense_ends_the_connection_with_a_reason(
    server: WatchServer, messages: list[bytes]
) -> None:
    headers = {"Authorization": "Bearer token-of-hv1"}
    url = f"ws://127.0.0.1:{server.port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        for message in messages:
            await socket.send(message)
        answers = await all_answers(socket)
    assert isinstance(answers[-1], wire.Refused)
    assert answers[-1].code == wire.REFUSED_MALFORMED


async def test_another_protocol_is_refused(server: WatchServer) -> None:
    headers = {"Authorization": "Bearer token-of-hv1"}
    url = f"ws://127.0.0.1:{server.port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(wire.encode(wire.Register(99, Chassis("hv1"), "i")))
        answer = wire.decode_from_server(cast(bytes, await socket.recv()))
    assert isinstance(answer, wire.Refused)
    assert answer.code == wire.REFUSED_PROTOCOL


# --- the agent's disk


async def test_an_agent_starts_without_the_server(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent, tmp_path: Path
) -> None:
    cache = RowCache(tmp_path / "rows")
    await state.write(1, [datapath("one"), Datapath("d2", "ls", "two", 2)])
    agent = make_agent("hv1", "datapath:d1", cache=cache, cache_delay=0.0)
    await agent.synced()
    await until(lambda: cache.load() is not None)
    await agent.stop()
    await server.stop()
    headless = make_agent("hv1", cache=cache)
    headless.client.subscribe(["datapath:d1", "datapath:d2"])
    await until(lambda: bool(headless.rows))
    assert headless.rows == by_id(datapath("one"))
    assert headless.client.in_sync == frozenset()


async def test_rows_that_came_just_before_the_stop_are_cached(
    state: RealisedState, make_agent: MakeAgent, tmp_path: Path
) -> None:
    """An agent that starts without the server must not go back to earlier rows."""
    cache = RowCache(tmp_path / "rows")
    await state.write(1, [datapath("earlier")])
    agent = make_agent("hv1", "datapath:d1", cache=cache, cache_delay=0.0)
    await agent.synced()
    await until(lambda: cache.load() is not None)
    agent.client._cache_delay = 3600.0
    await state.write(2, [datapath("last")])
    await until(lambda: agent.rows == by_id(datapath("last")))
    await agent.stop()
    saved = cache.load()
    assert saved is not None
    assert saved.revision == 2
    assert saved.scopes["datapath:d1"] == (datapath("last"),)


async def test_cached_rows_are_corrected_by_the_server(
    state: RealisedState, make_agent: MakeAgent, tmp_path: Path
) -> None:
    cache = RowCache(tmp_path / "rows")
    stale: tuple[AnyRow, ...] = (datapath("stale"), Datapath("d9", "ls", "gone", 9))
    cache.save(cached_rows("old epoch", 10**6, 8, {"datapath:d1": stale, "global": ()}))
    await state.write(9, [datapath("current")])
    agent = make_agent("hv1", cache=cache)
    agent.client.subscribe(["datapath:d1"])
    await agent.synced()
    assert agent.rows == by_id(datapath("current"))


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x95\x63\xa1e\x01\x01\x80"])
async def test_a_damaged_cache_is_as_none(
    state: RealisedState, make_agent: MakeAgent, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content)
    await state.write(1, [datapath("one")])
    agent = make_agent("hv1", "datapath:d1", cache=RowCache(path))
    await agent.synced()
    assert agent.rows == by_id(datapath("one"))


def test_a_saved_cache_is_loaded(tmp_path: Path) -> None:
    cache = RowCache(tmp_path / "rows")
    assert cache.load() is None
    rows = cached_rows("e", 5, 3, {"datapath:d1": (datapath("one"),)})
    cache.save(rows)
    cache.save(rows)
    assert cache.load() == rows
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


async def test_a_busy_user_gets_one_batch_for_many_changes(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "datapath:d1")
    await agent.synced()
    taker = agent._tasks[1]
    taker.cancel()
    await asyncio.gather(taker, return_exceptions=True)
    for revision in range(1, 51):
        await state.write(revision, [datapath(f"name-{revision}")])
    await state.write(51, [Datapath("d1", "ls", "last", 2)])
    await until(lambda: agent.client.revision == 51)
    batch = await agent.client.next_batch()
    assert batch.puts == (Datapath("d1", "ls", "last", 2),)
    assert batch.revision == 51


async def test_an_agent_that_answers_no_ping_is_disconnected(
    state: RealisedState,
    server: WatchServer,
    link: FaultyLink,
    make_agent: MakeAgent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "_PING_SECONDS", 0.05)
    monkeypatch.setattr(connection, "_SILENT_SECONDS", 0.2)
    agent = make_agent("hv1", "datapath:d1", port=link.port)
    await agent.synced()

    def heard() -> float:
        return server.status("hv1").heard_at or 0.0

    first = heard()
    await until(lambda: heard() > first > 0)
    link.stall()
    await until(lambda: not server.status("hv1").connected)
    assert heard() > 0, "as long as the lease runs"
    link.flow()


class NotedBackoff(Backoff):
    """Waits hardly at all, and notes what for."""

    def __init__(self) -> None:
        super().__init__(0.01, 0.02, 0.01)
        self.down: list[bool] = []

    def delay(self, *, is_down: bool = False) -> float:
        self.down.append(is_down)
        return super().delay(is_down=is_down)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_server_that_is_down_is_told_from_one_that_does_not_serve(host: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    backoff = NotedBackoff()
    client = WatchClient(f"ws://{host}:{port}", Chassis("hv1"), backoff=backoff)
    running = asyncio.create_task(client.run())
    await until(lambda: len(backoff.down) >= 3)
    assert all(backoff.down)

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    useless = await asyncio.start_server(hang_up, "127.0.0.1", port)
    backoff.down.clear()
    await until(lambda: backoff.down[-2:] == [False, False])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    useless.close()
