"""How long traces and explanations take in the server, beside ovn-trace on the same network.

    python -m benchmarks.traces 1000 10000

The server's time is from the request to the answer, the API in this process, without a
socket: the first trace into datapaths that nobody has looked at; once they have been; just
after an ACL changed; and with an ACL that is only proposed. `ovn-trace` is a process that
reads the southbound database each time, which is why it is the same for any of them.

An explanation walks several packets: questions for next hops, request, reply. Its times are
those of the first that looks at the datapaths, and of later ones. OVN has nothing of the
kind; the time of one packet in `ovn-trace` is set beside it. One that is refused also tries
the change that it proposes.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from api.app import create_app
from api.backend import Backend
from benchmarks import ovn_network, topology
from benchmarks.network import url_of, write_network
from benchmarks.ovn import Ovn
from controller.local import LocalController
from diagnosis.trace.network import FlowTables
from northbound.database import open_database
from southbound.facts import Facts
from southbound.rows import Chassis, Encap
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.gate import open_gate
from southbound.watch.server import WatchServer
from translator.runner import Translator

TURNS = 15
OVN_TURNS = 5

PACKETS = {
    "same switch": "tcp ls0-p0 -> ls0-p1:22",
    "routed": "tcp ls0-p0 -> ls1-p1:22",
}
QUESTIONS = {
    "same switch": {"destination": "ls0-p1", "service": "tcp/22"},
    "routed": {"destination": "ls1-p1", "service": "tcp/22"},
    "routed, refused by an ACL": {"destination": "ls1-p1", "service": "tcp/23"},
}
_ENDS = ("ls0-p0", "ls0-p1", "ls1-p1")
_ACL = topology.object_id("pg1-acl2")
_MATCH = "outport == @pg1 && ip4 && tcp.dst == {}"

Ask = Callable[..., Awaitable[float]]


async def measure(ports: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "treadle.db"
        write_network(path, ports)
        database = open_database(url_of(path))
        state = RealisedState(Store(database.engine))
        await state.load()
        translator = Translator(database, state)
        await translator.start()
        agents = WatchServer(state, open_gate, host="127.0.0.1", port=0)
        controller = LocalController(state, agents, translator)
        backend = Backend(database, controller, authentication=False)
        app = create_app(backend)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:

            async def ask(packet: str, **more: Any) -> float:
                began = time.perf_counter()
                response = await client.post("/v1/trace", json={"packet": packet, **more})
                seconds = time.perf_counter() - began
                _expect(response.json()["verdict"]["outcome"], "delivered")
                return seconds

            await client.post("/v1/trace", json={})
            found = {name: await _times(ask, words) for name, words in PACKETS.items()}
            found["routed"] |= await _with_changes(ask, client, translator)
            _plug_in(state.facts)
            explained = {name: await _explain(client, backend.tables, name) for name in QUESTIONS}
        await state.close()
        database.close()
        for name, seconds in _ovn_trace(Path(directory), ports).items():
            found[name]["ovn_trace"] = seconds
            for question in explained:
                if question.startswith(name):
                    explained[question]["ovn_trace"] = seconds
    return {
        "ports": ports,
        "traces": {name: _milliseconds(times) for name, times in found.items()},
        "explanations": {name: _milliseconds(times) for name, times in explained.items()},
    }


async def _times(ask: Ask, words: str) -> dict[str, list[float]]:
    return {"first": [await ask(words)], "warm": [await ask(words) for _ in range(TURNS)]}


async def _with_changes(
    ask: Ask, client: httpx.AsyncClient, translator: Translator
) -> dict[str, list[float]]:
    words = PACKETS["routed"]
    after, proposed = [], []
    for turn in range(TURNS):
        values = {"match": _MATCH.format(f"{{22, {100 + turn}}}")}
        operation = {"action": "update", "kind": "acl", "ref": _ACL, "values": values}
        proposed.append(await ask(words, **{"with": {"operations": [operation]}}))
        (await client.patch(f"/v1/acls/{_ACL}", json=values)).raise_for_status()
        await translator.catch_up()
        after.append(await ask(words))
    return {"after_a_change": after, "with_a_proposed_acl": proposed}


def _plug_in(facts: Facts) -> None:
    """Have both ends on a chassis that is alive, as a question's answer needs them."""
    facts.connected(Chassis("hv1", "hv1.example.net", (Encap("geneve", "192.0.2.1"),)))
    for port in _ENDS:
        facts.claim("hv1", port)
        facts.set_up("hv1", port, True)


async def _explain(
    client: httpx.AsyncClient, tables: FlowTables, name: str
) -> dict[str, list[float]]:
    """The first explanation looks at datapaths of which nothing is kept."""
    tables.clear()
    question = {"source": "ls0-p0", **QUESTIONS[name]}
    seconds: list[float] = []
    for _ in range(1 + TURNS):
        began = time.perf_counter()
        response = await client.post("/v1/reachability", json=question)
        seconds.append(time.perf_counter() - began)
        found = response.json()
        _expect(found["reachable"], "refused" not in name)
        _expect(found["reachable"] or found["proposal"]["sufficient"], True)
    return {"first": seconds[:1], "warm": seconds[1:]}


def _ovn_trace(directory: Path, ports: int) -> dict[str, list[float]]:
    ovn = Ovn(directory)
    try:
        ovn.start_databases()
        ovn.load(ovn_network.network(ports))
        ovn.timed_cold_translation()
        return {
            "same switch": [_run_ovn_trace(ovn, 0) for _ in range(OVN_TURNS)],
            "routed": [_run_ovn_trace(ovn, 1) for _ in range(OVN_TURNS)],
        }
    finally:
        ovn.stop()


def _run_ovn_trace(ovn: Ovn, switch: int) -> float:
    """The same packet to port 1 of a switch."""
    source, source_ip = topology.port(0, 0)["addresses"][0].split()
    target, target_ip = topology.port(switch, 1)["addresses"][0].split()
    gateway = topology.router_port(0)["mac"]
    packet = (
        f'inport == "ls0-p0" && eth.src == {source} && eth.dst == {gateway if switch else target} '
        f"&& ip4.src == {source_ip} && ip4.dst == {target_ip} && ip.ttl == 64 "
        "&& tcp.src == 50000 && tcp.dst == 22"
    )
    began = time.perf_counter()
    done = subprocess.run(
        ["ovn-trace", f"--db={ovn.southbound}", "--no-leader-only", "--ct=new", "ls0", packet],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    _expect(f'output to "ls{switch}-p1"' in done.stdout, True)
    return seconds


def _milliseconds(found: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(median(seconds) * 1000, 1) for name, seconds in found.items()}


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        raise RuntimeError(f"the trace gave {found!r}, not {wanted!r}")


def main(arguments: list[str]) -> None:
    sizes = map(int, arguments or ["1000", "10000"])
    print(json.dumps([asyncio.run(measure(size)) for size in sizes], indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
