"""A swarm of two hosts: networks of all of it, and containers and services on them."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.testbed.wait import until
from tests.compat.docker_driver import DockerLab, docker_lab
from tests.compat.dockerd import IMAGE, ContainerHost
from tests.documentation.sandbox import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PLUGIN = "treadle-swarm"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerLab]:
    plugin = tmp_path_factory.mktemp("plugin")
    (plugin / "rootfs" / "bin").mkdir(parents=True)
    (plugin / "rootfs" / "host").mkdir()
    shutil.copy("/usr/bin/busybox", plugin / "rootfs" / "bin")
    shutil.copy(ROOT / "deploy/docker-plugin/start", plugin / "rootfs")
    shutil.copy(ROOT / "deploy/docker-plugin/config.json", plugin)
    with docker_lab(tmp_path_factory) as lab:
        for host in lab.hosts.values():
            install(host, plugin)
        first, second = lab.hosts.values()
        address = first.hypervisor.tunnel_ip
        first.docker("swarm", "init", "--advertise-addr", address)
        token = first.docker("swarm", "join-token", "--quiet", "worker")
        own = ("--advertise-addr", second.hypervisor.tunnel_ip)
        second.docker("swarm", "join", *own, "--token", token, f"{address}:2377")
        yield lab
        for host in (second, first):
            host.docker("swarm", "leave", "--force")


def install(host: ContainerHost, plugin: Path) -> None:
    """Install the plugin, whose driver is the one of this checkout."""
    command = f"{sys.executable} -m integrations.docker.main --docker {host.socket} --interval 1"
    host.docker("plugin", "create", PLUGIN, str(plugin))
    run_directory = host.hypervisor.switch.directory
    host.docker("plugin", "set", PLUGIN, f"OVS_RUNDIR={run_directory}", f"command={command}")
    host.docker("plugin", "enable", PLUGIN)


def create(host: ContainerHost, name: str, subnet: str, *options: str) -> None:
    driver = f"{PLUGIN}:latest"
    drivers = ("--driver", driver, "--ipam-driver", driver, "--attachable")
    host.docker("network", "create", *drivers, "--subnet", subnet, *options, name)


def test_containers_and_services_of_a_swarm(lab: DockerLab) -> None:
    manager, worker = lab.hosts.values()
    create(manager, "net", "10.60.0.0/24", "--gateway", "10.60.0.1")
    first = manager.start_container("c1", "net")
    second = worker.start_container("c2", "net")
    assert first["IPAddress"] != second["IPAddress"]
    assert manager.pings("c1", second["IPAddress"])
    service = ("service", "create", "--detach", "--name", "web", "--endpoint-mode", "dnsrr")
    replicas = ("--mode", "global", "--network", "net", "--stop-grace-period", "0s")
    manager.docker(*service, *replicas, "--no-resolve-image", IMAGE, "sleep", "1000000")
    until(lambda: len(endpoints_that_are_up(lab)) == 4, "a task of the service on each host", 60)
    for host in (manager, worker):
        running = ("ps", "--quiet", "--filter", "name=web")
        until(lambda host=host, asked=running: host.docker(*asked), "the task", 30)  # type: ignore[misc]
        task = host.docker(*running)
        assert host.pings(task, first["IPAddress"])
        assert host.pings(task, second["IPAddress"])
    manager.docker("service", "rm", "web")
    for host, name in ((manager, "c1"), (worker, "c2")):
        host.docker("rm", "--force", name)
    until(lambda: lab.endpoints() == [], "the end of all endpoints", 60)
    manager.docker("network", "rm", "net")
    lab.wait_until_nothing_remains()


def endpoints_that_are_up(lab: DockerLab) -> list[str]:
    ports = [port["id"] for port in lab.endpoints() if "treadle.docker/endpoint" in port["labels"]]
    return [port for port in ports if lab.get(f"/port-bindings/{port}")["up"]]
