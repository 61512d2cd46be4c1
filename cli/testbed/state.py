"""What a lab consists of, written down before it is made.

One JSON file in the lab's directory. Taking the lab down needs nothing
else, also when the process that made it was killed half-way.
"""

import os
import re
from pathlib import Path

import msgspec

from cli.testbed.errors import LabNotFoundError, TestbedError
from cli.testbed.process import Process

BASE_DIRECTORY = Path("/run/treadle-testbed")
_FILE = "lab.json"
# It becomes a part of file names and of names of network namespaces.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


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
    name_servers: list[str] = []


class ProviderNetworkState(msgspec.Struct):
    """`ports` are the ports of the switch outside that lead to hypervisors, by hypervisor."""

    ports: dict[str, str] = {}


class OutsideState(msgspec.Struct):
    """A host on a provider network; `port` is the switch's port, `vlan` the one that it is in."""

    network: str
    port: str
    vlan: int | None
    mac: str
    addresses: list[str]
    gateways: list[str]


class LabState(msgspec.Struct):
    """Everything that taking the lab down, or using it, must know.

    `owner` is the process without which the lab is of no use: the one that is making it,
    or a demo. A lab that is meant to stay has none.
    """

    name: str
    directory: str
    owner: Process | None = None
    api_port: int = 0
    watch_port: int = 0
    namespaces: list[str] = []
    processes: dict[str, Process] = {}
    hypervisors: dict[str, HypervisorState] = {}
    vms: dict[str, VmState] = {}
    provider_networks: dict[str, ProviderNetworkState] = {}
    outside: dict[str, OutsideState] = {}

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
        except (OSError, msgspec.MsgspecError) as error:
            raise TestbedError(f"{directory / _FILE} cannot be read: {error}") from error


def base_directory() -> Path:
    """Where all labs live; ``TREADLE_TESTBED_DIR`` moves it."""
    return Path(os.environ.get("TREADLE_TESTBED_DIR", BASE_DIRECTORY))


def lab_directory(name: str) -> Path:
    """Where the lab `name` lives. Raises :class:`TestbedError` if that can be no lab's name."""
    if not _NAME.fullmatch(name):
        raise TestbedError(
            f"{name!r} is no name for a lab: letters, digits, '_', '.' and '-', at most 63, "
            "the first a letter or a digit"
        )
    return base_directory() / name


def lab_names() -> list[str]:
    """The labs that are there, whether whole or not."""
    return sorted(path.parent.name for path in base_directory().glob(f"*/{_FILE}"))
