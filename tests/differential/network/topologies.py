"""Random small networks, as declarative documents, within what OVN 23.03 can express.

Addresses follow from numbers, so that a reader of a failing case sees at once what
belongs where: host `n` of switch `s` is ``0a:00:00:00:0s:0n``, ``10.0.s.n`` and
``fd00:s::n``; router `r` has ``.25r`` and ``::fr`` there.
"""

import ipaddress
from random import Random
from typing import Any

from tests.differential.network.acls import add_acls

Document = dict[str, Any]

OUTSIDE4, OUTSIDE6 = "192.0.2.0/24", "2001:db8::/32"


def random_topology(rng: Random) -> Document:
    switches = {f"ls{n}": _switch(rng, n) for n in range(1, rng.randint(1, 3) + 1)}
    routers = {f"lr{n}": _router(rng, n, switches) for n in range(1, rng.randint(0, 2) + 1)}
    if len(routers) == 2 and rng.random() < 0.6:
        _link(rng, routers)
    for router in routers.values():
        _add_routes(rng, router, routers)
        _add_policies(rng, router)
    document = {
        "document": "differential",
        "logical_switches": switches,
        "logical_routers": routers,
        "address_sets": _address_sets(rng, len(switches)),
        "port_groups": _port_groups(rng, switches),
    }
    add_acls(rng, document)
    _disable(rng, routers)
    for router in routers.values():
        for port in router["ports"].values():
            _bind_neighbours(rng, port)
    return document


def _switch(rng: Random, number: int) -> Document:
    return {
        "ports": {
            f"ls{number}-p{n}": _workload(rng, number, n) for n in range(1, rng.randint(2, 4) + 1)
        }
    }


def _workload(rng: Random, switch: int, number: int) -> Document:
    port: Document = {"addresses": [_address(rng, switch, number)]}
    if rng.random() < 0.2:
        port["addresses"].append(_address(rng, switch, number + 100))
    if rng.random() < 0.3:
        port["port_security"] = [
            _secured(rng, switch, number + 100 * index) for index in range(len(port["addresses"]))
        ]
    if rng.random() < 0.15:
        port["addresses"].append("unknown")
    if rng.random() < 0.1:
        port["enabled"] = False
    return port


def _address(rng: Random, switch: int, number: int) -> str:
    ip4, ip6 = f" 10.0.{switch}.{number}", f" fd00:{switch}::{number:x}"
    mac = f"0a:00:00:00:{switch:02x}:{number:02x}"
    return mac + rng.choice(["", ip4, ip6, ip4 + ip6, ip4 + ip6, ip4 + ip6])


def _secured(rng: Random, switch: int, number: int) -> str:
    """An address of the port or not; with a prefix length, a host in a subnet or all of it."""
    host4, host6 = f" 10.0.{switch}.{number}", f" fd00:{switch}::{number:x}"
    ip4 = rng.choice(["", host4, host4, f"{host4}/24", f" 10.0.{switch}.0/28", " 192.0.2.7"])
    ip6 = rng.choice(["", host6, host6, f"{host6}/64", f" fd00:{switch}::/64"])
    return f"0a:00:00:00:{switch:02x}:{number:02x}{ip4}{ip6}"


def _router(rng: Random, number: int, switches: Document) -> Document:
    router: Document = {"ports": {}, "static_routes": []}
    if rng.random() < 0.05:
        router["enabled"] = False
    for name in rng.sample(list(switches), rng.randint(1, len(switches))):
        switch = int(name[2:])
        port = f"lr{number}-{name}"
        networks = [f"10.0.{switch}.{250 + number}/24", f"fd00:{switch}::f{number}/64"]
        router["ports"][port] = {
            "mac": f"0a:00:00:01:{number:02x}:{switch:02x}",
            "networks": rng.choice([networks, networks, networks[:1], networks[1:]]),
        }
        switches[name]["ports"][f"{name}-lr{number}"] = {"type": "router", "router_port": port}
    return router


def _link(rng: Random, routers: Document) -> None:
    """A link between the two routers, without a switch."""
    ends = [f"{name}-link" for name in routers]
    networks = rng.choice([["10.9.0.{}/30", "fd09::{}/64"], ["10.9.0.{}/30"]])
    for number, (router, end, peer) in enumerate(
        zip(routers.values(), ends, reversed(ends), strict=True), 1
    ):
        router["ports"][end] = {
            "mac": f"0a:00:00:09:00:{number:02x}",
            "networks": [network.format(number) for network in networks],
            "peer": peer,
        }


def _disable(rng: Random, routers: Document) -> None:
    """One of the routers' ports in twenty."""
    for router in routers.values():
        for port in router["ports"].values():
            if rng.random() < 0.05:
                port["enabled"] = False


