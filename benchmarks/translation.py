"""How long translation takes, engine and rows alone: cold, and for one changed object.

python -m benchmarks.translation 1000 10000 50000
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import topology
from incremental import Engine
from southbound.groups import GroupIds
from translator.graph import translation
from translator.inputs import key_of, row_of
from translator.realise import realise

Change = tuple[Any, Any, Any]


def measure(ports: int) -> dict[str, Any]:
    images = list(topology.network(ports))
    engine, groups = Engine(translation()), GroupIds()
    began = time.process_time()
    changes = [row_of(table, image) for table, image in images]
    read = time.process_time()
    delta = engine.load(changes)
    derived = time.process_time()
    rows = realise(delta, groups, 1)
    end = time.process_time()
    result: dict[str, Any] = {
        "ports": ports,
        "cold_s": round(end - began, 3),
        "inputs_s": round(read - began, 3),
        "derive_s": round(derived - read, 3),
        "rows_s": round(end - derived, 3),
        "rows": len(rows.puts),
        "runs": delta.runs.total(),
        "maxrss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    for name, (there, back) in edits(ports).items():
        result[name] = _cost(engine, groups, list(there()), list(back()))
    return result


def edits(ports: int) -> dict[str, tuple[Callable[[], Iterator[Change]], ...]]:
    """One change to one object each, and how to undo it."""
    switches = -(-ports // topology.PORTS_PER_SWITCH)
    index = topology.PORTS_PER_SWITCH + 1
    port = list(topology.port_in_group(0, index))
    unknown = [("logical_switch_port", topology.port(0, 0, addresses=["unknown"]))]
    known = [("logical_switch_port", topology.port(0, 0))]
    acl = [("acl", topology.default_acl(0, 2, match="outport == @pg0 && ip4 && tcp.dst == 80"))]
    old_acl = [("acl", topology.default_acl(0, 2))]
    route = [("static_route", topology.static_route(0, 0))]
    switch = [("logical_switch", topology.logical_switch(switches))]
    attached = [
        ("logical_switch_port", topology.uplink(switches - 1)),
        ("logical_router_port", topology.router_port(switches - 1)),
    ]
    return {
        "port": (lambda: _puts(port), lambda: _deletes(port)),
        "acl": (lambda: _puts(acl), lambda: _puts(old_acl)),
        "route": (lambda: _puts(route), lambda: _deletes(route)),
        "switch": (lambda: _puts(switch), lambda: _deletes(switch)),
        "router_port": (lambda: _deletes(attached), lambda: _puts(attached)),
        "unknown_port": (lambda: _puts(unknown), lambda: _puts(known)),
    }


def _puts(rows: list[tuple[str, topology.Image]]) -> Iterator[Change]:
    for table, image in rows:
        yield row_of(table, image)


def _deletes(rows: list[tuple[str, topology.Image]]) -> Iterator[Change]:
    for table, image in rows:
        yield (*key_of(table, image), None)


def _cost(
    engine: Engine, groups: GroupIds, there: list[Change], back: list[Change]
) -> dict[str, float]:
    """The cheapest of several turns, for each way the dearer one."""
    times: list[float] = []
    runs = written = 0
    for _ in range(5):
        spent = []
        for changes in (there, back):
            began = time.perf_counter()
            delta = engine.apply(changes)
            rows = realise(delta, groups, 2)
            spent.append(time.perf_counter() - began)
            runs = max(runs, delta.runs.total())
            written = max(written, len(rows.puts) + len(rows.deletes))
        times.append(max(spent))
    return {"ms": round(min(times) * 1000, 3), "runs": runs, "rows": written}


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ["1000", "10000"]):
        print(json.dumps(measure(size)))
