"""What a lab has to know of a network, and in which order its probes are sent.

None is to depend on what another has taught.

A router that hears a neighbour learns its address, and sends on what waited for it. That
takes OVN up to 50 ms, in which the next packet may or may not find the address. So what
routers learn from comes last, in a network that is new. Of a MAC address that no port is
known to have, a switch learns where it is from what it sends; what is sent to it
comes before.
"""

from collections.abc import Iterable

from logical_flow.evaluate import Packet
from logical_flow.packet import ETH_ARP, packet_from_match
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document

_DISCOVERY = (135, 136)
_GROUP_BIT = 1 << 40


def phases(document: Document, probes: Iterable[Probe]) -> list[list[Probe]]:
    """The probes, in the lists between which the network is to be made anew."""
    known = macs(document)
    routed: list[Probe] = []
    teaching: list[Probe] = []
    for probe in sorted(probes, key=lambda probe: _from_stranger(probe, known)):
        packet = packet_from_match(probe.packet)
        (teaching if _is_for_neighbours(packet) else routed).append(probe)
    return [phase for phase in (routed, teaching) if phase]


def macs(document: Document) -> set[int]:
    """The MAC addresses that ports are known to have."""
    texts: list[str] = []
    for switch in document["logical_switches"].values():
        for port in switch["ports"].values():
            texts += [address.split()[0] for address in port.get("addresses", ())]
    for router in document["logical_routers"].values():
        texts += [port["mac"] for port in router["ports"].values()]
    return {int(text.replace(":", ""), 16) for text in texts if ":" in text}


def secured_ports(document: Document) -> set[str]:
    """The ports with port security."""
    return {
        name
        for switch in document["logical_switches"].values()
        for name, port in switch["ports"].items()
        if port.get("port_security")
    }


def _from_stranger(probe: Probe, known: set[int]) -> bool:
    return packet_from_match(probe.packet)["eth.src"] not in known


def _is_for_neighbours(packet: Packet) -> bool:
    """Whether a router may learn from it; discovery that is to be routed teaches nobody."""
    if packet["eth.type"] == ETH_ARP:
        return True
    target = packet["eth.dst"]
    assert isinstance(target, int)
    return packet.get("icmp6.type") in _DISCOVERY and bool(target & _GROUP_BIT)
