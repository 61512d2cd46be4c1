"""An API over a real SQLite file, a real translator, and agents that the test plays.

Its controller is asked as if it were in another process.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.backend import Backend
from controller.local import LocalController
from northbound.database import Database, open_database
from southbound.chassis_status import ChassisStatus
from southbound.errors import NotAllowedError, NotConnectedError
from southbound.questions import Question, Result
from southbound.state import RealisedState
from southbound.store import Store
from southbound.tunnels import TunnelReport
from tests.databases import new_database
from tests.unit.controller.travelling import travelling
from translator.runner import Translator


@dataclass
class PlayedAgents:
    """Stands in for the watch server: says which chassis lag, and what it was asked."""

    lagging: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    connected: dict[str, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    settled: list[set[str]] = field(default_factory=list)
    """The chassis that were waited for before questions were answered."""
    statuses: dict[str, ChassisStatus] = field(default_factory=dict)
    """Chassis that are not well; the others have all tunnels and no conditions."""
    answer: Callable[[str, Question], Result] | None = None
    """What the agent of a chassis answers to a question; it may raise UnansweredError."""

    watchers: list[str] = field(default_factory=list)
    """The chassis that watch every datapath."""

    def watching(self, datapath: str) -> list[str]:
        return self.watchers

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        if self.answer is None:
            raise NotConnectedError("its agent is not connected")
        return self.answer(chassis, question)

    async def wait_applied(
        self,
        revision: int,
        timeout: float,  # noqa: ASYNC109
        chassis: Collection[str] | None = None,
    ) -> list[str]:
        self.asked.append(revision)
        return self.lagging

    async def wait_settled(self, chassis: Collection[str], timeout: float) -> None:  # noqa: ASYNC109
        self.settled.append(set(chassis))

    def status(self, chassis: str) -> ChassisStatus:
        if chassis in self.statuses:
            return self.statuses[chassis]
        revision = self.connected.get(chassis, 0)
        well = TunnelReport({}, frozenset())
        return ChassisStatus(chassis in self.connected, revision, {}, well)

    def remove_chassis(self, chassis: str) -> None:
        if chassis in self.connected:
            raise NotAllowedError(f"chassis {chassis} is connected")
        self.removed.append(chassis)


@dataclass
class Server:
    """All that a test may look at."""

    backend: Backend
    realised: RealisedState
    translator: Translator
    agents: PlayedAgents
    client: httpx.AsyncClient

    async def translate(self) -> None:
        """Bring logical flows up to what was committed."""
        await self.translator.catch_up()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(new_database(tmp_path / "treadle.db"))
    yield database
    database.close()


@asynccontextmanager
async def serve(database: Database, *, authentication: bool = False) -> AsyncIterator[Server]:
    realised = RealisedState(Store(database.derived, database.writer))
    await realised.load()
    translator = Translator(database, realised)
    await translator.start()
    agents = PlayedAgents()
    controller = travelling(LocalController(realised, agents, translator))
    backend = Backend(database, controller, authentication=authentication)
    transport = httpx.ASGITransport(create_app(backend), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield Server(backend, realised, translator, agents, client)
    finally:
        await realised.close()


@pytest.fixture
async def server(database: Database) -> AsyncIterator[Server]:
    """Bound to loopback, as far as it knows: no token is asked for."""
    async with serve(database) as running:
        yield running


@pytest.fixture
async def guarded(database: Database) -> AsyncIterator[Server]:
    """A server that asks for tokens."""
    async with serve(database, authentication=True) as running:
        yield running


@pytest.fixture
def client(server: Server) -> httpx.AsyncClient:
    return server.client
