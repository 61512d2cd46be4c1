"""Policies, pods and ports of a cluster, as the port groups, address sets and ACLs of Treadle.

:class:`Translation` is told one thing at a time and says what of the result changed. What it says
depends on what is, never on the order in which it came: a property test compares it with one
that is told everything anew.

What always holds of the result:

- Every switch port that stands for a pod is in the groups of its pod, or, while no pod is known
  that it stands for, in :data:`PENDING_GROUP`, which lets nothing through. It leaves that group in
  the change that enters it into its pod's. So a port is never open because its pod isn't known yet.
- A policy concerns pods with a port only. A pod that has none is no peer of anyone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from integrations.kubernetes.acls import Acl, NamedPorts
from integrations.kubernetes.bounds import (
    acls_of_policy,
    closed_acls_of,
    named_ports_of,
    pod_sets_of,
)
from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.members import Members
from integrations.kubernetes.objects import Pod, PodKey
from integrations.kubernetes.pod_sets import Networks, PodSet
from integrations.kubernetes.rules import Policy
from integrations.kubernetes.selectors import Labels


class PendingGroup(NamedTuple):
    """The group of ports whose pods aren't known."""


PENDING_GROUP: Final = PendingGroup()

Group = PodSet | PendingGroup


class PortOwner(NamedTuple):
    """The pod that a switch port stands for, as its labels say; the uid may be unknown."""

    pod: PodKey
    uid: str = ""


class Touched(NamedTuple):
    """What may be otherwise than when it was last asked."""

    groups: frozenset[Group]
    """Groups that came or went."""
    memberships: frozenset[tuple[Group, str]]
    """Groups, and ports that entered or left them."""
    networks: frozenset[Networks]
    acls: frozenset[Acl]


