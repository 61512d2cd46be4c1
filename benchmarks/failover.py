"""For how long packets are lost when a gateway dies: of Treadle, and of Debian's OVN.

    python -m benchmarks.failover [DEATHS]

The same network twice: a workload on one hypervisor, a router with a gateway port for which two
others stand, and a host outside that pings the workload's floating IP every 20 ms. The gateway in
charge dies and comes back, again and again: all of it, as when its power fails, or its
``ovs-vswitchd`` alone. Counted is the longest time between two answers.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.hypervisors import add_bridge, laboratory
from benchmarks.ovn import Ovn
from benchmarks.ovn_chassis import start_controller
from cli.testbed.lab import Lab
from cli.testbed.network_facts import VmFacts
from cli.testbed.process import Process
from cli.testbed.wait import until

DEATHS = 3
INTERVAL = 0.02
GATEWAYS = ("gw1", "gw2")
NETWORK = "physnet1"
OWN, FLOATING, OUTSIDE = "192.0.2.1", "192.0.2.111", "192.0.2.9"
VM = ("0a:00:00:00:00:11", "10.1.0.11")
INSIDE_MAC, OUTSIDE_MAC = "0a:00:00:00:01:01", "0a:00:00:00:01:02"
_SETTLING_ANSWERS = 250
"""So many answers in a row, five seconds, mean that a gateway that came back has settled."""
_PATIENCE = 90.0


class Side(NamedTuple):
    """A network that runs: the processes of the gateway in charge, the switch's last."""

    lab: Lab
    first: Callable[[], list[Process]]


def measure(deaths: int) -> dict[str, Any]:
    return {"treadle": _measured(_treadle, deaths), "ovn": _measured(_ovn, deaths)}


def _measured(network: Callable[[Lab], Any], deaths: int) -> dict[str, dict[str, float]]:
    with laboratory() as lab, network(lab) as side:
        gateway = f"{VM[1].rpartition('.')[0]}.1"
        lab.add_vm("vm", "hv1", VmFacts(VM[0], (f"{VM[1]}/24",), (gateway,)))
        return {
            "hypervisor": _outages(side, deaths, _stop_all),
            "ovs-vswitchd alone": _outages(side, deaths, _kill_switch),
        }


def _outages(
    side: Side, deaths: int, die: Callable[[Side], Callable[[], None]]
) -> dict[str, float]:
    """Seconds without an answer, at each of so many deaths."""
    found = [_outage(side, die) for _ in range(deaths)]
    return {"median_s": round(median(found), 2), "most_s": round(max(found), 2)}


def _outage(side: Side, die: Callable[[Side], Callable[[], None]]) -> float:
    """Let the gateway in charge die, and come back once the other one has taken over."""
    with _pinging(side.lab) as answers:
        until(lambda: _are_steady(answers()), "answers come in a row", _PATIENCE)
        before = len(answers())
        come_back = die(side)
        try:
            until(lambda: len(answers()) > before + _SETTLING_ANSWERS, "answers", _PATIENCE)
            return max(later - earlier for earlier, later in pairwise(answers()[before - 1 :]))
        finally:
            come_back()


def _are_steady(times: list[float]) -> bool:
    last = times[-_SETTLING_ANSWERS:]
    return len(last) == _SETTLING_ANSWERS and last[-1] - last[0] < 2 * INTERVAL * len(last)


@contextmanager
def _pinging(lab: Lab) -> Iterator[Callable[[], list[float]]]:
    """A ping of the floating IP meanwhile; gives when answers came so far."""
    with tempfile.NamedTemporaryFile("r") as output:
        command = ["ping", "-n", "-D", "-i", str(INTERVAL), FLOATING]
        with (
            open(output.name, "w") as writing,  # noqa: PTH123 - closed with the process
            subprocess.Popen(lab.outside("o1").namespace.argv(command), stdout=writing) as running,
        ):

            def answers() -> list[float]:
                lines = Path(output.name).read_text().splitlines()
                return [float(line[1:18]) for line in lines if "time=" in line]

            try:
                yield answers
            finally:
                running.send_signal(signal.SIGINT)


def _stop_all(side: Side) -> Callable[[], None]:
    processes = side.first()
    for process in processes:
        process.send(signal.SIGSTOP)

    def come_back() -> None:
        for process in reversed(processes):
            process.send(signal.SIGCONT)

    return come_back


