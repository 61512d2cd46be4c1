"""The container hosts of these tests: apart from each other, and gone without a trace."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.dockerd import ContainerHost, two_container_hosts

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

Hosts = dict[str, ContainerHost]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    with two_container_hosts(tmp_path_factory) as (_scene, hosts):
        yield hosts


def test_each_has_a_name_a_network_and_containers_of_its_own(hosts: Hosts) -> None:
    first, second = hosts["hv1"], hosts["hv2"]
    assert first.run("hostname").strip() == first.name != second.run("hostname").strip()
    first.start_container("here", "none")
    assert first.docker("ps", "--quiet") != ""
    assert second.docker("ps", "--quiet") == ""
    first.docker("rm", "--force", "here")


def test_a_daemon_is_killed_and_its_containers_go_on(hosts: Hosts) -> None:
    host = hosts["hv1"]
    host.start_container("kept", "none")
    pid = host.inspect("inspect", "kept")["State"]["Pid"]
    host.dockerd.stop(signal.SIGKILL)
    assert host.run("ps", "-o", "comm=", str(pid)).strip() == "sleep"
    host.start_dockerd()
    host.docker("rm", "--force", "kept")


def test_nothing_of_a_host_outlives_it(hosts: Hosts) -> None:
    host = hosts["hv2"]
    host.start_container("lost", "none")
    dockerd = host.dockerd
    host.close()
    assert not dockerd.alive()
    assert list(Path("/sys/fs/cgroup").glob(f"*/treadle-{host.name}")) == []
    assert host.hypervisor.namespace.pids() != []  # the switch is the hypervisor's
    host.boot()
    host.start_dockerd()
    assert host.inspect("inspect", "lost")["State"]["Running"] is False
    host.docker("rm", "lost")
