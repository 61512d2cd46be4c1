"""How many connections a listener takes, and which of them have to go."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from structlog.testing import capture_logs

from southbound.admission import BACKLOG, Admission

ENOUGH = 30.0
"""Seconds that a test waits for a fact."""


class Echo(asyncio.Protocol):
    """Answers a line, from then on being served."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._admission.settle(self._transport, data != b"wait\n")
        self._transport.write(data)


@asynccontextmanager
async def serving(admission: Admission) -> AsyncIterator[int]:
    """A server of lines; yields its port."""
    loop = asyncio.get_running_loop()
    listener = admission.listen("127.0.0.1", 0)
    server = await loop.create_server(lambda: Echo(admission), sock=listener, backlog=BACKLOG)
    async with server:
        yield listener.getsockname()[1]
        server.close()


@contextmanager
def connecting(port: int) -> Iterator[Callable[..., socket.socket]]:
    """What makes connections; they end with the test."""
    made: list[socket.socket] = []

    def connect(source: str = "127.0.0.1") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port), ENOUGH, (source, 0))
        made.append(connection)
        return connection

    try:
        yield connect
    finally:
        for connection in made:
            connection.close()


def ask(connection: socket.socket, line: bytes = b"hello\n") -> bytes:
    """What comes back; b"" where the connection has ended."""
    try:
        connection.sendall(line)
        return connection.recv(100)
    except (ConnectionResetError, BrokenPipeError):
        return b""


async def asked(connection: socket.socket, line: bytes = b"hello\n") -> bytes:
    return await asyncio.to_thread(ask, connection, line)


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH):
        while not fact():  # noqa: ASYNC110 - the listener tells no one
            await asyncio.sleep(0.01)


async def test_those_that_wait_longest_make_room() -> None:
    admission = Admission("test", limit=3, peer_limit=3)
    async with serving(admission) as port:
        with connecting(port) as connect:
            first = connect()
            assert await asked(first) == b"hello\n"
            waiting = [connect() for _ in range(20)]
            newest = connect()
            assert await asked(newest) == b"hello\n"
            assert admission.displaced == 19
            assert admission.open == 3
            assert await asked(first) == b"hello\n"
            assert await asked(waiting[0]) == b""


async def test_where_all_are_served_a_new_one_is_refused() -> None:
    admission = Admission("test", limit=2, peer_limit=2)
    async with serving(admission) as port:
        with connecting(port) as connect:
            served = [connect(), connect()]
            assert [await asked(each) for each in served] == [b"hello\n"] * 2
            assert await asked(connect()) == b""
            assert admission.refused == 1
            assert await asked(served[0], b"wait\n") == b"wait\n"
            assert await asked(connect()) == b"hello\n"
            assert await asked(served[0]) == b""
            assert await asked(served[1]) == b"hello\n"


async def test_one_peer_leaves_room_for_others() -> None:
    admission = Admission("test", limit=10, peer_limit=2)
    async with serving(admission) as port:
        with connecting(port) as connect:
            served = [connect("127.0.0.2"), connect("127.0.0.2")]
            assert [await asked(each) for each in served] == [b"hello\n"] * 2
            assert await asked(connect("127.0.0.2")) == b""
            assert await asked(connect("127.0.0.3")) == b"hello\n"


async def test_what_has_ended_no_longer_counts() -> None:
    admission = Admission("test", limit=2, peer_limit=2)
    async with serving(admission) as port:
        with connecting(port) as connect:
            for _ in range(10):
                connection = connect()
                assert await asked(connection) == b"hello\n"
                connection.close()
                await until(lambda: admission.open == 0)
    assert (admission.refused, admission.displaced) == (0, 0)


async def test_a_flood_is_no_flood_of_the_log() -> None:
    admission = Admission("test", limit=2, peer_limit=2)
    with capture_logs() as lines:
        async with serving(admission) as port:
            with connecting(port) as connect:
                for _ in range(200):
                    connect()
                await until(lambda: admission.displaced == 198)
    assert 1 <= len(lines) < 20


async def test_without_descriptors_connections_end_and_the_log_stays_short() -> None:
    """asyncio alone would log each of them as often as its backlog is long."""
    admission = Admission("test", limit=1000, peer_limit=1000)
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _loop, context: errors.append(context))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(admission) as port:
        with connecting(port) as connect, capture_logs() as lines:
            connections = [connect() for _ in range(50)]
            with socket.socket() as lowest_free:
                resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free.fileno() + 1, hard))
            try:
                await until(lambda: admission.refused > 0)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert errors == []
            assert await asked(connections[-1]) in (b"", b"hello\n")
            assert await asked(connect()) == b"hello\n"
    assert 1 <= len(lines) < 20
    assert lines[0]["event"] == "connection refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_listener_of_either_family(host: str) -> None:
    with Admission("test").listen(host, 0) as listener:
        assert listener.getsockname()[0] == host
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_answers_leave_at_once() -> None:
    """With Nagle's algorithm a body waits 40 ms for the client to confirm the header."""
    loop = asyncio.get_running_loop()
    listener = Admission("test").listen("127.0.0.1", 0)
    listener.setblocking(False)
    with socket.create_connection(listener.getsockname()[:2]), listener:
        accepted, _ = await loop.sock_accept(listener)
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
