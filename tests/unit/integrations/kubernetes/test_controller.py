"""The controller between a real server and a fake cluster: what is kept, through which faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.testbed.server import Server
from cli.testbed.tcp_ports import free_ports
from integrations.kubernetes.health import HealthServer
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.unit.integrations.kubernetes.cluster import PENDING, Running, World, running

pytestmark = pytest.mark.processes

WEB = {"matchLabels": {"app": "web"}}
DB = {"matchLabels": {"app": "db"}}
FROM_WEB = [{"from": [{"podSelector": WEB}], "ports": [{"port": 5432}]}]


class Treadle:
    """A server that may be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        self.server = Server(directory, *free_ports(2))
        self.start()

    def start(self) -> None:
        self.process = self.server.start()
        self.server.wait_until_ready(self.process)

    def stop(self) -> None:
        self.process.stop()


@pytest.fixture(scope="module")
def treadle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treadle]:
    treadle = Treadle(tmp_path_factory.mktemp("server"))
    yield treadle
    treadle.stop()


@pytest.fixture
def world(treadle: Treadle) -> Iterator[World]:
    """A cluster of its own, and a server with nothing but a switch."""
    with FakeKubernetes() as cluster, treadle.server.client() as client:
        world = World(cluster, client)
        world.call("POST", "/logical-switches", {"name": "pods", "subnet4": "10.244.0.0/24"})
        yield world
        for path in ("/acls", "/port-groups", "/address-sets"):
            for each in world.items(path):
                world.call("DELETE", f"{path}/{each['id']}")
        world.call("DELETE", "/logical-switches/pods?cascade=true")


def synced(world: World) -> None:
    world.wait(lambda: PENDING in world.groups(), "the group of pending ports")


def is_well(controller: Running) -> bool:
    return not controller.health.problems()


def matches(world: World) -> set[str]:
    return {f"{acl['direction']} {acl['action']}: {acl['match']}" for acl in world.items("/acls")}


def test_from_a_pod_to_its_policies(world: World, treadle: Treadle) -> None:
    with running(world.cluster, treadle.server.url) as controller:
        synced(world)
        web, db = world.pod("web", app="web"), world.pod("db", app="db")
        world.policy("db", podSelector=DB, ingress=FROM_WEB)
        world.wait(lambda: "default: app=db" in world.groups(), "the policy's groups")
        world.plug(web)
        world.plug(db)
        expected: dict[str, list[str]] = {
            PENDING: [],
            "default: app=db": ["default.db"],
            "default: app=web": ["default.web"],
        }
        world.wait_for_groups(**expected)
        # One label, and the pod is another's peer.
        world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "other"}}})
        world.wait_for_groups(**{**expected, "default: app=web": []})
        world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "web"}}})
        world.wait_for_groups(**expected)
        # Its end closes the port, which CNI then takes away.
        world.cluster.delete("pods", "web")
        world.wait_for_groups(**{**expected, PENDING: ["default.web"], "default: app=web": []})
        world.unplug(web)
        world.wait_for_groups(**{**expected, "default: app=web": []})
        # A pod whose port goes first, as CNI takes it away before its object goes.
        comparisons = controller.number("comparisons_total")
        world.unplug(db)
        world.wait_for_groups(**{**expected, "default: app=web": [], "default: app=db": []})
        world.wait(lambda: controller.number("ports") == 0, "the controller knows")
        world.cluster.delete("pods", "db")
        world.cluster.delete("networkpolicies", "db")
        world.wait_for_groups(**{PENDING: []})
        assert controller.number("comparisons_total") == comparisons, "nothing was looked for"
        assert len(world.items("/acls")) == 2, "those of the pending group"
        world.wait(lambda: is_well(controller), "no problems")
        assert controller.number("failures_total") == 0


def test_a_port_whose_pod_is_not_known_stays_closed(world: World, treadle: Treadle) -> None:
    with running(world.cluster, treadle.server.url):
        synced(world)
        stranger = {"metadata": {"namespace": "default", "name": "new", "uid": "other"}}
        world.plug(stranger)
        world.pod("new")
        world.pod("marker", app="web")
        world.policy("all", podSelector={})
        world.wait(lambda: "default: all pods" in world.groups(), "the policy's group")
        assert world.groups()[PENDING] == ["default.new"], "a pod of that name before it"


