"""Docker's networks on Treadle by kuryr-libnetwork, unmodified, on two hosts."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.compat.dockerd import ContainerHost, two_container_hosts
from tests.compat.kuryr.libnetwork import Libnetwork, kuryr_on
from tests.compat.neutron.endpoints import free_ports, neutron_settings
from tests.system.conftest import Scene

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

# Kuryr finds what it made by tags where these are offered, and by names elsewhere.
MODES = {"tags": (), "names": ("standard-attr-tag",)}

COLLECTIONS = ("ports", "subnets", "subnetpools", "networks", "security-groups")


@dataclass(frozen=True)
class Cloud:
    """Two container hosts with Kuryr, and the Neutron API that both use."""

    scene: Scene
    hosts: dict[str, ContainerHost]
    kuryrs: dict[str, Libnetwork]
    neutron: httpx.Client
    mode: str

    def objects(self, collection: str, **filters: str) -> list[dict[str, Any]]:
        answer = self.neutron.get(f"/v2.0/{collection}", params=filters)
        assert answer.status_code == 200, answer.text
        (listed,) = (value for key, value in answer.json().items() if not key.endswith("_links"))
        assert isinstance(listed, list)
        return listed

    def post(self, collection: str, singular: str, **values: Any) -> dict[str, Any]:
        answer = self.neutron.post(f"/v2.0/{collection}", json={singular: values})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()[singular]
        return created

    def delete(self, collection: str, object_id: str) -> None:
        answer = self.neutron.delete(f"/v2.0/{collection}/{object_id}")
        assert answer.status_code == 204, answer.text

    def remains(self) -> dict[str, list[str]]:
        """What there is in the database, in Open vSwitch and in the hosts' namespaces."""
        there = {
            name: sorted(each["id"] for each in self.objects(name) if each["name"] != "default")
            for name in COLLECTIONS
        }
        for name, host in self.hosts.items():
            bridge = host.hypervisor.switch.vsctl("list-ports", "br-int").split()
            there[f"ports of {name}"] = [each for each in bridge if each.startswith("tap")]
            links = host.run("ip", "-brief", "link").splitlines()
            there[f"links of {name}"] = [
                line.split()[0] for line in links if line.startswith(("tap", "t_c"))
            ]
            there[f"containers of {name}"] = host.docker("ps", "--all", "--quiet").split()
        return there


@pytest.fixture(scope="module", params=MODES)
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    mode: str = request.param
    (port,) = free_ports(1)
    with ExitStack() as stack:
        settings = neutron_settings(port, hidden_extensions=MODES[mode])
        hosts = two_container_hosts(tmp_path_factory, settings)
        scene, containers = stack.enter_context(hosts)
        kuryrs = {
            name: stack.enter_context(kuryr_on(host, port)) for name, host in containers.items()
        }
        url = f"http://127.0.0.1:{port}"
        neutron = stack.enter_context(httpx.Client(base_url=url, timeout=30))
        yield Cloud(scene, containers, kuryrs, neutron, mode)


@pytest.fixture
def scene(cloud: Cloud) -> Scene:
    return cloud.scene


def test_kuryr_is_up(cloud: Cloud) -> None:
    for host in cloud.hosts.values():
        host.docker("network", "ls")
