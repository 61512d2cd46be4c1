"""What a random network does for its workloads: DHCP, router advertisements, load balancers.

Virtual addresses are ``10.96.0.n`` and ``fd96::n``. Each has one backend at most, so that nothing
is left to chance, and all that is told by DHCP is what every client is told.
"""

from random import Random
from typing import Any

from tests.differential.network.acls import PORTS
from tests.differential.network.outside import SWITCH

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
    """On switches, with virtual addresses of both families, with a port or without.

    Not on the provider switch: OVN balances what comes in from there, too.
    """
    switches = {
        name: switch for name, switch in document["logical_switches"].items() if name != SWITCH
    }
    hosts = _hosts(switches)
    number = 0
    for name in rng.sample(list(switches), rng.randint(0, len(switches))):
        if not hosts or rng.random() < 0.6:
            continue
        vips = []
        for _ in range(rng.randint(1, 3)):
            number += 1
            backend = rng.choice(rng.choice(hosts))
            vip: Document = {
                "address": f"fd96::{number}" if ":" in backend else f"10.96.0.{number}"
            }
            with_port = rng.random() < 0.7
            if with_port:
                vip["port"] = rng.choice(PORTS)
            if rng.random() < 0.8:
                text = f"[{backend}]" if ":" in backend and with_port else backend
                vip["backends"] = [f"{text}:{rng.choice(PORTS)}" if with_port else text]
            vips.append(vip)
        document["load_balancers"][f"lb-{name}"] = {
            "protocol": rng.choice(["tcp", "udp"]),
            "switches": [name],
            "vips": vips,
            **({"reject": True} if rng.random() < 0.3 else {}),
        }


def _hosts(switches: Document) -> list[list[str]]:
    """The IP addresses of workloads that have some."""
    addresses = [
        text.split()[1:]
        for switch in switches.values()
        for port in switch["ports"].values()
        for text in port.get("addresses", ())
    ]
    return [each for each in addresses if each]
