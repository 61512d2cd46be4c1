"""Debian's OVN beside `many_chassis`: one change that ten ovn-controllers have to make.

    python -m benchmarks.ovn_many_chassis 5000

The same network, hypervisors and ports. Ports are added and removed with ``--wait=hv``.
CPU time is that of ovn-northd, both databases, ten ovn-controllers and Open vSwitch.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import ovn_network
from benchmarks.hypervisors import laboratory
from benchmarks.many_chassis import HYPERVISORS, interfaces
from benchmarks.measure import cpu_seconds
from benchmarks.ovn import Ovn
from benchmarks.ovn_central import CHANGES
from benchmarks.ovn_chassis import hypervisor_with, start_controller
from benchmarks.topology import switch_count
from cli.testbed.process import Process

TURNS = 3

_MEMBER = ["--id=@p", "get", "logical_switch_port", "ls0-p60", "--"]
_CHANGES = {
    "port_added": CHANGES["port_added"],
    "port_ungrouped": [*_MEMBER, "remove", "port_group", "pg0", "ports", "@p"],
    "port_grouped": [*_MEMBER, "add", "port_group", "pg0", "ports", "@p"],
    "port_removed": CHANGES["port_removed"],
}
"""In this order: the port that is added is in the group at first."""


def measure(ports: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, laboratory() as lab:
        ovn = Ovn(Path(directory))
        controllers: list[Process] = []
        try:
            ovn.start_databases()
            ovn.load(ovn_network.network(ports, switches_per_router=switch_count(ports)))
            ovn.timed_cold_translation()
            for number in range(HYPERVISORS):
                hypervisor = hypervisor_with(lab, f"hv{number}", interfaces(number))
                controllers.append(start_controller(ovn, hypervisor))
            ovn.nbctl(["--wait=hv", "sync"])
            pids = [process.pid for process in (*lab.processes.values(), *controllers)]
            with ovn.daemon():
                changes = _changes(ovn, [*pids, *ovn.pids])
            return {"ports": ports, "hypervisors": HYPERVISORS, **changes}
        finally:
            for process in controllers:
                process.stop()
            ovn.stop()


def _changes(ovn: Ovn, pids: list[int]) -> dict[str, dict[str, float]]:
    names = tuple(_CHANGES)
    walls: dict[str, list[float]] = {name: [] for name in names}
    cpus: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(TURNS):
        for name in names:
            before = cpu_seconds(pids)
            walls[name].append(ovn.timed_change(*_CHANGES[name], wait="hv"))
            cpus[name].append(cpu_seconds(pids) - before)
    return {
        name: {
            "wall_ms": round(median(walls[name]) * 1000, 1),
            "cpu_ms": round(median(cpus[name]) * 1000, 1),
        }
        for name in names
    }


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["5000"]], indent=2))
