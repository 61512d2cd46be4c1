"""Random routes, routing policies and static MAC bindings of routers."""

import ipaddress
from random import Random
from typing import Any

Document = dict[str, Any]

OUTSIDE4, OUTSIDE6 = "192.0.2.0/24", "2001:db8::/32"


TABLE = "blue"
"""The one table of routes beside the main one."""


_AGE = 3600
"""Seconds for which neighbours are kept: longer than any test takes."""


def add_routes(rng: Random, router: Document, routers: Document) -> None:
    """Next hops are other routers' addresses or a host's, always in a network of the router."""
    if rng.random() < 0.3:
        router["ports"][rng.choice(list(router["ports"]))]["route_table"] = TABLE
    hops = _next_hops(router, routers)
    taken = set()
    for _ in range(rng.randint(0, 4)):
        hop = rng.choice(hops)
        policy = rng.choice(["dst-ip", "dst-ip", "dst-ip", "src-ip"])
        prefix = rng.choice(_prefixes(policy, six=":" in hop))
        table = {"route_table": TABLE} if rng.random() < 0.2 else {}
        if (prefix, policy, *table) not in taken:
            taken.add((prefix, policy, *table))
            nexthop = rng.choice([hop, hop, hop, "discard"])
            route = {"ip_prefix": prefix, "nexthop": nexthop, "policy": policy, **table}
            router["static_routes"].append(route)


def add_another_way(rng: Random, routers: Document) -> None:
    """A second next hop for one route of all, or for one policy that sends packets elsewhere.

    One, so that a packet that meets the choice twice chooses the same both times.
    """
    ways: list[tuple[Document, str, Document]] = []
    for router in routers.values():
        ways += [(router, route["nexthop"], route) for route in router["static_routes"]]
        ways += [
            (router, hop, policy)
            for policy in router.get("policies", ())
            for hop in policy.get("nexthops", ())
        ]
    ways = [way for way in ways if way[1] != "discard"]
    if not ways or rng.random() < 0.5:
        return
    router, hop, choosing = rng.choice(ways)
    others = [
        other
        for other in _next_hops(router, routers)
        if (":" in other) == (":" in hop) and other != hop
    ]
    if not others:
        return
    other = rng.choice(others)
    if "nexthops" in choosing:
        choosing["nexthops"].append(other)
    else:
        router["static_routes"].append({**choosing, "nexthop": other})


def add_learning(rng: Random, routers: Document) -> None:
    """How routers learn of neighbours, how long they keep them, and which way replies go back."""
    for router in routers.values():
        if rng.random() < 0.2:
            router["always_learn_from_arp_request"] = False
        if rng.random() < 0.2:
            router["mac_binding_age_threshold"] = _AGE
        for route in router["static_routes"]:
            if "chassis" in router and route["nexthop"] != "discard" and rng.random() < 0.3:
                route["ecmp_symmetric_reply"] = True


def ways_to_choose(document: Document) -> int:
    """Into how many ways a hash may send a packet: 2 where there is another way, else 1."""
    for router in document["logical_routers"].values():
        routes = [
            (route["ip_prefix"], route.get("policy"), route.get("route_table"))
            for route in router.get("static_routes", ())
        ]
        hops = [len(policy.get("nexthops", ())) for policy in router.get("policies", ())]
        if len(set(routes)) < len(routes) or max(hops, default=0) > 1:
            return 2
    return 1


def _next_hops(router: Document, routers: Document) -> list[str]:
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
    return [ip for ip in hops if ip not in mine]


_ACTIONS = {4: ("allow", "drop", "reroute", "reroute"), 6: ("allow", "drop")}
"""What policies do to packets of a family."""


def add_policies(rng: Random, router: Document) -> None:
    """What hosts of one network send, or are sent, is let through, dropped, or goes elsewhere.

    Next hops are hosts of the router's networks. Of IPv6 there are none: for a next hop of a
    policy OVN asks in the multicast group of the packet's destination, where nobody answers.
    Nor is there a policy of priority 0: OVN has its default flow there, and chance decides. None
    is about the provider network: what comes for an external address and isn't translated goes
    nowhere, where OVN's policies may send it somewhere.
    """
    own = [
        text
        for port in router["ports"].values()
        for text in port["networks"]
        if text.endswith(("/24", "/64")) and not text.startswith(("10.0.9.", "fd00:9:"))
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


def bind_neighbours(rng: Random, port: Document) -> None:
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
