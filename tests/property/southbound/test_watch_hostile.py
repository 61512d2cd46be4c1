"""The watch endpoint, sent whatever can be sent: it says why it goes, and serves on.

Bytes at random, messages that are almost right, and messages that are right, in any order,
from agents with and without a token. No exception may escape (the server logs none), each
connection ends with a reason or goes on, and a good agent is served all the while.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from southbound import models, wire
from southbound.questions import Comparison
from southbound.rows import Chassis, Datapath, Encap, PortBinding
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import until
from tests.unit.southbound.conftest import token_is_name
from tests.unit.southbound.raw_agent import raw_agent

NAMES = st.one_of(st.sampled_from(["p1", "p2", "r1", "hv1", ""]), st.text(max_size=300))
NUMBERS = st.one_of(st.integers(-1, 3), st.integers(-(2**63), 2**64 - 1))
SCOPES = st.lists(
    st.one_of(st.sampled_from(["global", "datapath:d1", "port:p1", "set:$a", "nonsense"]), NAMES),
    max_size=5,
).map(tuple)
ADDRESSES = st.one_of(st.sampled_from(["192.0.2.1", "::1", "x"]), st.text(max_size=40))
CHASSIS = st.builds(
    Chassis,
    name=st.one_of(st.just("hv1"), NAMES),
    hostname=NAMES,
    encaps=st.lists(
        st.builds(Encap, st.sampled_from(["geneve", "stt"]), ADDRESSES), max_size=3
    ).map(tuple),
    external_ids=st.dictionaries(NAMES, NAMES, max_size=2),
)
RESUMES = st.none() | st.builds(wire.Resume, st.text(max_size=40), NUMBERS, SCOPES)
MESSAGES: st.SearchStrategy[wire.Message] = st.one_of(
    st.builds(wire.Register, NUMBERS, CHASSIS, NAMES, RESUMES),
    st.builds(wire.Subscribe, SCOPES),
    st.builds(wire.Unsubscribe, SCOPES),
    st.builds(wire.ClaimOnly, st.lists(NAMES, max_size=4).map(tuple)),
    st.builds(wire.Claim, NAMES),
    st.builds(wire.Release, NAMES),
    st.builds(wire.PortUp, NAMES, st.booleans()),
    st.builds(wire.LearnedMac, NAMES, ADDRESSES, NAMES),
    st.builds(wire.LearnedFdb, NAMES, NAMES),
    st.builds(wire.Acknowledge, NUMBERS),
    st.builds(wire.Counters, st.dictionaries(NAMES, NUMBERS, max_size=3)),
    st.builds(wire.Conditions, st.dictionaries(NAMES, NAMES, max_size=3)),
    st.builds(wire.Answer, NUMBERS, st.just(Comparison(1, True, ())), NAMES),
)
TAGS = st.one_of(
    st.sampled_from(["register", "subscribe", "claim-only", "learned-mac", "ack", "answer"]),
    st.text(max_size=80),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=12,
)
ALMOST = st.builds(lambda tag, rest: msgspec.msgpack.encode([tag, *rest]), TAGS, st.lists(VALUES))
NESTED = st.integers(1, 20_000).map(lambda depth: b"\x91" * depth)
NOT_TEXT = st.just(b"\x92\xa5claim\xa2\xff\xfe")
FRAMES = st.one_of(
    MESSAGES.map(wire.encode), ALMOST, NESTED, NOT_TEXT, st.binary(max_size=200), st.text()
)


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[tuple[RealisedState, WatchServer]]:
    engine = create_engine(f"sqlite:///{directory / 'treadle.db'}")
    models.metadata.drop_all(engine)
    models.metadata.create_all(engine)
    state = RealisedState(Store(engine))
    await state.load()
    server = WatchServer(state, token_is_name, port=0, lease=0.01)
    await server.start()
    ports = [PortBinding(f"p{n}", "d1", f"p{n}", n, "vif") for n in (1, 2)]
    router_port = PortBinding("r1", "d1", "r1", 9, "patch")
    await state.write(1, [Datapath("d1", "ls", "web", 1), *ports, router_port])
    try:
        yield state, server
    finally:
        await server.stop()
        await state.close()
        engine.dispose()


async def send_all(port: int, token: str, frames: list[bytes | str]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with suppress(ConnectionClosed, InvalidHandshake):
        async with connect(
            f"ws://127.0.0.1:{port}", additional_headers=headers, proxy=None, close_timeout=1
        ) as socket:
            for frame in frames:
                await socket.send(frame)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    conversations=st.lists(
        st.tuples(
            st.sampled_from(["token-of-hv1", "token-of-hv1", "wrong"]),
            st.booleans(),
            st.lists(FRAMES, max_size=8),
        ),
        max_size=6,
    )
)
def test_whatever_is_sent_the_server_serves_on(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    conversations: list[tuple[str, bool, list[bytes | str]]],
) -> None:
    register = wire.encode(wire.Register(wire.PROTOCOL, Chassis("hv1"), "hostile"))

    async def converse() -> None:
        async with serving(tmp_path) as (state, server):
            async with raw_agent(server.port, "good", token="token-of-good") as good:
                await good.say(wire.ClaimOnly(("p2",)), wire.Subscribe(("datapath:d1",)))
                for token, registers, frames in conversations:
                    await send_all(server.port, token, [register, *frames] if registers else frames)
                await good.say(wire.Counters({"still": 1}))
                await until(lambda: server.status("good").counters == {"still": 1})
                await state.write(2, [Datapath("d1", "ls", "renamed", 1)])
                await until(lambda: any(getattr(r, "name", "") == "renamed" for r in good.rows))
                assert not good.ended
            await until(lambda: not server._hub.connections)

    with capture_logs() as logs:
        asyncio.run(converse())
    assert not [line for line in logs if line.get("exc_info")]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    "frame",
    [
        b"\x92\xa5claim\xa2\xff\xfe",
        b"\x91" * 100_000,
        b"\x92\xa5claim\xdb\xff\xff\xff\xff",
        b"",
        "text",
        b"\x92\xa8counters\x81\xa1a\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    ],
)
async def test_what_is_no_message_ends_with_a_reason(tmp_path: Path, frame: bytes | str) -> None:
    async with serving(tmp_path) as (_, server), raw_agent(server.port, "hv1") as agent:
        await agent.socket.send(frame)
        refused = await agent.until_ended()
        assert refused is not None
        assert refused.code == wire.REFUSED_MALFORMED


async def test_a_text_that_is_not_utf8_ends_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as (_, server), raw_agent(server.port, "hv1") as agent:
        with suppress(ConnectionClosed):
            await agent.socket.send(b"\xff\xfe", text=True)
        await agent.until_ended()
        assert agent.socket.close_code in (1007, 1008)
        await until(lambda: not server._hub.connections)
    assert not [record for record in caplog.records if record.exc_info]
