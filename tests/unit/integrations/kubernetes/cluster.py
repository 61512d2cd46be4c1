"""A cluster, a Treadle server and a controller between them, for tests of what is kept."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cli.testbed.wait import until
from integrations.client import Client
from integrations.kubernetes.api import Cluster, KubernetesApi
from integrations.kubernetes.controller import Controller
from integrations.kubernetes.health import Health
from integrations.kubernetes.intent import NAMESPACE_LABEL, POD_LABEL, UID_LABEL
from tests.compat.fake_kubernetes import FakeKubernetes

Json = dict[str, Any]

PENDING = "kubernetes_pending"


class Running:
    """A controller in a thread of its own."""

    def __init__(self, cluster: FakeKubernetes, url: str) -> None:
        self.health = Health()
        self.controller = Controller(
            KubernetesApi(Cluster(cluster.url)),
            lambda: Client(url),
            "kubernetes",
            "default",
            self.health,
        )
        self._thread = threading.Thread(target=self.controller.run)
        self._thread.start()

    def stop(self) -> None:
        self.controller.stop()
        self._thread.join()

    def number(self, name: str) -> float:
        lines = dict(line.split() for line in self.health.metrics().splitlines())
        return float(lines.get(f"treadle_kubernetes_{name}", 0))


@contextmanager
def running(cluster: FakeKubernetes, url: str) -> Iterator[Running]:
    controller = Running(cluster, url)
    try:
        yield controller
    finally:
        controller.stop()


class World:
    """What a test does to cluster and server, and what it sees of them."""

    def __init__(self, cluster: FakeKubernetes, client: httpx.Client) -> None:
        self.cluster, self.client = cluster, client

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"/v1{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def items(self, path: str) -> list[Json]:
        found: list[Json] = self.call("GET", f"{path}?limit=1000")["items"]
        return found

    def pod(self, name: str, namespace: str = "default", **labels: str) -> Json:
        """Make a pod in the cluster, which has no port yet."""
        return self.cluster.create(
            "pods",
            {
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"containers": []},
            },
        )

    def plug(self, pod: Json, *addresses: str, switch: str = "pods") -> None:
        """Make the port of a pod as CNI does: in the group of pending ports from the beginning."""
        meta = pod["metadata"]
        name = f"{meta['namespace']}.{meta['name']}"
        labels = {
            NAMESPACE_LABEL: meta["namespace"],
            POD_LABEL: meta["name"],
            UID_LABEL: meta["uid"],
        }
        port = {
            "name": name,
            "logical_switch": switch,
            "addresses": list(addresses) or ["dynamic"],
            "labels": labels,
        }
        operations = [
            {"action": "create", "kind": "logical_switch_port", "values": port, "as": "port"},
            {
                "action": "change_members",
                "kind": "port_group",
                "ref": PENDING,
                "add": ["#port"],
            },
        ]
        self.call("POST", "/transactions", {"operations": operations})

    def unplug(self, pod: Json) -> None:
        meta = pod["metadata"]
        self.call("DELETE", f"/logical-switch-ports/{meta['namespace']}.{meta['name']}")

    def policy(self, name: str, namespace: str = "default", **spec: Any) -> Json:
        return self.cluster.create(
            "networkpolicies", {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
        )

    def groups(self) -> dict[str, list[str]]:
        """The ports of each group, by what it is for."""
        return {
            each["display_name"] if each["name"] != PENDING else PENDING: each["ports"]
            for each in self.items("/port-groups")
        }

    def wait_for_groups(self, **expected: list[str]) -> None:
        """Wait until these are all groups; a name has ``_`` for ``": "``."""
        self.wait(lambda: self.groups() == expected, f"{expected}, not {self.groups()}")

    @staticmethod
    def wait(holds: Callable[[], bool], what: str) -> None:
        until(holds, what, 30)
