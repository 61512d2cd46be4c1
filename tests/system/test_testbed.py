"""``treadle testbed``: labs that come, are used as the documentation says, and leave nothing."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.lab import Lab
from cli.testbed.wait import until

pytestmark = pytest.mark.system

COMMAND = (sys.executable, "-m", "cli.main")
LAB = """
hypervisors: [hv1]
network: network.yaml
vms: [{port: a, hypervisor: hv1}, {port: b, hypervisor: hv1}]
probes:
  - {from: a, to: b, expect: answered}
"""
OUTSIDE = """
provider_networks: [{name: dc}]
outside:
  - {name: o1, network: dc, addresses: ["10.6.0.1/24"]}
  - {name: o2, network: dc, addresses: ["10.6.0.2/24"], listen: [80]}
  - {name: o3, network: dc, vlan: 100, addresses: ["10.6.0.3/24"]}
  - {name: o4, network: dc, vlan: 100, addresses: ["10.6.0.4/24"]}
"""
OUTSIDE_PROBES = """
  - {from: o1, to: o2, expect: answered}
  - {from: o1, to: o2, tcp: 80, expect: connected}
  - {from: o4, to: o3, expect: answered}
  - {from: o1, to: o3, expect: dropped}
"""
NETWORK = """
document: net
logical_switches:
  s:
    ports:
      a: {addresses: ["0a:00:00:00:50:01 10.5.0.1"]}
      b: {addresses: ["0a:00:00:00:50:02 10.5.0.2"]}
"""


class Bed:
    """The command, with a name and a directory that no other run uses, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.name = f"b{os.getpid():x}{secrets.token_hex(2)}"
        self.folder = folder
        self.labs = folder / "labs"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "TREADLE_URL"},
            "TREADLE_TESTBED_DIR": str(self.labs),
        }
        (folder / "lab.yaml").write_text(LAB)
        (folder / "network.yaml").write_text(NETWORK)
        self.output = folder / "output"
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **({"TREADLE_URL": url} if url else {})}
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
        )

    def demo(self) -> subprocess.Popen[bytes]:
        """Start a demo; its output goes into :attr:`output`."""
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                [*COMMAND, "testbed", "demo", "lab.yaml", "--name", self.name],
                cwd=self.folder,
                env={**self.environment, "PYTHONPATH": str(Path(__file__).parents[2])},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def shows(self, text: str) -> bool:
        return text in self.output.read_text()

    @property
    def leftovers(self) -> list[str]:
        """Namespaces and files of the lab."""
        found = Path("/run/netns").glob(f"{self.name}-*")
        return [*(path.name for path in found), *map(str, self.labs.glob("*"))]


@pytest.fixture
def bed() -> Iterator[Bed]:
    # The path of a socket has at most 107 bytes, for which pytest's own are too long.
    with tempfile.TemporaryDirectory(prefix="bed-") as folder:
        bed = Bed(Path(folder))
        yield bed
        for process in bed.started:
            process.kill()
            process.wait()
        if (bed.labs / bed.name).exists():
            Lab.open(bed.name, bed.labs / bed.name).destroy()


def test_a_lab_is_used_as_the_documentation_says(bed: Bed) -> None:
    made = bed.run("testbed", "up", "--name", bed.name, "--file", "lab.yaml")
    assert made.returncode == 0, made.stderr
    url = re.search(r"^export TREADLE_URL=(\S+)$", made.stdout, re.MULTILINE)
    assert url, made.stdout
    shown = bed.run("show", "logical-switches", url=url[1])
    assert re.search(r"^s\b", shown.stdout, re.MULTILINE), shown
    again = bed.run("testbed", "up", bed.name)
    assert again.returncode == 1
    assert "is up already" in again.stderr
    # The only lab that there is needs no name.
    pinged = bed.run("testbed", "exec", "a", "--", "ping", "-c", "1", "-W", "3", "10.5.0.2")
    assert pinged.returncode == 0, pinged
    status = bed.run("testbed", "exec", "hv1", "--", "treadle", "agent", "status")
    assert re.search(r"^chassis +hv1", status.stdout, re.MULTILINE), status
    flows = bed.run("testbed", "exec", "hv1", "--", "ovs-ofctl", "dump-flows", "br-int")
    assert "cookie=0x" in flows.stdout, flows
    failed = bed.run("testbed", "exec", "hv1", "--", "sh", "-c", "exit 7")
    assert failed.returncode == 7
    # A lab that is to be taken down is named.
    assert bed.run("testbed", "down").returncode == 1
    assert bed.run("testbed", "down", bed.name).returncode == 0
    assert bed.leftovers == []


def test_hosts_on_provider_networks_reach_those_of_their_vlan(bed: Bed) -> None:
    (bed.folder / "lab.yaml").write_text(OUTSIDE + LAB.rstrip() + OUTSIDE_PROBES)
    ran = bed.run("testbed", "demo", "lab.yaml", "--name", bed.name, "--exit")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert bed.leftovers == []


def test_the_tenant_example(bed: Bed) -> None:
    """VMs boot by DHCP, reach the outside by SNAT, and are reached by a floating IP."""
    file = Path(__file__).parents[2] / "examples" / "tenant" / "lab.yaml"
    ran = bed.run("testbed", "demo", str(file), "--name", bed.name, "--exit")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "VM app-1 got 10.50.1.11/24 by DHCP" in ran.stdout
    assert bed.leftovers == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nothing(bed: Bed, number: signal.Signals) -> None:
    demo = bed.demo()
    until(lambda: demo.poll() is not None or bed.shows("Up until Ctrl-C"), "the demo", 60)
    shown = bed.output.read_text()
    assert "treadle testbed exec a -- ping -c 3 10.5.0.2\n" in shown
    demo.send_signal(number)
    assert demo.wait(60) == 0, bed.output.read_text()
    assert bed.leftovers == []


def test_a_start_that_is_interrupted_leaves_nothing_and_says_so(bed: Bed) -> None:
    demo = bed.demo()
    until(lambda: demo.poll() is not None or bed.shows("starting hypervisor"), "hypervisor", 60)
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(60) == 128 + signal.SIGTERM, bed.output.read_text()
    assert bed.leftovers == []


def test_a_demo_that_was_killed_is_cleared_by_the_next(bed: Bed) -> None:
    demo = bed.demo()
    until(lambda: demo.poll() is not None or bed.shows("starting hypervisor"), "hypervisor", 60)
    demo.kill()
    demo.wait()
    assert bed.leftovers != []
    again = bed.run("testbed", "demo", "lab.yaml", "--name", bed.name, "--exit")
    assert again.returncode == 0, again.stderr
    assert "removed what was left of an earlier lab" in again.stdout
    assert "Where to look next" not in again.stdout
    assert bed.leftovers == []
