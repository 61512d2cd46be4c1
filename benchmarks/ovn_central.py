"""ovn-northd on the generated network: cold, and for changes of one object.

    python -m benchmarks.ovn_central 1000 5000

A change is timed from the request to ovn-nbctl, which runs already, until the southbound
database has it. CPU time is that of ovn-northd and both databases.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import ovn_network
from benchmarks.measure import cpu_seconds
from benchmarks.ovn import Ovn
from benchmarks.topology import default_acl

TURNS = 5

_NEW_PORT = 60
_ACL = default_acl(0, 2)

CHANGES = {
    "port_added": ovn_network.add_port(0, _NEW_PORT),
    "port_removed": ["lsp-del", f"ls0-p{_NEW_PORT}"],
    "acl_changed": [
        *("acl-del", "pg0", "to-lport", str(_ACL["priority"]), _ACL["match"]),
        *("--", "--type=port-group", "acl-add", "pg0", "to-lport", str(_ACL["priority"])),
        *("outport == @pg0 && ip4 && tcp.dst == 80", _ACL["action"]),
    ],
    "acl_changed_back": [
        *("acl-del", "pg0", "to-lport", str(_ACL["priority"])),
        *("outport == @pg0 && ip4 && tcp.dst == 80", "--"),
        *ovn_network.add_acl(0, 2),
    ],
    "route_added": ["lr-route-add", "lr0", "192.0.2.0/24", "10.0.0.250"],
    "route_removed": ["lr-route-del", "lr0", "192.0.2.0/24"],
    "switch_added": ["ls-add", "new-switch"],
    "switch_removed": ["ls-del", "new-switch"],
    "router_port_added": [
        "lrp-add",
        "lr0",
        "new-router-port",
        "0a:09:00:00:00:02",
        "172.16.0.1/24",
    ],
    "router_port_removed": ["lrp-del", "new-router-port"],
    "unknown_port_added": [
        *("lsp-add", "ls0", "new-port", "--", "lsp-set-addresses", "new-port", "unknown"),
    ],
    "unknown_port_removed": ["lsp-del", "new-port"],
}
"""Each beside the one that undoes it."""


def measure(ports: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        ovn = Ovn(Path(directory))
        try:
            ovn.start_databases()
            ovn.load(ovn_network.network(ports))
            cold = ovn.timed_cold_translation()
            with ovn.daemon():
                changes = _changes(ovn)
            return {
                "ports": ports,
                "logical_flows": ovn.logical_flow_count(),
                "cold": cold.as_json(),
                "changes": changes,
            }
        finally:
            ovn.stop()


def _changes(ovn: Ovn) -> dict[str, dict[str, float]]:
    pairs = list(CHANGES.items())
    found: dict[str, dict[str, float]] = {}
    for first, second in zip(pairs[::2], pairs[1::2], strict=True):
        walls: dict[str, list[float]] = {first[0]: [], second[0]: []}
        cpus: dict[str, list[float]] = {first[0]: [], second[0]: []}
        for _ in range(TURNS):
            for name, command in (first, second):
                before = cpu_seconds(ovn.pids)
                walls[name].append(ovn.timed_change(*command))
                cpus[name].append(cpu_seconds(ovn.pids) - before)
        for name, times in walls.items():
            found[name] = {
                "wall_ms": round(median(times) * 1000, 1),
                "cpu_ms": round(sum(cpus[name]) / TURNS * 1000, 1),
            }
    return found


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["1000"]], indent=2))
