"""Pods on Treadle by kuryr-kubernetes, unmodified: namespaces and network policies, two nodes.

Its controller asks for load balancers when it handles namespaces or policies, and so for an
identity service with a catalog: Treadle's own.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from tests.compat.intent import rows_of_intent
from tests.compat.kuryr.kubernetes import Cluster, ClusterNetwork, Node, Pod, cluster_with_kuryr
from tests.compat.neutron.endpoints import PASSWORD, log_in, neutron_settings, write_users
from tests.system.conftest import Scene, two_hypervisors

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

_LOGIN = """
auth_type = password
auth_url = {url}/identity/v3
username = administrator
password = {password}
project_name = default
user_domain_id = default
project_domain_id = default
"""
_HANDLERS = "vif,kuryrport,namespace,kuryrnetwork,pod_label,policy,kuryrnetworkpolicy"
_COLLECTIONS = ("ports", "subnets", "networks", "security-groups", "security-group-rules")


class _Versions(BaseHTTPRequestHandler):
    """Says which versions of the API of load balancers there are: all that is asked of it."""

    def do_GET(self) -> None:
        host = self.headers["Host"]
        links = [{"rel": "self", "href": f"http://{host}/v2"}]
        version = {"id": "v2.26", "status": "CURRENT", "links": links}
        body = json.dumps({"versions": [version]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base says so
        pass


@contextmanager
def load_balancers() -> Iterator[str]:
    """The URL of a service of load balancers that has none."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Versions) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Cloud:
    """A cluster with Kuryr on Treadle."""

    scene: Scene
    cluster: Cluster
    nodes: dict[str, Node]
    neutron: httpx.Client

    def objects(self, collection: str, **filters: str) -> list[dict[str, Any]]:
        return get(self.neutron, collection, **filters)

    def remains(self) -> dict[str, Any]:
        """What there is in the database, in Kubernetes, in Open vSwitch and on the nodes."""
        there: dict[str, Any] = {
            name: sorted(each["id"] for each in self.objects(name)) for name in _COLLECTIONS
        }
        there["rows"] = rows_of_intent(self.scene.lab.server.database)
        api = self.cluster.api
        for kind in ("pods", "kuryrports", "kuryrnetworks", "kuryrnetworkpolicies"):
            there[kind] = [each["metadata"]["name"] for each in api.list(kind)]
        for name, node in self.nodes.items():
            bridge = node.hypervisor.switch.vsctl("list-ports", "br-int").split()
            there[f"ports of {name}"] = [each for each in bridge if each.startswith("tap")]
            links = node.hypervisor.namespace.ip("-brief", "link").splitlines()
            there[f"links of {name}"] = [line for line in links if line.startswith("tap")]
        return there


def get(neutron: httpx.Client, collection: str, **filters: str) -> list[dict[str, Any]]:
    answer = neutron.get(f"/v2.0/{collection}", params=filters)
    assert answer.status_code == 200, answer.text
    (listed,) = (value for key, value in answer.json().items() if not key.endswith("_links"))
    assert isinstance(listed, list)
    return listed


def post(neutron: httpx.Client, collection: str, singular: str, **values: Any) -> dict[str, Any]:
    answer = neutron.post(f"/v2.0/{collection}", json={singular: values})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()[singular]
    return created


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory = tmp_path_factory.mktemp("cluster")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        users = write_users(directory, stack.enter_context(load_balancers()))
        settings = neutron_settings(port, identity_file=users)
        scene = stack.enter_context(two_hypervisors(tmp_path_factory, settings))
        headers = {"X-Auth-Token": log_in(url, "administrator")}
        client = httpx.Client(base_url=url, timeout=60, headers=headers)
        neutron = stack.enter_context(client)
        network = cluster_network(neutron, _LOGIN.format(url=url, password=PASSWORD))
        cluster, nodes = stack.enter_context(
            cluster_with_kuryr(directory, network, scene.lab.hypervisors)
        )
        yield Cloud(scene, cluster, nodes, neutron)


def cluster_network(neutron: httpx.Client, login: str) -> ClusterNetwork:
    """What an operator prepares in Neutron for a cluster."""
    network = post(neutron, "networks", "network", name="services")
    subnet = post(
        neutron,
        "subnets",
        "subnet",
        network_id=network["id"],
        ip_version=4,
        cidr="10.41.0.0/24",
    )
    group = post(neutron, "security-groups", "security_group", name="pods")
    for ethertype in ("IPv4", "IPv6"):
        rule = {"direction": "ingress", "ethertype": ethertype, "security_group_id": group["id"]}
        post(neutron, "security-group-rules", "security_group_rule", **rule)
    values = {"prefixes": ["10.40.0.0/16"], "default_prefixlen": 24}
    pool = post(neutron, "subnetpools", "subnetpool", name="pods", **values)
    router = post(neutron, "routers", "router", name="pods")
    return ClusterNetwork(
        network["project_id"],
        subnet["id"],
        group["id"],
        login,
        _HANDLERS,
        "namespace",
        "policy",
        router["id"],
        pool["id"],
    )


