"""What a random network does for its workloads: DHCP, router advertisements, load balancers.

Virtual addresses are ``10.96.0.n`` and ``fd96::n``, or those of a router outside. Each has one
backend at most, so that nothing is left to chance, and all that is told by DHCP is what every
client is told. No load balancer is a template: ``ovn-trace`` is on no chassis whose variables it
could put in, and passes over flows that have some.
"""

from random import Random
from typing import Any

from tests.differential.network.acls import PORTS
from tests.differential.network.outside import NUMBER, SWITCH, is_gateway

Document = dict[str, Any]

_LIFETIME = 65535
"""Seconds for which OVN's advertisements tell of the router."""


def add_dhcp(rng: Random, document: Document) -> None:
    """Options for some ports that have an address of the family, of either one."""
    _add_dhcpv6(rng, document)
    for name, switch in document["logical_switches"].items():
        number = name[2:]
        clients = [
            port
            for port in switch["ports"].values()
            if "." in next(iter(port.get("addresses", [""]))) and rng.random() < 0.4
        ]
        if not clients:
            continue
        options = f"dhcp-{number}"
        document["dhcp_options"][options] = {
            "cidr": f"10.0.{number}.0/24",
            "dhcpv4": {
                "server_id": f"10.0.{number}.250",
                "server_mac": f"0a:00:00:03:00:{int(number):02x}",
                "routers": [f"10.0.{number}.251"],
                "lease_time": 3600,
            },
        }
        for port in clients:
            port["dhcpv4_options"] = options


def _add_dhcpv6(rng: Random, document: Document) -> None:
    for name, switch in document["logical_switches"].items():
        number = name[2:]
        clients = [
            port
            for port in switch["ports"].values()
            if " fd00:" in next(iter(port.get("addresses", [""]))) and rng.random() < 0.4
        ]
        if clients:
            options = f"dhcpv6-{number}"
            mac = f"0a:00:00:03:06:{int(number):02x}"
            document["dhcp_options"][options] = {
                "cidr": f"fd00:{number}::/64",
                "dhcpv6": {"server_mac": mac},
            }
            for port in clients:
                port["dhcpv6_options"] = options


def add_router_advertisements(rng: Random, routers: Document) -> None:
    """For hosts at some ports with an IPv6 network; whoever asks is told, and nobody else."""
    for router in routers.values():
        for port in router["ports"].values():
            if any(":" in network for network in port["networks"]) and rng.random() < 0.4:
                mode = rng.choice(["slaac", "dhcpv6_stateful", "dhcpv6_stateless"])
                port["ipv6_ra"] = {"address_mode": mode, "lifetime": _LIFETIME}


def add_load_balancers(rng: Random, document: Document) -> None:
    """On switches and on a router with a gateway, for both families, with a port or without.

    Not on switches that lead outside: OVN balances what comes in from there, too.
    """
    switches = {
        name: switch for name, switch in document["logical_switches"].items() if name != SWITCH
    }
    outward = {
        name
        for name, switch in switches.items()
        if any("network_name" in port for port in switch["ports"].values())
    }
    hosts = _hosts(switches)
    number = 0
    for name in rng.sample(list(switches), rng.randint(0, len(switches))):
        if not hosts or rng.random() < 0.6:
            continue
        vips = []
        for _ in range(rng.randint(1, 3)):
            number += 1
            vips.append(_vip(rng, hosts, [f"10.96.0.{number}"], [f"fd96::{number}"]))
        balancer = {
            "protocol": rng.choice(["tcp", "udp"]),
            "switches": [name],
            "vips": vips,
            **({"reject": True} if rng.random() < 0.3 else {}),
        }
        if name not in outward:
            document["load_balancers"][f"lb-{name}"] = balancer
    for name, router in document["logical_routers"].items():
        if hosts and is_gateway(router) and rng.random() < 0.6:
            _balance_at_gateway(rng, document, name, hosts)


_FREE = range(220, 223)
"""The last parts of virtual addresses outside that are no port's, and no NAT's."""


def _balance_at_gateway(rng: Random, document: Document, name: str, hosts: list[list[str]]) -> None:
    """Virtual addresses outside, others, and the router's own one there."""
    router = document["logical_routers"][name]
    own = router["ports"][f"{name}-{SWITCH}"]["networks"]
    vips: dict[tuple[str, int], Document] = {}
    for number in _FREE[: rng.randint(1, len(_FREE))]:
        fours = [f"10.0.{NUMBER}.{number}", f"10.97.0.{number}", own[0].partition("/")[0]]
        sixes = [f"fd00:{NUMBER}::{number:x}", f"fd97::{number:x}", own[1].partition("/")[0]]
        vip = _vip(rng, hosts, fours, sixes)
        vips[vip["address"], vip.get("port", 0)] = vip
    balancer = {"protocol": rng.choice(["tcp", "udp"]), "routers": [name]}
    if rng.random() < 0.3:
        balancer["reject"] = True
    if rng.random() < 0.3:
        balancer["neighbor_responder"] = rng.choice(["all", "none"])
    if "chassis" in router:
        if rng.random() < 0.3:
            balancer["skip_snat"] = True
        forced = [f"10.0.{NUMBER}.230", f"fd00:{NUMBER}::e6"]
        if rng.random() < 0.3:
            router["lb_force_snat_ips"] = rng.choice([forced, forced[:1], forced[1:]])
        elif rng.random() < 0.3:
            router["lb_force_snat_router_ip"] = True
        if rng.random() < 0.3:
            router["dnat_force_snat_ips"] = rng.choice([forced, forced[:1], forced[1:]])
    document["load_balancers"][f"lb-{name}"] = {**balancer, "vips": list(vips.values())}


def _vip(rng: Random, hosts: list[list[str]], fours: list[str], sixes: list[str]) -> Document:
    """A virtual address of one of these, of the family of its backend."""
    backend = rng.choice(rng.choice(hosts))
    vip: Document = {"address": rng.choice(sixes if ":" in backend else fours)}
    with_port = rng.random() < 0.7
    if with_port:
        vip["port"] = rng.choice(PORTS)
    if rng.random() < 0.8:
        text = f"[{backend}]" if ":" in backend and with_port else backend
        vip["backends"] = [f"{text}:{rng.choice(PORTS)}" if with_port else text]
    return vip


def _hosts(switches: Document) -> list[list[str]]:
    """The IP addresses of workloads that have some."""
    addresses = [
        text.split()[1:]
        for switch in switches.values()
        for port in switch["ports"].values()
        for text in port.get("addresses", ())
    ]
    return [each for each in addresses if each]