def _kill_switch(side: Side) -> Callable[[], None]:
    switch = side.lab.hypervisor("gw1").switch
    side.lab.stop_process("gw1/ovs-vswitchd", signal.SIGKILL)

    def come_back() -> None:
        side.lab.remember("gw1/ovs-vswitchd", switch.start_switch())

    return come_back


def _make_lab(lab: Lab, *, agent: bool) -> None:
    for name in ("hv1", *GATEWAYS):
        lab.add_hypervisor(name, agent=agent)
    lab.add_provider_network(NETWORK, GATEWAYS)
    lab.add_outside("o1", NETWORK, f"{OUTSIDE}/24")


def _of_switch(lab: Lab) -> list[Process]:
    return [lab.process(f"gw1/{name}") for name in ("ovs-vswitchd", "ovsdb-server")]


@contextmanager
def _treadle(lab: Lab) -> Iterator[Side]:
    lab.start_server()
    _make_lab(lab, agent=True)
    with lab.server.client() as client:
        client.post("/v1/apply", json=_document()).raise_for_status()
        yield Side(lab, lambda: [lab.process("gw1/agent"), *_of_switch(lab)])


def _document() -> dict[str, Any]:
    ranks = [{"chassis": "gw1", "priority": 20}, {"chassis": "gw2", "priority": 10}]
    return {
        "document": "failover",
        "logical_switches": {
            "inner": {
                "ports": {
                    "vm": {"addresses": [" ".join(VM)]},
                    "inner-r": {"router_port": "r-inner"},
                }
            },
            "public": {
                "ports": {
                    "public-out": {"type": "localnet", "network_name": NETWORK},
                    "public-r": {"router_port": "r-public"},
                }
            },
        },
        "logical_routers": {
            "r": {
                "ports": {
                    "r-inner": {"networks": ["10.1.0.1/24"], "mac": INSIDE_MAC},
                    "r-public": {
                        "networks": [f"{OWN}/24"],
                        "mac": OUTSIDE_MAC,
                        "gateway_chassis": ranks,
                    },
                },
                "nats": [{"type": "dnat_and_snat", "external_ip": FLOATING, "logical_ip": VM[1]}],
            }
        },
    }


@contextmanager
def _ovn(lab: Lab) -> Iterator[Side]:
    with ExitStack() as stack:
        ovn = Ovn(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(ovn.stop)
        ovn.start_databases()
        ovn.start_northd()
        ovn.load(_ovn_commands())
        _make_lab(lab, agent=False)
        controllers: dict[str, Process] = {}
        for name, hypervisor in lab.hypervisors.items():
            add_bridge(hypervisor)
            for network, bridge in hypervisor.bridge_mappings.items():
                mapping = f'external_ids:ovn-bridge-mappings="{network}:{bridge}"'
                hypervisor.switch.vsctl("set", "Open_vSwitch", ".", mapping)
            controllers[name] = start_controller(ovn, hypervisor)
            stack.callback(controllers[name].stop)
        yield Side(lab, lambda: [controllers["gw1"], *_of_switch(lab)])


def _ovn_commands() -> Iterator[list[str]]:
    yield ["lr-add", "r"]
    yield ["lrp-add", "r", "r-inner", INSIDE_MAC, "10.1.0.1/24"]
    yield ["lrp-add", "r", "r-public", OUTSIDE_MAC, f"{OWN}/24"]
    for name, rank in zip(GATEWAYS, ("20", "10"), strict=True):
        yield ["lrp-set-gateway-chassis", "r-public", name, rank]
    for switch in ("inner", "public"):
        yield ["ls-add", switch]
        yield ["lsp-add", switch, f"{switch}-r"]
        yield ["lsp-set-type", f"{switch}-r", "router"]
        yield ["lsp-set-addresses", f"{switch}-r", "router"]
        options = [f"router-port=r-{switch}", "nat-addresses=router"]
        yield ["lsp-set-options", f"{switch}-r", *options]
    yield ["lsp-add", "inner", "vm"]
    yield ["lsp-set-addresses", "vm", " ".join(VM)]
    yield ["lsp-add", "public", "public-out"]
    yield ["lsp-set-type", "public-out", "localnet"]
    yield ["lsp-set-addresses", "public-out", "unknown"]
    yield ["lsp-set-options", "public-out", f"network_name={NETWORK}"]
    yield ["lr-nat-add", "r", "dnat_and_snat", FLOATING, VM[1]]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else DEATHS), indent=2))
