"""What one policy may come to.

Anyone who may write policies chooses how many peers, ports and exceptions they have, and these
multiply: peers by names of ports, names by the numbers that pods give them, sets of pods by pods.
So what follows from a policy is counted as it is worked out, and never more than the bounds is
held. A policy that comes to more is closed: it allows nothing.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Final

from integrations.kubernetes.acls import Acl, NamedPorts, acls_of, named_ports
from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.pod_sets import MAXIMUM_NETWORKS, Networks, PodSet
from integrations.kubernetes.rules import Policy

MAXIMUM_ACLS: Final = 5_000
MAXIMUM_NAMED_PORTS: Final = 5_000
"""Peers times names of ports, in all rules together."""
MAXIMUM_POD_SETS: Final = 1_000
"""Sets of pods, of which each may be as large as the cluster."""


def named_ports_of(policy: Policy) -> frozenset[NamedPorts]:
    """Return which names of ports in which pods a policy asks for; raise UnsayableError."""
    pairs = (each for rule in policy.rules for each in named_ports(rule))
    found = list(islice(pairs, MAXIMUM_NAMED_PORTS + 1))
    if len(found) > MAXIMUM_NAMED_PORTS:
        raise UnsayableError(f"more than {MAXIMUM_NAMED_PORTS} named ports of peers")
    return frozenset(found)


def acls_of_policy(
    policy: Policy, numbers: Mapping[NamedPorts, frozenset[tuple[str, int]]]
) -> frozenset[Acl]:
    """Return the ACLs of a policy; raise UnsayableError where they come to too much.

    `numbers` has what its named ports stand for.
    """
    acls: set[Acl] = set()
    pods: set[PodSet] = set()
    networks: set[Networks] = set()
    addresses = 0
    for rule in policy.rules:
        for acl in acls_of(rule, numbers):
            acls.add(acl)
            pods.update(pod_sets_of(acl))
            of_acl = acl.networks()
            if of_acl is not None and of_acl not in networks:
                networks.add(of_acl)
                addresses += len(of_acl.members)
            for count, most, what in (
                (len(acls), MAXIMUM_ACLS, "ACLs"),
                (len(pods), MAXIMUM_POD_SETS, "sets of pods"),
                (addresses, MAXIMUM_NETWORKS, "networks"),
            ):
                if count > most:
                    raise UnsayableError(f"comes to more than {most} {what}")
    return frozenset(acls)


def closed_acls_of(policy: Policy) -> frozenset[Acl]:
    """Return the ACLs of a policy that comes to too much: what refuses something refuses all."""
    closed = (
        rule._replace(action="deny", peers=(None,), ports=None)
        for rule in policy.rules
        if rule.action != "allow"
    )
    return frozenset(acl for rule in closed for acl in acls_of(rule, {}))


def pod_sets_of(acl: Acl) -> tuple[PodSet, ...]:
    """Return the different sets of pods that an ACL names, its owner first."""
    if isinstance(acl.peer, PodSet) and acl.peer != acl.owner:
        return (acl.owner, acl.peer)
    return (acl.owner,)
