"""An agent on a host that is not ready for it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis_agent import agent as module
from chassis_agent.agent import Agent
from chassis_agent.settings import AgentSettings
from chassis_agent.status import ask


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """What is logged from before the agent starts."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def socket(
    logs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Path]:
    """The socket of an agent whose host has no Open vSwitch."""
    monkeypatch.setattr(module, "_DATABASE_SECONDS", 0.01)
    monkeypatch.setattr(module, "_REMINDER_SECONDS", 0.05)
    settings = AgentSettings(run_directory=tmp_path / "none", state_directory=tmp_path / "state")
    task = asyncio.create_task(Agent(settings).run())
    async with asyncio.timeout(30):
        while not settings.status_socket.is_socket():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.001)
    yield settings.status_socket
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_open_vswitch_it_says_what_it_waits_for(
    logs: list[Any], socket: Path
) -> None:
    async with asyncio.timeout(30):
        while not (status := await ask(socket, "status"))["degraded"]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        while not any(line["event"] == "still degraded" for line in logs):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    reason = status["degraded"]["ovsdb"]
    assert reason.startswith("waiting for Open vSwitch: cannot connect to unix:")
    assert reason.endswith("none/db.sock: No such file or directory")
    assert status["revision"] is None
    lines = [line for line in logs if line["event"] == "degraded"]
    assert [line["condition"] for line in lines] == ["ovsdb"]
