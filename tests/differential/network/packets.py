"""Random packets at the borders of a network: its addresses, their neighbours, and lies.

A packet starts out as what a workload would send to some destination, by way of a
router where that is elsewhere. Then, mostly, a field or two are changed.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from random import Random
from typing import NamedTuple

from tests.differential.network.acls import PORTS
from tests.differential.network.outside import LOCALNET, outside_host
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document

STATES = ("new", "new", "est", "rpl", "inv")
"""What the connection tracker says wherever it is asked; most packets start something."""

Fields = dict[str, str]

_CLIENT_PORTS = [40000, 50000]
_BROADCAST = "ff:ff:ff:ff:ff:ff"
_STRANGERS4 = ["10.0.1.77", "10.0.2.255", "192.0.2.7", "192.0.2.8", "10.9.0.3", "8.8.8.8"]
_STRANGERS6 = ["fd00:1::77", "2001:db8::7", "2001:db8::8", "fd09::9"]
_SPECIAL4 = ["0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255"]
_SPECIAL6 = ["::", "::1", "ff02::1", "ff05::5"]
_SPECIAL_MACS = [_BROADCAST, "01:00:5e:00:00:05", "33:33:00:00:00:01", "0a:00:00:00:01:77"]


class _Host(NamedTuple):
    """An address line of a workload's port, and the port where its packets enter."""

    switch: str
    port: str
    mac: str
    ips: list[str]


class _Target(NamedTuple):
    """An address that stands for others, by itself or by one protocol at one port."""

    ip: str
    protocol: str | None = None
    port: int | None = None
    mac: str | None = None


class _Network:
    """The addresses that occur in a document."""

    def __init__(self, document: Document) -> None:
        router_ports = {
            name: port
            for router in document["logical_routers"].values()
            for name, port in router["ports"].items()
        }
        self.hosts: list[_Host] = []
        self.gateways: dict[str, list[str]] = {}
        for switch_name, switch in document["logical_switches"].items():
            self.gateways[switch_name] = []
            for name, port in switch["ports"].items():
                if port.get("type") == "router":
                    self.gateways[switch_name].append(router_ports[port["router_port"]]["mac"])
                    continue
                if port.get("type") in ("localnet", "l2gateway"):
                    mac, *ips = outside_host(switch_name)
                    self.hosts.append(_Host(switch_name, name, mac, ips))
                entry = LOCALNET if port.get("type") == "external" else name
                for text in port["addresses"]:
                    if text != "unknown":
                        mac, *ips = text.split()
                        self.hosts.append(_Host(switch_name, entry, mac, ips))
        self.macs = [host.mac for host in self.hosts]
        self.macs += [port["mac"] for port in router_ports.values()]
        ips = [ip for host in self.hosts for ip in host.ips]
        ips += [ip.partition("/")[0] for port in router_ports.values() for ip in port["networks"]]
        nats = [
            nat for router in document["logical_routers"].values() for nat in router.get("nats", ())
        ]
        self.macs += [nat["external_mac"] for nat in nats if "external_mac" in nat]
        ips += [nat["external_ip"] for nat in nats]
        balancers = document.get("load_balancers", {}).values()
        vips = [(vip, balancer) for balancer in balancers for vip in balancer["vips"]]
        ips += [vip["address"] for vip, _ in vips]
        self.translated = [_Target(nat["external_ip"], mac=nat.get("external_mac")) for nat in nats]
        self.translated += [
            _Target(vip["address"], balancer["protocol"], vip.get("port")) for vip, balancer in vips
        ]
        ips += [
            binding["ip"]
            for port in router_ports.values()
            for binding in port.get("static_mac_bindings", ())
        ]
        self.ip4 = [*_with_neighbours(ip for ip in ips if ":" not in ip), *_STRANGERS4]
        self.ip6 = [*_with_neighbours(ip for ip in ips if ":" in ip), *_STRANGERS6]
        self.ip6 += [_link_local(mac) for mac in self.macs]


