"""From a packet in words to its headers: who has which addresses, and who is next.

A packet for the sender's own subnet goes to the MAC address of the port that has the
destination there, any other to that of the router port in the sender's subnet.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
)
from itertools import islice
from typing import NamedTuple

from diagnosis.trace.words import (
    EPHEMERAL_PORT,
    TRANSPORTS,
    Address,
    PacketWords,
    Place,
    fault,
)
from logical_flow.addresses import link_local, multicast_mac
from logical_flow.evaluate import Packet
from logical_flow.packet import (
    ETH_ARP,
    ETH_IP4,
    ETH_IP6,
    PROTO_ICMP4,
    PROTO_ICMP6,
    PROTO_SCTP,
    PROTO_TCP,
    PROTO_UDP,
    MutablePacket,
)
from northbound.ipam import made_up_mac
from southbound.rows import PortBinding

Network = IPv4Network | IPv6Network

_TTL = 64
_ECHO4, _ECHO6 = 8, 128
_SYN = 2
_POINT_TO_POINT = 2
"""A network of so many addresses, or fewer, keeps none for all."""
_MOST_HOSTS = 100
"""How many addresses of a network are tried for one that no port has."""
_BROADCAST = 0xFFFFFFFFFFFF
_NUMBERS = {"tcp": PROTO_TCP, "udp": PROTO_UDP, "sctp": PROTO_SCTP}


@dataclass(frozen=True)
class Host:
    """One address string of a port."""

    mac: int
    addresses: tuple[Address, ...]


class Ends(NamedTuple):
    """Where a packet enters, who sends it from which address, and to which it goes."""

    entry: PortBinding
    sender: Host
    source: Address
    destination: Address


class Neighbour(NamedTuple):
    """Where the sender's frame goes: an address in the sender's subnet, and the port that has it.

    For the next router `port` is the port of the switch that leads there.
    """

    address: Address
    mac: int
    port: PortBinding


class NoNeighbour(NamedTuple):
    """Why there is no neighbour to send to; `on_link` if the destination is in the own subnet.

    Where it is `reserved` no host can have it.
    """

    reason: str
    on_link: bool
    reserved: bool = False


@dataclass(frozen=True)
class Addressing:
    """Which ports there are, and the networks of router ports by name.

    With `via_gateway` workloads send everything to their gateway, also what is for their own
    subnet. `owner` knows who may have an address that no port is declared to have: the MAC
    address, and the port. Behind a port that leads outside are any hosts.
    """

    ports: Mapping[str, PortBinding]
    networks: Mapping[str, tuple[str, ...]]
    via_gateway: bool = False
    owner: Callable[[str, Address], tuple[int, PortBinding] | None] = lambda *_: None

    def packet(self, words: PacketWords, inport: str | None) -> MutablePacket:
        """The packet that `words` describe, entering at `inport` or where it comes from."""
        ends = self.ends(words, inport)
        if words.protocol == "arp":
            return arp_request(ends.entry.name, ends.sender.mac, ends.source, ends.destination)
        return packet_between(words, ends, self._next_hop(words, ends))

    def ends(self, words: PacketWords, inport: str | None) -> Ends:
        """The two ends of the packet that `words` describe."""
        entry = self.entry(words, inport)
        self._refuse_nameless(words, entry)
        family = self._family(words)
        sender, source = self._source(words, entry, family)
        return Ends(entry, sender, source, self._destination(words, family))

    def entry(self, words: PacketWords, inport: str | None) -> PortBinding:
        """The port at which the packet enters."""
        if inport is not None:
            return self.ports[inport]
        source = words.source
        if isinstance(source.host, str):
            return self.ports[source.host]
        owners = [port for port, _ in self._owners(source.host) if port.kind.is_workload]
        if len(owners) != 1:
            which = "no port has" if not owners else f"{len(owners)} ports have"
            reason = f"{which} the address {source.host}: say with inport where it enters"
            raise fault(words.text, source.position, reason)
        return owners[0]

    def _owners(
        self, address: Address, datapath: str | None = None
    ) -> Iterable[tuple[PortBinding, Host]]:
        text = str(address)
        for port in self.ports.values():
            if datapath in (None, port.datapath) and any(text in a for a in port.addresses):
                for host in hosts(port):
                    if address in host.addresses:
                        yield port, host

    def _refuse_nameless(self, words: PacketWords, entry: PortBinding) -> None:
        """Refuse ports of which not even a MAC address is known."""
        named = isinstance(words.source.host, str)
        ends = [(words.source, entry)]
        ends += [
            (place, self.ports[place.host])
            for place in (words.source, words.destination)
            if isinstance(place.host, str)
        ]
        for place, port in ends:
            if port.kind.leads_outside and place is words.source and not named:
                continue
            if port.kind.leads_outside:
                reason = f"{port.name} leads outside: give the address of a host there"
                reason += f", which enters at {port.name}" if place is words.source else ""
                raise fault(words.text, place.position, reason)
            if not hosts(port):
                reason = f"{port.name} has no address of its own: describe the packet as a match"
                raise fault(words.text, place.position, reason)

    def _family(self, words: PacketWords) -> int:
        """4 or 6: what both ends have, IPv4 if they have both."""
        if words.protocol == "arp":
            return 4
        ends = (words.source.host, words.destination.host)
        for version in (4, 6):
            if all(self._has_family(host, version) for host in ends):
                return version
        reason = "source and destination have no addresses of the same family"
        raise fault(words.text, words.destination.position, reason)

    def _has_family(self, host: str | Address, version: int) -> bool:
        if not isinstance(host, str):
            return host.version == version
        port = self.ports[host]
        known = hosts(port)
        return any(a.version == version for h in known for a in h.addresses) or any(
            not h.addresses for h in known
        )

    def _source(self, words: PacketWords, entry: PortBinding, family: int) -> tuple[Host, Address]:
        """The sender, and the address that it uses."""
        place = words.source
        here = hosts(entry)
        if not isinstance(place.host, str):
            if entry.kind.leads_outside:
                return made_up_host(entry, place.host), place.host
            mine = [host for host in here if place.host in host.addresses]
            return (mine or here)[0], place.host
        address = self._first(words, place, family)
        owner = next((host for host in here if address in host.addresses), here[0])
        return owner, address

    def _destination(self, words: PacketWords, family: int) -> Address:
        place = words.destination
        return self._first(words, place, family) if isinstance(place.host, str) else place.host

    def _first(self, words: PacketWords, place: Place, family: int) -> Address:
        port = self.ports[str(place.host)]
        found = [a for host in hosts(port) for a in host.addresses if a.version == family]
        if not found:
            what = f"IPv{family}" if any(host.addresses for host in hosts(port)) else "IP"
            raise fault(words.text, place.position, f"{port.name} has no {what} address")
        return found[0]

    def neighbour(
        self, datapath: str, source: Address, destination: Address
    ) -> Neighbour | NoNeighbour:
        """Return the first hop of a packet that is sent on a switch, or why there is none."""
        gateway = self.gateway(datapath, source, destination)
        if self.via_gateway and gateway is not None and not _is_link_local(destination):
            return gateway
        for port, host in self._owners(destination, datapath):
            return Neighbour(destination, host.mac, port)
        if _is_link_local(destination):
            found = self._link_local(datapath, destination)
            return (
                found
                if found is not None
                else self._claimed(datapath, destination, "on the sender's switch ")
            )
        gateways = self._gateways(datapath, destination.version)
        near = [network for _, network in gateways if source in network]
        for network in near:
            if destination in reserved(network):
                reason = f"{destination} is kept for all of {network}, so no one host has it"
                return NoNeighbour(reason, on_link=True, reserved=True)
        if any(destination in network for network in near):
            return self._claimed(datapath, destination, "in the sender's subnet ")
        if gateway is None:
            found_here = self._claimed(datapath, destination, "on the sender's switch ")
            if isinstance(found_here, Neighbour):
                return found_here
            reason = (
                f"{destination} is not on the sender's switch, which leads to no router "
                f"with IPv{destination.version}"
            )
            return NoNeighbour(reason, on_link=False)
        return gateway

    def gateway(self, datapath: str, source: Address, destination: Address) -> Neighbour | None:
        """Return the first hop of a packet whose sender leaves everything to its gateway.

        Also where the destination would be in reach. None if there is no gateway, or the
        destination is one.
        """
        gateways = self._gateways(datapath, destination.version)
        if any(destination == found.address for found, _ in gateways):
            return None
        near = [found for found, network in gateways if source in network]
        return next(iter(near or [found for found, _ in gateways]), None)

    def on_link(self, datapath: str, source: Address) -> Address:
        """Return an address from which `source`, which is outside, can ask on a switch.

        It is another one where `source` is in no network of the switch: packets from there come
        by a router outside.
        """
        networks = [network for _, network in self._gateways(datapath, source.version)]
        if not networks or any(source in network for network in networks):
            return source
        for host in islice(networks[0].hosts(), _MOST_HOSTS):
            address = ip_address(str(host))
            if not any(self._owners(address, datapath)):
                return address
        return source

    def _gateways(self, datapath: str, version: int) -> list[tuple[Neighbour, Network]]:
        """The router ports on a switch, one for each of their networks."""
        return [
            (Neighbour(interface.ip, gateway.mac, port), interface.network)
            for port in self.ports.values()
            if port.datapath == datapath and port.joins_datapaths
            for gateway in hosts(port)
            for interface in map(ip_interface, self.networks.get(port.peer, ()))
            if interface.version == version
        ]

    def _claimed(self, datapath: str, address: Address, where: str) -> Neighbour | NoNeighbour:
        """Return the port that may have an address that no port is declared to have."""
        claim = self.owner(datapath, address)
        if claim is not None:
            return Neighbour(address, *claim)
        return NoNeighbour(f"nobody {where}has {address}, so no one answers for it", on_link=True)

    def _link_local(self, datapath: str, destination: Address) -> Neighbour | None:
        """Return the port that made itself that address on the switch; no router leads to it."""
        for port in self.ports.values():
            if port.datapath == datapath:
                for host in hosts(port):
                    if ip_address(link_local(host.mac.to_bytes(6))) == destination:
                        return Neighbour(destination, host.mac, port)
        return None

    def _next_hop(self, words: PacketWords, ends: Ends) -> int:
        destination = ends.destination
        if destination.is_multicast:
            return _multicast_mac(destination)
        source = ends.source
        if ends.entry.kind.leads_outside:
            source = self.on_link(ends.entry.datapath, source)
        found = self.neighbour(ends.entry.datapath, source, destination)
        if isinstance(found, NoNeighbour):
            raise fault(words.text, words.destination.position, found.reason)
        return found.mac


def addresses(packet: Packet) -> tuple[Address, Address] | None:
    """Return source and destination of an IP packet."""
    for eth_type, name, make in ((ETH_IP4, "ip4", IPv4Address), (ETH_IP6, "ip6", IPv6Address)):
        if packet.get("eth.type") == eth_type:
            source, destination = packet.get(f"{name}.src", 0), packet.get(f"{name}.dst", 0)
            if isinstance(source, int) and isinstance(destination, int):
                return make(source), make(destination)
    return None


def arp_request(inport: str, mac: int, source: Address, target: Address) -> MutablePacket:
    """The question who has `target`, in IPv4."""
    return {
        "inport": inport,
        "eth.src": mac,
        "eth.dst": _BROADCAST,
        "eth.type": ETH_ARP,
        "arp.op": 1,
        "arp.sha": mac,
        "arp.spa": int(source),
        "arp.tha": 0,
        "arp.tpa": int(target),
    }


def packet_between(words: PacketWords, ends: Ends, next_hop: int) -> MutablePacket:
    """The IP packet that `words` describe, in a frame to the MAC address `next_hop`."""
    family = ends.source.version
    prefix = f"ip{family}"
    packet: MutablePacket = {
        "inport": ends.entry.name,
        "eth.src": ends.sender.mac,
        "eth.dst": next_hop,
        "eth.type": ETH_IP4 if family == 4 else ETH_IP6,
        f"{prefix}.src": int(ends.source),
        f"{prefix}.dst": int(ends.destination),
        "ip.ttl": _TTL,
    }
    return packet | _payload(words, family)


def _is_link_local(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.is_link_local


def reserved(network: Network) -> set[Address]:
    """The addresses of an IPv4 network that stand for all of it."""
    if network.version == 6 or network.num_addresses <= _POINT_TO_POINT:
        return set()
    return {network.network_address, network.broadcast_address}


def hosts(port: PortBinding) -> list[Host]:
    """The MAC addresses of a port with their IP addresses."""
    found = []
    for text in port.addresses:
        mac, *addresses = text.split()
        if mac.count(":") == 5:
            ips = tuple(ip_address(address.partition("/")[0]) for address in addresses)
            found.append(Host(int(mac.replace(":", ""), 16), ips))
    return found


def made_up_host(port: PortBinding, address: Address) -> Host:
    """Return a host behind `port` that has an address, with a MAC address that is made up."""
    mac = made_up_mac(f"{port.name} {address}")
    return Host(int(mac.replace(":", ""), 16), (address,))


def _payload(words: PacketWords, family: int) -> MutablePacket:
    protocol = words.protocol
    if protocol not in TRANSPORTS:
        number, echo = (PROTO_ICMP4, _ECHO4) if family == 4 else (PROTO_ICMP6, _ECHO6)
        name = f"icmp{family}"
        return {"ip.proto": number, f"{name}.type": echo, f"{name}.code": 0}
    source_port = words.source.port
    packet: MutablePacket = {
        "ip.proto": _NUMBERS[protocol],
        f"{protocol}.src": EPHEMERAL_PORT if source_port is None else source_port,
        f"{protocol}.dst": words.destination.port,
    }
    return packet | ({"tcp.flags": _SYN} if protocol == "tcp" else {})


def _multicast_mac(group: Address) -> int:
    return int.from_bytes(multicast_mac(group.packed))
