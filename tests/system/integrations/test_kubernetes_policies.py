"""Policies of a cluster, kept by the controller, with real packets between pods.

Pods are namespaces on two hypervisors, which `treadle-cni` plugs in as a kubelet has it do: into
the group of ports of which nothing is known yet. The cluster's API is a fake; all the rest is real.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import cli.testbed
from cli.testbed.process import spawn
from cli.testbed.state import VmState
from cli.testbed.vm import Vm
from cli.testbed.wait import until
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.integrations.cni_host import CniHost, cni_hosts, containers
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
OUTSIDE_ADDRESSES = "0a:00:00:00:24:01 10.24.0.250 fd24::250"
SCTP = 132


def pod_json(name: str) -> Json:
    namespace, _, labels = PODS[name]
    port = {"name": "http", "containerPort": 80}
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"containers": [{"ports": [port]}]},
    }


class Fleet:
    """The scene with a cluster beside it; `vms` are the pods, and what is outside."""

    def __init__(self, scene: Scene, world: World, hosts: dict[str, CniHost]) -> None:
        self.scene, self.world, self.hosts = scene, world, hosts
        self.vms: dict[str, Vm] = {}
        self.names: dict[str, str] = {}
        """The name of each pod's port."""
        self._attached: dict[str, tuple[str, str, str]] = {}

    def attach(self, name: str, vm: Vm, container: str) -> Vm:
        """Let the CNI plugin put a pod's namespace onto the network."""
        namespace, hypervisor, _ = PODS[name]
        uid = self.world.cluster.get("pods", name, namespace)["metadata"]["uid"]
        args = (
            f"IgnoreUnknown=1;K8S_POD_NAMESPACE={namespace};K8S_POD_NAME={name};K8S_POD_UID={uid}"
        )
        host = self.hosts[hypervisor]
        result = host.call(
            "ADD", self._configuration(host), container, str(vm.namespace.path), args=args
        )
        (interface,) = [each for each in result["interfaces"] if "sandbox" in each]
        vm.state.mac = interface["mac"]
        vm.state.addresses = [each["address"] for each in result["ips"]]
        # A switch in userspace sees frames before hardware would have filled in checksums.
        vm.namespace.run("ethtool", "-K", "eth0", "tx", "off")
        (port,) = (
            each
            for each in self.world.items("/logical-switch-ports")
            if each["labels"].get("treadle.kubernetes/pod-uid") == uid
        )
        self.names[name] = port["name"]
        self.vms[name] = vm
        self._attached[name] = (hypervisor, container, str(vm.namespace.path))
        return vm

    def detach(self, name: str) -> None:
        hypervisor, container, namespace = self._attached.pop(name)
        host = self.hosts[hypervisor]
        host.call("DEL", self._configuration(host), container, namespace)

    def detach_all(self) -> None:
        for name in list(self._attached):
            self.detach(name)

    @staticmethod
    def _configuration(host: CniHost) -> Json:
        return host.configuration("pods", portGroups=[PENDING])

    def settle(self, acls: int) -> None:
        """Wait until there are so many ACLs, besides the pending group's, and packets obey."""

        def found() -> int:
            return len(self.world.items("/acls"))

        until(lambda: found() == acls + 2, f"{acls} + 2 ACLs, not {found()}", 30)
        self.obey()

    def obey(self) -> None:
        """Wait until every switch has the last revision."""
        revision = self.world.call("GET", "/status")["revision"]
        self.world.call("GET", f"/revisions/{revision}?wait=chassis")
        for hypervisor in self.scene.lab.hypervisors.values():
            hypervisor.switch.appctl("revalidator/purge")

    def connects(
        self, source: str, destination: str, port: int, *, ip: int = 4, seconds: float = 30
    ) -> bool:
        to = self.vms[destination]
        target = to.ip4 if ip == 4 else to.ip6
        return self.vms[source].tcp_connects(target, port, timeout=seconds)

    def is_apart(self, source: str, destination: str, port: int, *, ip: int = 4) -> bool:
        return not self.connects(source, destination, port, ip=ip, seconds=1.5)

    def listen(self, name: str, port: int) -> None:
        """Answer TCP connections to a port of a pod."""
        vm, lab = self.vms[name], self.scene.lab
        responder = Path(cli.testbed.__file__).with_name("responder.py")
        argv = vm.namespace.argv([sys.executable, "-IS", str(responder), name, str(port)])
        log = lab.directory / f"responder-{name}-{port}.log"
        lab.remember(f"{name}/tcp-{port}", spawn(f"responder of {name}", argv, log))


