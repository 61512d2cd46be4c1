"""Rules as ACLs of port groups, in Treadle's language.

A set of pods is a port group. Its members' addresses come by themselves as the address sets
``$NAME_ip4`` and ``$NAME_ip6``, so a pod that is both a subject and a peer is entered once. An
ACL belongs to the group of its subject; those that say the same are one, whichever policies
they are of.

Packets to a pod are judged as its port receives them, by ``to-lport`` ACLs; packets from it as it
sends them. What is let through is let through with its replies (``allow-related``).
"""

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from integrations.kubernetes.pod_sets import ALL_PODS, Networks, NumberedPort, PodSet, PortName
from integrations.kubernetes.rules import (
    BASELINE_TIER,
    MAXIMUM_PORT,
    REPLIES,
    Action,
    Direction,
    Peer,
    PortRange,
    Rule,
    merge_ranges,
)

_ACTIONS: Final[dict[Action, str]] = {"allow": "allow-related", "deny": "drop", "pass": "pass"}
_NAMESPACE: Final = uuid.UUID("6f0a1f0e-6d0b-5c58-9c86-5d2c0a0c8a11")
_SLUG: Final = re.compile(r"[^A-Za-z0-9]+")


class Acl(NamedTuple):
    """What an ACL says; `ports` None means all of every protocol."""

    owner: PodSet
    direction: Direction
    tier: int
    priority: int
    action: Action
    peer: Peer = None
    ports: tuple[PortRange, ...] | None = None
    within: Networks | None = None
    """Of the peers only those with an address in these."""

    def networks(self) -> Networks | None:
        """Return the networks that need an address set, if there are such."""
        named = self.peer if isinstance(self.peer, Networks) else self.within
        return named if named is not None and named.needs_set else None


class NamedPorts(NamedTuple):
    """What it depends on which ACLs a rule with a named port becomes: the numbers in a set."""

    pods: PodSet
    port: PortName


def acls_of(rule: Rule, numbers: Mapping[NamedPorts, frozenset[tuple[str, int]]]) -> Iterator[Acl]:
    """Yield the ACLs of a rule; `numbers` has what :func:`named_ports` of it stand for.

    A named port of an ingress rule is looked for in the rule's own pods, one of an egress rule in
    its peers. Each number that is there gets an ACL for the pods that have it. Of networks these
    are the pods with addresses in them: nothing else has names for its ports.
    """
    if rule.action == "deny":
        yield _replies(rule)
    peers = [peer for peer in rule.peers if not (isinstance(peer, Networks) and not peer.members)]
    if rule.ports is None:
        for peer in peers:
            yield _acl(rule, rule.subject, peer, None)
        return
    ranges = merge_ranges(port for port in rule.ports if isinstance(port, PortRange))
    if ranges:
        for peer in peers:
            yield _acl(rule, rule.subject, peer, ranges)
    for peer in peers:
        for asked in _named_ports_of(rule, peer):
            for protocol, number in sorted(numbers.get(asked, ())):
                pods = asked.pods._replace(port=NumberedPort(asked.port.name, protocol, number))
                ports = (PortRange(protocol, number, number),)
                if rule.direction == "ingress":
                    yield _acl(rule, pods, peer, ports)
                    continue
                within = peer if isinstance(peer, Networks) else None
                yield _acl(rule, rule.subject, pods, ports)._replace(within=within)


def _replies(rule: Rule) -> Acl:
    """Return the ACL by which pods that may not be called get the replies to their own calls.

    Treadle tracks connections where an ACL that lets replies through applies. A policy that only
    denies has none by itself.
    """
    other: Direction = "egress" if rule.direction == "ingress" else "ingress"
    return Acl(rule.subject, other, BASELINE_TIER, REPLIES, "allow")


def named_ports(rule: Rule) -> Iterator[NamedPorts]:
    """Yield which names in which pods a rule asks for."""
    for peer in rule.peers:
        yield from _named_ports_of(rule, peer)


def _named_ports_of(rule: Rule, peer: Peer) -> Iterator[NamedPorts]:
    for name in rule.ports or ():
        if isinstance(name, PortName):
            if rule.direction == "ingress":
                yield NamedPorts(rule.subject, name)
            else:
                yield NamedPorts(peer if isinstance(peer, PodSet) else ALL_PODS, name)


