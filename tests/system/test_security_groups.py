"""Ports and security groups of the Neutron API, with packets: who reaches whom, and when."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cli.testbed.network_facts import VmFacts
from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from tests.compat.neutron.endpoints import neutron_settings
from tests.system.conftest import Scene, two_hypervisors

pytestmark = pytest.mark.system

HOSTS = {"a": "hv1", "b": "hv2", "c": "hv2"}


class Neutron:
    """The Neutron API of a lab; a change returns once packets obey it."""

    def __init__(self, scene: Scene, port: int) -> None:
        self._scene = scene
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}/v2.0", timeout=30)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"/{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        self._scene.net.catch_up()
        return next(iter(answer.json().values())) if answer.content else None

    def make(self, path: str, **values: Any) -> Any:
        return self.call("POST", path, {path.replace("-", "_").removesuffix("s"): values})

    def put_into(self, port: str, *groups: str) -> None:
        self.call("PUT", f"ports/{port}", {"port": {"security_groups": list(groups)}})


@pytest.fixture(scope="module")
def neutron_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, neutron_port: int) -> Iterator[Scene]:
    with two_hypervisors(tmp_path_factory, neutron_settings(neutron_port)) as scene:
        yield scene


@pytest.fixture(scope="module")
def neutron(scene: Scene, neutron_port: int) -> Iterator[Neutron]:
    neutron = Neutron(scene, neutron_port)
    with neutron.client:
        yield neutron


@pytest.fixture(scope="module")
def ports(scene: Scene, neutron: Neutron) -> dict[str, Any]:
    """Three VMs on a network: their ports, which are in the default group."""
    network = neutron.make("networks", name="lan")["id"]
    for version, cidr in ((4, "10.9.0.0/24"), (6, "fd09::/64")):
        neutron.make("subnets", network_id=network, ip_version=version, cidr=cidr)
    ports = {}
    for name, hypervisor in HOSTS.items():
        port = neutron.make("ports", network_id=network, name=name)
        ips = [f"{each['ip_address']}" for each in port["fixed_ips"]]
        addresses = tuple(f"{ip}/{64 if ':' in ip else 24}" for ip in ips)
        facts = VmFacts(port["mac_address"], addresses, ())
        scene.lab.add_vm(port["id"], hypervisor, facts, name=name)
        ports[name] = port
    scene.lab.listen("a", 80)
    scene.lab.listen("b", 80)
    scene.lab.wait_until_up()
    return ports


def test_bindings(scene: Scene, neutron: Neutron, ports: dict[str, Any]) -> None:
    a, b = scene.lab.vm("a"), scene.lab.vm("b")
    path = f"ports/{ports['b']['id']}"
    shown = neutron.call("GET", path)
    assert (shown["status"], shown["binding:vif_type"]) == ("ACTIVE", "ovs")
    # The host is one that the port isn't on, then the right one, by its name.
    here = shown["binding:host_id"]
    there = neutron.call("GET", f"ports/{ports['a']['id']}")["binding:host_id"]
    assert here != there
    moved = neutron.call("PUT", path, {"port": {"binding:host_id": there}})
    assert moved["binding:vif_type"] == "ovs"
    until(lambda: neutron.call("GET", path)["status"] == "DOWN", "the port is down")
    until(lambda: not a.ping(b.ip4, timeout=1.5), "nothing gets there")
    back = neutron.call("PUT", path, {"port": {"binding:host_id": here}})
    assert back["binding:host_id"] == here
    until(lambda: neutron.call("GET", path)["status"] == "ACTIVE", "the port is up")
    assert a.reaches(b.ip4)


def test_allowed_address_pairs(scene: Scene, neutron: Neutron, ports: dict[str, Any]) -> None:
    a, b = scene.lab.vm("a"), scene.lab.vm("b")
    service = "10.9.0.200"
    a.namespace.ip("address", "add", f"{service}/24", "dev", "eth0")
    assert not b.ping(service, timeout=1.5)
    pairs = [{"ip_address": service}]
    path = f"ports/{ports['a']['id']}"
    neutron.call("PUT", path, {"port": {"allowed_address_pairs": pairs}})
    assert b.reaches(service)
    neutron.call("PUT", path, {"port": {"allowed_address_pairs": []}})
    b.namespace.ip("neighbour", "flush", "dev", "eth0")
    assert not b.ping(service, timeout=1.5)
    assert b.reaches(a.ip4)


def test_groups(scene: Scene, neutron: Neutron, ports: dict[str, Any]) -> None:
    a, b, c = (scene.lab.vm(name) for name in HOSTS)

    # Members of the default group reach each other, by both families.
    assert a.reaches(b.ip4)
    assert a.reaches(b.ip6)
    assert c.tcp_connects(a.ip4, 80)

    # Others don't reach them, though what members ask them comes back.
    web = neutron.make("security-groups", name="web")["id"]
    neutron.put_into(ports["b"]["id"], web)
    assert a.tcp_outcome(b.ip4, 80, timeout=1.5) == "timeout"
    assert b.tcp_outcome(a.ip4, 80, timeout=1.5) == "timeout"
    assert not a.ping(b.ip6, timeout=1.5)

    # A rule lets in what it says, and the answers out.
    rule = neutron.make(
        "security-group-rules",
        security_group_id=web,
        direction="ingress",
        protocol="tcp",
        port_range_min=80,
        port_range_max=80,
        remote_group_id=ports["a"]["security_groups"][0],
    )
    assert a.tcp_connects(b.ip4, 80)
    assert c.tcp_connects(b.ip4, 80)
    assert not a.ping(b.ip4, timeout=1.5)

    # Who leaves the group that the rule names is out.
    neutron.put_into(ports["c"]["id"])
    assert c.tcp_outcome(b.ip4, 80, timeout=1.5) == "timeout"
    assert a.tcp_connects(b.ip4, 80)

    neutron.call("DELETE", f"security-group-rules/{rule['id']}")
    assert a.tcp_outcome(b.ip4, 80, timeout=1.5) == "timeout"

    # Without port security nothing of this holds.
    open_ = {"port": {"port_security_enabled": False, "security_groups": []}}
    neutron.call("PUT", f"ports/{ports['b']['id']}", open_)
    assert a.tcp_connects(b.ip4, 80)
    assert b.tcp_outcome(a.ip4, 80, timeout=1.5) == "timeout"


def test_stateless_groups(scene: Scene, neutron: Neutron, ports: dict[str, Any]) -> None:
    a, b = scene.lab.vm("a"), scene.lab.vm("b")
    secured = {"port": {"port_security_enabled": True}}
    neutron.call("PUT", f"ports/{ports['b']['id']}", secured)
    fast = neutron.make("security-groups", name="fast", stateful=False)["id"]
    neutron.put_into(ports["a"]["id"], fast)
    neutron.put_into(ports["b"]["id"], fast)
    place = {"security_group_id": fast, "direction": "ingress"}
    neutron.make(
        "security-group-rules", **place, protocol="tcp", port_range_min=80, port_range_max=80
    )
    # The request arrives, and its answer has no rule.
    assert a.tcp_outcome(b.ip4, 80, timeout=1.5) == "timeout"
    neutron.make(
        "security-group-rules", **place, protocol="tcp", port_range_min=1024, port_range_max=65535
    )
    assert a.tcp_connects(b.ip4, 80)
    assert not a.ping(b.ip4, timeout=1.5)