def random_probes(rng: Random, document: Document, count: int) -> Iterator[Probe]:
    network = _Network(document)
    for _ in range(count):
        yield Probe(_packet(rng, network), rng.choice(STATES))


def random_beginnings(rng: Random, document: Document, count: int) -> Iterator[Probe]:
    """What begins connections: to hosts, mostly by addresses that stand for them, and truthfully.

    Both ends have addresses of one family, as nothing translates between the two.
    """
    network = _Network(document)
    hosts = [host for host in network.hosts if host.ips]
    for _ in range(count if hosts else 0):
        host = rng.choice(hosts)
        own = rng.choice(host.ips)
        others = [_Target(ip) for other in hosts for ip in other.ips if other is not host]
        targets = [
            target
            for target in (network.translated if rng.random() < 0.7 else others)
            if (":" in target.ip) == (":" in own)
        ]
        if targets:
            yield Probe(_beginning(rng, network, host, own, rng.choice(targets)), "new")


def _beginning(rng: Random, network: _Network, host: _Host, own: str, target: _Target) -> str:
    version = "ip6" if ":" in own else "ip4"
    ping = f"icmp{version[-1]}"
    protocol = target.protocol or rng.choice(["tcp", "tcp", "udp", ping])
    next_hop = target.mac if host.port == LOCALNET else None
    texts = [
        f'inport == "{host.port}"',
        f"eth.src == {host.mac}",
        f"eth.dst == {next_hop or _next_hop(rng, network, host.switch, target.ip)}",
        f"{version}.src == {own}",
        f"{version}.dst == {target.ip}",
        "ip.ttl == 64",
    ]
    if protocol == ping:
        texts.append(f"{ping}.type == {128 if version == 'ip6' else 8} && {ping}.code == 0")
    else:
        port = target.port or rng.choice(PORTS)
        texts.append(f"{protocol}.src == {rng.choice(_CLIENT_PORTS)} && {protocol}.dst == {port}")
    return " && ".join(texts)


def _packet(rng: Random, network: _Network) -> str:
    host = rng.choice(network.hosts)
    six = rng.random() < 0.4
    known = network.ip6 if six else network.ip4
    target = rng.choice(known)
    own = next((ip for ip in host.ips if (":" in ip) == six), None) or rng.choice(known)
    fields = {"eth.src": host.mac, "eth.dst": _next_hop(rng, network, host.switch, target)}
    kind = rng.random()
    if kind < 0.25:
        made = _discovery(rng, host.mac, own, target) if six else _arp(rng, host.mac, own, target)
    elif kind < 0.28:
        made = rng.choice([_dhcpv6, _looking_for_routers])(host.mac) if six else _dhcp()
    else:
        made = _ip(rng, own, target, six=six)
    fields |= made
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        _lie(rng, network, fields, six=six)
    texts = [
        f'inport == "{host.port}"',
        *(f"{name} == {value}" for name, value in fields.items()),
    ]
    if rng.random() < 0.02:
        texts.append("vlan.present && vlan.vid == 5")
    return " && ".join(texts)


def _next_hop(rng: Random, network: _Network, switch: str, target: str) -> str:
    """The destination's MAC address when it is on the switch, else that of a router."""
    for host in network.hosts:
        if target in host.ips and host.switch == switch:
            return host.mac
    return rng.choice(network.gateways[switch] or network.macs)


def _ip(rng: Random, source: str, target: str, *, six: bool) -> Fields:
    version = "ip6" if six else "ip4"
    fields = {
        f"{version}.src": source,
        f"{version}.dst": target,
        "ip.ttl": rng.choice(["64", "64", "64", "255", "2", "1", "0"]),
    }
    protocol = rng.choice(["tcp", "tcp", "udp", "udp", "sctp", "icmp", "icmp", "other"])
    if protocol == "icmp":
        number, types = ("6", [128, 128, 129, 1]) if six else ("4", [8, 8, 0, 3, 13])
        return fields | {f"icmp{number}.type": str(rng.choice(types)), f"icmp{number}.code": "0"}
    if protocol == "other":
        return fields | {"ip.proto": "47"}
    around = [port + step for port in PORTS for step in (-1, 0, 0, 1)]
    return fields | {
        f"{protocol}.src": str(rng.choice(around)),
        f"{protocol}.dst": str(rng.choice(around)),
    }


