"""Docker itself on Treadle's networks: real daemons on two hosts, real packets between them."""

from collections.abc import Iterator

import pytest

from tests.compat.docker_driver import DockerLab, docker_lab

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BOTH = ("-d", "treadle", "--ipam-driver", "treadle")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerLab]:
    with docker_lab(tmp_path_factory) as lab:
        yield lab


def test_containers_on_different_hosts_reach_each_other(lab: DockerLab) -> None:
    one, two = lab.hosts["hv1"], lab.hosts["hv2"]
    options = ("-o", "treadle.switch=web", "--subnet", "10.30.0.0/24", "--gateway", "10.30.0.1")
    for host in (one, two):
        host.docker("network", "create", *BOTH, *options, "net")
    first = one.start_container("c1", "net")
    second = two.start_container("c2", "net")
    assert first["IPAddress"] != second["IPAddress"]
    assert one.pings("c1", second["IPAddress"])
    for host, name in ((one, "c1"), (two, "c2")):
        host.docker("rm", "--force", name)
        host.docker("network", "rm", "net")
    assert lab.remains() == []
