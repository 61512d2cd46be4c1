"""A server that answers each connection with what a test says, octet by octet if need be."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[socket.socket], None]


class ScriptedServer:
    """Takes one connection for each of its answers; `requests` holds what came, in order."""

    def __init__(self, answers: list[Answer]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answers = answers
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self.requests.append(read_request(connection))
                answer(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def read_request(connection: socket.socket) -> bytes:
    """Read one request with all of its body."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        piece = connection.recv(65536)
        if not piece:
            return octets
        octets += piece
    head, _, body = octets.partition(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted_server(*answers: Answer) -> Iterator[ScriptedServer]:
    server = ScriptedServer(list(answers))
    try:
        yield server
    finally:
        server.close()


def sends(text: str | bytes) -> Answer:
    octets = text.encode() if isinstance(text, str) else text
    return lambda connection: connection.sendall(octets)


def http(status: int, body: str = "", *, headers: str = "", kind: str = "application/json") -> str:
    """An answer that closes the connection."""
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n{headers}\r\n{body}"
    )


def problem(status: int, slug: str, headers: str = "") -> str:
    body = f'{{"type": "/problems/{slug}", "title": "Title", "detail": "why", "status": {status}}}'
    return http(status, body, headers=headers, kind="application/problem+json")
