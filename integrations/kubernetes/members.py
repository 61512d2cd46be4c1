"""Which pods are in which sets, kept as pods, namespaces and sets come, change and go.

A pod whose labels change is compared only with the sets that ask for one of its labels, old or
new, and with those that ask for none (:class:`~integrations.kubernetes.selectors.SelectorIndex`);
a namespace whose labels change brings up its own pods. A set that is new looks at the pods of its
namespaces once. Nothing looks at all sets and all pods.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from integrations.kubernetes.acls import NamedPorts
from integrations.kubernetes.objects import Pod, PodKey
from integrations.kubernetes.pod_sets import PodSet, Scope
from integrations.kubernetes.selectors import Labels, LabelSelector, SelectorIndex

PortNumbers = frozenset[tuple[str, int]]
"""Protocols and numbers that a named port stands for."""

Interest = PodSet | NamedPorts
"""What is asked of pods: to be in a set, or what they call by a name."""


class MemberChange(NamedTuple):
    """A pod that is in a set from now on, or isn't any more."""

    pods: PodSet
    pod: PodKey
    is_in: bool


class Members:
    """The pods and namespaces of a cluster, and what is asked of them.

    What changed is collected until :meth:`take_changes`, and so is, for named ports, where a
    number appeared that no pod had or the last pod with one went.
    """

    def __init__(self) -> None:
        self.pods: dict[PodKey, Pod] = {}
        self.namespaces: dict[str, Labels] = {}
        self._pods_in: defaultdict[str, set[PodKey]] = defaultdict(set)
        self._interests: dict[Scope, SelectorIndex[Interest]] = {}
        self._namespace_selectors: SelectorIndex[LabelSelector] = SelectorIndex()
        self._members: dict[PodSet, set[PodKey]] = {}
        self._numbers: dict[NamedPorts, dict[tuple[str, int], set[PodKey]]] = {}
        self._held: dict[PodKey, dict[Interest, PortNumbers]] = {}
        self._changes: list[MemberChange] = []
        self._renumbered: set[NamedPorts] = set()
        self.compared = 0
        """How many pods were matched against the sets that may concern them."""

    def set_namespace(self, name: str, labels: Labels | None) -> None:
        """Take in a namespace or its new labels; None for one that is gone.

        Pods of a namespace that isn't known are in no set.
        """
        if labels is None:
            self.namespaces.pop(name, None)
        elif self.namespaces.get(name) == labels:
            return
        else:
            self.namespaces[name] = labels
        for key in self._pods_in.get(name, ()):
            self._compare(self.pods[key])

    def set_pod(self, pod: Pod) -> None:
        if self.pods.get(pod.key) == pod:
            return
        self.pods[pod.key] = pod
        self._pods_in[pod.key.namespace].add(pod.key)
        self._compare(pod)

    def remove_pod(self, key: PodKey) -> None:
        if self.pods.pop(key, None) is None:
            return
        keys = self._pods_in[key.namespace]
        keys.discard(key)
        if not keys:
            del self._pods_in[key.namespace]
        self._apply(key, {})

    def watch(self, interest: Interest) -> None:
        """Keep members or numbers of a set from now on."""
        pods = _pods_of(interest)
        if isinstance(interest, PodSet):
            self._members[interest] = set()
        else:
            self._numbers[interest] = {}
        index = self._interests.get(pods.scope)
        if index is None:
            index = self._interests[pods.scope] = SelectorIndex()
            if isinstance(pods.scope, LabelSelector):
                self._namespace_selectors.add(pods.scope, pods.scope)
        index.add(pods.pods, interest)
        for pod in list(self._pods_of_scope(pods.scope)):
            if pod.is_concerned and pods.pods.selects(dict(pod.labels)):
                self._put(pod.key, interest, _answer(interest, pod))
        if isinstance(interest, NamedPorts):
            self._renumbered.discard(interest)

    def unwatch(self, interest: Interest) -> None:
        """Forget a set that is asked for no longer; of its members no change is told."""
        pods = _pods_of(interest)
        index = self._interests[pods.scope]
        index.remove(pods.pods, interest)
        if not index:
            del self._interests[pods.scope]
            if isinstance(pods.scope, LabelSelector):
                self._namespace_selectors.remove(pods.scope, pods.scope)
        keys = (
            self._members.pop(interest)
            if isinstance(interest, PodSet)
            else {key for held in self._numbers.pop(interest).values() for key in held}
        )
        for key in keys:
            del self._held[key][interest]
            if not self._held[key]:
                del self._held[key]

    def pods_in(self, namespace: str) -> frozenset[PodKey]:
        return frozenset(self._pods_in.get(namespace, ()))

    def members(self, pods: PodSet) -> frozenset[PodKey]:
        """Return the pods of a set that is watched."""
        return frozenset(self._members[pods])

    def numbers(self, asked: NamedPorts) -> PortNumbers:
        """Return what a named port that is watched stands for in any of the pods."""
        return frozenset(self._numbers[asked])

    def sets_of(self, key: PodKey) -> Iterator[PodSet]:
        """Yield the sets that a pod is in."""
        for interest in self._held.get(key, ()):
            if isinstance(interest, PodSet):
                yield interest

    def take_changes(self) -> list[MemberChange]:
        taken, self._changes = self._changes, []
        return taken

    def take_renumbered(self) -> set[NamedPorts]:
        taken, self._renumbered = self._renumbered, set()
        return taken

    def _pods_of_scope(self, scope: Scope) -> Iterator[Pod]:
        if isinstance(scope, LabelSelector):
            names = [name for name, labels in self.namespaces.items() if scope.selects(labels)]
        else:
            names = [scope] if scope in self.namespaces else []
        for name in names:
            for key in self._pods_in.get(name, ()):
                yield self.pods[key]

    def _compare(self, pod: Pod) -> None:
        self.compared += 1
        self._apply(pod.key, self._answers(pod))

    def _answers(self, pod: Pod) -> dict[Interest, PortNumbers]:
        """Return what holds of a pod: the sets it is in, and what its named ports stand for."""
        of_namespace = self.namespaces.get(pod.key.namespace)
        if of_namespace is None or not pod.is_concerned:
            return {}
        labels: Mapping[str, str] = dict(pod.labels)
        scopes: list[Scope] = [
            pod.key.namespace,
            *self._namespace_selectors.selecting(of_namespace),
        ]
        found: dict[Interest, PortNumbers] = {}
        for scope in scopes:
            index = self._interests.get(scope)
            for interest in index.selecting(labels) if index is not None else ():
                answer = _answer(interest, pod)
                if answer is not None:
                    found[interest] = answer
        return found

    def _apply(self, key: PodKey, answers: dict[Interest, PortNumbers]) -> None:
        held = self._held.get(key, {})
        for interest in [each for each in held if each not in answers]:
            self._put(key, interest, None)
        for interest, answer in answers.items():
            if held.get(interest) != answer:
                self._put(key, interest, answer)
        if not self._held.get(key):
            self._held.pop(key, None)

    def _put(self, key: PodKey, interest: Interest, answer: PortNumbers | None) -> None:
        """Note what holds of a pod from now on; None if it isn't in the set."""
        held = self._held.setdefault(key, {})
        before = held.pop(interest, None)
        if answer is not None:
            held[interest] = answer
        if isinstance(interest, PodSet):
            if (before is None) is not (answer is None):
                is_in = answer is not None
                members = self._members[interest]
                if is_in:
                    members.add(key)
                else:
                    members.discard(key)
                self._changes.append(MemberChange(interest, key, is_in))
            return
        numbers = self._numbers[interest]
        for number in (before or frozenset()) - (answer or frozenset()):
            numbers[number].discard(key)
            if not numbers[number]:
                del numbers[number]
                self._renumbered.add(interest)
        for number in (answer or frozenset()) - (before or frozenset()):
            if number not in numbers:
                numbers[number] = set()
                self._renumbered.add(interest)
            numbers[number].add(key)


def _pods_of(interest: Interest) -> PodSet:
    return interest if isinstance(interest, PodSet) else interest.pods


def _answer(interest: Interest, pod: Pod) -> PortNumbers | None:
    """Return what holds of a pod that the selectors of an interest select; None for nothing."""
    if isinstance(interest, PodSet):
        return frozenset() if interest.takes(pod) else None
    return interest.port.numbers(pod) or None
