"""Connections that ask nothing, or take their time, and what the server makes of them."""

import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from cli.server import descriptors
from cli.testbed.tcp_ports import free_ports
from tests.unit.cli.test_server import ROOT, RunningServer, start

pytestmark = pytest.mark.processes


MANY = 300
ENOUGH = 30.0
HALF_A_BODY = (
    b"POST /v1/acls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that loses its patience soon, with few descriptors."""
    database = tmp_path_factory.mktemp("server") / "treadle.db"
    api_port, agents_port = free_ports(2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        process = start(
            "server",
            *("--database", str(database)),
            *("--api-port", str(api_port)),
            *("--agents-port", str(agents_port)),
            TREADLE_SERVER__API__CONNECTION_LIMIT="100",
            TREADLE_SERVER__API__PEER_CONNECTION_LIMIT="50",
            TREADLE_SERVER__API__HEADER_TIMEOUT="1",
            TREADLE_SERVER__API__BODY_TIMEOUT="1",
            TREADLE_SERVER__AGENTS__CONNECTION_LIMIT="100",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    running = RunningServer(process, database, api_port, agents_port)
    running.wait()
    yield running
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "Traceback" not in log
    assert len(log.splitlines()) < 100


def test_the_limit_of_descriptors_is_raised_to_what_is_needed(server: RunningServer) -> None:
    soft, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    assert soft == 200 + descriptors.RESERVED


def test_connections_that_ask_nothing_keep_none_from_being_served(server: RunningServer) -> None:
    idle = [
        socket.create_connection(("127.0.0.1", port))
        for port in (server.api_port, server.agents_port)
        for _ in range(MANY)
    ]
    try:
        assert httpx.get(f"{server.url}/v1/status", timeout=ENOUGH).status_code == 200
        body = {"name": "flooded"}
        made = httpx.post(f"{server.url}/v1/logical-switches", json=body, timeout=ENOUGH)
        assert made.status_code == 201
        with connect(f"ws://127.0.0.1:{server.agents_port}", open_timeout=ENOUGH):
            pass
        held = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        assert held < 200 + descriptors.RESERVED
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET",
        HALF_A_BODY,
        b"POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    ],
    ids=["nothing", "half a header", "half a second header", "half a body", "half a refused body"],
)
def test_a_connection_that_takes_its_time_is_ended(server: RunningServer, sent: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.api_port), ENOUGH)) as slow:
        slow.sendall(sent)
        while True:
            try:
                if not slow.recv(65536):
                    break
            except ConnectionResetError:
                break


def test_a_client_that_does_not_read_its_answers_is_ended(server: RunningServer) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with closing(socket.socket()) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(ENOUGH)
        deaf.connect(("127.0.0.1", server.api_port))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            deaf.sendall(request * 1_000_000)


def test_where_the_limit_cannot_be_raised_fewer_connections_are_taken() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300));"
        "from cli.server.descriptors import share_of_connections as share; print(share(1000))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *said, share = ran.stdout.splitlines()
    assert 0 < float(share) * 1000 < 300 - 100
    assert "limit of descriptors is too low" in "".join(said)
