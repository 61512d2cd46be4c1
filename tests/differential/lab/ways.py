"""Where frames enter a lab for a port, and come out for it: an interface, and a VLAN tag there."""

from typing import NamedTuple

from tests.differential.network.outside import L2_NETWORK, NETWORK
from tests.differential.network.topologies import Document

OUTSIDE = {NETWORK: "outside", L2_NETWORK: "outside-2"}
"""The interfaces of hosts on provider networks, by the networks."""


class Way(NamedTuple):
    """The interface, by the name that it has in a lab; frames there have the tag, or none if 0."""

    interface: str
    tag: int = 0


def ways(document: Document) -> dict[str, Way]:
    """The ways to ports that have no interface of their own: they share one with others.

    The workload of an external port is where the localnet port leads, and has no way of its own.
    """
    found: dict[str, Way] = {}
    for switch in document["logical_switches"].values():
        for name, port in switch["ports"].items():
            if "parent" in port:
                found[name] = Way(port["parent"], port["tag"])
            elif "network_name" in port:
                found[name] = Way(OUTSIDE[port["network_name"]], port.get("tag", 0))
    return found


def own_interfaces(document: Document) -> list[str]:
    """The ports that have interfaces, which are named as they are."""
    return sorted(
        name
        for switch in document["logical_switches"].values()
        for name, port in switch["ports"].items()
        if "type" not in port and "parent" not in port
    )
