"""From a request to flows in Open vSwitch, and from an interface to a port that is up.

    python -m benchmarks.end_to_end 1000 50000

A server on a network of N ports, one hypervisor with ports of its first switch. A port
is added to that switch with ``?wait=chassis``, which answers when the agent has the
barrier's reply; an interface is plugged by the key ``iface-id``, and the server asked
until its port is up. CPU time is that of server, agent and both daemons of Open vSwitch.
"""

import json
import sys
import time
from statistics import median
from typing import Any

import httpx

from benchmarks.hypervisors import add_interfaces, laboratory, plug
from benchmarks.measure import cpu_seconds, rss_mib
from benchmarks.network import write_network
from benchmarks.topology import object_id
from cli.testbed.lab import Lab

TURNS = 15
_POLL_SECONDS = 0.001


def measure(ports: int) -> dict[str, Any]:
    with laboratory() as lab:
        write_network(lab.server.database, ports)
        lab.start_server()
        hypervisor = lab.add_hypervisor("hv1")
        add_interfaces(hypervisor, {"vif0": "ls0-p0", "vif1": "ls0-p1"})
        add_interfaces(hypervisor, {f"spare{n}": "" for n in range(TURNS)})
        lab.server.wait_until_up(["ls0-p0", "ls0-p1"], 30)
        with lab.server.client() as client:
            return {
                "ports": ports,
                "server_rss_mib": round(rss_mib([lab.process("server").pid])),
                **port_costs(lab, client),
                "acl_changed": _costs(lab, [lambda n=n: _acl(client, n) for n in range(TURNS)]),
                "port_up": _costs(lab, [lambda n=n: _plug(lab, client, n) for n in range(TURNS)]),
            }


def port_costs(lab: Lab, client: httpx.Client) -> dict[str, dict[str, float]]:
    """What it costs to add ports to the first switch, and to remove them."""
    return {
        "port_added": _costs(lab, [lambda n=n: _post(client, n) for n in range(TURNS)]),
        "port_removed": _costs(lab, [lambda n=n: _delete(client, n) for n in range(TURNS)]),
    }


def group_costs(lab: Lab, client: httpx.Client) -> dict[str, dict[str, float]]:
    """What it costs to put ports of the first switch into its group, and to take them out."""
    for number in range(TURNS):
        _post(client, number)
    costs = {
        "port_grouped": _costs(lab, [lambda n=n: _join(client, n) for n in range(TURNS)]),
        "port_ungrouped": _costs(lab, [lambda n=n: _leave(client, n) for n in range(TURNS)]),
    }
    for number in range(TURNS):
        _delete(client, number)
    return costs


def _costs(lab: Lab, steps: list[Any]) -> dict[str, float]:
    pids = [process.pid for process in lab.processes.values()]
    walls = []
    before = cpu_seconds(pids)
    for step in steps:
        began = time.perf_counter()
        step()
        walls.append(time.perf_counter() - began)
    cpu = cpu_seconds(pids) - before
    return {
        "wall_ms": round(median(walls) * 1000, 1),
        "cpu_ms": round(cpu / len(steps) * 1000, 1),
    }


def _call(client: httpx.Client, method: str, path: str, body: Any = None) -> None:
    wait = {"wait": "chassis", "timeout": "20"}
    client.request(method, f"/v1{path}", params=wait, json=body).raise_for_status()


def _post(client: httpx.Client, number: int) -> None:
    address = f"0a:09:00:00:00:{number:02x} 10.0.0.{200 + number}"
    body = {"name": f"new-{number}", "addresses": [address], "port_security": [address]}
    _call(client, "POST", "/logical-switches/ls0/ports", body)


def _delete(client: httpx.Client, number: int) -> None:
    _call(client, "DELETE", f"/logical-switch-ports/new-{number}")


def _join(client: httpx.Client, number: int) -> None:
    _call(client, "PUT", f"/port-groups/pg0/ports/new-{number}")


def _leave(client: httpx.Client, number: int) -> None:
    _call(client, "DELETE", f"/port-groups/pg0/ports/new-{number}")


def _acl(client: httpx.Client, number: int) -> None:
    match = f"outport == @pg0 && ip4 && tcp.dst == {1000 + number}"
    _call(client, "PATCH", f"/acls/{object_id('pg0-acl2')}", {"match": match})


def _plug(lab: Lab, client: httpx.Client, number: int) -> None:
    port = f"ls0-p{2 + number}"
    plug(lab.hypervisor("hv1"), f"spare{number}", port)
    while not client.get(f"/v1/port-bindings/{port}").json()["up"]:
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["1000"]], indent=2))
