"""Ask who answers a connection, and from which address it was seen to come."""

import json
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from cli.testbed.lab import Lab
from cli.testbed.process import spawn
from cli.testbed.wait import until

Answer = list[str] | str
"""The name of who answers and the address that it saw, or what came instead."""

_SECONDS = 30.0
_SILENCE = 2.5
_ENDING = 3.0
"""For one question on a connection that is about to end: what is under way then may get lost."""
_ENDED = ("reset", "closed", "refused")
_TRIES = 3
"""Of a question in a datagram."""
_DRAWS = 40
"""Of a backend, which miss one of three once in a million times."""
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


def answers(
    lab: Lab, source: str, host: str, port: int, protocol: str, wanted: set[tuple[str, str]]
) -> set[tuple[str, ...]]:
    """Return who answers and from where it saw that come, until all `wanted` did or another."""
    seen: set[tuple[str, ...]] = set()
    for _ in range(_DRAWS):
        seen.add(_listed(ask(lab, source, host, port, protocol)))
        if not seen < wanted:
            break
    return seen


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


def until_ended(connection: socket.socket, instead: Answer | None = None) -> None:
    """Ask until the client is told that its connection has ended, or is answered otherwise."""
    connection.settimeout(_ENDING)
    until(lambda: again(connection) in (*_ENDED, instead), "the connection ends")


class Talk:
    """Asks on a connection without a pause, until it is left; what is answered is in `answers`."""

    def __init__(self, connection: socket.socket) -> None:
        self.answers: set[tuple[str, ...]] = set()
        self._connection = connection
        self._asked = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._talk)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def goes_on(self) -> None:
        """Return once something was asked and answered that wasn't asked before."""
        before = self._asked
        until(lambda: self._asked > before + 1, "the next answer")

    def _talk(self) -> None:
        while not self._ends.is_set():
            answer = again(self._connection)
            self.answers.add(_listed(answer))
            self._asked += 1


def _listed(answer: Answer) -> tuple[str, ...]:
    return (answer,) if isinstance(answer, str) else tuple(answer)


def _trouble(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case ConnectionResetError():
            return "reset"
    return str(error)
