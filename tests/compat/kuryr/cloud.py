"""Two container hosts with Kuryr, the Neutron API that both use, and what there is of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.tcp_ports import free_ports
from cli.testbed.vm import Vm
from tests.compat.dockerd import ContainerHost, two_container_hosts
from tests.compat.intent import rows_of_intent
from tests.compat.kuryr.libnetwork import Libnetwork, kuryr_on
from tests.compat.neutron.endpoints import neutron_settings
from tests.system.conftest import Scene

_COLLECTIONS = ("ports", "subnets", "subnetpools", "networks", "security-groups")


@dataclass(frozen=True)
class Cloud:
    """Two container hosts with Kuryr, and the Neutron API that both use."""

    scene: Scene
    hosts: dict[str, ContainerHost]
    kuryrs: dict[str, Libnetwork]
    neutron: httpx.Client

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

    def remains(self) -> dict[str, Any]:
        """What there is in the database, in Open vSwitch and in the hosts' namespaces."""
        there: dict[str, Any] = {
            name: sorted(each["id"] for each in self.objects(name) if each["name"] != "default")
            for name in _COLLECTIONS
        }
        there["rows"] = rows_of_intent(self.scene.lab.server.database)
        for name, host in self.hosts.items():
            bridge = host.hypervisor.switch.vsctl("list-ports", "br-int").split()
            there[f"ports of {name}"] = [each for each in bridge if each.startswith("tap")]
            links = host.run("ip", "-brief", "link").splitlines()
            there[f"links of {name}"] = [
                line.split()[0] for line in links if line.startswith(("tap", "t_c"))
            ]
            there[f"containers of {name}"] = host.docker("ps", "--all", "--quiet").split()
        return there

    def port_of(self, host: str, container: str, network: str) -> dict[str, Any]:
        """The Neutron port of a container's endpoint."""
        endpoint = self.hosts[host].attachment(container, network)
        address = f"ip_address={endpoint['IPAddress']}"
        (port,) = self.objects("ports", fixed_ips=address, mac_address=endpoint["MacAddress"])
        return port

    @contextmanager
    def vm(self, network_id: str, host: str, **values: Any) -> Iterator[Vm]:
        """A VM on a Neutron port of its own, beside the containers."""
        port = self.post("ports", "port", network_id=network_id, **values)
        addresses = tuple(f"{each['ip_address']}/24" for each in port["fixed_ips"])
        facts = VmFacts(port["mac_address"], addresses, ())
        vm = self.scene.lab.add_vm(port["id"], host, facts, name="beside")
        self.scene.lab.wait_until_up(["beside"])
        try:
            yield vm
        finally:
            self.scene.lab.remove_vm("beside")
            self.delete("ports", port["id"])


@contextmanager
def cloud_with_kuryr(
    tmp_path_factory: pytest.TempPathFactory, hidden_extensions: tuple[str, ...]
) -> Iterator[Cloud]:
    """A cloud whose Neutron API doesn't tell of some of its extensions."""
    (port,) = free_ports(1)
    with ExitStack() as stack:
        settings = neutron_settings(port, hidden_extensions=hidden_extensions)
        hosts = two_container_hosts(tmp_path_factory, settings)
        scene, containers = stack.enter_context(hosts)
        kuryrs = {
            name: stack.enter_context(kuryr_on(host, port)) for name, host in containers.items()
        }
        url = f"http://127.0.0.1:{port}"
        neutron = stack.enter_context(httpx.Client(base_url=url, timeout=30))
        yield Cloud(scene, containers, kuryrs, neutron)
