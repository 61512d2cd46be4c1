"""What a change costs, and what of a cluster isn't taken for granted."""

import ipaddress
from collections.abc import Iterable
from typing import Any

import pytest

from integrations.kubernetes import bounds, pod_sets
from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.rules import HIGHEST_ADMIN
from integrations.kubernetes.translation import PENDING_GROUP, PortOwner, Translation
from integrations.kubernetes.watched import apply_object, remove_object

Json = dict[str, Any]


def namespace(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": labels}}


def pod(name: str, uid: str = "", **labels: str) -> Json:
    return {
        "metadata": {"namespace": "shop", "name": name, "uid": uid or name, "labels": labels},
        "spec": {},
    }


def policy(name: str, **spec: Any) -> Json:
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def allow(app: str, peer: str, *ports: Json) -> Json:
    rule = {"from": [{"podSelector": {"matchLabels": {"app": peer}}}], "ports": list(ports)}
    return {"podSelector": {"matchLabels": {"app": app}}, "ingress": [rule]}


@pytest.fixture
def cluster() -> Translation:
    translation = Translation()
    apply_object(translation, "Namespace", namespace("shop"))
    return translation


def key(name: str) -> PodKey:
    return PodKey("shop", name)


def test_a_changed_label_costs_what_it_changes(cluster: Translation) -> None:
    """1,000 pods of 100 applications, 200 policies: one pod moves to another application."""
    for i in range(1000):
        apply_object(cluster, "Pod", pod(f"p{i}", app=f"app{i % 100}", n=str(i)))
        cluster.set_port(f"port{i}", PortOwner(key(f"p{i}"), f"p{i}"))
    for i in range(200):
        spec = allow(f"app{i % 100}", f"app{(i + 1 + i // 100) % 100}", {"port": 1 + i})
        apply_object(cluster, "NetworkPolicy", policy(f"q{i}", **spec))
    cluster.take_touched()
    compared, rendered = cluster.members.compared, cluster.rendered
    apply_object(cluster, "Pod", pod("p7", app="app50", n="7"))
    touched = cluster.take_touched()
    assert cluster.members.compared - compared == 1
    assert cluster.rendered == rendered
    assert len(touched.memberships) == 2
    assert not touched.acls
    assert not touched.groups


def test_policies_that_say_the_same_share_groups_and_acls(cluster: Translation) -> None:
    for i in range(50):
        apply_object(cluster, "NetworkPolicy", policy(f"q{i}", **allow("web", "db", {"port": 80})))
    assert len(cluster.users) == 3
    assert len(list(cluster.groups())) == 3
    for i in range(50):
        remove_object(cluster, "NetworkPolicy", "shop", f"q{i}")
    assert not cluster.users
    assert list(cluster.groups()) == [PENDING_GROUP]


def test_a_port_waits_for_the_pod_that_it_stands_for(cluster: Translation) -> None:
    apply_object(cluster, "NetworkPolicy", policy("q", podSelector={}))
    cluster.set_port("port", PortOwner(key("web"), "new"))
    assert cluster.pending() == {"port"}
    apply_object(cluster, "Pod", pod("web", uid="old"))
    assert cluster.pending() == {"port"}, "the pod of that name before it"
    apply_object(cluster, "Pod", pod("web", uid="new"))
    assert cluster.pending() == frozenset()
    (group,) = (each for each in cluster.groups() if each != PENDING_GROUP)
    assert cluster.ports(group) == {"port"}
    remove_object(cluster, "Pod", "shop", "web")
    assert cluster.pending() == {"port"}
    assert cluster.ports(group) == frozenset()


def test_a_static_pod_is_known_by_the_uid_that_cni_is_told(cluster: Translation) -> None:
    cluster.set_port("port", PortOwner(key("etcd"), "hash-of-file"))
    mirror = pod("etcd", uid="of-the-mirror")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.hash": "hash-of-file"}
    apply_object(cluster, "Pod", mirror)
    assert cluster.pending() == frozenset()


def test_a_port_without_a_uid_goes_by_the_name(cluster: Translation) -> None:
    cluster.set_port("port", PortOwner(key("web")))
    apply_object(cluster, "Pod", pod("web"))
    assert cluster.pending() == frozenset()


def test_several_ports_of_a_pod_share_its_groups(cluster: Translation) -> None:
    apply_object(cluster, "NetworkPolicy", policy("q", podSelector={}))
    apply_object(cluster, "Pod", pod("web"))
    for port in ("eth0", "net1"):
        cluster.set_port(port, PortOwner(key("web"), "web"))
    (group,) = (each for each in cluster.groups() if each != PENDING_GROUP)
    assert cluster.ports(group) == {"eth0", "net1"}
    cluster.set_port("net1", None)
    assert cluster.ports(group) == {"eth0"}


def test_a_number_of_a_named_port_that_appears_makes_an_acl(cluster: Translation) -> None:
    apply_object(cluster, "NetworkPolicy", policy("q", **allow("web", "db", {"port": "http"})))
    before = set(cluster.users)
    ported = pod("web", app="web")
    ported["spec"] = {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}
    apply_object(cluster, "Pod", ported)
    (acl,) = set(cluster.users) - before
    assert acl.owner.port is not None
    assert acl.owner.port.number == 8080
    remove_object(cluster, "Pod", "shop", "web")
    assert set(cluster.users) == before


def block(cidr: str, *exceptions: str) -> Json:
    return {"ipBlock": {"cidr": cidr, "except": list(exceptions)}}


def labelled(app: str) -> Json:
    return {"podSelector": {"matchLabels": {"app": app}}}


@pytest.mark.parametrize(
    ("direction", "rule", "told"),
    [
        (
            "ingress",
            {"from": [block(f"10.{i >> 7}.{2 * i & 255}.0/24") for i in range(4998)]},
            None,
        ),
        (
            "ingress",
            {"from": [block(f"10.{i >> 7}.{2 * i & 255}.0/24") for i in range(5001)]},
            "ACLs",
        ),
        ("ingress", {"from": [labelled(f"a{i}") for i in range(1001)]}, "sets of pods"),
        (
            "ingress",
            {"from": [block("::/0", f"{i + 1:x}::/128") for i in range(100)]},
            "networks",
        ),
        (
            "egress",
            {
                "to": [labelled(f"a{i}") for i in range(10_000)],
                "ports": [{"port": f"p{i}"} for i in range(10_000)],
            },
            "named ports",
        ),
    ],
)
def test_a_policy_that_comes_to_too_much_allows_nothing(
    cluster: Translation, direction: str, rule: Json, told: str | None
) -> None:
    spec = {"podSelector": {}, "policyTypes": [direction.capitalize()], direction: [rule]}
    apply_object(cluster, "NetworkPolicy", policy("huge", **spec))
    if told is None:
        assert not cluster.problems
        assert len(cluster.users) == 4998 + 2
        return
    other = "egress" if direction == "ingress" else "ingress"
    assert {(acl.action, acl.direction) for acl in cluster.users} == {
        ("deny", direction),
        ("allow", other),
    }
    ((problem,),) = cluster.problems.values()
    assert "allows nothing" in problem
    assert told in problem
    remove_object(cluster, "NetworkPolicy", "shop", "huge")
    assert not cluster.users


def test_numbers_of_a_named_port_that_are_too_many_are_no_loss_for_ever(
    cluster: Translation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAXIMUM_ACLS", 5)
    apply_object(cluster, "NetworkPolicy", policy("q", **allow("web", "db", {"port": "http"})))
    for i in range(4):
        ported = pod(f"web-{i}", app="web")
        ported["spec"] = {"containers": [{"ports": [{"name": "http", "containerPort": 80 + i}]}]}
        apply_object(cluster, "Pod", ported)
    assert cluster.problems
    assert not [acl for acl in cluster.users if acl.direction == "ingress" and acl.ports]
    remove_object(cluster, "Pod", "shop", "web-0")
    assert not cluster.problems
    assert len([acl for acl in cluster.users if acl.ports]) == 3


def test_exceptions_of_a_block_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and wherever they lie: a tenant writes them."""
    calls = 0
    spanning = pod_sets._spanning

    def count(version: int, first: int, last: int) -> Iterable[pod_sets.Network]:
        nonlocal calls
        calls += 1
        return spanning(version, first, last)

    monkeypatch.setattr(pod_sets, "_spanning", count)
    odd = [ipaddress.ip_network(f"10.0.{i >> 8}.{i & 255}/32") for i in range(1, 16_000, 2)]
    left = pod_sets.networks_without(ipaddress.ip_network("10.0.0.0/16"), [*odd, *odd], "")
    assert len(left.members) > 8000
    assert calls == len(odd) + 1


def test_an_admin_policy_may_select_by_values_that_no_label_has(cluster: Translation) -> None:
    """Nothing but its definition checks a custom resource: values may be any text."""
    subject = {"namespaces": {"matchLabels": {"a": "\x00\ud800\n" + "x" * 300}}}
    spec = {
        "priority": 1,
        "subject": subject,
        "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
    }
    apply_object(cluster, "AdminNetworkPolicy", {"metadata": {"name": "a"}, "spec": spec})
    intent = Intent("kubernetes")
    for group in cluster.groups():
        shown = intent.group(group, ())["display_name"]
        assert shown.isprintable()
        assert len(shown) <= 255


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("Pod", {"metadata": {"namespace": "shop", "name": "web", "labels": {"a": 1}}}, "labels"),
        ("Pod", {"metadata": {"namespace": "shop", "name": "web"}, "spec": []}, "spec"),
        ("Pod", {"metadata": []}, "metadata"),
        ("AdminNetworkPolicy", {"metadata": {"name": "a"}, "spec": 1}, "spec"),
        ("NetworkPolicy", {"metadata": {}}, "metadata.name"),
    ],
)
def test_what_cannot_be_read_at_all_is_told(
    cluster: Translation, kind: str, value: Json, told: str
) -> None:
    apply_object(cluster, "Pod", pod("web"))
    cluster.set_port("port", PortOwner(key("web"), "web"))
    with pytest.raises(UnsayableError, match=told):
        apply_object(cluster, kind, value)
    if kind == "Pod" and "name" in value["metadata"]:
        assert cluster.pending() == {"port"}, "what it may isn't known any more"


def test_an_admin_policy_of_unknown_precedence_only_denies(cluster: Translation) -> None:
    spec = {
        "priority": 1001,
        "subject": {"namespaces": {}},
        "ingress": [
            {"action": "Allow", "from": [{"namespaces": {}}]},
            {"action": "Pass", "from": [{"namespaces": {}}]},
        ],
    }
    apply_object(cluster, "AdminNetworkPolicy", {"metadata": {"name": "a"}, "spec": spec})
    denied, replies = sorted(cluster.users, key=lambda acl: -acl.priority)
    assert (denied.action, denied.priority) == ("deny", HIGHEST_ADMIN)
    assert (replies.action, replies.direction) == ("allow", "egress")
    assert "spec.priority" in cluster.problems["AdminNetworkPolicy a"][0]


def test_what_may_not_be_called_gets_the_replies_to_its_own_calls(cluster: Translation) -> None:
    """Without an ACL that lets replies through, no switch tracks connections."""
    apply_object(cluster, "NetworkPolicy", policy("q", podSelector={}))
    denied, replies = sorted(cluster.users, key=lambda acl: -acl.priority)
    assert (denied.direction, denied.action) == ("ingress", "deny")
    assert (replies.owner, replies.direction, replies.action) == (denied.owner, "egress", "allow")
    assert replies.tier > denied.tier
