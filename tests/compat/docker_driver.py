"""A lab for the Docker driver: two hosts with ``dockerd`` and ``treadle-docker``, one server."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from cli.testbed.errors import NotReadyError
from cli.testbed.process import Process
from cli.testbed.wait import until
from tests.compat.dockerd import ContainerHost, two_container_hosts
from tests.compat.intent import rows_of_intent
from tests.faults.proxy import Proxy
from tests.system.conftest import Scene

SOCKET = "/run/docker/plugins/treadle.sock"


class DockerLab:
    """The lab, and what must be true of it once nothing is left of Docker's networks."""

    def __init__(self, scene: Scene, hosts: dict[str, ContainerHost]) -> None:
        self.scene = scene
        # The userspace datapath reads from an interface whose container has just ended.
        scene.expected_trouble.append(r"error receiving data from td\w+: Network is down")
        self.hosts = hosts
        self.proxies: dict[str, Proxy] = {}
        self.drivers: dict[str, Process] = {}

    def start_driver(self, name: str, **settings: str) -> None:
        """Start ``treadle-docker`` on a host, and wait until it listens."""
        host = self.hosts[name]
        environment = {
            "TREADLE_DOCKER__DOCKER": str(host.socket),
            "TREADLE_DOCKER__INTERVAL": "1",
            "TREADLE_DOCKER__TIMEOUT": "10",
            **{f"TREADLE_DOCKER__{key.upper()}": value for key, value in settings.items()},
        }
        process = host.spawn(
            f"treadle-docker of {name}",
            [sys.executable, "-m", "integrations.docker.main"],
            self.scene.lab.directory / name / "treadle-docker.log",
            environment,
        )
        self.drivers[name] = process
        until(lambda: process.check() or self._listens(process), "treadle-docker")

    def _listens(self, process: Process) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"/proc/{process.pid}/root{SOCKET}") == 0

    def stop_driver(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        self.drivers.pop(name).stop(number)

    def status(self, name: str) -> Any:
        """What the driver of a host tells of itself."""
        driver = [sys.executable, "-m", "integrations.docker.main"]
        return json.loads(self.hosts[name].run(*driver, "--status"))

    def get(self, path: str) -> Any:
        return self.scene.net.get(path)

    def endpoints(self) -> list[dict[str, Any]]:
        """The ports of containers, whether they are of use to any or not."""
        items = self.get("/logical-switch-ports?limit=1000")["items"]
        return [item for item in items if item["labels"].get("treadle.docker/role") == "endpoint"]

    def remove_all(self) -> None:
        """Remove all containers and networks, as Docker's users do."""
        for host in self.hosts.values():
            containers = host.docker("ps", "--all", "--quiet").split()
            if containers:
                host.docker("rm", "--force", *containers)
            networks = host.docker("network", "ls", "--quiet", "--filter", "driver=treadle").split()
            if networks:
                host.docker("network", "rm", *networks)
        for group in self.get("/port-groups")["items"]:
            self.scene.net.delete(f"/port-groups/{group['id']}")

    def wait_until_nothing_remains(self, seconds: float = 30) -> None:
        """Wait for the end of all that is left; fail with what stays."""
        with suppress(NotReadyError):
            until(lambda: not self.remains(), "the end of what is left", seconds)
        assert self.remains() == []

    def remains(self) -> list[str]:
        """What is left of Docker's networks, in the database, in switches and in namespaces."""
        found = []
        for kind in ("logical-switches", "logical-switch-ports", "logical-routers"):
            items = self.get(f"/{kind}?limit=1000")["items"]
            found += [
                f"{kind} {item['name']}: {item['labels']}" for item in items if _is_dockers(item)
            ]
        if not found:
            rows = rows_of_intent(self.scene.lab.server.database)
            found += [f"{count} rows of {table}" for table, count in rows.items()]
        for name, host in self.hosts.items():
            owned = host.hypervisor.switch.vsctl(
                *("--bare", "--columns=name", "find", "Interface"),
                "external_ids:treadle-owner=treadle-docker",
            )
            found += [f"{name}: interface {each} in the bridge" for each in owned.split()]
            links = host.hypervisor.namespace.ip("-o", "link", "show", "type", "veth")
            found += [
                f"{name}: {line}"
                for line in links.splitlines()
                if line.split(": ")[1].startswith(("td", "tc"))
            ]
        return found


def _is_dockers(item: dict[str, Any]) -> bool:
    return any(label.startswith("treadle.docker/") for label in item["labels"])


@contextmanager
def docker_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerLab]:
    """A lab whose hosts have the driver."""
    with two_container_hosts(tmp_path_factory) as (scene, hosts), ExitStack() as ends:
        lab = DockerLab(scene, hosts)
        for name, host in hosts.items():
            port = scene.lab.server.api_port
            # The API's own port: on the host things are as users have them.
            lab.proxies[name] = Proxy(port, namespace=host.hypervisor.namespace, port=6680)
            ends.callback(lab.proxies[name].close)
            lab.start_driver(name)
        yield lab
        for name in list(lab.drivers):
            lab.stop_driver(name)
