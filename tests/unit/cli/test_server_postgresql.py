"""The server on PostgreSQL: it asks to be set up, and is alone on its database."""

import signal
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from cli.testbed.tcp_ports import free_ports
from northbound.database import make_engine
from tests.unit.cli.test_server import NETWORK, RunningServer, run, start
from tests.unit.northbound.postgresql import private_server

pytestmark = pytest.mark.processes


def test_a_server_on_postgresql(tmp_path: Path) -> None:
    with private_server() as url:
        api_port, agents_port = free_ports(2)
        arguments = (
            "server",
            *("--database", url),
            *("--api-port", str(api_port)),
            *("--agents-port", str(agents_port)),
        )
        refused = run(*arguments)
        assert refused.returncode == 3
        assert "treadle db upgrade" in refused.stderr

        assert run("db", "upgrade", "--database", url).returncode == 0
        process = start(*arguments)
        server = RunningServer(process, tmp_path, api_port, agents_port)
        server.wait()
        applied = server.run("apply", "-", "--wait", "chassis", text=NETWORK)
        assert applied.returncode == 0, applied.stderr
        assert httpx.get(f"{server.url}/v1/port-bindings/web-1", timeout=30).status_code == 200

        ports = free_ports(2)
        second = run(
            "server",
            *("--database", url),
            *("--api-port", str(ports[0])),
            *("--agents-port", str(ports[1])),
        )
        assert second.returncode == 1
        assert "another server works on" in second.stderr

        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
        assert process.returncode == 0, log

        again = start(*arguments)
        RunningServer(again, tmp_path, api_port, agents_port).wait()
        take_the_lock_away(url)
        _, log = again.communicate(timeout=30)
        assert again.returncode == 1, log
        assert "this server may not write any more" in log


def take_the_lock_away(url: str) -> None:
    """End the connection by which a server holds the database, as a cut cable does."""
    engine = make_engine(url)
    with engine.begin() as connection:
        holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.execute(text(holders)).all() == [(True,)]
    engine.dispose()
