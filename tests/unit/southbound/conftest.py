from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from southbound import models
from southbound.errors import NotAllowedError
from southbound.rows import Chassis, Encap
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.backoff import Backoff
from southbound.watch.client import WatchClient
from southbound.watch.gate import Anyone, Credentials, Identity
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import Agent, MakeAgent
from tests.unit.southbound.faulty_link import FaultyLink

LEASE = 1.0
"""Seconds, so many that a busy machine doesn't let a chassis that is alive count as dead."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'treadle.db'}")
    models.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> Store:
    store = Store(engine)
    store.take_over()
    return store


@pytest.fixture
async def state(store: Store) -> AsyncIterator[RealisedState]:
    state = RealisedState(store)
    await state.load()
    yield state
    await state.close()


class TokenOf(Anyone):
    """Good for the one chassis that the token names."""

    def __init__(self, chassis: str) -> None:
        self._chassis = chassis

    def check(self, chassis: Chassis) -> None:
        if chassis.name != self._chassis:
            raise NotAllowedError(f"the token is not valid for chassis {chassis.name!r}")


async def token_is_name(credentials: Credentials) -> Identity:
    if not credentials.token.startswith("token-of-"):
        raise NotAllowedError("the token is unknown, expired or revoked")
    return TokenOf(credentials.token.removeprefix("token-of-"))


class Everything:
    """For tests of how rows travel: every chassis may watch all of them."""

    def allows(self, chassis: str, scope: str) -> bool:
        return True


@pytest.fixture
async def server(state: RealisedState) -> AsyncIterator[WatchServer]:
    server = WatchServer(state, token_is_name, port=0, lease=LEASE, access=Everything())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def link(server: WatchServer) -> AsyncIterator[FaultyLink]:
    link = FaultyLink(server.port)
    await link.start()
    yield link
    await link.stop()


@pytest.fixture
async def make_agent(server: WatchServer) -> AsyncIterator[MakeAgent]:
    agents: list[Agent] = []

    def make(
        name: str,
        *scopes: str,
        port: int = 0,
        token: str = "",
        encaps: tuple[str, ...] = (),
        **more: Any,
    ) -> Agent:
        addresses = tuple(Encap("geneve", address) for address in encaps)
        client = WatchClient(
            f"ws://127.0.0.1:{port or server.port}",
            Chassis(name, f"host-{name}", addresses),
            token=token or f"token-of-{name}",
            backoff=Backoff(0.02, 0.1),
            **more,
        )
        client.subscribe(scopes)
        agents.append(Agent(client))
        agents[-1].start()
        return agents[-1]

    yield make
    for agent in agents:
        await agent.stop()
