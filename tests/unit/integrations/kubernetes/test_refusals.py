"""What the server takes no more of costs what needs it, and nobody else."""

from collections.abc import Iterator

import pytest

from cli.testbed.server import Server
from cli.testbed.tcp_ports import free_ports
from integrations.client import RefusedError
from integrations.kubernetes import treadle as batches
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.kept import Operation
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.refusals import Refusals
from integrations.kubernetes.translation import PENDING_GROUP, PortOwner, Translation
from integrations.kubernetes.treadle import in_batches
from integrations.kubernetes.watched import apply_object
from tests.compat.fake_kubernetes import FakeKubernetes
from tests.unit.integrations.kubernetes.cluster import PENDING, World, running

MEMBERS = 3
EVERYWHERE = [{"namespaceSelector": {}}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes few members in a group, and few operations at once."""
    server = Server(tmp_path_factory.mktemp("server"), *free_ports(2))
    limits = {
        "TREADLE_SERVER__API__MEMBER_LIMIT": str(MEMBERS),
        "TREADLE_SERVER__API__OPERATION_LIMIT": "4",
    }
    process = server.start(limits)
    try:
        server.wait_until_ready(process)
        yield server
    finally:
        process.stop()


@pytest.mark.processes
def test_a_group_that_is_too_large_stops_nobody_else(server: Server) -> None:
    with FakeKubernetes() as cluster, server.client() as client:
        world = World(cluster, client)
        world.call("POST", "/logical-switches", {"name": "pods", "subnet4": "10.244.0.0/24"})
        cluster.create("namespaces", {"metadata": {"name": "big"}})
        with running(cluster, server.url) as controller:
            world.wait(lambda: PENDING in world.groups(), "the group of pending ports")
            world.policy("all", podSelector={}, ingress=[{"from": EVERYWHERE}])
            world.policy("all", "big", podSelector={})
            web = world.pod("web", app="web")
            world.plug(web)
            pods = [world.pod(f"p{i}", "big") for i in range(MEMBERS + 1)]
            for i, pod in enumerate(pods):
                world.plug(pod)
                # One by one, as the pending group is bounded, too.
                left = max(0, i + 1 - MEMBERS)
                world.wait(lambda left=left: len(world.groups()[PENDING]) == left, "their groups")
            groups = world.groups()
            assert groups["default: all pods"] == ["default.web"]
            assert len(groups["big: all pods"]) == MEMBERS
            closed = {f"big.p{i}" for i in range(MEMBERS + 1)} - set(groups["big: all pods"])
            assert set(groups[PENDING]) == closed

            # Who is let in by "all namespaces" isn't known: nobody is.
            def allowed() -> list[str]:
                acls = world.items("/acls")
                return [each["match"] for each in acls if each["direction"] == "to-lport"
                        and each["action"] == "allow-related"]  # fmt: skip

            world.wait(lambda: not allowed(), "the peers are left out")

            def is_told(namespace: str, what: str) -> bool:
                return any(
                    each["metadata"]["namespace"] == namespace and what in each["message"]
                    for each in cluster.list("events")
                )

            world.wait(lambda: is_told("default", "more members"), "it is told of the peers")
            world.wait(lambda: is_told("big", "more pods"), "it is told of the pods")
            # Others' policies, labels and pods go on.
            world.policy("fine", podSelector={"matchLabels": {"app": "web"}})
            world.wait(
                lambda: world.groups().get("default: app=web") == ["default.web"], "another policy"
            )
            world.wait(lambda: not controller.health.problems(), "the controller is well")
            # With fewer pods all are in, and peers are known again.
            cluster.delete("pods", "p0", "big")
            cluster.delete("pods", "p1", "big")
            world.unplug(pods[0])
            world.unplug(pods[1])
            world.wait(lambda: not world.groups()[PENDING], "none is closed")
            world.wait(lambda: len(allowed()) == 1, "the peers")
            assert len(world.groups()["big: all pods"]) == 2


def operations(count: int, length: int = 1) -> list[Operation]:
    return [
        {"action": "create", "kind": "acl", "values": {"id": str(i), "match": "x" * length}}
        for i in range(count)
    ]


def test_batches_are_bounded_in_bytes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [len(each) for each in in_batches(operations(5), 2)] == [2, 2, 1]
    monkeypatch.setattr(batches, "LARGEST_BODY", 1000)
    assert [len(each) for each in in_batches(operations(5, 300))] == [2, 2, 1]
    assert [len(each) for each in in_batches(operations(2, 3000))] == [1, 1]
    assert not list(in_batches([]))


def test_a_group_that_is_too_large_for_a_moment_is_not_so_for_ever() -> None:
    """Of three ports that a group takes one leaves and one enters, which comes first."""
    translation, intent = Translation(), Intent("kubernetes")
    refusals = Refusals(intent, translation)
    apply_object(translation, "Namespace", {"metadata": {"name": "shop"}})
    meta = {"namespace": "shop", "name": "all"}
    apply_object(translation, "NetworkPolicy", {"metadata": meta, "spec": {"podSelector": {}}})
    for i in range(3):
        pod = {"metadata": {"namespace": "shop", "name": f"p{i}"}}
        apply_object(translation, "Pod", pod)
        translation.set_port(f"port{i}", PortOwner(PodKey("shop", f"p{i}")))
    (group,) = (each for each in translation.groups() if each != PENDING_GROUP)
    changes: Operation = {"action": "change_members", "kind": "port_group"}
    changes["ref"] = intent.group_id(group)
    enters, leaves = {**changes, "add": ["port2"]}, {**changes, "remove": ["gone"]}
    problem = {"type": "too-large", "errors": [{"pointer": "#/operations/0/ports"}]}
    error = RefusedError(problem, 413, None)
    assert refusals.learn(error, [enters], [enters, leaves])
    assert not refusals.refresh(), "first it is written without"
    refusals.carried_out()
    assert refusals.refresh(), "then with it"
    assert refusals.learn(error, [enters], [enters])
    refusals.carried_out()
    assert not refusals.refresh(), "no others left it: it is too large"


def test_what_is_too_large_as_a_whole_is_halved() -> None:
    refusals = Refusals(Intent("kubernetes"), Translation())
    error = RefusedError({"type": "https://x/problems/too-large"}, 413, None)
    assert refusals.learn(error, operations(100))
    assert refusals.largest_batch == 50
    assert not refusals.learn(error, operations(1)), "nothing smaller can be tried"


def test_a_refusal_that_tells_nothing_is_no_lesson() -> None:
    refusals = Refusals(Intent("kubernetes"), Translation())
    for where in ("#/operations/0/values/match", "#/operations/7/ports", "#/operations", "#/x/y/z"):
        problem = {"type": "too-large", "errors": [{"pointer": where, "reason": "no"}]}
        assert not refusals.learn(RefusedError(problem, 413, None), operations(1))
