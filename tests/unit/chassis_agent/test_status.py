"""The local socket of an agent."""

import asyncio
from pathlib import Path

import pytest

from chassis_agent import status
from chassis_agent.errors import AgentError, AlreadyRunningError
from chassis_agent.status import LONGEST_REQUEST, MOST_CLIENTS, StatusServer, ask


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


async def exchange(path: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    answer = await reader.readline()
    writer.close()
    return answer


async def test_deep_long_and_malformed_requests_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    server = StatusServer(path, {"number": number})
    await server.start()
    try:
        for request in (
            b'{"command": "number", "other": ' + b"[" * 30_000 + b"]" * 30_000 + b"}\n",
            b"[" * 60_000 + b"\n",
            b'{"command": "number", "arguments": [[]]}\n',
            b'{"command": "\xff"}\n',
        ):
            assert b"a request is a JSON object with a command" in await exchange(path, request)
        assert b"at most 65536 bytes" in await exchange(path, b"x" * (LONGEST_REQUEST + 1) + b"\n")
        assert await ask(path, "number") == 42
    finally:
        await server.stop()


async def test_clients_beyond_a_number_are_told_so_and_make_room(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    server = StatusServer(path, {"number": number})
    await server.start()
    try:
        clients = [await asyncio.open_unix_connection(path) for _ in range(MOST_CLIENTS)]
        for reader, writer in clients:
            writer.write(b'{"command": "number"}\n')
            assert await reader.readline() == b'{"result": 42}\n'
        assert b"32 clients already" in await exchange(path, b"")
        clients[0][1].close()
        async with asyncio.timeout(30):
            while b"42" not in await exchange(path, b'{"command": "number"}\n'):
                pass
        for _, writer in clients:
            writer.close()
    finally:
        await server.stop()


async def test_a_client_that_does_not_ask_loses_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "IDLE_SECONDS", 0.01)
    server = StatusServer(tmp_path / "agent.sock", {"number": number})
    await server.start()
    try:
        assert await exchange(tmp_path / "agent.sock", b"") == b""
    finally:
        await server.stop()


async def test_only_the_owner_may_connect(tmp_path: Path) -> None:
    server = StatusServer(tmp_path / "agent.sock", {})
    await server.start()
    assert (tmp_path / "agent.sock").stat().st_mode & 0o777 == 0o600
    await server.stop()