@pytest.fixture
def scene(cloud: Cloud) -> Scene:
    """So that the state of servers, agents and switches is compared after each test."""
    return cloud.scene


@pytest.fixture(autouse=True)
def _nothing_left_behind(cloud: Cloud) -> Iterator[None]:
    before = cloud.remains()
    yield
    until(lambda: cloud.remains() == before, f"an end without remains of {before}", 60)


@contextmanager
def namespace(cloud: Cloud, name: str, **labels: str) -> Iterator[None]:
    """A namespace of the cluster, until Kuryr has taken its network away."""
    api = cloud.cluster.api
    api.create("namespaces", {"metadata": {"name": name, "labels": labels}})
    try:
        yield
    finally:
        api.delete("namespaces", name)
        until(lambda: not named(cloud, "kuryrnetworks", name), f"the end of {name}", 60)


def named(cloud: Cloud, kind: str, name: str) -> bool:
    return name in [each["metadata"]["name"] for each in cloud.cluster.api.list(kind)]


def test_pods_of_two_nodes_and_two_namespaces(cloud: Cloud) -> None:
    first, second = cloud.nodes["hv1"], cloud.nodes["hv2"]
    with (
        namespace(cloud, "red"),
        namespace(cloud, "blue"),
        first.pod("one", "red") as one,
        second.pod("two", "red") as two,
        second.pod("three", "blue") as three,
    ):
        assert one.pings(two.address)
        assert one.pings(three.address)  # by the router that all namespaces have
        (port,) = cloud.objects("ports", fixed_ips=f"ip_address={one.address}")
        assert (port["status"], port["device_owner"]) == ("ACTIVE", "compute:kuryr")
        assert port["binding:host_id"] == first.name
        subnets = {each["subnet_id"] for pod in (one, two) for each in fixed_ips(cloud, pod)}
        assert len(subnets) == 1
        assert subnets.isdisjoint(each["subnet_id"] for each in fixed_ips(cloud, three))


def fixed_ips(cloud: Cloud, pod: Pod) -> list[dict[str, Any]]:
    (port,) = cloud.objects("ports", fixed_ips=f"ip_address={pod.address}")
    listed: list[dict[str, Any]] = port["fixed_ips"]
    return listed


def relabel(cloud: Cloud, pod: str, role: str) -> None:
    cloud.cluster.api.merge("pods", pod, {"metadata": {"labels": {"role": role}}}, "red")


@pytest.mark.compat
def test_a_network_policy(cloud: Cloud) -> None:
    first, second = cloud.nodes["hv1"], cloud.nodes["hv2"]
    api = cloud.cluster.api
    selector = {"podSelector": {"matchLabels": {"role": "client"}}}
    policy = {
        "metadata": {"name": "only-clients", "namespace": "red"},
        "spec": {
            "podSelector": {"matchLabels": {"role": "server"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [selector]}],
        },
    }
    with (
        namespace(cloud, "red"),
        first.pod("server", "red", {"role": "server"}) as server,
        second.pod("client", "red", {"role": "client"}) as client,
        second.pod("stranger", "red", {"role": "stranger"}) as stranger,
    ):
        assert client.pings(server.address)
        assert stranger.pings(server.address)
        api.create("networkpolicies", policy)
        until(lambda: not stranger.pings(server.address, 0), "the policy", 60)
        assert client.pings(server.address)
        assert server.pings(stranger.address)

        # Kuryr's handler of labels looks for the pod's interfaces where they aren't
        # (PodLabelHandler._has_vifs in kuryr-kubernetes 10.0.0: it asks what get_vifs gives, which
        # is by names of interfaces, for "status"), and so takes each pod for one without any. The
        # rules follow when Kuryr goes over all policies, or when the policy itself changes.
        relabel(cloud, "stranger", "client")
        assert stranger.pings(server.address, 90)
        relabel(cloud, "stranger", "stranger")
        touched = {"metadata": {"annotations": {"touched": "once"}}}
        api.merge("networkpolicies", "only-clients", touched, "red")
        until(lambda: not stranger.pings(server.address, 0), "the policy", 60)

        api.delete("networkpolicies", "only-clients", "red")
        until(lambda: not named(cloud, "kuryrnetworkpolicies", "only-clients"), "its end", 60)
        assert stranger.pings(server.address, 60)
