"""What a lab consists of, written down before it is made.

One JSON file in the lab's directory. Whoever takes the lab down needs nothing
else, also when the process that made it was killed half-way.
"""

import os
from pathlib import Path

import msgspec

from cli.testbed.errors import LabNotFoundError
from cli.testbed.process import Process

BASE_DIRECTORY = Path("/run/treadle-testbed")
_FILE = "lab.json"


class HypervisorState(msgspec.Struct):
    """`tunnel_ip` is the encapsulation address on the underlay."""

    tunnel_ip: str


class VmState(msgspec.Struct):
    """`interface` is the end of the VM's veth pair in the hypervisor."""

    port: str
    hypervisor: str
    interface: str
    mac: str
    addresses: list[str]
    gateways: list[str]


class LabState(msgspec.Struct):
    """Everything that taking the lab down, or using it, must know."""

    name: str
    directory: str
    api_port: int = 0
    watch_port: int = 0
    namespaces: list[str] = []
    processes: dict[str, Process] = {}
    hypervisors: dict[str, HypervisorState] = {}
    vms: dict[str, VmState] = {}

    def save(self) -> None:
        path = Path(self.directory) / _FILE
        temporary = path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
        temporary.replace(path)

    @staticmethod
    def load(directory: Path) -> "LabState":
        try:
            return msgspec.json.decode((directory / _FILE).read_bytes(), type=LabState)
        except FileNotFoundError as error:
            raise LabNotFoundError(f"no lab in {directory}") from error


def lab_directory(name: str) -> Path:
    """Where the lab `name` lives; ``TREADLE_TESTBED_DIR`` moves the directory of all labs."""
    return Path(os.environ.get("TREADLE_TESTBED_DIR", BASE_DIRECTORY)) / name