class Translation:
    """The desired state, and what it follows from."""

    def __init__(self) -> None:
        self.members = Members()
        self.problems: dict[str, tuple[str, ...]] = {}
        """What of a policy, by its key, isn't kept."""
        self.users: dict[Acl, set[str]] = {}
        """Which policies each ACL is of."""
        self._policies: dict[str, Policy] = {}
        self._acls_of_policy: dict[str, frozenset[Acl]] = {}
        self._named_of_policy: dict[str, frozenset[NamedPorts]] = {}
        self._askers: defaultdict[NamedPorts, set[str]] = defaultdict(set)
        self._uses: Counter[PodSet] = Counter()
        self._network_uses: Counter[Networks] = Counter()
        self._owners: dict[str, PortOwner] = {}
        self._ports: defaultdict[PodKey, set[str]] = defaultdict(set)
        self._ports_in: dict[Group, set[str]] = {PENDING_GROUP: set()}
        self._groups_of: defaultdict[str, set[Group]] = defaultdict(set)
        self._groups: set[Group] = {PENDING_GROUP}
        self._memberships: set[tuple[Group, str]] = set()
        self._networks: set[Networks] = set()
        self._acls: set[Acl] = set()
        self.rendered = 0
        """How often the ACLs of a policy were worked out."""

    # --- what is

    def set_namespace(self, name: str, labels: Labels | None) -> None:
        """Take in a namespace, or its end (None)."""
        was_known = name in self.members.namespaces
        self.members.set_namespace(name, labels)
        self._settle()
        if was_known is (labels is None):
            for key in self.members.pods_in(name):
                self._assign_ports(key)

    def set_pod(self, pod: Pod) -> None:
        """Take in a pod as it is now."""
        before = self.members.pods.get(pod.key)
        self.members.set_pod(pod)
        self._settle()
        if before is None or _identity(before) != _identity(pod):
            self._assign_ports(pod.key)

    def remove_pod(self, key: PodKey) -> None:
        """Take in the end of a pod."""
        self.members.remove_pod(key)
        self._settle()
        self._assign_ports(key)

    def set_policy(self, policy: Policy) -> None:
        """Take in a policy as it is now."""
        if self._policies.get(policy.key) != policy:
            self._policies[policy.key] = policy
            self._render(policy.key)
            self._settle()

    def remove_policy(self, key: str) -> None:
        """Take in the end of a policy."""
        if self._policies.pop(key, None) is not None:
            self._render(key)
            self._settle()

    def set_port(self, port: str, owner: PortOwner | None) -> None:
        """Take in a switch port (its id) that stands for a pod; None for one that is gone."""
        before = self._owners.get(port)
        if before == owner:
            return
        if before is not None:
            self._ports[before.pod].discard(port)
            if not self._ports[before.pod]:
                del self._ports[before.pod]
        if owner is None:
            del self._owners[port]
        else:
            self._owners[port] = owner
            self._ports[owner.pod].add(port)
        self._assign_port(port)

    # --- what follows

    def groups(self) -> Iterator[Group]:
        """Yield all groups that there have to be."""
        yield from self._ports_in

    def has_group(self, group: Group) -> bool:
        return group in self._ports_in

    def ports(self, group: Group) -> frozenset[str]:
        """Return the ports of a group; none if there is no such group."""
        return frozenset(self._ports_in.get(group, ()))

    def networks(self) -> Iterator[Networks]:
        """Yield the networks that there have to be an address set for."""
        yield from self._network_uses

    def has_networks(self, networks: Networks) -> bool:
        return networks in self._network_uses

    def policies(self) -> Iterator[Policy]:
        yield from self._policies.values()

    def policy_ports(self) -> Iterator[str]:
        """Yield the ports that stand for pods."""
        yield from self._owners

    def stands_for_pod(self, port: str) -> bool:
        return port in self._owners

    def pending(self) -> frozenset[str]:
        """Return the ports whose pods aren't known."""
        return self.ports(PENDING_GROUP)

    def take_touched(self) -> Touched:
        """Return what may have changed since the last call."""
        taken = Touched(
            frozenset(self._groups),
            frozenset(self._memberships),
            frozenset(self._networks),
            frozenset(self._acls),
        )
        self._groups, self._memberships = set(), set()
        self._networks, self._acls = set(), set()
        return taken

    # --- how

    def _render(self, key: str) -> None:
        """Work out the ACLs of a policy anew, and take them in the place of the old ones."""
        self.rendered += 1
        policy = self._policies.get(key)
        before = self._acls_of_policy.pop(key, frozenset())
        after: frozenset[Acl] = frozenset()
        self.problems.pop(key, None)
        if policy is None:
            self._ask(key, frozenset())
        else:
            after, problems = self._acls_for(policy)
            self._acls_of_policy[key] = after
            if problems:
                self.problems[key] = problems
        for acl in after - before:
            self._use(acl, key)
        for acl in before - after:
            self._disuse(acl, key)

    def _acls_for(self, policy: Policy) -> tuple[frozenset[Acl], tuple[str, ...]]:
        """Return the ACLs of a policy, whose named ports are watched from now on, and problems."""
        try:
            asked = named_ports_of(policy)
        except UnsayableError as error:
            self._ask(policy.key, frozenset())
            return closed_acls_of(policy), (*policy.problems, f"{error}: it allows nothing")
        self._ask(policy.key, asked)
        try:
            acls = acls_of_policy(policy, {each: self.members.numbers(each) for each in asked})
        except UnsayableError as error:
            return closed_acls_of(policy), (*policy.problems, f"{error}: it allows nothing")
        return acls, policy.problems

    def _ask(self, key: str, asked: frozenset[NamedPorts]) -> None:
        """Have the numbers of named ports watched that a policy asks for."""
        before = self._named_of_policy.pop(key, frozenset())
        if asked:
            self._named_of_policy[key] = asked
        for each in asked - before:
            if each not in self._askers:
                self.members.watch(each)
            self._askers[each].add(key)
        for each in before - asked:
            self._askers[each].discard(key)
            if not self._askers[each]:
                del self._askers[each]
                self.members.unwatch(each)

    def _use(self, acl: Acl, key: str) -> None:
        self._acls.add(acl)  # also for another user: it bears the names of all
        users = self.users.get(acl)
        if users is not None:
            users.add(key)
            return
        self.users[acl] = {key}
        for pods in pod_sets_of(acl):
            self._uses[pods] += 1
            if self._uses[pods] == 1:
                self._ports_in[pods] = set()
                self._groups.add(pods)
                self.members.watch(pods)
        networks = acl.networks()
        if networks is not None:
            self._network_uses[networks] += 1
            self._networks.add(networks)

    def _disuse(self, acl: Acl, key: str) -> None:
        self._acls.add(acl)
        users = self.users[acl]
        users.discard(key)
        if users:
            return
        del self.users[acl]
        for pods in pod_sets_of(acl):
            self._uses[pods] -= 1
            if not self._uses[pods]:
                del self._uses[pods]
                self._settle_members()
                self.members.unwatch(pods)
                for port in self._ports_in.pop(pods):
                    self._groups_of[port].discard(pods)
                self._groups.add(pods)
        networks = acl.networks()
        if networks is not None:
            self._network_uses[networks] -= 1
            if not self._network_uses[networks]:
                del self._network_uses[networks]
            self._networks.add(networks)

    def _settle(self) -> None:
        """Follow up on what changed of members and of the numbers of named ports."""
        self._settle_members()
        while renumbered := self.members.take_renumbered():
            for key in sorted({key for each in renumbered for key in self._askers.get(each, ())}):
                self._render(key)
            self._settle_members()

    def _settle_members(self) -> None:
        for change in self.members.take_changes():
            ports = [p for p in self._ports.get(change.pod, ()) if self._is_owned(p, change.pod)]
            for port in ports:
                self._enter(change.pods, port, change.is_in)

    def _assign_ports(self, key: PodKey) -> None:
        for port in list(self._ports.get(key, ())):
            self._assign_port(port)

    def _assign_port(self, port: str) -> None:
        """Put a port into the groups of its pod, or into that of ports without one."""
        owner = self._owners.get(port)
        wanted: set[Group] = set()
        if owner is not None:
            is_known = self._is_owned(port, owner.pod)
            wanted = set(self.members.sets_of(owner.pod)) if is_known else {PENDING_GROUP}
        for group in self._groups_of[port] - wanted:
            self._enter(group, port, False)
        for group in wanted:
            self._enter(group, port, True)
        if owner is None:
            del self._groups_of[port]

    def _is_owned(self, port: str, key: PodKey) -> bool:
        """Tell whether the pod that a port stands for is the one that is there by that name."""
        pod, owner = self.members.pods.get(key), self._owners[port]
        if pod is None or not pod.is_concerned or key.namespace not in self.members.namespaces:
            return False
        return not owner.uid or owner.uid in pod.uids

    def _enter(self, group: Group, port: str, is_in: bool) -> None:
        ports = self._ports_in.get(group)
        if ports is None or (port in ports) is is_in:
            return
        if is_in:
            ports.add(port)
            self._groups_of[port].add(group)
        else:
            ports.discard(port)
            self._groups_of[port].discard(group)
        self._memberships.add((group, port))


def _identity(pod: Pod) -> tuple[frozenset[str], bool]:
    """Return what decides, besides its name, whether a port stands for a pod."""
    return pod.uids, pod.is_concerned
