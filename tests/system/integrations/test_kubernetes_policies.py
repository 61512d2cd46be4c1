"""Policies of a cluster, kept by the controller, with real packets between pods.

Pods are on two hypervisors, their ports made as CNI makes them: with labels, and in the group of
ports of which nothing is known yet. The cluster's API is a fake; all the rest is real.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cli.testbed.wait import until
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.tap import Tap
from tests.unit.integrations.kubernetes.cluster import PENDING, World, running

pytestmark = pytest.mark.system

Json = dict[str, Any]

PODS = {
    "web": ("shop", "hv1", {"app": "web"}),
    "db": ("shop", "hv2", {"app": "db"}),
    "probe": ("ops", "hv1", {"app": "probe"}),
}
OUTSIDE = "client"
"""A port of the same switch that is no pod."""
NAMES = (*PODS, OUTSIDE)
SCTP = 132


def mac(name: str) -> str:
    return f"0a:00:00:00:24:0{1 + NAMES.index(name)}"


def ip4(name: str) -> str:
    return f"10.24.0.{11 + NAMES.index(name)}"


def ip6(name: str) -> str:
    return f"fd24::{11 + NAMES.index(name)}"


def port_of(name: str) -> str:
    return name if name == OUTSIDE else f"{PODS[name][0]}.{name}"


def pod_json(name: str) -> Json:
    namespace, _, labels = PODS[name]
    port = {"name": "http", "containerPort": 80}
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"containers": [{"ports": [port]}]},
    }


class Fleet:
    """The scene with a cluster beside it."""

    def __init__(self, scene: Scene, world: World) -> None:
        self.scene, self.world = scene, world

    def settle(self, acls: int) -> None:
        """Wait until there are so many ACLs, besides the pending group's, and packets obey."""
        found = lambda: len(self.world.items("/acls"))  # noqa: E731
        until(lambda: found() == acls + 2, f"{acls} + 2 ACLs, not {found()}", 30)
        self.obey()

    def obey(self) -> None:
        """Wait until every switch has the last revision."""
        revision = self.world.call("GET", "/status")["revision"]
        self.world.call("GET", f"/revisions/{revision}?wait=chassis")
        for hypervisor in self.scene.lab.hypervisors.values():
            hypervisor.switch.appctl("revalidator/purge")

    def connects(self, source: str, destination: str, port: int, *, ip: int = 4) -> bool:
        target = ip4(destination) if ip == 4 else ip6(destination)
        return self.scene.lab.vm(port_of(source)).tcp_connects(target, port, timeout=1.5)


@pytest.fixture(scope="module")
def fleet(scene: Scene) -> Iterator[Fleet]:
    with FakeKubernetes() as cluster:
        world = World(cluster, scene.net.client)
        scene.net.switch("pods")
        scene.net.port("pods", OUTSIDE, f"{mac(OUTSIDE)} {ip4(OUTSIDE)} {ip6(OUTSIDE)}")
        scene.lab.add_vm(OUTSIDE, "hv2")
        for namespace, team in (("shop", "sales"), ("ops", "ops")):
            cluster.create(
                "namespaces", {"metadata": {"name": namespace, "labels": {"team": team}}}
            )
        with running(cluster, scene.lab.server.url):
            world.wait(lambda: PENDING in world.groups(), "the group of pending ports")
            for name, (_, hypervisor, _) in PODS.items():
                pod = cluster.create("pods", pod_json(name))
                world.plug(pod, f"{mac(name)} {ip4(name)} {ip6(name)}")
                scene.lab.add_vm(port_of(name), hypervisor)
                for port in (80, 443):
                    scene.lab.listen(port_of(name), port)
            world.wait(lambda: world.groups() == {PENDING: []}, "all pods are known")
            scene.lab.wait_until_up()
            fleet = Fleet(scene, world)
            fleet.obey()
            for name in PODS:
                until(lambda name=name: fleet.connects(OUTSIDE, name, 443), "responders")  # type: ignore[misc]
            yield fleet


@pytest.fixture(autouse=True)
def _no_policies_left(fleet: Fleet) -> Iterator[None]:
    yield
    cluster = fleet.world.cluster
    for plural in ("networkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies"):
        for each in cluster.list(plural):
            meta = each["metadata"]
            cluster.delete(plural, meta["name"], meta.get("namespace", ""))
    fleet.settle(0)


class Probe(NamedTuple):
    """A TCP connection that is tried."""

    source: str
    destination: str
    port: int = 80


class Case(NamedTuple):
    """Policies of namespace `shop`, how many ACLs they become, and what gets through."""

    policies: list[Json]
    acls: int
    passes: list[Probe]
    fails: list[Probe]


