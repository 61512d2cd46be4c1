"""Ask who answers a connection, and from which address it was seen to come."""

import json
import socket
import sys
from contextlib import suppress
from pathlib import Path

from cli.testbed.lab import Lab
from cli.testbed.process import spawn
from cli.testbed.wait import until

Answer = list[str] | str
"""The name of who answers and the address that it saw, or what came instead."""

_SECONDS = 30.0
_SILENCE = 2.5
_TRIES = 3
"""Of a question in a datagram."""
_SOCKETS = 4
"""Of a server: of two protocols and two families."""
_SERVER = Path(__file__).with_name("who_server.py")


def serve(lab: Lab, name: str, port: int) -> None:
    """Answer in the host `name`, as a process of its own; returns once it does."""
    log = lab.directory / f"who-{name}-{port}.log"
    command = [sys.executable, "-IS", str(_SERVER), name, str(port)]
    namespace = lab.host(name).namespace
    process = spawn(f"who of {name}", namespace.argv(command), log)
    lab.remember(f"{name}/who-{port}", process)

    def serves() -> bool:
        process.check()
        sockets = namespace.run("ss", "-H", "-lntu", f"sport = :{port}")
        return len(sockets.splitlines()) == _SOCKETS

    until(serves, f"{name} serves")


def ask(
    lab: Lab,
    source: str,
    host: str,
    port: int,
    protocol: str = "tcp",
    *,
    seconds: float = _SECONDS,
) -> Answer:
    """Return who answers a new connection from the host `source`, within `seconds` a step."""
    try:
        with connect(lab, source, host, port, protocol, seconds=seconds) as connection:
            return again(connection)
    except OSError as error:
        return _trouble(error)


def is_silent(lab: Lab, source: str, host: str, port: int, protocol: str = "tcp") -> bool:
    """Whether a new connection from the host `source` is neither answered nor refused."""
    return ask(lab, source, host, port, protocol, seconds=_SILENCE) == "timeout"


def connect(
    lab: Lab,
    source: str,
    host: str,
    port: int,
    protocol: str = "tcp",
    *,
    local_port: int = 0,
    seconds: float = _SECONDS,
) -> socket.socket:
    """Return a connection that stays; raises OSError where there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    connection = lab.host(source).namespace.socket(family, kind)
    try:
        connection.settimeout(seconds)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if local_port:
            connection.bind(("", local_port))
        connection.connect((host, port))
    except BaseException:
        connection.close()
        raise
    return connection


def again(connection: socket.socket, question: bytes = b"who") -> Answer:
    """Return who answers on a connection that is there.

    A datagram may get lost on a busy machine: such a question is asked again within the limit.
    """
    limit = connection.gettimeout()
    tries = 1
    if connection.type == socket.SOCK_DGRAM and limit is not None:
        tries = _TRIES
        connection.setblocking(False)
        with suppress(OSError):  # answers to what was asked before
            while connection.recv(200):
                pass
    try:
        for left in reversed(range(tries)):
            connection.settimeout(None if limit is None else limit / tries)
            try:
                connection.send(question)
                told: Answer = json.loads(connection.recv(200) or b'"closed"')
            except TimeoutError:
                if not left:
                    raise
            else:
                return told
    except OSError as error:
        return _trouble(error)
    finally:
        connection.settimeout(limit)
    raise AssertionError("a question is asked at least once")


def _trouble(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError():
            return "reset"
    return str(error)
