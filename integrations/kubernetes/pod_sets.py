"""What rules are about: sets of pods, and networks.

A set of pods is its description, so that all rules which say the same share one port group: which
namespaces, which labels, and for rules with a named port the number that it has in the pod's
containers.
"""

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.objects import Pod
from integrations.kubernetes.selectors import EVERYTHING, LabelSelector

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAXIMUM_NETWORKS = 10_000
"""Networks that one block may come to once its exceptions are taken out."""


class PortName(NamedTuple):
    """A port that containers call by a name; an empty protocol means any."""

    name: str
    protocol: str

    def numbers(self, pod: Pod) -> frozenset[tuple[str, int]]:
        """Return what the name stands for in a pod: protocols and numbers."""
        return frozenset(
            (port.protocol, port.number)
            for port in pod.ports
            if port.name == self.name and self.protocol in ("", port.protocol)
        )


class NumberedPort(NamedTuple):
    """A port name with the number that it has in some pods."""

    name: str
    protocol: str
    number: int


class PodSet(NamedTuple):
    """The pods of a namespace, or of the namespaces that a selector selects, by their labels.

    With `port` only those of which a container calls that port by that name.
    """

    namespace: str = ""
    namespaces: LabelSelector = EVERYTHING
    """Of the labels of namespaces, where `namespace` is empty."""
    pods: LabelSelector = EVERYTHING
    port: NumberedPort | None = None

    @property
    def scope(self) -> "Scope":
        return self.namespace or self.namespaces

    def __str__(self) -> str:
        """
        >>> from integrations.kubernetes.selectors import parse_selector
        >>> str(PodSet("shop", pods=parse_selector({"matchLabels": {"app": "web"}}, "")))
        'shop: app=web'
        >>> str(PodSet())
        'all namespaces: all pods'
        """
        where = self.namespace or (f"[{self.namespaces}]" if self.namespaces[0] else "")
        what = f"{where or 'all namespaces'}: {self.pods if self.pods[0] else 'all pods'}"
        if self.port is None:
            return what
        return f"{what} with {self.port.name}={self.port.protocol}/{self.port.number}"

    def without_port(self) -> "PodSet":
        return self._replace(port=None)

    def takes(self, pod: Pod) -> bool:
        """Tell whether a pod that the selectors select has the port, if one is asked for."""
        if self.port is None:
            return True
        return (self.port.protocol, self.port.number) in {
            (port.protocol, port.number) for port in pod.ports if port.name == self.port.name
        }


Scope = str | LabelSelector
"""The name of a namespace, or a selector of namespaces."""

ALL_PODS = PodSet()


class Networks(NamedTuple):
    """Networks of both families, none within another, in order."""

    members: tuple[str, ...]

    @property
    def needs_set(self) -> bool:
        """Whether they are more than an ACL says by itself."""
        return len(self.members) > 1

    def __str__(self) -> str:
        return ", ".join(self.members)


def parse_network(text: str, path: str) -> Network:
    """Read a network in CIDR notation, host bits or not; raise UnsayableError.

    An IPv4 network that is written in IPv6 (``::ffff:10.0.0.0/104``) means the IPv4 one.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise UnsayableError(f"{path}: {text[:80]!r} is no network") from None
    if isinstance(network, ipaddress.IPv6Network):
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= 96:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def networks_without(block: Network, exceptions: Iterable[Network], path: str) -> Networks:
    """Return a block without its exceptions, as networks.

    >>> parse = ipaddress.ip_network
    >>> str(networks_without(parse("10.0.0.0/30"), [parse("10.0.0.1/32")], ""))
    '10.0.0.0/32, 10.0.0.2/31'

    Raises UnsayableError if these are too many. Anyone who may write policies chooses how many
    exceptions there are and how they lie, so each is looked at once.
    """
    holes = sorted(
        (int(hole.network_address), int(hole.broadcast_address))
        for hole in exceptions
        if hole.version == block.version
    )
    left: list[Network] = []
    first, last = int(block.network_address), int(block.broadcast_address)
    for hole_first, hole_last in (*holes, (last + 1, last + 1)):
        if first < hole_first and first <= last:
            left += _spanning(block.version, first, min(hole_first - 1, last))
            if len(left) > MAXIMUM_NETWORKS:
                raise UnsayableError(f"{path}: comes to more than {MAXIMUM_NETWORKS} networks")
        first = max(first, hole_last + 1)
    return merged_networks(left)


def merged_networks(networks: Iterable[Network]) -> Networks:
    """Return networks of both families without those within others, in order."""
    all_of_them = list(networks)
    v4 = ipaddress.collapse_addresses(
        each for each in all_of_them if isinstance(each, ipaddress.IPv4Network)
    )
    v6 = ipaddress.collapse_addresses(
        each for each in all_of_them if isinstance(each, ipaddress.IPv6Network)
    )
    return Networks((*map(str, v4), *map(str, v6)))


def _spanning(version: int, first: int, last: int) -> Iterable[Network]:
    """Return the networks that hold the addresses from `first` to `last` and no others."""
    address = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return ipaddress.summarize_address_range(address(first), address(last))
