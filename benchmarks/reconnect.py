"""Many agents come back to a server that was stopped and starts again.

    python -m benchmarks.reconnect 10000 200

A real ``treadle server`` on a network of N ports that is translated already, and agents in
this process: each waits as agents do (:mod:`southbound.watch.backoff`), registers, claims its
ports, subscribes to all switches of its router and acknowledges what it gets. They don't look
into the rows, so that their own work, which is that of as many hosts, isn't measured here.
Seconds are from the start of the server's process. An agent is back once it has all rows of
its scopes; CPU time is the server's until the last one is.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.hypervisors import as_installed, laboratory
from benchmarks.measure import cpu_seconds
from benchmarks.network import write_network
from benchmarks.topology import PORTS_PER_SWITCH, SWITCHES_PER_ROUTER, object_id, switch_count
from cli.testbed.lab import Lab
from southbound import present, wire
from southbound.rows import GLOBAL_SCOPE, Chassis, Encap, datapath_scope, set_scope
from southbound.watch.backoff import Backoff

ROUNDS = 3
LOCAL_PORTS = 10
DOWN_SECONDS = 5.0
"""So long is the server away: the agents' waits have grown by then."""


class _Part(msgspec.Struct, array_like=True):
    """A part whose rows stay as they are."""

    scope: str
    full: bool
    puts: msgspec.Raw
    deletes: msgspec.Raw


class _Update(msgspec.Struct, array_like=True, tag="update"):
    serial: int
    heard: int
    position: int
    revision: int
    parts: tuple[_Part, ...]


_DECODER = msgspec.msgpack.Decoder(_Update)


class Agent:
    """One agent; `connected` and `back` are when it was, of the last time."""

    def __init__(self, number: int, switches: int) -> None:
        host = f"198.18.{number >> 8}.{number & 255}"
        self.chassis = Chassis(f"hv{number}", "", (Encap("geneve", host),))
        switch = number % switches
        first = number // switches * LOCAL_PORTS
        self.ports = tuple(
            f"ls{switch}-p{(first + n) % PORTS_PER_SWITCH}" for n in range(LOCAL_PORTS)
        )
        router = switch // SWITCHES_PER_ROUTER
        beside = range(router * SWITCHES_PER_ROUTER, (router + 1) * SWITCHES_PER_ROUTER)
        self.scopes = (
            GLOBAL_SCOPE,
            datapath_scope(object_id(f"lr{router}")),
            *(datapath_scope(object_id(f"ls{n}")) for n in beside if n < switches),
            set_scope(f"@pg{switch}"),
        )
        self.connected = self.back = 0.0
        self.received = 0

    async def run(self, address: str) -> None:
        backoff = Backoff()
        while True:
            refused = False
            try:
                async with connect(address, compression=None, max_size=None, proxy=None) as socket:
                    await self._session(socket, backoff)
            except (OSError, WebSocketException, TimeoutError) as error:
                refused = isinstance(error, ConnectionRefusedError)
            await asyncio.sleep(backoff.delay(is_down=refused))

    async def _session(self, socket: ClientConnection, backoff: Backoff) -> None:
        for message in (
            wire.Register(wire.PROTOCOL, self.chassis, self.chassis.name, None, present.AGENT),
            wire.ClaimOnly(self.ports),
            wire.Subscribe(self.scopes),
        ):
            await socket.send(wire.encode(message))
        hello = await socket.recv()
        if not isinstance(wire.decode_from_server(_bytes(hello)), wire.Hello):
            raise TypeError("the server did not say hello")
        self.connected = time.perf_counter()
        missing = set(self.scopes)
        self.received = 0
        while True:
            data = _bytes(await socket.recv())
            update = _DECODER.decode(data)
            backoff.reset()
            self.received += len(data)
            missing.difference_update(part.scope for part in update.parts if part.full)
            await socket.send(wire.encode(wire.Acknowledge(update.serial)))
            if not missing and self.back < self.connected:
                self.back = time.perf_counter()


def _bytes(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise TypeError("a text message")
    return data


async def measure(ports: int, count: int) -> dict[str, Any]:
    with laboratory() as lab:
        await asyncio.to_thread(write_network, lab.server.database, ports)
        environment = as_installed(lab.directory / "hidden")
        await asyncio.to_thread(lab.start_server, environment=environment)
        agents = [Agent(number, switch_count(ports)) for number in range(count)]
        running = [asyncio.create_task(agent.run(lab.server.agents_url)) for agent in agents]
        try:
            await _wait_until_back(agents, 0.0)
            rounds = [await _round(lab, agents, environment) for _ in range(ROUNDS)]
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        middle = sorted(rounds, key=lambda each: each["last_back_s"])[ROUNDS // 2]
        return {"ports": ports, "agents": count, **middle}


async def _round(lab: Lab, agents: Sequence[Agent], environment: dict[str, str]) -> dict[str, Any]:
    await asyncio.to_thread(lab.stop_process, "server")
    await asyncio.sleep(DOWN_SECONDS)
    began = time.perf_counter()
    await asyncio.to_thread(lab.start_server, environment=environment)
    ready = time.perf_counter() - began
    cpu_ready = cpu_seconds([lab.process("server").pid])
    await _wait_until_back(agents, began)
    return {
        "ready_s": round(ready, 2),
        "ready_cpu_s": round(cpu_ready, 2),
        "first_connected_s": round(min(agent.connected for agent in agents) - began, 2),
        "last_connected_s": round(max(agent.connected for agent in agents) - began, 2),
        "last_back_s": round(max(agent.back for agent in agents) - began, 2),
        "server_cpu_s": round(cpu_seconds([lab.process("server").pid]), 2),
        "received_mib": round(sum(agent.received for agent in agents) / 2**20, 1),
    }


async def _wait_until_back(agents: Sequence[Agent], since: float) -> None:
    async with asyncio.timeout(120):
        while any(agent.back <= since for agent in agents):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def main(arguments: list[str]) -> None:
    ports, count = (int(each) for each in arguments or ("10000", "200"))
    print(json.dumps([asyncio.run(measure(ports, count))], indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
