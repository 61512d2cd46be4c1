"""An agent's start: cold on an empty switch, and again with its flows in place.

    python -m benchmarks.agent_start 3800 18000

One router with all switches of a network of N ports, of which 100 are on this
hypervisor. Timed from the start of the process until the server hears that the last
port is up, which comes after the last barrier. CPU time and memory are the agent's,
its interpreter's start included. Counted are the flow-mods of a second start.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.hypervisors import add_bridge, add_interfaces, as_installed, laboratory
from benchmarks.measure import cpu_seconds, median_of, rss_mib
from benchmarks.network import write_network
from benchmarks.topology import PORTS_PER_SWITCH, switch_count
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.lab import Lab

LOCAL_PORTS = 100
REPEATS = 3

_COMPARED = re.compile(r"switch compared.*added=(\d+).*removed=(\d+)")


def measure(ports: int) -> dict[str, Any]:
    with laboratory() as lab:
        write_network(lab.server.database, ports, switches_per_router=switch_count(ports))
        lab.start_server()
        starts = []
        for number in range(REPEATS):
            name = f"hv{number}"
            hypervisor = lab.add_hypervisor(name, agent=False)
            add_bridge(hypervisor)
            local = _ports_of(number)
            add_interfaces(hypervisor, {f"vif{n}": port for n, port in enumerate(local)})
            starts.append(_cold(lab, hypervisor, local[-1]))
        again = _restart(lab, hypervisor)
        return {
            "ports": ports,
            "local_ports": LOCAL_PORTS,
            "cold": median_of(starts),
            "restart": again,
        }


def _ports_of(number: int) -> list[str]:
    """The local ports of a hypervisor; each has its own."""
    first = number * LOCAL_PORTS
    return [
        f"ls{n // PORTS_PER_SWITCH}-p{n % PORTS_PER_SWITCH}"
        for n in range(first, first + LOCAL_PORTS)
    ]


def _cold(lab: Lab, hypervisor: Hypervisor, last_port: str) -> dict[str, float]:
    switch = [lab.process(f"{hypervisor.name}/ovs-vswitchd").pid]
    switch_before = cpu_seconds(switch)
    began = time.perf_counter()
    lab.start_agent(hypervisor.name, environment=as_installed(lab.directory / "hidden"))
    with lab.server.client() as client:
        _poll(lambda: client.get(f"/v1/port-bindings/{last_port}").json()["up"])
    wall = time.perf_counter() - began
    agent = [lab.process(f"{hypervisor.name}/agent").pid]
    used = {
        "wall_s": wall,
        "cpu_s": cpu_seconds(agent),
        "rss_mib": rss_mib(agent),
        "switch_cpu_s": cpu_seconds(switch) - switch_before,
    }
    status = hypervisor.agent("status")
    return {
        **used,
        "flows": status["flows"],
        "flow_mods": status["counters"]["flow_mods_sent"],
    }


def _restart(lab: Lab, hypervisor: Hypervisor) -> dict[str, float]:
    role = f"{hypervisor.name}/agent"
    lab.stop_process(role)
    offset = hypervisor.log.stat().st_size
    began = time.perf_counter()
    lab.start_agent(hypervisor.name, environment=as_installed(lab.directory / "hidden"))

    def compared() -> re.Match[str] | None:
        with hypervisor.log.open() as log:
            log.seek(offset)
            return _COMPARED.search(log.read())

    _poll(compared)
    wall = time.perf_counter() - began
    agent = [lab.process(role).pid]
    cpu = cpu_seconds(agent)
    status = hypervisor.agent("status")
    return {
        "wall_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "flows": status["flows"],
        "flow_mods": status["counters"]["flow_mods_sent"],
    }


def _poll(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.01)


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["3800"]], indent=2))