def _add_routes(rng: Random, router: Document, routers: Document) -> None:
    """Next hops are other routers' addresses or a host's, always in a network of the router."""
    own = [text for port in router["ports"].values() for text in port["networks"]]
    others = [
        text.partition("/")[0]
        for other in routers.values()
        if other is not router
        for port in other["ports"].values()
        for text in port["networks"]
    ]
    hops = [ip for ip in others if any(_prefix(ip) == _prefix(text) for text in own)]
    hops += [f"{_prefix(text)}1" for text in own]
    mine = {text.partition("/")[0] for text in own}
    hops = [ip for ip in hops if ip not in mine]
    taken = set()
    for _ in range(rng.randint(0, 4)):
        hop = rng.choice(hops)
        policy = rng.choice(["dst-ip", "dst-ip", "dst-ip", "src-ip"])
        prefix = rng.choice(_prefixes(policy, six=":" in hop))
        if (prefix, policy) not in taken:
            taken.add((prefix, policy))
            nexthop = rng.choice([hop, hop, hop, "discard"])
            route = {"ip_prefix": prefix, "nexthop": nexthop, "policy": policy}
            router["static_routes"].append(route)


_ACTIONS = {4: ("allow", "drop", "reroute", "reroute"), 6: ("allow", "drop")}
"""What policies do to packets of a family."""


def _add_policies(rng: Random, router: Document) -> None:
    """What hosts of one network send, or are sent, is let through, dropped, or goes elsewhere.

    Next hops are hosts of the router's networks. Of IPv6 there are none: for a next hop of a
    policy OVN asks in the multicast group of the packet's destination, where nobody answers.
    Nor is there a policy of priority 0: OVN has its default flow there, and chance decides.
    """
    own = [
        text
        for port in router["ports"].values()
        for text in port["networks"]
        if text.endswith(("/24", "/64"))
    ]
    if not own or rng.random() < 0.6:
        return
    for priority in rng.sample(range(1, 6), rng.randint(1, 3)):
        network = ipaddress.ip_interface(rng.choice(own)).network
        side = rng.choice(["src", "dst"])
        policy: Document = {
            "priority": priority,
            "match": f"ip{network.version}.{side} == {network}",
            "action": rng.choice(_ACTIONS[network.version]),
        }
        if policy["action"] == "reroute":
            hops = [
                f"{_prefix(text)}{rng.randint(1, 3)}"
                for text in own
                if ipaddress.ip_interface(text).version == network.version
            ]
            mine = {text.partition("/")[0] for text in own}
            hops = [hop for hop in hops if hop not in mine]
            if not hops:
                continue
            policy["nexthops"] = [rng.choice(hops)]
        if all(policy["match"] != other["match"] for other in router.get("policies", ())):
            router.setdefault("policies", []).append(policy)


def _bind_neighbours(rng: Random, port: Document) -> None:
    """Static MAC bindings of hosts of the port's networks, of none, and of another router.

    The MAC addresses are those of hosts, the right one or another, and one that no host has.
    """
    if rng.random() < 0.5:
        return
    number = int(port["mac"][-2:], 16)
    hosts = ["1", "2", "3", "77"]
    ips = ["192.0.2.7", "2001:db8::7"]
    for text in port["networks"]:
        ips += [_prefix(text) + host for host in [*hosts, "f1" if ":" in text else "251"]]
    own = {text.partition("/")[0] for text in port["networks"]}
    own.add("10.9.0.3")  # The broadcast address of the link between the routers.
    bound = rng.sample([ip for ip in ips if ip not in own], rng.randint(1, 3))
    port["static_mac_bindings"] = [
        {
            "ip": ip,
            "mac": f"0a:00:00:00:{number:02x}:{rng.choice([1, 1, 2, 3, 0x77]):02x}",
            "override_dynamic_mac": rng.random() < 0.5,
        }
        for ip in bound
    ]


def _prefixes(policy: str, *, six: bool) -> list[str]:
    """By source there is no default route: OVN gives it the priority of dropping, 0."""
    found = [OUTSIDE6, "fd00:2::/64", "2001:db8::7/128"]
    if not six:
        found = [OUTSIDE4, "10.0.2.0/24", "10.0.3.0/25", "192.0.2.7/32"]
    return found if policy == "src-ip" else [*found, "::/0" if six else "0.0.0.0/0"]


def _prefix(ip: str) -> str:
    """The part of an address of ours that its neighbours share."""
    separator = "::" if ":" in ip else "."
    return ip.rpartition(separator)[0] + separator


def _address_sets(rng: Random, switches: int) -> Document:
    members4 = [f"10.0.{switch}.{n}" for switch in range(1, switches + 1) for n in (1, 2, 3)]
    members6 = [f"fd00:{switch}::{n}" for switch in range(1, switches + 1) for n in (1, 2, 3)]
    return {
        "some4": {"addresses": rng.sample([*members4, "10.0.1.0/30", OUTSIDE4], 2)},
        "some6": {"addresses": rng.sample([*members6, "fd00:1::/126", OUTSIDE6], 2)},
        "empty": {"addresses": []},
    }


def _port_groups(rng: Random, switches: Document) -> Document:
    workloads = [
        name
        for switch in switches.values()
        for name, port in switch["ports"].items()
        if port.get("type") != "router"
    ]
    return {
        f"pg{n}": {"ports": sorted(rng.sample(workloads, rng.randint(1, len(workloads))))}
        for n in range(1, rng.randint(1, 2) + 1)
    }
