"""The socket on which Docker calls: HTTP/1.1, one request a connection, each in a thread.

About twenty short calls a container don't need more, and nothing has to be installed or loaded for
it. What always holds: a request has at most :data:`~integrations.docker.fields.BODY_LIMIT` octets
of body and 16 KiB of head, has to be here within ten seconds, and at most as many are in work as
the settings say; further connections wait in the socket's queue. The socket is root's alone.
"""

import json
import logging
import os
import socket
import threading
import time
from http import HTTPStatus
from pathlib import Path

from integrations.deadline import Deadline, TimeLimitError
from integrations.docker.fields import BODY_LIMIT
from integrations.docker.routes import Answer, Routes

_READ_SECONDS = 10.0
_CLOSING_SECONDS = 10.0
_HEAD_LIMIT = 16 * 1024
_PIECE = 64 * 1024
_TYPE = "application/vnd.docker.plugins.v1.2+json"
_LOG = logging.getLogger(__name__)


class SocketTakenError(Exception):
    """Another driver listens on the socket, or it is another's file."""


class BadRequestError(Exception):
    """What came is no request that is answered; `status` says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Server:
    """Listens on a socket until it is closed."""

    def __init__(self, path: Path, routes: Routes, limit: int) -> None:
        """`limit` is how many requests are in work at once. Raises :class:`SocketTakenError`."""
        self._path = path
        self._routes = routes
        self._limit = limit
        self._slots = threading.BoundedSemaphore(limit)
        self._closing = threading.Event()
        self._listener = _listen(path)

    def serve(self) -> None:
        """Answer requests until :meth:`close` is called; return when those in work are done.

        That is waited for as long as a service manager waits before it kills. Docker takes back
        what it has no answer for.
        """
        while not self._closing.is_set():
            self._slots.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                self._slots.release()
                if self._closing.is_set():
                    break
                raise
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
        end = time.monotonic() + _CLOSING_SECONDS
        for _ in range(self._limit):
            if not self._slots.acquire(timeout=max(0.0, end - time.monotonic())):
                _LOG.warning("calls of Docker are still in work, and are broken off")
                return

    def close(self) -> None:
        """Take no more requests, and remove the socket."""
        self._closing.set()
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        name = ""
        try:
            with connection:
                try:
                    name, body = read_request(connection, Deadline(_READ_SECONDS))
                except BadRequestError as error:
                    answer = Answer(error.status, {"Err": str(error), "Error": str(error)})
                else:
                    answer = self._routes.answer(name, body)
                connection.settimeout(_READ_SECONDS)
                connection.sendall(_encode(answer))
        except OSError as error:
            # Docker was killed, or didn't wait; it asks again or takes back what it asked for.
            # That it connects without asking anything is how it sees whether there is a driver.
            level = logging.WARNING if name else logging.DEBUG
            _LOG.log(level, "the caller of %s went away: %s", name or "nothing", error)
        finally:
            self._slots.release()


def read_request(connection: socket.socket, deadline: Deadline) -> tuple[str, bytes]:
    """Read one request; return the name in its path, and its body. Raises BadRequestError."""
    try:
        head, rest = _read_head(connection, deadline)
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequestError(400, "this is no HTTP request")
        if words[0] != "POST":
            raise BadRequestError(405, "calls are made by POST")
        size = _body_size(lines[1:])
        while len(rest) < size:
            rest += _receive(connection, deadline)
    except TimeLimitError:
        raise BadRequestError(408, "the request didn't come in time") from None
    return words[1].removeprefix("/"), bytes(rest[:size])


def _read_head(connection: socket.socket, deadline: Deadline) -> tuple[bytes, bytearray]:
    octets = bytearray()
    while (end := octets.find(b"\r\n\r\n")) < 0:
        if len(octets) > _HEAD_LIMIT:
            raise BadRequestError(431, "the request has too long headers")
        octets += _receive(connection, deadline)
    if end > _HEAD_LIMIT:
        raise BadRequestError(431, "the request has too long headers")
    return bytes(octets[:end]), octets[end + 4 :]


def _receive(connection: socket.socket, deadline: Deadline) -> bytes:
    try:
        connection.settimeout(deadline.left())
        piece = connection.recv(_PIECE)
    except TimeoutError:
        raise BadRequestError(408, "the request didn't come in time") from None
    if not piece:
        raise BadRequestError(400, "the request has no end")
    return piece


def _body_size(headers: list[str]) -> int:
    sizes: set[str] = set()
    for line in headers:
        name, _, value = line.partition(":")
        if name.lower() == "transfer-encoding":
            raise BadRequestError(411, "the body has to come with its length")
        if name.lower() == "content-length":
            sizes.add(value.strip())
    if len(sizes) > 1:
        raise BadRequestError(400, "the body has two lengths")
    text = next(iter(sizes), "0")
    if not (text.isascii() and text.isdigit()):
        raise BadRequestError(400, "the body's length is no number")
    if len(text) > 10 or int(text) > BODY_LIMIT:
        raise BadRequestError(413, f"the body has more than {BODY_LIMIT} octets")
    return int(text)


def _encode(answer: Answer) -> bytes:
    body = json.dumps(answer.body).encode()
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Error"
    head = (
        f"HTTP/1.1 {answer.status} {phrase}\r\nContent-Type: {_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _listen(path: Path) -> socket.socket:
    """Listen on a socket that is the caller's alone; one that a dead driver left is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(str(path)) == 0:
                raise SocketTakenError(f"{path}: another driver listens there")
        if path.exists() and not path.is_socket():
            raise SocketTakenError(f"{path}: this is no socket, so it isn't replaced by one")
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
