"""What the addresses of a switch port are to Neutron, and how a switch port is addressed.

A switch port's `addresses` and `port_security` are the one truth of a port's MAC address, of
its fixed IPs and of whether its port security is on: whichever API changes them, both show it.
Which subnet an address is of follows from the address, as those of one network don't overlap.

Port security lets a port send from its own addresses and from those of its allowed pairs. A
port behind which other MAC addresses are to be expected, as it has no port security or pairs
with others, has ``unknown`` among its addresses: the switch learns them.
"""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from api.neutron.blocks import Blocks
from api.neutron.ipam import FixedIp
from api.neutron.subnets import subnets_of_networks
from northbound.ipam import effective
from northbound.models import LogicalRouterPort, LogicalSwitchPort, NeutronPort
from northbound.services import LOGICAL_SWITCH_PORTS
from northbound.transaction import Reader, Transaction

UNKNOWN = "unknown"

Pair = Mapping[str, str]
"""An element of `allowed_address_pairs`: an `ip_address`, which may be a network, and the
`mac_address` that goes with it."""


class OwnAddresses(NamedTuple):
    """The addresses of a port; `mac` is "" where nothing says it."""

    mac: str
    ips: tuple[str, ...]


def own_addresses(
    port: LogicalSwitchPort, router_port: LogicalRouterPort | None = None
) -> OwnAddresses:
    """Return the addresses of a port; those of a port of type ``router`` are `router_port`'s."""
    if port.type == "router":
        if router_port is None:
            return OwnAddresses("", ())
        return OwnAddresses(
            router_port.mac, tuple(network.split("/")[0] for network in router_port.networks)
        )
    elements = effective(port.addresses, port.dynamic_addresses)
    mac = "" if not elements else str(elements[0].mac)
    return OwnAddresses(mac, tuple(ip for element in elements for ip in element.ips))


def addressing(
    mac: str, ips: Sequence[str], pairs: Sequence[Pair], *, secured: bool
) -> dict[str, list[str]]:
    """Return the fields of a switch port that has these addresses and allowed pairs.

    >>> addressing("0a:00:00:00:00:01", ["10.0.0.5"], [], secured=True)["port_security"]
    ['0a:00:00:00:00:01 10.0.0.5']
    """
    own = " ".join([mac, *ips])
    senders: dict[str, list[str]] = {mac: list(ips)}
    for pair in pairs:
        network = ipaddress.ip_network(pair["ip_address"], strict=False)
        senders.setdefault(pair["mac_address"], []).append(str(network))
    learns = not secured or len(senders) > 1
    return {
        "addresses": [own, UNKNOWN] if learns else [own],
        "port_security": [" ".join([each, *of]) for each, of in senders.items()] if secured else [],
    }


def set_fixed_ips(
    tx: Transaction, port: LogicalSwitchPort, annex: NeutronPort | None, ips: Sequence[str]
) -> None:
    """Give a port other IP addresses, whosever it is; the rest of its addressing stays."""
    pairs = [] if annex is None else annex.allowed_address_pairs
    mac, secured = own_addresses(port).mac, bool(port.port_security)
    LOGICAL_SWITCH_PORTS.amend(tx, port, addressing(mac, ips, pairs, secured=secured))


class SubnetsOfAddresses:
    """Which subnets the addresses of ports are of, on some networks."""

    def __init__(self, reader: Reader, network_ids: Collection[str]) -> None:
        self._subnets = subnets_of_networks(reader, network_ids)
        self._blocks: dict[str, Blocks] = {}

    def fixed_ips(self, network_id: str, ips: Sequence[str]) -> list[dict[str, Any]]:
        """Return the `fixed_ips` of a port; an address that is of no subnet has none."""
        return [{"subnet_id": self._subnet(network_id, ip), "ip_address": ip} for ip in ips]

    def held(self, network_id: str, ips: Sequence[str]) -> list[FixedIp]:
        """Return those of a port's addresses that are of a subnet."""
        found = [(self._subnet(network_id, ip), ip) for ip in ips]
        return [FixedIp(subnet, ip) for subnet, ip in found if subnet is not None]

    def _subnet(self, network_id: str, ip: str) -> str | None:
        blocks = self._blocks.get(network_id)
        if blocks is None:
            blocks = self._blocks[network_id] = Blocks()
            for subnet in self._subnets.get(network_id, ()):
                blocks.add(subnet.cidr, subnet.id)
        return blocks.owner_of(ipaddress.ip_address(ip))