WEB, DB = {"matchLabels": {"app": "web"}}, {"matchLabels": {"app": "db"}}
OPS = {"matchLabels": {"team": "ops"}}

CASES = {
    "deny all to a namespace": Case(
        [{"podSelector": {}}],
        2,
        [Probe("web", "probe"), Probe("db", "probe", 443)],
        [Probe("probe", "web"), Probe("web", "db"), Probe(OUTSIDE, "db")],
    ),
    "allow all to a namespace": Case(
        [{"podSelector": {}}, {"podSelector": {}, "ingress": [{}]}],
        3,
        [Probe("probe", "web"), Probe("web", "db", 443), Probe(OUTSIDE, "db")],
        [],
    ),
    "pods of the namespace, one port": Case(
        [
            {
                "podSelector": DB,
                "ingress": [{"from": [{"podSelector": WEB}], "ports": [{"port": 80}]}],
            }
        ],
        3,
        [Probe("web", "db"), Probe("probe", "web", 443)],
        [Probe("web", "db", 443), Probe("probe", "db"), Probe(OUTSIDE, "db")],
    ),
    "namespaces by label": Case(
        [{"podSelector": WEB, "ingress": [{"from": [{"namespaceSelector": OPS}]}]}],
        3,
        [Probe("probe", "web"), Probe("probe", "web", 443)],
        [Probe("db", "web"), Probe(OUTSIDE, "web")],
    ),
    "some pods of some namespaces": Case(
        [
            {
                "podSelector": WEB,
                "ingress": [
                    {
                        "from": [
                            {
                                "namespaceSelector": {
                                    "matchExpressions": [{"key": "team", "operator": "Exists"}]
                                },
                                "podSelector": {
                                    "matchExpressions": [
                                        {"key": "app", "operator": "NotIn", "values": ["db"]}
                                    ]
                                },
                            }
                        ]
                    }
                ],
            }
        ],
        3,
        [Probe("probe", "web")],
        [Probe("db", "web"), Probe(OUTSIDE, "web")],
    ),
    "a block with an exception": Case(
        [
            {
                "podSelector": WEB,
                "ingress": [
                    {
                        "from": [
                            {
                                "ipBlock": {
                                    "cidr": "10.24.0.0/24",
                                    "except": [f"{ip4('probe')}/32"],
                                }
                            }
                        ]
                    }
                ],
            }
        ],
        3,
        [Probe(OUTSIDE, "web"), Probe("db", "web")],
        [Probe("probe", "web")],
    ),
    "a named port": Case(
        [{"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}],
        3,
        [Probe("probe", "web"), Probe(OUTSIDE, "db")],
        [Probe("probe", "web", 443)],
    ),
    "a range of ports": Case(
        [{"podSelector": {}, "ingress": [{"ports": [{"port": 400, "endPort": 450}]}]}],
        3,
        [Probe("probe", "web", 443)],
        [Probe("probe", "web", 80)],
    ),
    "egress to pods of the namespace": Case(
        [
            {
                "podSelector": WEB,
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"podSelector": DB}], "ports": [{"port": 80}]}],
            }
        ],
        3,
        [Probe("web", "db"), Probe("probe", "web"), Probe("db", "web", 443)],
        [Probe("web", "db", 443), Probe("web", "probe")],
    ),
    "both directions": Case(
        [
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
            {
                "podSelector": WEB,
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"podSelector": DB}]}],
            },
            {"podSelector": DB, "ingress": [{"from": [{"podSelector": WEB}]}]},
        ],
        # Three subjects, of which one is isolated both ways; each is isolated, has replies to its
        # own calls, and two have one that allows.
        10,
        [Probe("web", "db"), Probe("web", "db", 443)],
        [Probe("db", "web"), Probe("probe", "db"), Probe("web", "probe")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_connections(fleet: Fleet, name: str) -> None:
    case = CASES[name]
    for i, spec in enumerate(case.policies):
        fleet.world.policy(f"policy-{i}", "shop", **spec)
    fleet.settle(case.acls)
    failed = [probe for probe in case.passes if not fleet.connects(*probe)]
    passed = [probe for probe in case.fails if fleet.connects(*probe)]
    assert not failed, "ought to pass"
    assert not passed, "ought to be dropped"


def test_ipv6_is_held_to_the_same(fleet: Fleet) -> None:
    fleet.world.policy(
        "db",
        "shop",
        podSelector=DB,
        ingress=[{"from": [{"podSelector": WEB}], "ports": [{"port": 80}]}],
    )
    fleet.settle(3)
    assert fleet.connects("web", "db", 80, ip=6)
    assert not fleet.connects("web", "db", 443, ip=6)
    assert not fleet.connects("probe", "db", 80, ip=6)


def test_sctp(fleet: Fleet) -> None:
    """As frames, since the kernel may have no SCTP of its own."""
    fleet.world.policy(
        *("web", "shop"),
        podSelector=WEB,
        ingress=[{"ports": [{"protocol": "SCTP", "port": 9999}]}],
    )
    fleet.settle(3)
    lab = fleet.scene.lab
    with Tap(lab.vm(port_of("db"))) as db, Tap(lab.vm(port_of("web"))) as web:
        for port in (9998, 9999):
            packet = frames.ipv4(ip4("db"), ip4("web"), SCTP, frames.sctp_init(40000, port, 1))
            db.send(frames.ethernet(mac("web"), mac("db"), frames.IPV4, packet))
        web.expect(lambda frame: frame.l4[2:4] == (9999).to_bytes(2), "the one that is allowed")
        assert not web.matching(lambda frame: frame.l4[2:4] == (9998).to_bytes(2))
    assert not fleet.connects("db", "web", 80)


def test_administrators_come_before_and_after(fleet: Fleet) -> None:
    world, everything = fleet.world, {"namespaces": {}}
    world.cluster.create(
        "baselineadminnetworkpolicies",
        {
            "metadata": {"name": "default"},
            "spec": {
                "subject": everything,
                "ingress": [{"action": "Deny", "from": [everything]}],
            },
        },
    )
    fleet.settle(2)
    assert not fleet.connects("probe", "web", 80), "the baseline"
    assert fleet.connects(OUTSIDE, "web", 80), "of which it says nothing"
    world.policy("web", "shop", podSelector=WEB, ingress=[{"from": [{"namespaceSelector": OPS}]}])
    fleet.settle(5)
    assert fleet.connects("probe", "web", 80), "a policy is asked before the baseline"
    assert not fleet.connects("db", "web", 80)
    assert not fleet.connects("web", "db", 80)
    world.cluster.create(
        "adminnetworkpolicies",
        {
            "metadata": {"name": "guard"},
            "spec": {
                "priority": 10,
                "subject": {"namespaces": {"matchLabels": {"team": "sales"}}},
                "ingress": [
                    {
                        "action": "Allow",
                        "from": [{"namespaces": {"matchLabels": {"team": "sales"}}}],
                        "ports": [{"portNumber": {"protocol": "TCP", "port": 443}}],
                    },
                    {
                        "action": "Deny",
                        "from": [{"namespaces": OPS}],
                        "ports": [{"portNumber": {"protocol": "TCP", "port": 80}}],
                    },
                    {"action": "Pass", "from": [everything]},
                ],
            },
        },
    )
    fleet.settle(9)
    assert not fleet.connects("probe", "web", 80), "denied before the policy is asked"
    assert fleet.connects("probe", "web", 443), "passed on to the policy"
    assert fleet.connects("db", "web", 443), "allowed whatever the policy says"
    assert not fleet.connects("db", "web", 80)


def test_a_label_changes_while_it_runs(fleet: Fleet) -> None:
    fleet.world.policy("db", "shop", podSelector=DB, ingress=[{"from": [{"podSelector": WEB}]}])
    fleet.settle(3)
    assert fleet.connects("web", "db", 80)
    groups = fleet.world.groups()
    fleet.world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "old"}}}, "shop")
    fleet.world.wait_for_groups(**{**groups, "shop: app=web": []})
    fleet.obey()
    assert not fleet.connects("web", "db", 80)
    fleet.world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "web"}}}, "shop")
    fleet.world.wait_for_groups(**groups)
    fleet.obey()
    assert fleet.connects("web", "db", 80)


def test_a_pod_that_is_not_known_is_closed_both_ways(fleet: Fleet) -> None:
    cluster, world = fleet.world.cluster, fleet.world
    uid = cluster.get("pods", "web", "shop")["metadata"]["uid"]
    cluster.delete("pods", "web", "shop")
    world.wait_for_groups(**{PENDING: [port_of("web")]})
    fleet.obey()
    try:
        assert not fleet.connects("db", "web", 80)
        assert not fleet.connects("web", "db", 80)
    finally:
        # Another pod of that name doesn't open the port of the one before it.
        cluster.create("pods", pod_json("web"))
        world.policy("web", "shop", podSelector=WEB, ingress=[{}])
        fleet.settle(3)
        assert not fleet.connects("db", "web", 80)
        labels = {"labels": {"treadle.kubernetes/pod-uid": "-"}}
        new = cluster.get("pods", "web", "shop")["metadata"]["uid"]
        assert new != uid
        labels["labels"]["treadle.kubernetes/pod-uid"] = new
        world.call("PATCH", f"/logical-switch-ports/{port_of('web')}", labels)
        world.wait_for_groups(**{PENDING: [], "shop: app=web": [port_of("web")]})
        fleet.obey()
    assert fleet.connects("db", "web", 80)
