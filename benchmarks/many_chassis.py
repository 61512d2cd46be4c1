"""One change that ten hypervisors have to make, from the request to the last one's flows.

    python -m benchmarks.many_chassis 5000

One router has all switches of a network of N ports, so that every hypervisor has flows
for all of them; each has ten ports of its own. A port is added to a switch and removed, and
one is put into the switch's port group and taken out, with ``?wait=chassis``, which answers
when all ten agents have the reply to the barrier.
CPU time is that of all processes: the server, ten agents, twenty daemons of Open vSwitch.
"""

import json
import sys
from statistics import median
from typing import Any

from benchmarks import end_to_end
from benchmarks.hypervisors import add_bridge, add_interfaces, as_installed, laboratory
from benchmarks.measure import rss_mib
from benchmarks.network import write_network
from benchmarks.topology import switch_count

HYPERVISORS = 10
LOCAL_PORTS = 10
_START_SECONDS = 120


def measure(ports: int) -> dict[str, Any]:
    with laboratory() as lab:
        write_network(lab.server.database, ports, switches_per_router=switch_count(ports))
        lab.start_server()
        for number in range(HYPERVISORS):
            hypervisor = lab.add_hypervisor(f"hv{number}", agent=False)
            add_bridge(hypervisor)
            add_interfaces(hypervisor, interfaces(number))
            lab.start_agent(hypervisor.name, environment=as_installed(lab.directory / "hidden"))
        lab.server.wait_until_up(
            [port for number in range(HYPERVISORS) for port in interfaces(number).values()],
            _START_SECONDS,
        )
        agents = [process.pid for role, process in lab.processes.items() if role.endswith("agent")]
        with lab.server.client() as client:
            return {
                "ports": ports,
                "hypervisors": HYPERVISORS,
                "flows": lab.hypervisor("hv0").agent("status")["flows"],
                "agent_rss_mib": round(median(rss_mib([agent]) for agent in agents)),
                **end_to_end.port_costs(lab, client),
                **end_to_end.group_costs(lab, client),
            }


def interfaces(hypervisor: int) -> dict[str, str]:
    """The interfaces of a hypervisor with their ports, all of one switch."""
    return {f"vif{n}": f"ls{hypervisor}-p{n}" for n in range(LOCAL_PORTS)}


if __name__ == "__main__":
    print(json.dumps([measure(int(size)) for size in sys.argv[1:] or ["5000"]], indent=2))
