"""kuryr-kubernetes, unmodified: its controller, a daemon on each node, and pods plugged by its CNI.

A node is a hypervisor of a lab, a pod a network namespace that stands on it. The Kubernetes API
is :class:`~tests.compat.fake_kubernetes.FakeKubernetes`.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.testbed.hypervisor import Hypervisor
from cli.testbed.namespace import Namespace, run
from cli.testbed.process import Process, spawn
from cli.testbed.tcp_ports import free_ports
from cli.testbed.wait import until
from tests.compat.environments import Environment, environment
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.faults.proxy import Proxy

_DAEMON_PORT = 5036
_HEALTH_PORT = 8082
_EXPORTER_PORT = 9654
_KUBERNETES_PORT = 16443
_OVSDB_PORT = 6640
_RECONCILE_SECONDS = 15
"""How often Kuryr goes over all objects again; changed labels have no effect before."""

_CONFIGURATION = """
    [DEFAULT]
    bindir = {directory}/libexec/kuryr
    [kubernetes]
    api_root = {kubernetes}
    token_file =
    enabled_handlers = {handlers}
    pod_vif_driver = neutron-vif
    vif_pool_driver = noop
    pod_subnets_driver = {subnets}
    pod_security_groups_driver = {groups}
    port_debug = True
    controller_ha = False
    watch_reconcile_period = {reconcile_seconds}
    [neutron]
    {login}
    [neutron_defaults]
    project = {project}
    pod_subnet = {pod_subnet}
    pod_security_groups = {pod_group}
    service_subnet = {pod_subnet}
    external_svc_net = {pod_subnet}
    ovs_bridge = br-int
    resource_tags = kuryr-cluster-1
    [namespace_subnet]
    pod_router = {router}
    pod_subnet_pool = {pool}
    [cni_daemon]
    bind_address = 127.0.0.1:{daemon_port}
    worker_num = 2
    [cni_health_server]
    port = {health_port}
    [health_server]
    port = {controller_health_port}
    [prometheus_exporter]
    controller_exporter_port = {exporter_port}
    [vif_plug_ovs]
    ovsdb_connection = {ovsdb}
    [vif_plug_ovs_privileged]
    helper_command = {directory}/bin/privsep-helper
    [vif_plug_linux_bridge_privileged]
    helper_command = {directory}/bin/privsep-helper
    [oslo_concurrency]
    lock_path = {lock}
"""


@dataclass(frozen=True)
class ClusterNetwork:
    """What of Neutron the cluster is told to use, by ids; `login` are lines of ``[neutron]``."""

    project: str
    pod_subnet: str
    pod_group: str
    login: str
    handlers: str = "vif,kuryrport"
    subnets_driver: str = "default"
    groups_driver: str = "default"
    router: str = ""
    pool: str = ""


class Cluster:
    """A Kubernetes cluster whose pods get their network from Kuryr."""

    def __init__(self, directory: Path, api: FakeKubernetes, network: ClusterNetwork) -> None:
        self.directory = directory
        self.api = api
        self._network = network
        self._environment: Environment = environment("kuryr-kubernetes")
        self._processes: list[Process] = []

    def start_controller(self) -> Process:
        """Start the controller, which makes ports for pods that have a node."""
        # It stands in no namespace of its own, so none of its ports may be one that others have.
        health_port, exporter_port = free_ports(2)
        configuration = self._configure(
            "controller",
            self.api.url,
            "tcp:127.0.0.1:1",
            health_port,
            exporter_port,
            self._network.login,
        )
        process = spawn(
            "kuryr-k8s-controller",
            [self._environment.program("kuryr-k8s-controller"), "--config-file", configuration],
            self.directory / "controller.log",
            {"PATH": self._environment.search_path},
        )
        self._processes.append(process)
        return process

    @contextmanager
    def node(self, hypervisor: Hypervisor) -> Iterator["Node"]:
        """Have a hypervisor be a node of the cluster, with Kuryr's daemon."""
        port = int(self.api.url.rpartition(":")[2])
        proxy = Proxy(port, namespace=hypervisor.namespace, port=_KUBERNETES_PORT)
        # The library by which Kuryr plugs knows no other way to the database.
        control = str(hypervisor.switch.directory / "ovsdb-server.ctl")
        listen = f"ptcp:{_OVSDB_PORT}:127.0.0.1"
        run(["ovs-appctl", "-t", control, "ovsdb-server/add-remote", listen])
        name = hypervisor.namespace.name
        configuration = self._configure(
            hypervisor.name,
            f"http://127.0.0.1:{_KUBERNETES_PORT}",
            f"tcp:127.0.0.1:{_OVSDB_PORT}",
            _HEALTH_PORT + 1,
            _EXPORTER_PORT,
        )
        environment = {
            **hypervisor.environment,
            "PATH": self._environment.search_path,
            "KUBERNETES_NODE_NAME": name,
        }
        daemon = self._environment.program("kuryr-daemon")
        process = spawn(
            f"kuryr-daemon of {name}",
            hypervisor.namespace.argv([daemon, "--config-file", configuration]),
            self.directory / f"daemon-{hypervisor.name}.log",
            environment,
        )
        self._processes.append(process)
        node = Node(hypervisor, self._environment, configuration, self.api)
        try:
            until(lambda: process.check() or node.is_ready(), f"kuryr-daemon of {name}", 60)
            yield node
        finally:
            process.stop()
            proxy.close()

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()

    def _configure(
        self,
        name: str,
        kubernetes: str,
        ovsdb: str,
        health_port: int,
        exporter_port: int,
        login: str = "",
    ) -> str:
        network = self._network
        file = self.directory / f"{name}.conf"
        text = textwrap.dedent(_CONFIGURATION).format(
            directory=self._environment.directory,
            kubernetes=kubernetes,
            handlers=network.handlers,
            subnets=network.subnets_driver,
            groups=network.groups_driver,
            login=login,
            project=network.project,
            pod_subnet=network.pod_subnet,
            pod_group=network.pod_group,
            router=network.router,
            pool=network.pool,
            daemon_port=_DAEMON_PORT,
            health_port=_HEALTH_PORT,
            controller_health_port=health_port,
            exporter_port=exporter_port,
            reconcile_seconds=_RECONCILE_SECONDS,
            ovsdb=ovsdb,
            lock=self.directory / f"lock-{name}",
        )
        file.write_text(text)
        return str(file)


