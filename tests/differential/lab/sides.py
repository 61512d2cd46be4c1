"""The two labs: made alike, programmed by Treadle or by Debian's OVN."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.hypervisors import add_bridge
from benchmarks.ovn import Ovn
from benchmarks.ovn_chassis import start_controller
from cli.testbed.hypervisor import INTEGRATION_BRIDGE
from cli.testbed.lab import Lab
from cli.testbed.wait import until
from tests.differential.lab.taps import HYPERVISORS, SYNC_NETWORK, Taps, home
from tests.differential.lab.ways import OUTSIDE, own_interfaces, ways
from tests.differential.network.outside import OUTSIDE_HOST
from tests.differential.network.ovn import load
from tests.differential.network.topologies import Document

_SECONDS = 60.0


class Side(ABC):
    """One of the labs. Interfaces stay from topology to topology, named as their ports."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._plugged: set[str] = set()
        self.taps = Taps({name: lab.hypervisor(name).namespace for name in HYPERVISORS})
        for network, name in OUTSIDE.items():
            lab.add_provider_network(network)
            outside = lab.add_outside(name, network, mac=OUTSIDE_HOST[0]).namespace
            outside.call(_disable_ipv6)
            self.taps.open_in(outside, "eth0", name)

    def load(self, document: Document) -> None:
        """Replace the network by `document`, and wait until all of it is in force."""
        complete = document | {"logical_switches": {**document["logical_switches"], **SYNC_NETWORK}}
        ports = own_interfaces(complete)
        self._plug([port for port in ports if port not in self._plugged])
        self.taps.lead(ways(document))
        self._replace(complete, ports)
        self.forget_connections()
        for hypervisor in self.lab.hypervisors.values():
            hypervisor.switch.appctl("revalidator/purge")
        for switch in (
            *(each.switch for each in self.lab.hypervisors.values()),
            self.lab.provider_switch.switch,
        ):
            switch.appctl("fdb/flush")
        self.taps.settle()

    def forget_connections(self) -> None:
        """Let no packet be part of a connection that there was before."""
        for hypervisor in self.lab.hypervisors.values():
            hypervisor.switch.appctl("dpctl/flush-conntrack")

    @abstractmethod
    def _replace(self, document: Document, ports: list[str]) -> None:
        """:meth:`load`, once the interfaces are there."""

    def _plug(self, ports: list[str]) -> None:
        for name in HYPERVISORS:
            hypervisor = self.lab.hypervisor(name)
            mine = [port for port in ports if home(port) == name]
            commands: list[str] = []
            for port in mine:
                commands += ["--", "add-port", INTEGRATION_BRIDGE, port]
                commands += ["--", "set", "Interface", port, "type=internal"]
                commands.append(f"external_ids:iface-id={json.dumps(port)}")
            if mine:
                hypervisor.switch.vsctl(*commands)
            for port in mine:
                hypervisor.namespace.ip("link", "set", port, "up")
        self.taps.open(ports)
        self._plugged.update(ports)


class TreadleSide(Side):
    """Treadle's server and agents."""

    def __init__(self, lab: Lab) -> None:
        lab.start_server()
        for name in HYPERVISORS:
            _add_hypervisor(lab, name)
            lab.start_agent(name)
        super().__init__(lab)
        self.client = lab.server.client()

    def _replace(self, document: Document, ports: list[str]) -> None:
        """What it learned goes with the objects, so none is to stay under the same name."""
        self._apply({"document": document["document"]})
        self._apply(document)
        until(lambda: self._all_up(ports), "ports of Treadle's are up", _SECONDS)
        # Where the ports are is known now; the agents are to have heard of it, too.
        self._apply(document)
        # New connections whose fate hangs on what tracking doesn't tell are taken for old ones
        # while agents look for those that the new ACLs deny.
        agents = self.lab.hypervisors.values()
        until(
            lambda: not any(agent.agent("status")["revocations"] for agent in agents),
            "connections are looked at",
            _SECONDS,
        )

    def _apply(self, document: Document) -> None:
        options = {"wait": "chassis", "timeout": "30"}
        answer = self.client.post("/v1/apply", params=options, json=document)
        if not answer.is_success:
            raise AssertionError(f"the document was refused: {answer.text}")

    def _all_up(self, ports: list[str]) -> bool:
        bindings: list[Any] = []
        params: dict[str, str] = {}
        while True:
            page = self.client.get("/v1/port-bindings", params=params).raise_for_status().json()
            bindings += page["items"]
            if page["next_cursor"] is None:
                return {row["name"] for row in bindings if row["up"]} >= set(ports)
            params = {"cursor": page["next_cursor"]}


class OvnSide(Side):
    """ovn-northd and ovn-controller, as Debian has them."""

    def __init__(self, lab: Lab, ovn: Ovn) -> None:
        super().__init__(lab)
        for hypervisor in lab.hypervisors.values():
            mappings = ",".join(map(":".join, hypervisor.bridge_mappings.items()))
            text = f"external_ids:ovn-bridge-mappings={json.dumps(mappings)}"
            hypervisor.switch.vsctl("set", "Open_vSwitch", ".", text)
        self._ovn = ovn
        self._tunnel_keys = count(1)

    def _replace(self, document: Document, ports: list[str]) -> None:
        load(self._ovn, document, self._own_tunnel_keys(document))
        waits = [word for port in ports for word in _wait_up(port)]
        self._ovn.nbctl([f"--timeout={_SECONDS:.0f}", *waits[1:]])
        self._ovn.nbctl([f"--timeout={_SECONDS:.0f}", "--wait=hv", "sync"])

    def _own_tunnel_keys(self, document: Document) -> Iterator[list[str]]:
        """Keys that no network before had: what was learned of a key outlives its network."""
        for name in document["logical_switches"]:
            key = f"other_config:requested-tnl-key={next(self._tunnel_keys)}"
            yield ["set", "logical_switch", name, key]
        for name in document["logical_routers"]:
            key = f"options:requested-tnl-key={next(self._tunnel_keys)}"
            yield ["set", "logical_router", name, key]


def _wait_up(port: str) -> list[str]:
    return ["--", "wait-until", "logical_switch_port", port, "up=true"]


@contextmanager
def treadle_side(name: str, directory: Path) -> Iterator[TreadleSide]:
    with ExitStack() as stack:
        lab = stack.enter_context(Lab.create(name, directory))
        side = TreadleSide(lab)
        stack.callback(side.taps.close)
        stack.enter_context(side.client)
        yield side


@contextmanager
def ovn_side(name: str, directory: Path) -> Iterator[OvnSide]:
    with ExitStack() as stack:
        lab = stack.enter_context(Lab.create(name, directory))
        ovn = Ovn(directory)
        stack.callback(ovn.stop)
        ovn.start_databases()
        ovn.start_northd()
        for hypervisor in HYPERVISORS:
            _add_hypervisor(lab, hypervisor)
            process = start_controller(ovn, lab.hypervisor(hypervisor))
            stack.callback(process.stop)
        side = OvnSide(lab, ovn)
        stack.callback(side.taps.close)
        yield side


def _add_hypervisor(lab: Lab, name: str) -> None:
    """One whose kernel says nothing of its own on the interfaces of ports."""
    hypervisor = lab.add_hypervisor(name, agent=False)
    hypervisor.namespace.call(_disable_ipv6)
    add_bridge(hypervisor)


def _disable_ipv6() -> None:
    settings = Path("/proc/sys/net/ipv6/conf")
    for interface in ("all", "default"):
        (settings / interface / "disable_ipv6").write_text("1")
