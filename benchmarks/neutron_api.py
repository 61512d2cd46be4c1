"""What ports cost through the Neutron API and through /v1, beside Neutron itself.

    python -m benchmarks.neutron_api [--ports 10000] [--neutron ENVIRONMENT [--neutron-ports N]]

A real ``treadle server``, without agents, over SQLite and over PostgreSQL, whose one network
has N ports already; then ports are created by 1 and by 8 clients that keep their connections,
and found by an address. `ENVIRONMENT` is a directory with a Python that has Neutron
(``tests/compat/requirements/neutron.txt``), which is asked the same in the same run, over
PostgreSQL, by its WSGI application in one process of threads; without one it is left out. CPU
time is that of the server's process, and of Treadle's until it has stored what follows.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.hypervisors import as_installed, laboratory
from benchmarks.measure import cpu_seconds
from cli.testbed.process import spawn
from cli.testbed.wait import until
from northbound.database import upgrade
from tests.compat.neutron.endpoints import free_ports, neutron_settings
from tests.unit.northbound.postgresql import private_server

CLIENTS = 8
REQUESTS = 200
"""Of each kind, whether one client makes them or several."""
BATCH = 100
"""Ports that one request creates, to begin with."""

_REFERENCE = Path(__file__).parents[1] / "tests/compat/neutron/serve_reference.py"


@dataclass(frozen=True)
class Side:
    """A server that is measured: where its APIs are, and its process. Neutron has no /v1."""

    neutron: str
    v1: str | None
    pid: int

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.neutron, timeout=300)

    def settle(self) -> None:
        """Wait until all that was committed is stored southbound."""
        if self.v1 is None:
            return
        while True:
            status = httpx.get(f"{self.v1}/v1/status").json()
            if status["translated_revision"] >= status["revision"]:
                return
            time.sleep(0.02)


Step = Callable[[httpx.Client, int], httpx.Response]


def measure(side: Side, ports: int) -> dict[str, Any]:
    """Fill the server's network with `ports` ports, and measure."""
    with side.client() as client:
        if side.v1 is None:
            # Neutron lets a project have 500 ports, unless told otherwise.
            unlimited = {"quota": {"port": -1}}
            client.put(f"/v2.0/quotas/{_PROJECT}", json=unlimited).raise_for_status()
        network = _made(client, "networks", "network", {"name": "benchmark"})["id"]
        subnet = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/16"}
        subnet_id = _made(client, "subnets", "subnet", subnet)["id"]
        for _ in range(ports // BATCH):
            bodies = {"ports": [{"network_id": network}] * BATCH}
            client.post("/v2.0/ports", json=bodies).raise_for_status()
        some = client.get("/v2.0/ports?limit=100&sort_key=id&sort_dir=asc").json()["ports"]
    side.settle()
    addresses = [port["fixed_ips"][0]["ip_address"] for port in some]

    def create(client: httpx.Client, _number: int) -> httpx.Response:
        return client.post("/v2.0/ports", json={"port": {"network_id": network}})

    def find(client: httpx.Client, number: int) -> httpx.Response:
        address = addresses[number % len(addresses)]
        query = f"fixed_ips=subnet_id={subnet_id}&fixed_ips=ip_address={address}"
        return client.get(f"/v2.0/ports?{query}")

    def create_v1(client: httpx.Client, _number: int) -> httpx.Response:
        return client.post(f"{side.v1}/v1/logical-switches/v1/ports", json=_DYNAMIC)

    steps: dict[str, Step] = {"POST /v2.0/ports": create, "GET /v2.0/ports?fixed_ips=": find}
    if side.v1 is not None:
        switch = {"name": "v1", "subnet4": "10.64.0.0/16"}
        httpx.post(f"{side.v1}/v1/logical-switches", json=switch).raise_for_status()
        steps["POST /v1 port"] = create_v1
    return {
        "ports": ports,
        **{
            f"{name}, {clients} clients": _step(side, step, clients)
            for name, step in steps.items()
            for clients in (1, CLIENTS)
        },
    }


_PROJECT = "fake_project_id"
"""Whose requests are that Neutron doesn't authenticate."""
_DYNAMIC = {"addresses": ["dynamic"]}


def _made(client: httpx.Client, path: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/v2.0/{path}", json={name: values})
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()[name]
    return made


def _step(side: Side, step: Step, count: int) -> dict[str, float]:
    """Make the requests of one kind by so many clients at once."""
    clients = [side.client() for _ in range(count)]
    try:

        def work(which: int) -> None:
            for number in range(which, REQUESTS, count):
                step(clients[which], number).raise_for_status()

        for client in clients:
            step(client, 0).raise_for_status()
        side.settle()
        before, began = cpu_seconds([side.pid]), time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(work, range(count)))
        taken = time.perf_counter() - began
        side.settle()
        cpu = cpu_seconds([side.pid]) - before
    finally:
        for client in clients:
            client.close()
    return {"a_second": round(REQUESTS / taken, 1), "cpu_ms": round(cpu / REQUESTS * 1000, 2)}


@contextmanager
def treadle(database: str | None) -> Iterator[Side]:
    """Treadle over SQLite, or over the PostgreSQL database of that URL."""
    (port,) = free_ports(1)
    with laboratory() as lab:
        environment = as_installed(lab.directory / "hidden") | neutron_settings(port)
        if database is not None:
            upgrade(database)
            environment["TREADLE_SERVER__DATABASE__URL"] = database
        lab.start_server(environment=environment)
        pid = lab.process("server").pid
        yield Side(f"http://127.0.0.1:{port}", lab.server.url, pid)


@contextmanager
def reference(environment: Path, database: str) -> Iterator[Side]:
    """Neutron of an environment, over the PostgreSQL database of that URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as directory:
        python = str(environment / "bin/python")
        argv = [python, str(_REFERENCE), directory, str(port), database]
        process = spawn("Neutron", argv, Path(directory) / "log")

        def answers() -> bool:
            process.check()
            try:
                return httpx.get(url).is_success
            except httpx.TransportError:
                return False

        try:
            until(answers, "Neutron", 180)
            yield Side(url, None, process.pid)
        finally:
            process.stop()


def _new_database(server: str, name: str, driver: str = "") -> str:
    """Make a database on a PostgreSQL server; returns its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.replace("postgresql:", f"postgresql{driver}:").replace("/postgres?", f"/{name}?")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neutron_api")
    parser.add_argument("--ports", type=int, default=10_000, help="ports that are there already")
    parser.add_argument("--neutron", type=Path, help="an environment that has Neutron")
    parser.add_argument("--neutron-ports", type=int, help="ports that Neutron has already")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with treadle(None) as side:
        found["Treadle, SQLite"] = measure(side, options.ports)
    with private_server() as server:
        with treadle(_new_database(server, "treadle")) as side:
            found["Treadle, PostgreSQL"] = measure(side, options.ports)
        if options.neutron is None:
            print("Neutron is left out: --neutron names no environment", file=sys.stderr)
        else:
            database = _new_database(server, "neutron", "+psycopg2")
            with reference(options.neutron, database) as side:
                ports = options.neutron_ports or options.ports
                found["Neutron, PostgreSQL"] = measure(side, ports)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