class Node:
    """One node: pods are plugged there by ``kuryr-cni``, as a container runtime would."""

    def __init__(
        self,
        hypervisor: Hypervisor,
        environment: Environment,
        configuration: str,
        api: FakeKubernetes,
    ) -> None:
        self.hypervisor = hypervisor
        self.name = hypervisor.namespace.name
        self._environment = environment
        self._configuration = configuration
        self._api = api

    def is_ready(self) -> bool:
        url = f"http://127.0.0.1:{_HEALTH_PORT}/ready"
        return "ok" in self.hypervisor.namespace.run("curl", "--silent", url, check=False)

    @contextmanager
    def pod(
        self, name: str, namespace: str = "default", labels: Mapping[str, str] | None = None
    ) -> Iterator["Pod"]:
        """A pod on this node, from its creation until nothing of it is there."""
        metadata = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
        spec = {"nodeName": self.name, "containers": [{"name": "main", "image": "none"}]}
        self._api.create("pods", {"metadata": metadata, "spec": spec})
        created = self._api.merge("pods", name, {"status": {"phase": "Pending"}}, namespace)
        pod = Pod(self, created)
        pod.namespace.create()
        try:
            pod.add()
            yield pod
        finally:
            try:
                self._api.delete("pods", name, namespace)
                pod.cni("DEL")
            finally:
                pod.namespace.delete()


class Pod:
    """One pod, a network namespace."""

    def __init__(self, node: Node, described: Mapping[str, Any]) -> None:
        self.node = node
        self._metadata = described["metadata"]
        self.namespace = Namespace(f"{node.name}-{self._metadata['name']}"[:60])
        self.result: dict[str, Any] = {}

    @property
    def address(self) -> str:
        """Its first address, without the length of the prefix."""
        address: str = self.result["ips"][0]["address"]
        return address.partition("/")[0]

    def add(self) -> None:
        """Have the CNI plugin plug it, and tell Kubernetes its address, as a kubelet does."""
        # It logs to where it answers, too.
        (answer,) = (line for line in self.cni("ADD").splitlines() if line.startswith("{"))
        self.result = json.loads(answer)
        name, namespace = self._metadata["name"], self._metadata["namespace"]
        status = {"phase": "Running", "podIP": self.address, "podIPs": [{"ip": self.address}]}
        self.node._api.merge("pods", name, {"status": status}, namespace)

    def cni(self, command: str) -> str:
        """Run the plugin for this pod; what it prints."""
        metadata = self._metadata
        container = metadata["uid"].replace("-", "")
        arguments = {
            "IgnoreUnknown": "1",
            "K8S_POD_NAMESPACE": metadata["namespace"],
            "K8S_POD_NAME": metadata["name"],
            "K8S_POD_UID": metadata["uid"],
            "K8S_POD_INFRA_CONTAINER_ID": container,
        }
        settings = {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": container,
            "CNI_NETNS": str(self.namespace.path),
            "CNI_IFNAME": "eth0",
            "CNI_PATH": str(self.node._environment.directory / "bin"),
            "CNI_ARGS": ";".join(f"{key}={value}" for key, value in arguments.items()),
            "PATH": self.node._environment.search_path,
        }
        configuration = {
            "cniVersion": "0.3.1",
            "name": "kuryr",
            "type": "kuryr-cni",
            "kuryr_conf": self.node._configuration,
        }
        script = 'printf %s "$1" | env "${@:2}"'
        given = [f"{key}={value}" for key, value in settings.items()]
        plugin = self.node._environment.program("kuryr-cni")
        shell = ["bash", "-euo", "pipefail", "-c", script, "cni", json.dumps(configuration)]
        return run(self.node.hypervisor.namespace.argv([*shell, *given, plugin]), timeout=120)

    def pings(self, address: str, seconds: float = 30) -> bool:
        """Whether it gets an answer from `address` within `seconds`."""
        ping = ("ping", "-n", "-c", "1", "-W", "1", address)
        try:
            until(lambda: " 0% packet loss" in self.namespace.run(*ping, check=False), "", seconds)
        except Exception:
            return False
        return True


@contextmanager
def cluster_with_kuryr(
    directory: Path,
    network: ClusterNetwork,
    hypervisors: Mapping[str, Hypervisor],
) -> Iterator[tuple[Cluster, dict[str, Node]]]:
    """A cluster whose nodes are these hypervisors."""
    with FakeKubernetes() as api, ExitStack() as stack:
        cluster = Cluster(directory, api, network)
        stack.callback(cluster.stop)
        for hypervisor in hypervisors.values():
            api.create("nodes", {"metadata": {"name": hypervisor.namespace.name}})
        cluster.start_controller()
        nodes = {
            name: stack.enter_context(cluster.node(hypervisor))
            for name, hypervisor in hypervisors.items()
        }
        yield cluster, nodes
