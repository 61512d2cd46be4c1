"""What a lab has to know of a network, and in which order its probes are sent.

None is to depend on what another has taught.

A router that hears a neighbour learns its address, and sends on what waited for it. That
takes OVN up to 50 ms, in which the next packet may or may not find the address. So what
routers learn from comes last, in a network that is new. Of a MAC address that no port is
known to have, a switch learns where it is from what it sends; what is sent to it
comes before.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy

from logical_flow.evaluate import Packet
from logical_flow.packet import ETH_ARP, packet_from_match
from tests.differential.network.outside import outside_host
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document
from tests.system import frames

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


def as_in_labs(document: Document) -> Document:
    """The network as it can be made in labs, where nobody outside answers and no chassis fails.

    What may be on several chassis is on the first one, and of several ways that a hash chooses
    among there is the first, as the two labs choose differently. Routers know the hosts outside,
    and those know them: none towards a provider network is disabled.
    """
    made = deepcopy(document)
    for router in made["logical_routers"].values():
        ways: dict[tuple[str, ...], Document] = {}
        for route in router["static_routes"]:
            place = (route["ip_prefix"], route["policy"], route.get("route_table", ""))
            ways.setdefault(place, route)
        router["static_routes"] = list(ways.values())
        for policy in router.get("policies", ()):
            del policy.get("nexthops", [])[1:]
    for group in made.get("ha_chassis_groups", {}).values():
        del group["chassis"][1:]
    ports = {
        name: (port, router)
        for router in made["logical_routers"].values()
        for name, port in router["ports"].items()
    }
    for port, _ in ports.values():
        del port.get("gateway_chassis", [])[1:]
    for name, switch in made["logical_switches"].items():
        if not any("network_name" in port for port in switch["ports"].values()):
            continue
        mac, *ips = outside_host(name)
        for router_port in (port.get("router_port") for port in switch["ports"].values()):
            if router_port is None:
                continue
            port, router = ports[router_port]
            port.pop("enabled", None)
            router.pop("enabled", None)
            bindings = port.setdefault("static_mac_bindings", [])
            bound = {binding["ip"] for binding in bindings}
            bindings += [
                {"ip": ip, "mac": mac, "override_dynamic_mac": True}
                for ip in ips
                if ip not in bound
            ]
    return made


def introductions(document: Document) -> Iterator[tuple[str, bytes]]:
    """What tells the switches of provider networks where everybody is: frames, and who sends them.

    The host outside asks for all addresses, and workloads announce theirs. Else first packets were
    flooded, in one lab and not in the other: it isn't the same addresses that the two announce.
    """
    routers = document["logical_routers"].values()
    ports = [port for router in routers for port in router["ports"].values()]
    ips = [network.partition("/")[0] for port in ports for network in port["networks"]]
    ips += translated_addresses(document)
    for switch_name, switch in document["logical_switches"].items():
        if not any("network_name" in port for port in switch["ports"].values()):
            continue
        host, ip4, ip6 = outside_host(switch_name)
        for name, port in switch["ports"].items():
            if "network_name" in port:
                for ip in dict.fromkeys(ips):
                    if ":" in ip:
                        yield name, frames.neighbour_solicitation(host, ip6, ip)
                    else:
                        yield name, frames.arp_request(host, ip4, ip)
            elif "type" not in port:
                for mac, *own in (text.split() for text in port["addresses"] if text != "unknown"):
                    yield from ((name, frames.arp_request(mac, ip, ip)) for ip in own if "." in ip)


def translated_addresses(document: Document) -> Iterator[str]:
    """The addresses that stand for others: of NATs and load balancers."""
    for router in document["logical_routers"].values():
        yield from (nat["external_ip"] for nat in router.get("nats", ()))
    for balancer in document.get("load_balancers", {}).values():
        yield from (vip["address"] for vip in balancer["vips"])


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