def test_a_restart_writes_only_what_differs(world: World, treadle: Treadle) -> None:
    pods = [world.pod(f"web-{i}", app="web") for i in range(3)]
    world.policy("web", podSelector=WEB, ingress=[{"from": [{"ipBlock": {
        "cidr": "192.0.2.0/24", "except": ["192.0.2.128/26"]}}]}])  # fmt: skip
    with running(world.cluster, treadle.server.url):
        synced(world)
        for pod in pods:
            world.plug(pod)
        ports = [f"default.web-{i}" for i in range(3)]
        world.wait_for_groups(**{PENDING: [], "default: app=web": ports})
    revision = world.call("GET", "/status")["revision"]
    with running(world.cluster, treadle.server.url) as controller:
        world.wait(lambda: is_well(controller), "everything listed")
        assert world.call("GET", "/status")["revision"] == revision
        assert controller.number("operations_total") == 0
    # Meanwhile a pod goes, a policy changes, and another was made.
    world.cluster.delete("pods", "web-0")
    world.cluster.merge("networkpolicies", "web", {"spec": {"ingress": []}})
    world.policy("egress", podSelector=WEB, policyTypes=["Egress"])
    with running(world.cluster, treadle.server.url):
        world.wait_for_groups(**{PENDING: ports[:1], "default: app=web": ports[1:]})
        world.wait(lambda: len(matches(world)) == 6, "ACLs of both policies")
        assert not world.items("/address-sets")


def test_what_others_change_is_mended(world: World, treadle: Treadle) -> None:
    world.policy("web", podSelector=WEB, ingress=[{"ports": [{"port": 80}]}])
    pod = world.pod("web", app="web")
    with running(world.cluster, treadle.server.url):
        synced(world)
        world.plug(pod)
        expected = {PENDING: [], "default: app=web": ["default.web"]}
        world.wait_for_groups(**expected)
        before = matches(world)
        (group,) = (each for each in world.items("/port-groups") if each["name"] != PENDING)
        world.call("PATCH", f"/port-groups/{group['id']}", {"ports": []})
        world.wait_for_groups(**expected)
        acl = next(each for each in world.items("/acls") if each["priority"] == 1000)
        world.call("PATCH", f"/acls/{acl['id']}", {"action": "allow"})
        world.wait(lambda: matches(world) == before, "the ACL as it was")
        world.call("DELETE", f"/acls/{acl['id']}")
        world.wait(lambda: matches(world) == before, "the ACL again")
        world.call("DELETE", f"/port-groups/{group['id']}")
        world.wait_for_groups(**expected)
        world.wait(lambda: matches(world) == before, "its ACLs, too")


def test_the_api_of_the_cluster_fails_and_comes_back(world: World, treadle: Treadle) -> None:
    pod = world.pod("web", app="web")
    with running(world.cluster, treadle.server.url) as controller:
        world.wait(lambda: is_well(controller), "everything listed")
        world.plug(pod)
        world.cluster.refuse(500)
        world.cluster.drop_watches()
        world.wait(lambda: "Pod" in controller.health.problems(), "trouble is shown")
        world.cluster.refuse()
        # What happens meanwhile is learned of by listing again, as its history is gone.
        world.policy("web", podSelector=WEB)
        world.cluster.delete("pods", "web")
        world.cluster.compact()
        world.wait_for_groups(**{PENDING: ["default.web"], "default: app=web": []})
        world.wait(lambda: is_well(controller), "all is well again")


def test_the_server_goes_away_and_comes_back(world: World, treadle: Treadle) -> None:
    with running(world.cluster, treadle.server.url) as controller:
        world.wait(lambda: is_well(controller), "everything listed")
        treadle.stop()
        try:
            world.policy("web", podSelector=WEB)
            world.wait(lambda: "writing" in controller.health.problems(), "trouble is shown")
        finally:
            treadle.start()
        world.wait_for_groups(**{PENDING: [], "default: app=web": []})
        world.wait(lambda: is_well(controller), "all is well again")


