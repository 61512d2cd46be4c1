"""What a change costs from its HTTP request on, and what a server costs by being there.

    python -m benchmarks.requests 1000 10000 [--ovn-sizes 1000,10000] [--ovn PREFIX]

A real ``treadle server`` on a network of N ports, without agents, and clients that keep
their connections. CPU time is the server's, from the first request until it has stored
southbound what the last one changed; walls are those of single requests. Beside it OVN:
ovn-northd with both databases, and the same changes by an ovn-nbctl that runs already,
``--wait=sb``, one client. `PREFIX` has another build of OVN than Debian's.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hypervisors import as_installed, laboratory
from benchmarks.measure import cpu_seconds, rss_mib
from benchmarks.network import write_network
from benchmarks.ovn import Ovn, debians_ovn, ovn_of
from benchmarks.ovn_network import network as ovn_network
from cli.testbed.lab import Lab

CHANGES = 100
"""Requests of each kind, so that the ticks of CPU time don't matter."""

CLIENTS = 8
IDLE_SECONDS = 10.0
_APPLIED = 100
"""Ports on each switch of the document that is applied."""

Step = Callable[[httpx.Client, int], httpx.Response]


def port(number: int) -> dict[str, Any]:
    """A port that the generated network lacks; 100 of them fit each of its switches."""
    high, low = divmod(number, 100)
    address = f"0a:09:00:00:{high:02x}:{low:02x} 10.0.{high}.{100 + low}"
    return {"name": f"new-{number}", "addresses": [address], "port_security": [address]}


def post(client: httpx.Client, number: int) -> httpx.Response:
    return client.post(f"/v1/logical-switches/ls{number // 100}/ports", json=port(number))


def delete(client: httpx.Client, number: int) -> httpx.Response:
    return client.delete(f"/v1/logical-switch-ports/new-{number}")


def join(client: httpx.Client, number: int) -> httpx.Response:
    return client.put(f"/v1/port-groups/pg{number // 100}/ports/new-{number}")


def post_and_join(client: httpx.Client, number: int) -> httpx.Response:
    post(client, number).raise_for_status()
    return join(client, number)


def patch(client: httpx.Client, number: int) -> httpx.Response:
    return client.patch(f"/v1/logical-switch-ports/new-{number}", json={"labels": {"a": "b"}})


def disable(client: httpx.Client, number: int) -> httpx.Response:
    return client.patch(f"/v1/logical-switch-ports/new-{number}", json={"enabled": False})


STEPS: tuple[tuple[str, Step], ...] = (
    ("port added", post),
    ("port disabled", disable),
    ("port labelled", patch),
    ("nothing changed", patch),
    ("port put into its group", join),
    ("port removed", delete),
    ("port added, then put into its group", post_and_join),
    ("port removed again", delete),
)


def measure(ports: int) -> dict[str, Any]:
    with laboratory() as lab:
        write_network(lab.server.database, ports)
        environment = as_installed(lab.directory / "hidden")
        # Translates all, and leaves bytecode: the start that is measured finds that done.
        lab.start_server(environment=environment)
        lab.stop_process("server")
        began = time.perf_counter()
        lab.start_server(environment=environment)
        ready = time.perf_counter() - began
        pid = lab.process("server").pid
        started = {"wall_s": round(ready, 2), "cpu_s": cpu_seconds([pid])}
        before = cpu_seconds([pid])
        time.sleep(IDLE_SECONDS)
        idle = cpu_seconds([pid]) - before
        with lab.server.client() as client:
            post(client, 0).raise_for_status()
            delete(client, 0).raise_for_status()
            return {
                "ports": ports,
                "start": started,
                "idle_cpu_ms_a_second": round(idle / IDLE_SECONDS * 1000, 1),
                "rss_mib": round(rss_mib([pid])),
                "http alone": _one_client(
                    pid, client, lambda c, _n: c.get("/v1/no-such-path"), 404
                ),
                **{name: _one_client(pid, client, step) for name, step in STEPS},
                f"{CLIENTS} clients": _many_clients(lab, pid),
                "apply": _apply(lab, pid, client, ports),
            }


def _one_client(
    pid: int, client: httpx.Client, step: Step, expected: int | None = None
) -> dict[str, float]:
    walls: list[float] = []
    before = cpu_seconds([pid])
    for number in range(CHANGES):
        began = time.perf_counter()
        answer = step(client, number)
        walls.append(time.perf_counter() - began)
        if answer.status_code != expected:
            answer.raise_for_status()
    _translated(client)
    return _costs(walls, cpu_seconds([pid]) - before, sum(walls))


def _many_clients(lab: Lab, pid: int) -> dict[str, float]:
    """Ports added by several clients at once."""
    clients = [lab.server.client() for _ in range(CLIENTS)]
    walls: list[float] = []
    try:

        def work(which: int) -> None:
            for number in range(which, CLIENTS * CHANGES, CLIENTS):
                began = time.perf_counter()
                post(clients[which], number).raise_for_status()
                walls.append(time.perf_counter() - began)

        before, began = cpu_seconds([pid]), time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(work, range(CLIENTS)))
        taken = time.perf_counter() - began
        _translated(clients[0])
        costs = _costs(walls, cpu_seconds([pid]) - before, taken)
        for number in range(CLIENTS * CHANGES):
            delete(clients[0], number).raise_for_status()
        return costs
    finally:
        for client in clients:
            client.close()


