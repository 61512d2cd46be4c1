"""Commands to a running ``ovs-vswitchd`` over its control socket, as ``ovs-appctl`` sends them.

The protocol is JSON-RPC 1.0 without any framing: a reply ends where its JSON object does.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Final

from chassis_agent.errors import ControlError

_LONGEST_REPLY: Final = 256 << 20
_CHUNK: Final = 1 << 20


def control_socket(run_directory: Path, program: str = "ovs-vswitchd") -> Path:
    """The control socket of a daemon that keeps it in the run directory.

    That of the process that the pid file names, as daemons call it unless told otherwise;
    else the one without a process id in its name. Raises ControlError if there is neither.
    """
    pid_file = run_directory / f"{program}.pid"
    try:
        own = run_directory / f"{program}.{int(pid_file.read_text())}.ctl"
    except (OSError, ValueError):
        own = None
    fixed = run_directory / f"{program}.ctl"
    for candidate in (own, fixed):
        if candidate is not None and candidate.is_socket():
            return candidate
    tried = f"{fixed} is no socket, and {pid_file} " + (
        "names no process" if own is None else f"leads to {own.name}, which is none"
    )
    raise ControlError(f"{program} has no control socket: {tried}; agent.control_socket can say it")


async def call(path: Path, method: str, *arguments: str, timeout: float = 30.0) -> str:  # noqa: ASYNC109
    """Run one command and return what it prints; raises ControlError.

    A connection a command: commands are rare, and the daemon may have restarted in between.
    """
    try:
        async with asyncio.timeout(timeout):
            return _result(method, await _exchange(path, method, arguments))
    except (OSError, EOFError) as error:
        raise ControlError(f"{method} at {path}: {str(error) or type(error).__name__}") from error


async def _exchange(path: Path, method: str, arguments: tuple[str, ...]) -> object:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        request = {"id": 0, "method": method, "params": list(arguments)}
        writer.write(json.dumps(request).encode())
        await writer.drain()
        reply = bytearray()
        while chunk := await reader.read(_CHUNK):
            reply += chunk
            if len(reply) > _LONGEST_REPLY:
                raise ControlError(f"{method}: the answer is longer than {_LONGEST_REPLY} bytes")
            if chunk.rstrip().endswith(b"}") and (message := _parsed(reply)) is not None:
                return message
        raise EOFError("the daemon closed the connection before its answer was complete")
    finally:
        writer.close()


def _parsed(reply: bytearray) -> object | None:
    """The reply, or None where its end is not here yet."""
    try:
        return json.loads(reply)  # type: ignore[no-any-return]
    except ValueError:
        return None


def _result(method: str, message: object) -> str:
    match message:
        case {"error": None, "result": str(text)}:
            return text
        case {"error": str(text)}:
            raise ControlError(f"{method}: {text.strip()}")
    raise ControlError(f"{method}: the answer is not a result")