def test_two_controllers_do_the_same(world: World, treadle: Treadle) -> None:
    pod = world.pod("web", app="web")
    with (
        running(world.cluster, treadle.server.url) as one,
        running(world.cluster, treadle.server.url) as two,
    ):
        synced(world)
        world.plug(pod)
        for i in range(5):
            world.policy(f"p{i}", podSelector=WEB, ingress=[{"ports": [{"port": 80 + i}]}])
        world.wait_for_groups(**{PENDING: [], "default: app=web": ["default.web"]})
        world.wait(lambda: len(matches(world)) == 2 + 2 + 5, "each ACL once")
        world.wait(lambda: is_well(one) and is_well(two), "neither is in trouble")


def events(world: World) -> dict[str, str]:
    return {
        each["involvedObject"]["name"]: each["message"] for each in world.cluster.list("events")
    }


def test_what_cannot_be_kept_is_told_and_closed(world: World, treadle: Treadle) -> None:
    with running(world.cluster, treadle.server.url):
        synced(world)
        world.policy(
            "odd",
            podSelector=WEB,
            ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/99"}}]}, {"ports": [{"port": 80}]}],
        )
        # By itself in order, and refused by the server: thousands of flows.
        numbers = [{"port": 2 * i + 1} for i in range(9000)]
        world.policy("huge", podSelector=DB, ingress=[{"ports": numbers}])
        world.wait(lambda: {"odd", "huge"} <= events(world).keys(), "both are told")
        assert "spec.ingress[0].from[0].ipBlock.cidr" in events(world)["odd"]
        assert "Treadle refuses" in events(world)["huge"]
        closed = {match for match in matches(world) if "drop" in match and "app_db" in match}
        assert len(closed) == 1
        assert not any("to-lport allow" in match and "app_db" in match for match in matches(world))
        assert any("allow" in match and "tcp.dst == 80" in match for match in matches(world))
        # Others are kept all the same.
        world.policy("fine", podSelector={})
        world.wait(lambda: "default: all pods" in world.groups(), "another policy")
        world.cluster.delete("networkpolicies", "huge")
        world.policy("huge", podSelector=DB, ingress=[{"ports": [{"port": 81}]}])
        world.wait(lambda: any("tcp.dst == 81" in m for m in matches(world)), "it is mended")


def test_what_is_refused_and_denies_denies_more(world: World, treadle: Treadle) -> None:
    everything: dict[str, Any] = {"namespaces": {}}
    ports = [{"portNumber": {"protocol": "TCP", "port": 2 * i + 1}} for i in range(9000)]
    rules = [
        {"action": "Deny", "from": [everything], "ports": ports},
        {"action": "Pass", "from": [everything], "ports": ports},
    ]
    spec = {"priority": 1, "subject": everything, "ingress": rules}
    with running(world.cluster, treadle.server.url):
        synced(world)
        world.cluster.create("adminnetworkpolicies", {"metadata": {"name": "odd"}, "spec": spec})
        world.wait(lambda: "odd" in events(world), "it is told")
        world.wait(lambda: len(matches(world)) == 2 + 2, "it is closed")
        (closed,) = (each for each in matches(world) if "drop" in each and "pending" not in each)
        assert closed.startswith("to-lport drop: outport == @kube.all_namespaces_all_pods")
        assert closed.endswith(" && ip")
        world.policy("fine", podSelector={})
        world.wait(lambda: "default: all pods" in world.groups(), "others are kept")


