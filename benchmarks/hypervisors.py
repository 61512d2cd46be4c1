"""Hypervisors for measurements: labs, and interfaces that nothing is behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cli.testbed.hypervisor import INTEGRATION_BRIDGE, Hypervisor
from cli.testbed.lab import Lab


@contextmanager
def laboratory() -> Iterator[Lab]:
    """An empty lab, gone at the end."""
    name = f"bench{os.getpid():x}"
    with (
        tempfile.TemporaryDirectory() as directory,
        Lab.create(name, Path(directory) / name) as lab,
    ):
        yield lab


def as_installed(directory: Path) -> dict[str, str]:
    """An environment in which the agent starts as one that pip has installed.

    It doesn't see a package that only tests need: python-ovs imports eventlet where it
    is there, which os-ken brings along. And it finds its modules as bytecode, from the
    second start on, also where Python is told not to write any: see :func:`write_bytecode`.
    """
    directory.mkdir(exist_ok=True)
    (directory / "eventlet.py").write_text('raise ImportError("a package of tests")\n')
    return {
        "PYTHONPATH": str(directory),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
    }


def write_bytecode(environment: Mapping[str, str]) -> None:
    """Load what server and agent load, so that their first start finds it as bytecode, too."""
    command = [sys.executable, "-c", "import cli.agent, cli.server.process"]
    subprocess.run(command, env={**os.environ, **environment}, check=True)


def add_bridge(hypervisor: Hypervisor) -> None:
    """The integration bridge, ahead of the agent."""
    hypervisor.switch.vsctl(
        *("add-br", INTEGRATION_BRIDGE, "--", "set", "bridge", INTEGRATION_BRIDGE),
        *("datapath_type=netdev", "fail_mode=secure", "other_config:disable-in-band=true"),
    )


def add_interfaces(hypervisor: Hypervisor, ports: Mapping[str, str]) -> None:
    """Interfaces in one transaction, each of a logical port, or of none ("")."""
    arguments: list[str] = []
    for interface, port in ports.items():
        arguments += ["--", "add-port", INTEGRATION_BRIDGE, interface]
        arguments += ["--", "set", "Interface", interface, "type=internal"]
        if port:
            arguments.append(f"external_ids:iface-id={port}")
    hypervisor.switch.vsctl(*arguments)


def plug(hypervisor: Hypervisor, interface: str, port: str) -> None:
    """Say whose an interface is; returns when the database has it."""
    hypervisor.switch.vsctl(
        "--no-wait", "set", "Interface", interface, f"external_ids:iface-id={port}"
    )
