"""What a change of one object costs, made through the services and stored southbound.

python -m benchmarks.changes 1000 10000 50000

A change and the one that undoes it take turns. Timed apart: the commit of intent, and
its translation until the southbound rows are stored; counted are derivations run, and
rows and bytes written southbound.
"""

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from benchmarks.measure import measured, median_of
from benchmarks.network import url_of, write_network
from benchmarks.topology import object_id, switch_count
from northbound.database import Database, open_database
from northbound.services import (
    ACLS,
    LOGICAL_ROUTER_PORTS,
    LOGICAL_SWITCH_PORTS,
    LOGICAL_SWITCHES,
    PORT_GROUPS,
    STATIC_ROUTES,
)
from northbound.transaction import Transaction
from southbound.groups import GroupIds
from southbound.rows import Row
from southbound.state import RealisedState
from southbound.store import Store
from translator.runner import Translator

TURNS = 11

Step = Callable[[Transaction], object]


class Change(NamedTuple):
    """A change of one object, and what undoes it."""

    name: str
    do: Step
    undo_name: str
    undo: Step


class CountingStore(Store):
    """A store that knows how much was written last."""

    rows = 0
    bytes = 0

    def write(
        self, revision: int, puts: Sequence[Row], deletes: Sequence[Row], groups: GroupIds
    ) -> None:
        self.rows = len(puts) + len(deletes)
        self.bytes = sum(len(msgspec.msgpack.encode(row)) for row in puts)
        super().write(revision, puts, deletes, groups)


async def measure(ports: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "treadle.db"
        write_network(path, ports)
        database = open_database(url_of(path))
        store = CountingStore(database.engine)
        state = RealisedState(store)
        await state.load()
        translator = Translator(database, state)
        await translator.start()
        gc.collect()
        steps: dict[str, list[dict[str, float]]] = {}
        for change in changes(ports):
            for _ in range(TURNS):
                for name, step in ((change.name, change.do), (change.undo_name, change.undo)):
                    cost = await _cost(database, translator, store, step)
                    steps.setdefault(name, []).append(cost)
        await state.close()
        database.close()
    return {"ports": ports, **{name: median_of(costs) for name, costs in steps.items()}}


async def _cost(
    database: Database, translator: Translator, store: CountingStore, step: Step
) -> dict[str, float]:
    began = time.perf_counter()
    cpu = time.process_time()
    with database.write(author="benchmark") as transaction:
        step(transaction)
    committed = time.perf_counter()
    translator.progress.last_runs.clear()
    with measured() as usage:
        await translator.catch_up()
    return {
        "commit_ms": round((committed - began) * 1000, 2),
        "translate_ms": round(usage.wall * 1000, 2),
        "cpu_ms": round((time.process_time() - cpu) * 1000, 2),
        "derivations": translator.progress.last_runs.total(),
        "rows": store.rows,
        "bytes": store.bytes,
    }


def changes(ports: int) -> list[Change]:
    last = switch_count(ports) - 1
    address = "0a:09:00:00:00:01 10.0.0.200"
    port = {
        "name": "new-port",
        "logical_switch": "ls0",
        "addresses": [address],
        "port_security": [address],
    }
    unknown = {**port, "addresses": ["unknown"], "port_security": []}
    route = {"logical_router": "lr0", "ip_prefix": "192.0.2.0/24", "nexthop": "10.0.0.250"}
    router_port = {
        "logical_router": "lr0",
        "name": "new-router-port",
        "mac": "0a:09:00:00:00:02",
        "networks": ["172.16.0.1/24"],
    }

    def add_port(tx: Transaction) -> None:
        LOGICAL_SWITCH_PORTS.create(tx, port)
        PORT_GROUPS.add_ports(tx, "pg0", ["new-port"])

    def change_acl(destination: int) -> Step:
        match = f"outport == @pg0 && ip4 && tcp.dst == {destination}"
        return lambda tx: ACLS.update(tx, object_id("pg0-acl2"), {"match": match})

    def remove_route(tx: Transaction) -> None:
        STATIC_ROUTES.delete(tx, created["route"])

    def add_route(tx: Transaction) -> None:
        created["route"] = STATIC_ROUTES.create(tx, route).id

    created: dict[str, str] = {}
    return [
        Change(
            "port_added",
            add_port,
            "port_removed",
            lambda tx: LOGICAL_SWITCH_PORTS.delete(tx, "new-port"),
        ),
        Change("acl_changed", change_acl(80), "acl_changed_back", change_acl(22)),
        Change("route_added", add_route, "route_removed", remove_route),
        Change(
            "switch_added",
            lambda tx: LOGICAL_SWITCHES.create(tx, {"name": "new-switch"}),
            "switch_removed",
            lambda tx: LOGICAL_SWITCHES.delete(tx, "new-switch"),
        ),
        Change(
            "router_port_added",
            lambda tx: LOGICAL_ROUTER_PORTS.create(tx, router_port),
            "router_port_removed",
            lambda tx: LOGICAL_ROUTER_PORTS.delete(tx, "new-router-port"),
        ),
        Change(
            "unknown_port_added",
            lambda tx: LOGICAL_SWITCH_PORTS.create(tx, unknown),
            "unknown_port_removed",
            lambda tx: LOGICAL_SWITCH_PORTS.delete(tx, "new-port"),
        ),
        Change(
            "switch_detached",
            lambda tx: LOGICAL_SWITCH_PORTS.delete(tx, f"ls{last}-lr"),
            "switch_attached",
            lambda tx: LOGICAL_SWITCH_PORTS.create(
                tx,
                {
                    "name": f"ls{last}-lr",
                    "logical_switch": f"ls{last}",
                    "type": "router",
                    "router_port": f"lrp{last}",
                },
            ),
        ),
    ]


def main(arguments: list[str]) -> None:
    sizes = map(int, arguments or ["1000", "10000"])
    print(json.dumps([asyncio.run(measure(size)) for size in sizes], indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