def test_what_cannot_be_understood_of_a_revision_is_read_anew(
    world: World, treadle: Treadle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(world.cluster, treadle.server.url) as controller:
        world.wait(lambda: is_well(controller), "all is well")

        def fail(change: Any) -> None:
            raise KeyError("surprise")

        monkeypatch.setattr(controller.controller, "_follow_change", fail)
        pod = world.pod("web", app="web")
        world.policy("web", podSelector=WEB)
        world.plug(pod)
        world.wait_for_groups(**{PENDING: [], "default: app=web": ["default.web"]})
        assert "surprise" in controller.health.problems()["fault"]
        assert controller.number("faults_total") > 0


def test_ports_that_went_a_moment_ago_hold_nothing_up(
    world: World, treadle: Treadle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a namespace with a thousand pods goes: what the feed tells is never quite up to date."""
    pods = [world.pod(f"web-{i}", app="web") for i in range(4)]
    world.policy("web", podSelector=WEB)
    world.policy("db", podSelector=DB)
    with running(world.cluster, treadle.server.url) as controller:
        synced(world)
        for pod in pods:
            world.plug(pod)
        ports = [f"default.web-{i}" for i in range(4)]
        world.wait_for_groups(**{PENDING: [], "default: app=web": ports, "default: app=db": []})
        reads = controller.number("reads_total")
        monkeypatch.setattr(controller.controller, "_follow", lambda revision: None)
        for pod in pods[:3]:
            world.unplug(pod)
        world.cluster.delete("pods", "web-0")
        for name in ("web-1", "web-2", "web-3"):
            world.cluster.merge("pods", name, {"metadata": {"labels": {"app": "db"}}})
        world.wait_for_groups(**{PENDING: [], "default: app=web": [], "default: app=db": ports[3:]})
        world.wait(lambda: is_well(controller), "all is well")
        assert controller.number("failures_total") == 0
        assert controller.number("refusals_total") > 0
        assert controller.number("reads_total") == reads


def test_admin_policies_of_a_cluster_that_knows_them(world: World, treadle: Treadle) -> None:
    everything: dict[str, Any] = {"namespaces": {}}
    with running(world.cluster, treadle.server.url):
        synced(world)
        world.cluster.create(
            "adminnetworkpolicies",
            {
                "metadata": {"name": "guard"},
                "spec": {
                    "priority": 5,
                    "subject": everything,
                    "egress": [{"action": "Deny", "to": [{"networks": ["192.0.2.0/24"]}]}],
                },
            },
        )
        world.wait(lambda: any("192.0.2.0/24" in match for match in matches(world)), "its ACL")
        (acl,) = (each for each in world.items("/acls") if "192.0.2.0/24" in each["match"])
        assert (acl["tier"], acl["name"]) == (1, "AdminNetworkPolicy guard")


def test_a_cluster_without_admin_policies_is_fine(world: World, treadle: Treadle) -> None:
    for plural in ("adminnetworkpolicies", "baselineadminnetworkpolicies"):
        resource = world.cluster.store.named(plural)
        del world.cluster.store.resources[resource.group, resource.version, plural]
    with running(world.cluster, treadle.server.url) as controller:
        world.wait(lambda: is_well(controller), "all is well")


def test_the_pending_group_is_there_before_the_cluster_answers(
    world: World, treadle: Treadle
) -> None:
    world.cluster.refuse(503)
    with running(world.cluster, treadle.server.url) as controller:
        synced(world)
        assert len(world.items("/acls")) == 2
        assert "Pod listed" in controller.health.problems()
        world.cluster.refuse()


def test_health_is_served(world: World, treadle: Treadle) -> None:
    with running(world.cluster, treadle.server.url) as controller:
        served = HealthServer(controller.health, "127.0.0.1", 0)
        try:
            base = f"http://127.0.0.1:{served.port}"
            world.wait(lambda: httpx.get(f"{base}/readyz", timeout=30).status_code == 200, "ready")
            controller.health.tell("part", "broken")
            assert httpx.get(f"{base}/readyz", timeout=30).status_code == 503
            alive = httpx.get(f"{base}/healthz", timeout=30)
            assert (alive.status_code, alive.json()["problems"]) == (200, {"part": "broken"})
            assert "treadle_kubernetes_degraded 1" in httpx.get(f"{base}/metrics", timeout=30).text
            assert httpx.get(f"{base}/else", timeout=30).status_code == 404
        finally:
            served.stop()
