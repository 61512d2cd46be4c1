"""The local socket of an agent."""

import asyncio
from pathlib import Path

import pytest

from chassis_agent.errors import AgentError, AlreadyRunningError
from chassis_agent.status import StatusServer, ask


async def number() -> int:
    return 42


async def fail() -> int:
    raise RuntimeError("no luck")


async def test_commands_are_answered(tmp_path: Path) -> None:
    server = StatusServer(tmp_path / "state" / "agent.sock", {"number": number, "fail": fail})
    await server.start()
    try:
        assert await ask(tmp_path / "state" / "agent.sock", "number") == 42
        with pytest.raises(AgentError, match="RuntimeError: no luck"):
            await ask(tmp_path / "state" / "agent.sock", "fail")
        with pytest.raises(AgentError, match="known commands are fail, number"):
            await ask(tmp_path / "state" / "agent.sock", "other")
    finally:
        await server.stop()


async def test_a_malformed_request_is_answered_and_the_next_one_served(tmp_path: Path) -> None:
    server = StatusServer(tmp_path / "agent.sock", {"number": number})
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "agent.sock")
        for request in (b"nonsense\n", b"[]\n", b'{"command": []}\n'):
            writer.write(request)
            assert b"error" in await reader.readline()
        writer.write(b'{"command": "number"}\n')
        assert await reader.readline() == b'{"result": 42}\n'
        writer.close()
        await writer.wait_closed()
    finally:
        await server.stop()


async def test_a_state_directory_has_one_agent(tmp_path: Path) -> None:
    first = StatusServer(tmp_path / "agent.sock", {"number": number})
    await first.start()
    with pytest.raises(AlreadyRunningError):
        await StatusServer(tmp_path / "agent.sock", {}).start()
    assert await ask(tmp_path / "agent.sock", "number") == 42
    await first.stop()
    again = StatusServer(tmp_path / "agent.sock", {"number": number})
    await again.start()
    await again.stop()


async def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="no agent answers"):
        await ask(tmp_path / "agent.sock", "number")
