"""A hypervisor: a namespace with Open vSwitch, and the chassis agent that programs it.

The agent itself runs outside the namespace: it touches its host only through
Open vSwitch's sockets, and reaches the server on loopback.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chassis_agent.errors import AgentError
from chassis_agent.status import ask
from cli.testbed.namespace import Namespace
from cli.testbed.openvswitch import OpenVSwitch
from cli.testbed.process import Process, spawn
from cli.testbed.server import Server
from cli.testbed.wait import until

INTEGRATION_BRIDGE = "br-int"
BRIDGE_MAPPINGS = "treadle-bridge-mappings"


class Hypervisor:
    """One hypervisor of a lab; its name is also its chassis' ``system-id``."""

    def __init__(
        self, name: str, namespace: Namespace, directory: Path, tunnel_ip: str, server: Server
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.directory = directory
        self.tunnel_ip = tunnel_ip
        self.server = server
        self.switch = OpenVSwitch(namespace, directory / "ovs")

    @property
    def external_ids(self) -> dict[str, str]:
        """What an operator sets in the Open_vSwitch table of a hypervisor."""
        return {
            "system-id": self.name,
            "hostname": self.namespace.name,
            "treadle-encap-type": "geneve",
            "treadle-encap-ip": self.tunnel_ip,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Lets the tools of Open vSwitch, and ``treadle agent``, find what runs here."""
        return {
            **self.switch.environment,
            "TREADLE_AGENT__OVSDB": self.switch.remote,
            "TREADLE_AGENT__RUN_DIRECTORY": str(self.switch.directory),
            "TREADLE_AGENT__STATE_DIRECTORY": str(self.agent_socket.parent),
        }

    @property
    def log(self) -> Path:
        return self.directory / "agent.log"

    @property
    def configuration(self) -> Path:
        return self.directory / "agent.toml"

    def start_agent(self, environment: dict[str, str] | None = None) -> Process:
        self.configuration.write_text(
            "[agent]\n"
            f'server = "{self.server.agents_url}"\n'
            f'ovsdb = "{self.switch.remote}"\n'
            f'run_directory = "{self.switch.directory}"\n'
            f'state_directory = "{self.directory / "agent"}"\n'
            f'bridge = "{INTEGRATION_BRIDGE}"\n'
            'datapath_type = "netdev"\n'
        )
        return spawn(
            f"treadle agent of {self.name}",
            [sys.executable, "-m", "cli.main", "agent", "run", "--config", str(self.configuration)],
            self.log,
            environment,
        )

    @property
    def agent_socket(self) -> Path:
        return self.directory / "agent" / "agent.sock"

    def agent(self, command: str) -> Any:
        """Ask the agent over its local socket, as ``treadle agent COMMAND`` does."""
        return asyncio.run(ask(self.agent_socket, command))

    def wait_until_agent_answers(self, process: Process, seconds: float = 30.0) -> None:
        """Wait until the agent listens; one that was killed leaves its socket behind."""

        def answers() -> bool:
            process.check()
            try:
                self.agent("status")
            except AgentError:
                return False
            return True

        until(answers, f"agent of {self.name}", seconds)

    def plug(self, interface: str, port: str) -> None:
        """Attach an interface of the namespace to the integration bridge as a logical port."""
        self.switch.vsctl(
            *("--", "--may-exist", "add-port", INTEGRATION_BRIDGE, interface),
            *("--", "set", "Interface", interface, f"external_ids:iface-id={json.dumps(port)}"),
        )

    def unplug(self, interface: str) -> None:
        self.switch.vsctl("--if-exists", "del-port", INTEGRATION_BRIDGE, interface)

    @property
    def bridge_mappings(self) -> dict[str, str]:
        """The bridges of provider networks, by network, as Open vSwitch's database has them."""
        text = self.switch.vsctl(
            "--if-exists", "get", "Open_vSwitch", ".", f"external_ids:{BRIDGE_MAPPINGS}"
        )
        pairs = text.strip().strip('"').split(",")
        return dict(pair.split(":", 1) for pair in pairs if pair)

    def map_bridges(self, mappings: Mapping[str, str]) -> None:
        """Say which bridges lead to which provider networks."""
        text = ",".join(f"{network}:{bridge}" for network, bridge in mappings.items())
        self.switch.vsctl(
            "set", "Open_vSwitch", ".", f"external_ids:{BRIDGE_MAPPINGS}={json.dumps(text)}"
        )

    def flows(self) -> list[str]:
        """The OpenFlow flows of the integration bridge, a line each, without statistics."""
        output = self.switch.ofctl(
            "dump-flows", "--no-stats", self.switch.management(INTEGRATION_BRIDGE)
        )
        return [line.strip() for line in output.splitlines() if "priority=" in line]

    def trace(self, flow: str, *options: str) -> str:
        """``ofproto/trace`` on the integration bridge."""
        return self.switch.appctl("ofproto/trace", INTEGRATION_BRIDGE, flow, *options)