def _apply(lab: Lab, pid: int, client: httpx.Client, ports: int) -> dict[str, dict[str, float]]:
    """A document of as many ports as the network has: new, the same again, emptied."""
    switches = {
        f"applied{switch}": {
            "ports": {
                f"applied{switch}-{n}": {
                    "addresses": [f"0a:0a:00:00:{switch:02x}:{n:02x} 10.1.{switch}.{1 + n}"]
                }
                for n in range(_APPLIED)
            }
        }
        for switch in range(ports // _APPLIED)
    }
    found: dict[str, dict[str, float]] = {}
    for name, content in (("new", switches), ("unchanged", switches), ("emptied", {})):
        body = {"document": "benchmark", "logical_switches": content}
        with _longest_health(lab) as longest:
            before, began = cpu_seconds([pid]), time.perf_counter()
            client.post("/v1/apply", json=body, timeout=120).raise_for_status()
            taken = time.perf_counter() - began
            committed = cpu_seconds([pid]) - before
            _translated(client)
            cpu = cpu_seconds([pid]) - before
        found[name] = {
            "wall_s": round(taken, 2),
            "committed_cpu_s": round(committed, 2),
            "cpu_s": round(cpu, 2),
            "longest_healthz_ms": round(max(longest) * 1000),
        }
    return found


@contextmanager
def _longest_health(lab: Lab) -> Any:
    """How long each ``GET /healthz`` took that was asked while the block ran."""
    walls = [0.0]
    ended = threading.Event()

    def ask() -> None:
        with lab.server.client() as client:
            while not ended.wait(0.01):
                began = time.perf_counter()
                client.get("/healthz").raise_for_status()
                walls.append(time.perf_counter() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield walls
    finally:
        ended.set()
        asking.join()


def _translated(client: httpx.Client) -> None:
    """Wait until all that was committed is stored southbound."""
    while True:
        status = client.get("/v1/status").json()
        if status["translated_revision"] >= status["revision"]:
            return
        time.sleep(0.02)


def _costs(walls: Sequence[float], cpu: float, taken: float) -> dict[str, float]:
    """Milliseconds a change, and changes a second."""
    ordered = sorted(walls)
    return {
        "cpu_ms": round(cpu / len(walls) * 1000, 1),
        "p50_ms": round(statistics.median(ordered) * 1000, 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 1),
        "a_second": round(len(walls) / taken),
    }


def measure_ovn(ports: int, prefix: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        ovn = Ovn(Path(directory), debians_ovn() if prefix is None else ovn_of(prefix))
        try:
            ovn.start_databases()
            ovn.load(ovn_network(ports))
            ovn.timed_cold_translation()
            with ovn.daemon():
                return {
                    "ports": ports,
                    "rss_mib": round(rss_mib(ovn.pids)),
                    "port added": _ovn_changes(ovn, ports, lambda n: _ovn_port(n, joins=False)),
                    "port removed": _ovn_changes(ovn, ports, lambda n: ["lsp-del", f"new-{n}"]),
                    "port added, then put into its group": _ovn_changes(
                        ovn, ports, lambda n: _ovn_port(n, joins=True)
                    ),
                    "port removed again": _ovn_changes(
                        ovn, ports, lambda n: ["lsp-del", f"new-{n}"]
                    ),
                }
        finally:
            ovn.stop()


def _ovn_port(number: int, *, joins: bool) -> list[str]:
    new = port(number)
    (address,) = new["addresses"]
    columns = [f'{column}="{address}"' for column in ("addresses", "port_security")]
    command = ["--id=@p", "create", "logical_switch_port", f"name={new['name']}", *columns]
    command += ["--", "add", "logical_switch", f"ls{number // 100}", "ports", "@p"]
    if joins:
        command += ["--", "add", "port_group", f"pg{number // 100}", "ports", "@p"]
    return command


def _ovn_changes(ovn: Ovn, ports: int, command: Callable[[int], list[str]]) -> dict[str, float]:
    changes = CHANGES if ports <= 1000 else CHANGES // 5
    before = cpu_seconds(ovn.pids)
    walls = [ovn.timed_change(*command(number)) for number in range(changes)]
    return _costs(walls, cpu_seconds(ovn.pids) - before, sum(walls))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.requests")
    parser.add_argument("sizes", nargs="*", type=int, default=[1000])
    parser.add_argument("--ovn-sizes", default="", help="sizes of OVN's networks, by commas")
    parser.add_argument("--ovn", type=Path, help="the prefix of a build of OVN")
    options = parser.parse_args()
    found = {
        "treadle": [measure(size) for size in options.sizes],
        "ovn": [
            measure_ovn(int(size), options.ovn) for size in options.ovn_sizes.split(",") if size
        ],
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
