"""The agent's local socket: one line of JSON asks, one line answers.

``{"command": "status"}`` is answered by ``{"result": {…}}``, what cannot be done
by ``{"error": "…"}``. Some commands take words, under ``"arguments"``. The
socket also makes sure that a state directory has one agent: a second one finds it
answered and leaves.

Only its owner may use it, but whatever comes in is bounded: the length of a request, the
number of clients, and how long one may keep its place without asking or without reading.
"""

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import structlog

from chassis_agent.errors import (
    AgentError,
    AlreadyRunningError,
    RefusedCommandError,
    StateDirectoryError,
)

log = structlog.get_logger(__name__)

Command: TypeAlias = Callable[..., Awaitable[Any]]
"""Takes the words of the request; raises AgentError for what cannot be done."""

LONGEST_REQUEST: Final = 64 * 1024
MOST_CLIENTS: Final = 32
IDLE_SECONDS: Final = 30.0
"""How long a client may take for a request, and for reading an answer."""
COMMAND_SECONDS: Final = 120.0

_ANSWER_LIMIT = 1 << 28


class _Request(msgspec.Struct):
    command: str
    arguments: list[str] = []


class StatusServer:
    """Answers commands on a unix socket that only its owner may use."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path = path
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listens. Raises :class:`AlreadyRunningError` if another agent does.

        Raises :class:`StateDirectoryError` where no socket can be made.
        """
        directory = self._path.parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if self._path.is_socket():
                if await _is_answered(self._path):
                    raise AlreadyRunningError(f"another agent uses {directory}")
                self._path.unlink()
            listening = _bound(self._path)
        except OSError as error:
            reason = error.strerror or error
            raise StateDirectoryError(f"state directory {directory}: {reason}") from error
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening, limit=LONGEST_REQUEST
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._answering:
                writer.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_welcome = len(self._answering) < MOST_CLIENTS
        self._answering.add(writer)
        try:
            if is_welcome:
                await self._answer_all(reader, writer)
            else:
                await _write(writer, {"error": f"there are {MOST_CLIENTS} clients already"})
        except (ConnectionError, TimeoutError) as error:
            log.info("status client left", error=str(error) or type(error).__name__)
        finally:
            self._answering.discard(writer)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    line = await reader.readline()
            except ValueError:
                await _write(
                    writer, {"error": f"a request has at most {LONGEST_REQUEST} bytes in its line"}
                )
                return
            if not line:
                return
            await _write(writer, await self._answer(line))

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = msgspec.json.decode(line, type=_Request)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            return {"error": f"a request is a JSON object with a command: {error}"}
        command = self._commands.get(request.command)
        if command is None:
            return {"error": f"known commands are {', '.join(sorted(self._commands))}"}
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                return {"result": await command(*request.arguments)}
        except AgentError as error:
            return {"error": str(error)}
        except Exception as error:
            log.exception("status command failed", command=request.command)
            return {"error": f"{type(error).__name__}: {error}"}


def _bound(path: Path) -> socket.socket:
    """A socket at `path` to which at no moment another user than its owner can connect."""
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(~(stat.S_IRUSR | stat.S_IWUSR) & 0o777)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


async def _write(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    async with asyncio.timeout(IDLE_SECONDS):
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()


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
