"""When nothing is forwarded by what the switch had cached before its flows changed."""

from pathlib import Path

import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.errors import ControlError
from chassis_agent.revocation.settling import settle

PATH = Path("nowhere")


async def test_three_rounds_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def call(path: Path, *command: str) -> str:
        asked.append((path, *command))
        return ""

    monkeypatch.setattr(unixctl, "call", call)
    await settle(PATH, 3600)
    assert asked == [(PATH, "revalidator/wait")] * 3


async def test_a_switch_that_tells_no_rounds_has_some_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def call(_path: Path, *_command: str) -> str:
        raise ControlError("can't wait on multiple udpifs.")

    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(unixctl, "call", call)
    monkeypatch.setattr("chassis_agent.revocation.settling.asyncio.sleep", sleep)
    await settle(PATH, 0.25)
    assert slept == [0.25]
