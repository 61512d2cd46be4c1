"""Policies mean what the documentation says; and it doesn't matter in which order they come."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.kubernetes.admin_policies import parse_admin_policy, parse_baseline_policy
from integrations.kubernetes.objects import PodKey, parse_namespace, parse_pod
from integrations.kubernetes.policies import parse_network_policy
from integrations.kubernetes.rules import Policy
from integrations.kubernetes.translation import PENDING_GROUP, PortOwner, Translation
from tests.property.integrations.kubernetes import clusters
from tests.unit.integrations.kubernetes.oracle import Cluster, End, Service, is_allowed
from tests.unit.integrations.kubernetes.verdicts import Verdicts, key_of

Json = dict[str, Any]

SERVICES = [
    *(Service(protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in (53, 80, 8080)),
    Service("TCP", 81),
    Service("ICMP"),
]


def addresses(pod: Json) -> list[str]:
    """The addresses of a pod, which follow from its name: IPv4 and IPv6."""
    i, j = (
        clusters.NAMESPACES.index(pod["metadata"]["namespace"]),
        clusters.NAMES.index(pod["metadata"]["name"]),
    )
    return [f"10.0.{i}.{j + 1}", f"fd00::{i}:{j + 1}"]


def namespace_json(name: str, labels: dict[str, str]) -> Json:
    return {"metadata": {"name": name, "labels": labels}}


def parsed(cluster: Cluster) -> list[Policy]:
    return [
        *map(parse_network_policy, cluster.policies),
        *map(parse_admin_policy, cluster.admin),
        *map(parse_baseline_policy, cluster.baseline),
    ]


def translated(cluster: Cluster) -> Translation:
    translation = Translation()
    for name, labels in cluster.namespaces.items():
        translation.set_namespace(*parse_namespace(namespace_json(name, dict(labels))))
    for pod in cluster.pods:
        translation.set_pod(parse_pod(pod))
        key = key_of(pod)
        translation.set_port(f"port-{key}", PortOwner(key, pod["metadata"]["uid"]))
    for policy in parsed(cluster):
        assert not policy.problems
        translation.set_policy(policy)
    return translation


def is_concerned(pod: Json) -> bool:
    return not pod["spec"]["hostNetwork"] and pod["status"]["phase"] == "Running"


def unique(found: Sequence[Json]) -> list[Json]:
    """The last of each name."""
    by_name = {(e["metadata"].get("namespace"), e["metadata"]["name"]): e for e in found}
    return list(by_name.values())


cluster = st.builds(
    lambda namespaces, pods, policies, admin, baseline: Cluster(
        {
            name: {**labels, "kubernetes.io/metadata.name": name}
            for name, labels in namespaces.items()
        },
        unique(pods),
        unique(policies),
        unique(admin),
        baseline,
    ),
    clusters.namespaces,
    st.lists(clusters.pods(), min_size=2, max_size=4),
    st.lists(clusters.network_policies(), min_size=1, max_size=3),
    st.lists(clusters.admin_policies(), max_size=2),
    st.lists(clusters.baseline_policies(), max_size=1),
)


@given(cluster)
@settings(max_examples=400)
def test_acls_decide_as_the_documentation_says(cluster: Cluster) -> None:
    translation = translated(cluster)
    ports = {f"port-{key_of(pod)}": addresses(pod) for pod in cluster.pods}
    verdicts = Verdicts(translation, ports)
    pods = [pod for pod in cluster.pods if is_concerned(pod)]
    for family, outside in ((0, clusters.OUTSIDE[:2]), (1, clusters.OUTSIDE[2:])):
        ends = [End(addresses(pod)[family], pod) for pod in pods]
        ends += [End(address) for address in outside]
        for source, destination in product(ends, ends):
            # A packet of a pod to itself never comes to a switch.
            if source == destination or source.pod is destination.pod is None:
                continue
            for service in SERVICES:
                told = is_allowed(cluster, source, destination, service)
                found = verdicts.allow(
                    *(_port(source), _port(destination)),
                    (source.address, destination.address),
                    *service,
                )
                assert found is told, (source, destination, service)


def _port(end: End) -> str:
    return "" if end.pod is None else f"port-{key_of(end.pod)}"


@given(cluster)
def test_ports_of_pods_that_are_not_there_stay_closed(cluster: Cluster) -> None:
    translation = translated(cluster)
    held = {f"port-{key_of(pod)}" for pod in cluster.pods if not is_concerned(pod)}
    assert translation.ports(PENDING_GROUP) == held


edits = st.lists(
    st.one_of(
        st.tuples(st.just("pod"), clusters.pods()),
        st.tuples(st.just("no pod"), clusters.pods()),
        st.tuples(
            st.just("namespace"),
            st.builds(namespace_json, st.sampled_from(clusters.NAMESPACES), clusters.labels),
        ),
        st.tuples(st.just("no namespace"), st.sampled_from(clusters.NAMESPACES)),
        st.tuples(st.just("policy"), st.builds(parse_network_policy, clusters.network_policies())),
        st.tuples(st.just("policy"), st.builds(parse_admin_policy, clusters.admin_policies())),
        st.tuples(
            st.just("policy"), st.builds(parse_baseline_policy, clusters.baseline_policies())
        ),
        st.tuples(
            st.just("no policy"), st.builds(parse_network_policy, clusters.network_policies())
        ),
        st.tuples(
            st.just("port"),
            st.tuples(
                st.sampled_from(("1", "2", "3")),
                st.none()
                | st.builds(
                    lambda namespace, name, uid: PortOwner(
                        PodKey(namespace, name), uid or f"{namespace}-{name}"
                    ),
                    st.sampled_from(clusters.NAMESPACES[:2]),
                    st.sampled_from(clusters.NAMES),
                    st.sampled_from(("", "", "other")),
                ),
            ),
        ),
    ),
    min_size=3,
    max_size=12,
)


class World:
    """What there is after some edits, and a translation that was told each of them."""

    def __init__(self) -> None:
        self.told = Translation()
        self.things: dict[tuple[str, Any], Any] = {}

    def edit(self, verb: str, value: Any) -> None:
        kind = verb.removeprefix("no ")
        key = _KEYS[kind](value)
        if verb.startswith("no ") or (kind == "port" and value[1] is None):
            if self.things.pop((kind, key), None) is None:
                return
            _REMOVE[kind](self.told, key)
        else:
            self.things[kind, key] = value
            _SET[kind](self.told, value)

    def anew(self) -> Translation:
        translation = Translation()
        for (kind, _), value in self.things.items():
            _SET[kind](translation, value)
        return translation


def edits_for(cluster: Cluster) -> Iterator[tuple[str, Any]]:
    """What brings a cluster about, ports included."""
    for policy in parsed(cluster):
        yield "policy", policy
    for i, pod in enumerate(cluster.pods):
        yield "port", (str(i), PortOwner(key_of(pod), pod["metadata"]["uid"]))
        yield "pod", pod
    for name, labels in cluster.namespaces.items():
        yield "namespace", namespace_json(name, dict(labels))


def _name_of(value: Any) -> str:
    return value if isinstance(value, str) else str(value["metadata"]["name"])


_KEYS: dict[str, Any] = {
    "pod": key_of,
    "namespace": _name_of,
    "policy": lambda policy: policy.key,
    "port": lambda port: port[0],
}
_SET: dict[str, Any] = {
    "pod": lambda t, value: t.set_pod(parse_pod(value)),
    "namespace": lambda t, value: t.set_namespace(*parse_namespace(value)),
    "policy": lambda t, value: t.set_policy(value),
    "port": lambda t, value: t.set_port(*value),
}
_REMOVE: dict[str, Any] = {
    "pod": lambda t, key: t.remove_pod(key),
    "namespace": lambda t, key: t.set_namespace(key, None),
    "policy": lambda t, key: t.remove_policy(key),
    "port": lambda t, key: t.set_port(key, None),
}


def state(translation: Translation) -> Any:
    return (
        {group: translation.ports(group) for group in translation.groups()},
        set(translation.networks()),
        translation.users,
        translation.problems,
    )


@given(cluster, edits)
@settings(max_examples=400)
def test_what_follows_does_not_depend_on_the_order_of_events(
    cluster: Cluster, edits: list[tuple[str, Any]]
) -> None:
    world = World()
    for verb, value in [*edits_for(cluster), *edits]:
        groups, networks, users, _ = state(world.told)
        before = (groups, networks, set(users))
        world.told.take_touched()
        world.edit(verb, value)
        _check_touched(before, world.told)
    assert state(world.told) == state(world.anew())
    for group in world.told.groups():
        for port in world.told.ports(group):
            assert ("port", port) in world.things
    known = {port for group in world.told.groups() for port in world.told.ports(group)}
    for kind, port in world.things:
        if kind == "port" and port in known:
            is_pending = port in world.told.pending()
            groups = [g for g in world.told.groups() if port in world.told.ports(g)]
            assert not is_pending or groups == [PENDING_GROUP]


def _check_touched(before: Any, translation: Translation) -> None:
    """What has changed is among what is said to have."""
    touched = translation.take_touched()
    after = {group: translation.ports(group) for group in translation.groups()}
    assert before[0].keys() ^ after.keys() <= touched.groups
    for group in before[0].keys() & after.keys():
        for port in before[0][group] ^ after[group]:
            assert (group, port) in touched.memberships
    assert before[1] ^ set(translation.networks()) <= touched.networks
    assert before[2] ^ translation.users.keys() <= touched.acls