def _acl(rule: Rule, owner: PodSet, peer: Peer, ports: tuple[PortRange, ...] | None) -> Acl:
    return Acl(owner, rule.direction, rule.tier, rule.priority, rule.action, peer, ports)


class Names:
    """Names and ids of what is kept in Treadle for one cluster.

    They follow from what a thing is, so that a controller which starts anew, or a second one,
    finds what is there and makes nothing twice. Two clusters may share a project of Treadle.
    """

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster

    def id_of(self, kind: str, text: str) -> str:
        """Return the id of the object of a kind that is described by a text."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.cluster}\n{kind}\n{text}"))

    def group(self, pods: PodSet) -> str:
        """Return the name of the port group of a set of pods, as in ``@NAME``.

        >>> Names("c").group(PodSet("shop"))
        'kube.shop_all_pods.70caad5775b9a9114d6b'
        """
        return self._name(str(pods), repr(pods))

    def address_set(self, networks: Networks) -> str:
        """Return the name of the address set of some networks, as in ``$NAME``."""
        return self._name("networks", repr(networks))

    def acl_id(self, acl: Acl) -> str:
        return self.id_of("acl", repr(acl))

    def _name(self, shown: str, description: str) -> str:
        """Return a name that tells people what it is, and nothing else is called by."""
        slug = _SLUG.sub("_", shown).strip("_")[:48]
        digest = hashlib.sha256(f"{self.cluster}\n{description}".encode()).hexdigest()
        return f"kube.{slug}.{digest[:20]}"

    def match(self, acl: Acl) -> str:
        """Return the match of an ACL in Treadle's language."""
        port = "outport" if acl.direction == "ingress" else "inport"
        parts = [f"{port} == @{self.group(acl.owner)}"]
        end = "src" if acl.direction == "ingress" else "dst"
        peer = self._peer(acl.peer, end)
        if peer:
            parts.append(peer)
        if acl.within is not None:
            parts.append(self._peer(acl.within, end))
        if acl.ports is not None:
            parts.append(_ports(acl.ports))
        elif not peer:
            parts.append("ip")
        return " && ".join(parts)

    def _peer(self, peer: Peer, end: str) -> str:
        """Return what a match says of the other end; empty if it says nothing."""
        if peer is None:
            return ""
        if isinstance(peer, PodSet):
            name = self.group(peer)
            return f"(ip4.{end} == ${name}_ip4 || ip6.{end} == ${name}_ip6)"
        if peer.needs_set:
            name = self.address_set(peer)
            families = [
                f"{family}.{end} == ${name}"
                for family, sign in (("ip4", "."), ("ip6", ":"))
                if any(sign in member for member in peer.members)
            ]
        else:
            families = [_single(member, end) for member in peer.members]
        return families[0] if len(families) == 1 else f"({' || '.join(families)})"


def action_of(acl: Acl) -> str:
    """Return the action of an ACL as Treadle calls it."""
    return _ACTIONS[acl.action]


def direction_of(acl: Acl) -> str:
    """Return the direction of an ACL as Treadle calls it."""
    return "to-lport" if acl.direction == "ingress" else "from-lport"


def _single(network: str, end: str) -> str:
    family = "ip6" if ":" in network else "ip4"
    return family if network.endswith("/0") else f"{family}.{end} == {network}"


def _ports(ranges: tuple[PortRange, ...]) -> str:
    """Return what a match says of ports of the destination."""
    terms: list[str] = []
    for protocol in dict.fromkeys(each.protocol for each in ranges):
        word = protocol.lower()
        of_it = [each for each in ranges if each.protocol == protocol]
        singles = [str(each.first) for each in of_it if each.first == each.last]
        if singles:
            listed = singles[0] if len(singles) == 1 else f"{{{', '.join(singles)}}}"
            terms.append(f"{word}.dst == {listed}")
        for each in of_it:
            if (each.first, each.last) == (0, MAXIMUM_PORT):
                terms.append(word)
            elif each.first != each.last:
                terms.append(f"{each.first} <= {word}.dst <= {each.last}")
    return terms[0] if len(terms) == 1 else f"({' || '.join(terms)})"
