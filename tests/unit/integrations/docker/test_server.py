"""The socket: what is read from it, what isn't, and for how long."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.deadline import Deadline
from integrations.docker import server as module
from integrations.docker.routes import Answer
from integrations.docker.server import BadRequestError, Server, SocketTakenError, read_request


class Echo:
    """Answers with what it was called; `gate` holds answers back."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.working = threading.Semaphore(0)

    def answer(self, name: str, octets: bytes) -> Answer:
        self.working.release()
        self.gate.wait(30)
        return Answer(200, {"name": name, "octets": len(octets)})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plugins" / "treadle.sock"


@pytest.fixture
def server(echo: Echo, path: Path) -> Iterator[Server]:
    server = Server(path, echo, limit=2)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join(10)
    assert not thread.is_alive()


def connect(path: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX)
    opened.settimeout(10)
    opened.connect(str(path))
    return opened


def exchange(path: Path, octets: bytes) -> tuple[int, dict]:
    with connect(path) as opened:
        opened.sendall(octets)
        opened.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: opened.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def post(name: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST /{name} HTTP/1.1", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_call_is_answered(server: Server, path: Path) -> None:
    assert exchange(path, post("Plugin.Activate", b"{}")) == (
        200,
        {"name": "Plugin.Activate", "octets": 2},
    )
    assert exchange(path, b"POST /x HTTP/1.1\r\n\r\n") == (200, {"name": "x", "octets": 0})


def test_only_its_owner_may_call(server: Server, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("octets", "status", "told"),
    [
        (b"GET /x HTTP/1.1\r\n\r\n", 405, "by POST"),
        (b"hello\r\n\r\n", 400, "no HTTP"),
        (b"\x16\x03\x01\x02\r\n\r\n", 400, "no HTTP"),
        (b"POST /x HTTP/1.1\r\n", 400, "no end"),
        (b"", 400, "no end"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}", 400, "no end"),
        (b"POST /x HTTP/1.1\r\nContent-Length: -9\r\n\r\n", 400, "no number"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "two"),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411, "length"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413, "more than"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, "more than"),
        (b"POST /x HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", 431, "headers"),
        (b"A" * 40_000, 431, "headers"),
    ],
)
def test_what_is_no_call_is_refused(
    server: Server, path: Path, octets: bytes, status: int, told: str
) -> None:
    got, body = exchange(path, octets)
    assert got == status
    assert told in body["Err"] == body["Error"]


def test_a_caller_that_goes_away_harms_nothing(server: Server, path: Path, echo: Echo) -> None:
    echo.gate.clear()
    with connect(path) as opened:
        opened.sendall(post("slow", b"{}"))
        assert echo.working.acquire(timeout=30)
    echo.gate.set()
    assert exchange(path, post("next", b""))[0] == 200


def test_no_more_calls_than_allowed_are_in_work(server: Server, path: Path, echo: Echo) -> None:
    echo.gate.clear()
    callers = [connect(path) for _ in range(3)]
    for caller in callers:
        caller.sendall(post("slow", b"{}"))
    assert echo.working.acquire(timeout=30)
    assert echo.working.acquire(timeout=30)
    assert not echo.working.acquire(timeout=0.2)
    echo.gate.set()
    for caller in callers:
        assert caller.recv(100).startswith(b"HTTP/1.1 200")
        caller.close()


def test_a_call_in_work_is_done_before_the_driver_ends(path: Path, echo: Echo) -> None:
    server = Server(path, echo, limit=2)  # type: ignore[arg-type]
    serving = threading.Thread(target=server.serve)
    serving.start()
    echo.gate.clear()
    with connect(path) as opened:
        opened.sendall(post("slow", b"{}"))
        assert echo.working.acquire(timeout=30)
        server.close()
        serving.join(0.3)
        assert serving.is_alive()
        echo.gate.set()
        assert opened.recv(100).startswith(b"HTTP/1.1 200")
    serving.join(10)
    assert not serving.is_alive()


def test_a_request_that_comes_slowly_ends_with_its_deadline() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(b"POST /x HTTP/1.1\r\n")
        with pytest.raises(BadRequestError, match="in time") as caught:
            read_request(far, Deadline(0.05))
    assert caught.value.status == 408
    assert module._READ_SECONDS == 10


def test_a_second_driver_is_refused_and_a_dead_ones_socket_replaced(
    server: Server, path: Path, echo: Echo, tmp_path: Path
) -> None:
    with pytest.raises(SocketTakenError, match="another driver"):
        Server(path, echo, limit=1)  # type: ignore[arg-type]
    assert exchange(path, post("x", b""))[0] == 200
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    replaced = Server(dead, echo, limit=1)  # type: ignore[arg-type]
    replaced.close()
    assert not dead.exists()


def test_a_file_that_is_no_socket_is_not_replaced(tmp_path: Path, echo: Echo) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(SocketTakenError, match="no socket"):
        Server(tmp_path / "file", echo, limit=1)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "precious"