def _dhcp() -> Fields:
    """A host that has no address yet."""
    return {
        "eth.dst": _BROADCAST,
        "ip4.src": "0.0.0.0",
        "ip4.dst": "255.255.255.255",
        "ip.ttl": "64",
        "udp.src": "68",
        "udp.dst": "67",
    }


def _dhcpv6(mac: str) -> Fields:
    """What asks all servers."""
    return {
        "eth.dst": "33:33:00:01:00:02",
        "ip6.src": _link_local(mac),
        "ip6.dst": "ff02::1:2",
        "ip.ttl": "64",
        "udp.src": "546",
        "udp.dst": "547",
    }


def _looking_for_routers(mac: str) -> Fields:
    """A router solicitation."""
    return {
        "eth.dst": "33:33:00:00:00:02",
        "ip6.src": _link_local(mac),
        "ip6.dst": "ff02::2",
        "ip.ttl": "255",
        "icmp6.type": "133",
        "icmp6.code": "0",
    }


def _arp(rng: Random, mac: str, own: str, target: str) -> Fields:
    fields = {
        "arp.op": rng.choice(["1", "1", "1", "2"]),
        "arp.sha": mac,
        "arp.spa": rng.choice([own, own, own, "0.0.0.0"]),
        "arp.tha": "00:00:00:00:00:00",
        "arp.tpa": rng.choice([target, target, target, own]),
    }
    if rng.random() < 0.8:
        fields["eth.dst"] = _BROADCAST
    return fields


def _discovery(rng: Random, mac: str, own: str, target: str) -> Fields:
    """A neighbour solicitation, or an advertisement of the sender's own address."""
    if rng.random() < 0.25:
        return {
            "ip6.src": own,
            "ip6.dst": rng.choice(["ff02::1", target]),
            "ip.ttl": "255",
            "icmp6.type": "136",
            "icmp6.code": "0",
            "nd.target": own,
            "nd.tll": mac,
        }
    low = int(IPv6Address(target)) & 0xFFFFFF
    text = f"{low:06x}"
    return {
        "eth.dst": f"33:33:ff:{text[:2]}:{text[2:4]}:{text[4:]}",
        "ip6.src": rng.choice([own, own, own, "::"]),
        "ip6.dst": str(IPv6Address(int(IPv6Address("ff02::1:ff00:0")) | low)),
        "ip.ttl": "255",
        "icmp6.type": "135",
        "icmp6.code": "0",
        "nd.target": target,
        "nd.sll": mac,
    }


def _lie(rng: Random, network: _Network, fields: Fields, *, six: bool) -> None:
    """Change a field to what occurs elsewhere, or is special."""
    ips = [*network.ip6, *_SPECIAL6] if six else [*network.ip4, *_SPECIAL4]
    name = rng.choice([name for name in fields if not name.endswith((".type", ".code", ".op"))])
    if name in ("eth.src", "eth.dst") or name.endswith((".sha", ".sll", ".tll")):
        fields[name] = rng.choice([*network.macs, *_SPECIAL_MACS])
    elif name.startswith(("ip4.", "ip6.")) or name.endswith((".spa", ".tpa", ".target")):
        fields[name] = rng.choice(ips)


def _with_neighbours(ips: Iterator[str]) -> Iterator[str]:
    """Each address four times, and once those next to it."""
    for text in ips:
        ip = ip_address(text)
        yield from (text, text, text, text, str(ip - 1), str(ip + 1))


def _link_local(mac: str) -> str:
    octets = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + identifier))
