"""A private Open vSwitch without network devices, for tests of the agent alone.

``--enable-dummy`` gives a datapath and interfaces that exist only in memory: the
database, OpenFlow and ``ofproto/trace`` are the real ones, and neither root nor
a namespace is needed.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cli.testbed.process import Process, spawn

_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


class PrivateSwitch:
    """``ovsdb-server`` and ``ovs-vswitchd`` below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "db.sock"
        self.control = directory / "ovs-vswitchd.ctl"
        self._environment = {
            f"OVS_{kind}DIR": str(directory) for kind in ("RUN", "DB", "LOG", "SYSCONF")
        }
        self._database_process: Process | None = None
        self._switch_process: Process | None = None

    @property
    def remote(self) -> str:
        return f"unix:{self.database}"

    def start(self, external_ids: dict[str, str]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.run("ovsdb-tool", "create", str(self.directory / "conf.db"), str(_SCHEMA))
        self.start_database()
        self.vsctl("--no-wait", "init")
        for key, value in external_ids.items():
            self.vsctl(*("--no-wait", "set", "Open_vSwitch", "."), f'external_ids:{key}="{value}"')
        self.start_switch()

    def start_database(self) -> None:
        self._database_process = self._spawn(
            "ovsdb-server",
            str(self.directory / "conf.db"),
            f"--remote=punix:{self.database}",
            f"--unixctl={self.directory / 'ovsdb-server.ctl'}",
        )
        wait_until(self._listens, "the database listens")

    def _listens(self) -> bool:
        """Whether the database takes connections: its socket's file is there a moment sooner."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.database)) == 0

    def stop_database(self) -> None:
        if self._database_process is not None:
            self._database_process.stop()

    def start_switch(self) -> None:
        self._switch_process = self._spawn(
            "ovs-vswitchd",
            self.remote,
            "--enable-dummy=override",
            "--disable-system",
            f"--unixctl={self.control}",
        )
        wait_until(self._has_all_bridges, "ovs-vswitchd has its bridges")

    def stop_switch(self) -> None:
        if self._switch_process is not None:
            self._switch_process.stop()

    def stop(self) -> None:
        self.stop_switch()
        self.stop_database()

    def plug(self, interface: str, port: str, ofport: int | None = None) -> None:
        """An interface of the integration bridge that stands for a logical port."""
        number = () if ofport is None else (f"ofport_request={ofport}",)
        self.vsctl(
            *("add-port", "br-int", interface, "--", "set", "Interface", interface),
            *("type=dummy", f"external_ids:iface-id={port}", *number),
        )

    def unplug(self, interface: str) -> None:
        self.vsctl("del-port", "br-int", interface)

    def vsctl(self, *arguments: str) -> str:
        return self.run("ovs-vsctl", f"--db={self.remote}", "--timeout=20", *arguments)

    def add_flow(self, flow: str) -> None:
        self.run("ovs-ofctl", "-OOpenFlow15", "add-flow", self._management, flow)

    def delete_flows(self, match: str) -> None:
        self.run("ovs-ofctl", "-OOpenFlow15", "del-flows", self._management, match)

    def appctl(self, *arguments: str) -> str:
        """Run a command of ``ovs-vswitchd``."""
        return self.run("ovs-appctl", "-t", str(self.control), *arguments)

    def ofctl(self, command: str, *arguments: str) -> str:
        """Run ``ovs-ofctl`` on the integration bridge."""
        return self.run("ovs-ofctl", "-OOpenFlow15", command, self._management, *arguments)

    @property
    def _management(self) -> str:
        return f"unix:{self.directory / 'br-int.mgmt'}"

    def flows(self) -> list[str]:
        """The flows of the integration bridge, without statistics."""
        output = self.run(
            *("ovs-ofctl", "-OOpenFlow15", "dump-flows", "--no-stats", "--no-names"),
            self._management,
        )
        return sorted(line.strip() for line in output.splitlines() if "actions=" in line)

    def _spawn(self, program: str, *arguments: str) -> Process:
        return spawn(
            program,
            [
                *(program, *arguments, "--no-chdir", "-vconsole:off"),
                f"--pidfile={self.directory / program}.pid",
                f"--log-file={self.directory / program}.log",
            ],
            self.directory / f"{program}.out",
            self._environment,
        )

    def run(self, *command: str) -> str:
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, **self._environment},
        ).stdout

    def _has_all_bridges(self) -> bool:
        try:
            present = self.run("ovs-appctl", "-t", str(self.control), "ofproto/list")
        except subprocess.CalledProcessError:
            return False
        return set(self.vsctl("list-br").split()) <= set(present.split())


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.01)
