"""The ``treadle server`` of a lab: one process on loopback, SQLite in the lab's directory."""

import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from cli.testbed.process import Process, spawn
from cli.testbed.wait import until

HOST = "127.0.0.1"


class Server:
    """How to start the server and how to reach it."""

    def __init__(self, directory: Path, api_port: int, watch_port: int) -> None:
        self.directory = directory
        self.api_port = api_port
        self.watch_port = watch_port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def agents_url(self) -> str:
        """Where chassis agents connect to."""
        return f"ws://{HOST}:{self.watch_port}"

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def database(self) -> Path:
        return self.directory / "treadle.db"

    def client(self, *, timeout: float = 60.0) -> httpx.Client:
        """An HTTP client of this server, for the caller to close."""
        return httpx.Client(base_url=self.url, timeout=timeout)

    def start(self, environment: dict[str, str] | None = None) -> Process:
        configuration = self.directory / "server.toml"
        configuration.write_text(
            "[server.database]\n"
            f'url = "sqlite:///{self.database}"\n'
            "[server.api]\n"
            f'host = "{HOST}"\nport = {self.api_port}\n'
            "[server.agents]\n"
            f'host = "{HOST}"\nport = {self.watch_port}\n'
        )
        return spawn(
            "treadle server",
            [sys.executable, "-m", "cli.main", "server", "--config", str(configuration)],
            self.log,
            environment,
        )

    def wait_until_ready(self, process: Process, seconds: float = 60.0) -> None:
        with self.client() as client:

            def answers() -> bool:
                process.check()
                if not process.listens_on(self.api_port):
                    return False  # else another's server may answer in its place
                try:
                    return client.get("/healthz").is_success
                except httpx.TransportError:
                    return False

            until(answers, f"treadle server on {self.url}", seconds)

    def wait_until_up(self, ports: Sequence[str], seconds: float) -> None:
        """Wait until every one of these logical ports is reported as up."""
        with self.client() as client:

            def down() -> list[str]:
                missing = []
                for port in ports:
                    answer = client.get(f"/v1/port-bindings/{port}")
                    if not (answer.is_success and answer.json()["up"]):
                        missing.append(port)
                return missing

            until(lambda: not down(), f"up of {', '.join(ports)}", seconds)
