"""One change to many connected agents: watch clients only, no switch behind them.

python -m benchmarks.fan_out 20 200

The server runs here, the agents in one process beside it, so that their CPU times can be
told apart. A round is one write of the translator and the wait until every agent that is
concerned has acknowledged it.
"""

import asyncio
import json
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import create_engine

from benchmarks.measure import cpu_seconds, measured
from southbound import models
from southbound.rows import Chassis, Encap, FlowGroup, PortBinding, datapath_scope
from southbound.state import RealisedState
from southbound.store import Store
from southbound.watch.client import WatchClient
from southbound.watch.gate import open_gate
from southbound.watch.server import WatchServer

ROUNDS = 50
SHARED = "datapath-of-all"
GROUPS_AT_START = 1000
PAYLOAD = 600


def own_datapath(number: int) -> str:
    return f"datapath-of-{number}"


def own_ports(number: int) -> dict[str, str]:
    """The ports of an agent, with the datapaths that it may watch for them."""
    return {f"shared-{number}": SHARED, f"own-{number}": own_datapath(number)}


def bindings(number: int) -> list[PortBinding]:
    ports = own_ports(number).items()
    return [PortBinding(port, datapath, port, number + 1, "vif") for port, datapath in ports]


def group(state: RealisedState, datapath: str, number: int, revision: int) -> FlowGroup:
    return FlowGroup(
        state.groups.id_of(f"{datapath}/{number}"),
        datapath,
        "logical_switch_port",
        str(number),
        revision,
        revision.to_bytes(4, "big") * (PAYLOAD // 4),
    )


async def agent(address: str, number: int) -> None:
    """Acknowledges whatever it gets."""
    client = WatchClient(
        address,
        Chassis(f"hv{number}", "", (Encap("geneve", f"198.18.{number >> 8}.{number & 255}"),)),
    )
    client.claim_only(own_ports(number))
    client.subscribe(["global", datapath_scope(SHARED), datapath_scope(own_datapath(number))])
    running = asyncio.create_task(client.run())
    while not running.done():
        client.acknowledge(await client.next_batch())


async def agents(address: str, count: int) -> None:
    await asyncio.gather(*(agent(address, number) for number in range(count)))


async def measure(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        engine = create_engine(f"sqlite:///{Path(directory) / 'treadle.db'}")
        models.metadata.create_all(engine)
        state = RealisedState(Store(engine))
        await state.load()
        groups = [group(state, SHARED, n, 1) for n in range(GROUPS_AT_START)]
        await state.write(1, [*groups, *(row for n in range(count) for row in bindings(n))])
        server = WatchServer(state, open_gate, port=0)
        await server.start()
        command = [sys.executable, "-m", "benchmarks.fan_out", "agents"]
        child = await asyncio.create_subprocess_exec(
            *command, f"ws://127.0.0.1:{server.port}", str(count)
        )
        try:
            return await _with_agents(state, server, child.pid, count)
        finally:
            child.kill()
            await child.wait()
            await server.stop()
            await state.close()
            engine.dispose()


async def _with_agents(
    state: RealisedState, server: WatchServer, agents_pid: int, count: int
) -> dict[str, Any]:
    with measured() as connecting:
        while len(list(server.sessions)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await server.wait_applied(1, 60)

    revision = 1

    async def change(datapath: str) -> None:
        nonlocal revision
        revision += 1
        await state.write(revision, [group(state, datapath, 0, revision)])
        missing = await server.wait_applied(revision, 30)
        if missing:
            raise RuntimeError(f"not acknowledged in time by {missing}")

    return {
        "agents": count,
        "all_connected": connecting.as_json(),
        "concerns_all": await _rounds(server, agents_pid, lambda: change(SHARED)),
        "concerns_one": await _rounds(server, agents_pid, lambda: change(own_datapath(0))),
        "concerns_none": await _rounds(server, agents_pid, lambda: change("datapath-of-none")),
    }


async def _rounds(
    server: WatchServer, agents_pid: int, change: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    """Milliseconds a round: to the last acknowledgement, and of CPU on both sides."""
    await change()
    encoded, agents_cpu = server.parts.encoded, cpu_seconds([agents_pid])
    with measured() as usage:
        for _ in range(ROUNDS):
            await change()
    return {
        "wall_ms": round(usage.wall / ROUNDS * 1000, 2),
        "server_cpu_ms": round(usage.cpu / ROUNDS * 1000, 2),
        "agents_cpu_ms": round((cpu_seconds([agents_pid]) - agents_cpu) / ROUNDS * 1000, 2),
        "parts_encoded": (server.parts.encoded - encoded) / ROUNDS,
    }


def main(arguments: list[str]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if arguments[:1] == ["agents"]:
        asyncio.run(agents(arguments[1], int(arguments[2])))
        return
    results = [asyncio.run(measure(int(count))) for count in arguments or ["20", "200"]]
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