@pytest.fixture(scope="module")
def fleet(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    # A namespace takes its end of a pair with it, under the eyes of a switch in userspace.
    scene.expected_trouble.append(r"error receiving data from cni\w+: Network is down")
    scene.net.switch("pods", subnet4="10.24.0.0/24", subnet6="fd24::/64")
    scene.net.port("pods", OUTSIDE, OUTSIDE_ADDRESSES)
    with (
        FakeKubernetes() as cluster,
        cni_hosts(scene, tmp_path_factory.mktemp("cni")) as hosts,
        containers(len(PODS)) as namespaces,
        running(cluster, scene.lab.server.url),
    ):
        world = World(cluster, scene.net.client)
        fleet = Fleet(scene, world, hosts)
        for namespace, team in (("shop", "sales"), ("ops", "ops")):
            cluster.create(
                "namespaces", {"metadata": {"name": namespace, "labels": {"team": team}}}
            )
        world.wait(lambda: PENDING in world.groups(), "the group of pending ports")
        fleet.vms[OUTSIDE] = scene.lab.add_vm(OUTSIDE, "hv2")
        for name, container in zip(PODS, namespaces, strict=True):
            cluster.create("pods", pod_json(name))
            state = VmState(
                port=name, hypervisor=PODS[name][1], interface="", mac="", addresses=[], gateways=[]
            )
            fleet.attach(name, Vm(name, container, state), f"{name}-0")
            for port in (80, 443):
                fleet.listen(name, port)
        world.wait(lambda: world.groups() == {PENDING: []}, "all pods are known")
        fleet.obey()
        for name in PODS:
            until(lambda name=name: fleet.connects(OUTSIDE, name, 443, seconds=2), "responders")  # type: ignore[misc]
        yield fleet
        fleet.detach_all()


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
                                    "except": ["10.24.0.250/32"],
                                }
                            }
                        ]
                    }
                ],
            }
        ],
        3,
        [Probe("probe", "web"), Probe("db", "web")],
        [Probe(OUTSIDE, "web")],
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
    passed = [probe for probe in case.fails if not fleet.is_apart(*probe)]
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
    assert fleet.is_apart("web", "db", 443, ip=6)
    assert fleet.is_apart("probe", "db", 80, ip=6)


def test_sctp(fleet: Fleet) -> None:
    """As frames, since the kernel may have no SCTP of its own."""
    fleet.world.policy(
        *("web", "shop"),
        podSelector=WEB,
        ingress=[{"ports": [{"protocol": "SCTP", "port": 9999}]}],
    )
    fleet.settle(3)
    source, destination = fleet.vms["db"], fleet.vms["web"]
    with Tap(source) as db, Tap(destination) as web:
        for port in (9998, 9999):
            packet = frames.ipv4(
                source.ip4, destination.ip4, SCTP, frames.sctp_init(40000, port, 1)
            )
            db.send(frames.ethernet(destination.mac, source.mac, frames.IPV4, packet))
        web.expect(lambda frame: frame.l4[2:4] == (9999).to_bytes(2), "the one that is allowed")
        assert not web.matching(lambda frame: frame.l4[2:4] == (9998).to_bytes(2))
    assert fleet.is_apart("db", "web", 80)


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
    assert fleet.is_apart("probe", "web", 80), "the baseline"
    assert fleet.connects(OUTSIDE, "web", 80), "of which it says nothing"
    world.policy("web", "shop", podSelector=WEB, ingress=[{"from": [{"namespaceSelector": OPS}]}])
    fleet.settle(5)
    assert fleet.connects("probe", "web", 80), "a policy is asked before the baseline"
    assert fleet.is_apart("db", "web", 80)
    assert fleet.is_apart("web", "db", 80)
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
    assert fleet.is_apart("probe", "web", 80), "denied before the policy is asked"
    assert fleet.connects("probe", "web", 443), "passed on to the policy"
    assert fleet.connects("db", "web", 443), "allowed whatever the policy says"
    assert fleet.is_apart("db", "web", 80)


def test_a_label_changes_while_it_runs(fleet: Fleet) -> None:
    fleet.world.policy("db", "shop", podSelector=DB, ingress=[{"from": [{"podSelector": WEB}]}])
    fleet.settle(3)
    assert fleet.connects("web", "db", 80)
    groups = fleet.world.groups()
    fleet.world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "old"}}}, "shop")
    fleet.world.wait_for_groups(**{**groups, "shop: app=web": []})
    fleet.obey()
    assert fleet.is_apart("web", "db", 80)
    fleet.world.cluster.merge("pods", "web", {"metadata": {"labels": {"app": "web"}}}, "shop")
    fleet.world.wait_for_groups(**groups)
    fleet.obey()
    assert fleet.connects("web", "db", 80)


def test_a_pod_that_is_not_known_is_closed_both_ways(fleet: Fleet) -> None:
    """A pod goes, and another of its name comes before its own interface does."""
    cluster, world = fleet.world.cluster, fleet.world
    cluster.delete("pods", "web", "shop")
    world.wait_for_groups(**{PENDING: [fleet.names["web"]]})
    fleet.obey()
    assert fleet.is_apart("db", "web", 80)
    assert fleet.is_apart("web", "db", 80)
    cluster.create("pods", pod_json("web"))
    world.policy("web", "shop", podSelector=WEB, ingress=[{}])
    fleet.settle(3)
    assert fleet.is_apart("db", "web", 80), "the port of the one before it stays closed"
    fleet.detach("web")
    fleet.attach("web", fleet.vms["web"], "web-1")
    world.wait_for_groups(**{PENDING: [], "shop: app=web": [fleet.names["web"]]})
    fleet.obey()
    assert fleet.connects("db", "web", 80)
