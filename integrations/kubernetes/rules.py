"""Policies in the one form that all three kinds of them are read into.

A :class:`Policy` is a list of rules. A :class:`Rule` says for some pods, in one direction, what
becomes of packets from or to some peers, with what precedence. That a NetworkPolicy isolates
its pods is a rule, too, of lower priority than what it allows.

Precedence is the tier, then the priority (the highest first), then ``deny`` before the rest:

- tier 1: AdminNetworkPolicy. Each of its priorities (0 to 1000, the lowest first) has
  :data:`LEVELS` priorities of ACLs. Above them is :data:`PENDING`.
- tier 2: NetworkPolicy. What one allows is above what isolates.
- tier 3: BaselineAdminNetworkPolicy.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from integrations.kubernetes.objects import PROTOCOLS
from integrations.kubernetes.pod_sets import Networks, PodSet, PortName

Direction = Literal["ingress", "egress"]
Action = Literal["allow", "deny", "pass"]

DIRECTIONS: Final[tuple[Direction, Direction]] = ("ingress", "egress")

ADMIN_TIER: Final = 1
POLICY_TIER: Final = 2
BASELINE_TIER: Final = 3

LEVELS: Final = 32
"""How often allowing, denying and passing may alternate in the rules of one policy."""
PENDING: Final = 32767
"""In :data:`ADMIN_TIER`: what keeps pods closed of which it isn't known yet what they may."""
HIGHEST_ADMIN: Final = 1000 * LEVELS + LEVELS - 1
ALLOWED: Final = 1001
ISOLATED: Final = 1000
HIGHEST_BASELINE: Final = 1000
REPLIES: Final = 0
"""In :data:`BASELINE_TIER`, below all else: what nothing refuses passes, with its replies."""

MAXIMUM_PORT: Final = 65535


class PortRange(NamedTuple):
    """Ports of one protocol, both ends included; 0 to 65535 is the protocol as a whole."""

    protocol: str
    first: int = 0
    last: int = MAXIMUM_PORT


Port = PortRange | PortName
Peer = PodSet | Networks | None
"""None is every address, of pods or not."""


class Rule(NamedTuple):
    """What becomes of packets to (`ingress`) or from (`egress`) the pods that are its subject.

    `ports` are those of the destination; None means all of every protocol, those without ports
    included.
    """

    direction: Direction
    action: Action
    tier: int
    priority: int
    subject: PodSet
    peers: tuple[Peer, ...] = (None,)
    ports: tuple[Port, ...] | None = None


class Policy(NamedTuple):
    """A policy as it was read, and what of it couldn't be."""

    key: str
    """Kind, namespace if it has one, and name: ``NetworkPolicy shop/web``."""
    rules: tuple[Rule, ...]
    problems: tuple[str, ...] = ()


def merge_ranges(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """Return the same ports in as few ranges as there can be, in order.

    >>> merge_ranges([PortRange("TCP", 81, 90), PortRange("TCP", 80, 80), PortRange("UDP", 1, 2)])
    (PortRange(protocol='TCP', first=80, last=90), PortRange(protocol='UDP', first=1, last=2))
    """
    merged: list[PortRange] = []
    for each in sorted(ranges, key=lambda one: (PROTOCOLS.index(one.protocol), one[1:])):
        last = merged[-1] if merged else None
        if last is not None and last.protocol == each.protocol and each.first <= last.last + 1:
            merged[-1] = last._replace(last=max(last.last, each.last))
        else:
            merged.append(each)
    return tuple(merged)
