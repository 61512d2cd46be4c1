"""A private Open vSwitch in a network namespace.

Own database, sockets and logs below one directory; the userspace datapath, so
that no kernel module is needed. `br-phys` carries the tunnel address on its
internal interface and the uplink to the underlay; userspace tunnels find it by
the namespace's routes. The integration bridge is the chassis agent's to make.
"""

import json
import socket
from pathlib import Path

from cli.testbed.errors import CommandError
from cli.testbed.namespace import Namespace, run
from cli.testbed.process import Process, spawn
from cli.testbed.wait import until

UNDERLAY_BRIDGE = "br-phys"
_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


class OpenVSwitch:
    """``ovsdb-server`` and ``ovs-vswitchd`` of one hypervisor."""

    def __init__(self, namespace: Namespace, directory: Path) -> None:
        self.namespace = namespace
        self.directory = directory

    @property
    def database(self) -> Path:
        """The database's socket."""
        return self.directory / "db.sock"

    @property
    def remote(self) -> str:
        return f"unix:{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OVS_RUNDIR": str(self.directory),
            "OVS_DBDIR": str(self.directory),
            "OVS_LOGDIR": str(self.directory),
        }

    def create_database(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        run(["ovsdb-tool", "create", str(self.directory / "conf.db"), str(_SCHEMA)])

    def start_database(self) -> Process:
        process = spawn(
            f"ovsdb-server of {self.namespace.name}",
            self.namespace.argv(
                [
                    "ovsdb-server",
                    str(self.directory / "conf.db"),
                    f"--remote=punix:{self.database}",
                    f"--unixctl={self.directory / 'ovsdb-server.ctl'}",
                    f"--pidfile={self.directory / 'ovsdb-server.pid'}",
                    "-vconsole:off",
                    f"--log-file={self.directory / 'ovsdb-server.log'}",
                ]
            ),
            self.directory / "ovsdb-server.out",
            self.environment,
        )
        until(lambda: process.check() or self._listens(), f"ovsdb-server on {self.database}")
        return process

    def _listens(self) -> bool:
        """Whether the database takes connections: its socket's file is there a moment sooner."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.database)) == 0

    def initialise(self, external_ids: dict[str, str]) -> None:
        """First contents of a new database: the settings that the agent reads."""
        self.vsctl("--no-wait", "init")
        pairs = [f"external_ids:{key}={json.dumps(value)}" for key, value in external_ids.items()]
        if pairs:
            self.vsctl("--no-wait", "set", "Open_vSwitch", ".", *pairs)

    def start_switch(self) -> Process:
        process = spawn(
            f"ovs-vswitchd of {self.namespace.name}",
            self.namespace.argv(
                [
                    "ovs-vswitchd",
                    self.remote,
                    "--disable-system",
                    "--no-chdir",
                    f"--unixctl={self.control}",
                    f"--pidfile={self.directory / 'ovs-vswitchd.pid'}",
                    "-vconsole:off",
                    f"--log-file={self.directory / 'ovs-vswitchd.log'}",
                ]
            ),
            self.directory / "ovs-vswitchd.out",
            self.environment,
        )
        until(lambda: process.check() or self._answers(), f"ovs-vswitchd of {self.namespace.name}")
        return process

    @property
    def control(self) -> Path:
        """The control socket of ``ovs-vswitchd``."""
        return self.directory / "ovs-vswitchd.ctl"

    def _answers(self) -> bool:
        try:
            self.appctl("version")
        except CommandError:
            return False
        return True

    def add_underlay(self, uplink: str, address: str, prefix_length: int) -> None:
        """Make `br-phys` with the veth `uplink` and the tunnel address on it."""
        self.add_learning_bridge(UNDERLAY_BRIDGE)
        self.vsctl("--may-exist", "add-port", UNDERLAY_BRIDGE, uplink)
        self.namespace.ip(
            "address", "replace", f"{address}/{prefix_length}", "dev", UNDERLAY_BRIDGE
        )
        self.namespace.ip("link", "set", UNDERLAY_BRIDGE, "up")

    def add_learning_bridge(self, bridge: str) -> None:
        """Make a bridge that no controller programs, which forwards as Ethernet switches do."""
        self.vsctl(
            *("--", "--may-exist", "add-br", bridge),
            *("--", "set", "bridge", bridge, "datapath_type=netdev", "fail_mode=standalone"),
        )

    def vsctl(self, *arguments: str, timeout: float = 30) -> str:
        return run(
            ["ovs-vsctl", f"--db={self.remote}", f"--timeout={int(timeout)}", *arguments],
            timeout=timeout + 5,
        )

    def appctl(self, *arguments: str) -> str:
        return run(["ovs-appctl", "-t", str(self.control), *arguments])

    def ofctl(self, *arguments: str) -> str:
        """``ovs-ofctl`` with OpenFlow 1.5; bridges are named by their management socket."""
        return run(["ovs-ofctl", "-OOpenFlow15", *arguments])

    def management(self, bridge: str) -> str:
        """How ``ovs-ofctl`` reaches a bridge of this switch."""
        return f"unix:{self.directory / bridge}.mgmt"
