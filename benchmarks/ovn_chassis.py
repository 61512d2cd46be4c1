"""Debian's ovn-controller on the generated network: its start, changes, and packets.

    python -m benchmarks.ovn_chassis 1000

Two hypervisors of the test bed with ovn-controller in place of Treadle's agent. The
first has 100 ports, all of two switches, and is what is measured; the second is where
routed packets go. Steps and interfaces are those of `end_to_end` and `agent_start`.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import lookups, ovn_network
from benchmarks.hypervisors import add_bridge, add_interfaces, laboratory, plug
from benchmarks.measure import cpu_seconds, rss_mib
from benchmarks.ovn import Ovn
from benchmarks.ovn_central import CHANGES
from cli.testbed.hypervisor import INTEGRATION_BRIDGE, Hypervisor
from cli.testbed.lab import Lab
from cli.testbed.namespace import run
from cli.testbed.process import Process, spawn

TURNS = 5
LOCAL_PORTS = 50
_LATER = range(LOCAL_PORTS - TURNS, LOCAL_PORTS)


def measure(ports: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, laboratory() as lab:
        ovn = Ovn(Path(directory))
        controllers: list[Process] = []
        try:
            ovn.start_databases()
            ovn.load(ovn_network.network(ports))
            ovn.timed_cold_translation()
            other = hypervisor_with(lab, "hv2", {"vif0": "ls1-p0"})
            controllers.append(start_controller(ovn, other))
            mine = hypervisor_with(lab, "hv1", _interfaces())
            began = time.perf_counter()
            controllers.append(start_controller(ovn, mine))
            wait_up(ovn, "ls2-p49")
            wall = time.perf_counter() - began
            ovn.nbctl(["--wait=hv", "sync"])
            start = {
                "wall_s": round(wall, 3),
                "cpu_s": cpu_seconds([controllers[-1].pid]),
                "rss_mib": round(rss_mib([controllers[-1].pid]), 1),
                "flows": flow_count(mine),
            }
            with ovn.daemon():
                steps = _end_to_end(ovn, mine)
            path = lookups.Path(mine, other, "ovn-hv1-0")
            return {
                "ports": ports,
                "start": start,
                "end_to_end": steps,
                "packets": lookups.packets(path),
            }
        finally:
            for process in controllers:
                process.stop()
            ovn.stop()


def _interfaces() -> dict[str, str]:
    """Interfaces with their ports, and some whose port is plugged later."""
    first = {f"vif{n}": f"ls0-p{n}" for n in range(LOCAL_PORTS) if n not in _LATER}
    second = {f"wif{n}": f"ls2-p{n}" for n in range(LOCAL_PORTS)}
    return {**first, **second, **{f"spare{n}": "" for n in _LATER}}


def hypervisor_with(lab: Lab, name: str, interfaces: dict[str, str]) -> Hypervisor:
    """A hypervisor with these interfaces and nothing that programs its bridge yet."""
    hypervisor = lab.add_hypervisor(name, agent=False)
    add_bridge(hypervisor)
    add_interfaces(hypervisor, interfaces)
    return hypervisor


def start_controller(ovn: Ovn, hypervisor: Hypervisor) -> Process:
    """An ovn-controller in the place of Treadle's agent."""
    switch = hypervisor.switch
    switch.vsctl(
        *("set", "Open_vSwitch", ".", f'external_ids:ovn-remote="{ovn.southbound}"'),
        *(
            "external_ids:ovn-encap-type=geneve",
            f"external_ids:ovn-encap-ip={hypervisor.tunnel_ip}",
        ),
        f"external_ids:ovn-bridge={INTEGRATION_BRIDGE}",
    )
    return spawn(
        f"ovn-controller of {hypervisor.name}",
        [
            *("ovn-controller", switch.remote, "--no-chdir", "-vconsole:off"),
            f"--log-file={switch.directory / 'ovn-controller.log'}",
        ],
        switch.directory / "ovn-controller.out",
        {**switch.environment, "OVN_RUNDIR": str(switch.directory)},
    )


def flow_count(hypervisor: Hypervisor) -> int:
    switch = hypervisor.switch
    summary = switch.ofctl("dump-aggregate", switch.management(INTEGRATION_BRIDGE))
    return int(summary.rpartition("flow_count=")[2])


def wait_up(ovn: Ovn, port: str) -> None:
    run(
        [
            *("ovn-nbctl", f"--db={ovn.northbound}", "--no-leader-only", "--timeout=240"),
            *("wait-until", "logical_switch_port", port, "up=true"),
        ],
        timeout=245,
    )


def _end_to_end(ovn: Ovn, hypervisor: Hypervisor) -> dict[str, dict[str, float]]:
    names = ("port_added", "port_removed", "acl_changed", "acl_changed_back")
    walls: dict[str, list[float]] = {name: [] for name in (*names, "port_up")}
    for _ in range(TURNS):
        for name in names:
            walls[name].append(ovn.timed_change(*CHANGES[name], wait="hv"))
    for number in _LATER:
        began = time.perf_counter()
        plug(hypervisor, f"spare{number}", f"ls0-p{number}")
        wait_up(ovn, f"ls0-p{number}")
        walls["port_up"].append(time.perf_counter() - began)
    return {name: {"wall_ms": round(median(times) * 1000, 1)} for name, times in walls.items()}


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["1000"]], indent=2))
