"""The agent's local socket: one line of JSON asks, one line answers.

``{"command": "status"}`` is answered by ``{"result": {…}}``, what cannot be done
by ``{"error": "…"}``. Some commands take words, under ``"arguments"``. The
socket also makes sure that a state directory has one agent: a second one finds it
answered and leaves.
"""

import asyncio
import contextlib
import json
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import structlog

from chassis_agent.errors import AgentError, AlreadyRunningError, RefusedCommandError

log = structlog.get_logger(__name__)

Command: TypeAlias = Callable[..., Awaitable[Any]]
"""Takes the words of the request; raises AgentError for what cannot be done."""

_ANSWER_LIMIT = 1 << 28


class StatusServer:
    """Answers commands on a unix socket that only its owner may use."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path = path
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listens. Raises :class:`AlreadyRunningError` if another agent does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.is_socket():
            if await _is_answered(self._path):
                raise AlreadyRunningError(f"another agent uses {self._path.parent}")
            self._path.unlink()
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(stat.S_IRUSR | stat.S_IWUSR)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._answering:
                writer.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answering.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("status client left", error=str(error))
        finally:
            self._answering.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command = self._commands.get(request["command"])
            arguments = list(map(str, request.get("arguments", ())))
        except (ValueError, TypeError, KeyError):
            return {"error": "a request is a JSON object with a command"}
        if command is None:
            return {"error": f"known commands are {', '.join(sorted(self._commands))}"}
        try:
            return {"result": await command(*arguments)}
        except AgentError as error:
            return {"error": str(error)}
        except Exception as error:
            log.exception("status command failed", command=request["command"])
            return {"error": f"{type(error).__name__}: {error}"}


async def ask(path: Path, command: str, *arguments: str) -> Any:
    """Runs a command at the agent that listens on `path`."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=_ANSWER_LIMIT)
    except OSError as error:
        raise AgentError(f"no agent answers on {path}: {error.strerror}") from error
    try:
        request = {"command": command, "arguments": arguments}
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        answer = json.loads(await reader.readline() or b'{"error": "the agent hung up"}')
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    if "error" in answer:
        raise RefusedCommandError(answer["error"])
    return answer["result"]


async def _is_answered(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
