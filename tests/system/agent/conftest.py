"""Fixtures for tests of the agent with a private Open vSwitch and a server in this process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine

from chassis_agent.agent import Agent
from chassis_agent.settings import AgentSettings
from southbound import models
from southbound.rows import Chassis, FlowGroup, PortBinding, Row
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.gate import open_gate
from southbound.watch.server import WatchServer
from tests.system.agent.private_switch import PrivateSwitch


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[PrivateSwitch]:
    """A running switch of the chassis ``hv1``, without bridges."""
    private = PrivateSwitch(tmp_path / "ovs")
    try:
        private.start({"system-id": "hv1", "hostname": "one", "treadle-encap-ip": "127.0.0.1"})
        yield private
    finally:
        private.stop()


class WatchedServer:
    """Realised state with a watch server, to write rows into."""

    def __init__(self, database: Path) -> None:
        engine = create_engine(f"sqlite:///{database}")
        models.metadata.create_all(engine)
        self.state = RealisedState(Store(engine))
        self.port = 0
        self.watch: WatchServer | None = None
        self._engine = engine
        self._revision = 0

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.watch = WatchServer(self.state, open_gate, port=self.port)
        await self.watch.start()
        self.port = self.watch.port

    async def stop(self) -> None:
        if self.watch is not None:
            await self.watch.stop()
            self.watch = None

    async def close(self) -> None:
        await self.stop()
        await self.state.close()
        self._engine.dispose()

    async def write(self, *puts: Row, deletes: tuple[Row, ...] = ()) -> int:
        """Writes intent; returns its revision."""
        self._revision += 1
        await self.state.write(
            self._revision,
            [self._with_group_id(row) for row in puts],
            [self._with_group_id(row).row_id for row in deletes],
        )
        return self._revision

    def _with_group_id(self, row: Row) -> Row:
        """Flow groups get their ids from the state."""
        if not isinstance(row, FlowGroup):
            return row
        return msgspec.structs.replace(row, id=self.state.groups.id_of(f"test/{row.id}"))

    async def applied(self, revision: int, seconds: float = 30) -> None:
        """Until all agents have acknowledged the revision."""
        assert self.watch is not None
        assert await self.watch.wait_applied(revision, seconds) == []

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - state has no event to wait for
                await asyncio.sleep(0.005)

    def binding(self, name: str) -> PortBinding:
        return next(row for row in self.state.rows(PortBinding).values() if row.name == name)

    def chassis(self, name: str) -> Chassis | None:
        return self.state.rows(Chassis).get(name)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[WatchedServer]:
    server = WatchedServer(tmp_path / "southbound.db")
    await server.state.load()
    await server.start()
    yield server
    await server.close()


class AgentUnderTest:
    """An agent that can be started again, as its process would be."""

    def __init__(
        self,
        switch: PrivateSwitch,
        server: WatchedServer,
        directory: Path,
        **settings: Any,
    ) -> None:
        self._settings = AgentSettings(
            run_directory=switch.directory,
            state_directory=directory,
            ovsdb=switch.remote,
            server=server.address,
            datapath_type="dummy",
            **settings,
        )
        self._agent: Agent | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._agent = Agent(self._settings)
        self._task = asyncio.create_task(self._agent.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def until_cached(self) -> None:
        """Until the rows of this moment are on disk."""
        cache = self._settings.cache_directory
        now = time.time()
        async with asyncio.timeout(30):
            while not any(file.stat().st_mtime > now for file in cache.glob("*.rows")):
                await self._task_alive(0.05)

    async def status(self) -> dict[str, Any]:
        assert self._agent is not None
        return await self._agent.report()

    async def differences(self, seconds: float = 30) -> list[str]:
        """What still differs once a bundle that is under way has had time to arrive."""
        assert self._agent is not None
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            found: list[str] = (await self._agent.recompute())["differences"]
            if not found or asyncio.get_running_loop().time() > deadline:
                return found
            await self._task_alive(0.05)

    async def until(
        self, condition: Callable[[dict[str, Any]], object], seconds: float = 30
    ) -> dict[str, Any]:
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    status = await self.status()
                    if condition(status):
                        return status
                    await self._task_alive(0.01)
        except TimeoutError:
            raise AssertionError(f"not in {seconds} s; the agent says {status}") from None

    async def _task_alive(self, seconds: float) -> None:
        """Sleeps; raises what the agent died of, if it did."""
        assert self._task is not None
        await asyncio.sleep(seconds)
        if self._task.done():
            self._task.result()


@pytest.fixture
async def agent(
    switch: PrivateSwitch, server: WatchedServer, tmp_path: Path
) -> AsyncIterator[AgentUnderTest]:
    agent = AgentUnderTest(switch, server, tmp_path / "state")
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture
def other_switch(tmp_path: Path) -> Iterator[PrivateSwitch]:
    """A second switch, of the chassis ``hv2``."""
    private = PrivateSwitch(tmp_path / "other-ovs")
    try:
        private.start({"system-id": "hv2", "hostname": "two", "treadle-encap-ip": "127.0.0.2"})
        yield private
    finally:
        private.stop()
