"""Random ACLs, on switches and on port groups, over the addresses and ports of topologies.

OVN 23.03 has a single tier of ACLs, and no ``pass``; so has what is drawn here.
"""

from random import Random
from typing import Any

PORTS = (22, 80, 81, 443, 1000, 1999, 2000)
"""TCP and UDP ports that ACLs compare with."""

_MAX_PRIORITY = 2000
_ACTIONS = ("allow", "allow-related", "allow-stateless", "drop", "drop", "reject")


def add_acls(rng: Random, document: dict[str, Any]) -> None:
    """No two have the same priority: which of them wins would be anybody's guess."""
    owners = [*document["logical_switches"].values(), *document["port_groups"].values()]
    for priority in rng.sample(range(_MAX_PRIORITY), rng.randint(0, 7)):
        direction = rng.choice(["from-lport", "to-lport"])
        port = "inport" if direction == "from-lport" else "outport"
        owner = rng.choice(owners)
        owner.setdefault("acls", []).append(
            {
                "direction": direction,
                "priority": priority,
                "match": _match(rng, list(document["port_groups"]), port),
                "action": rng.choice(_ACTIONS),
            }
        )


def _match(rng: Random, groups: list[str], port: str) -> str:
    first = _condition(rng, groups, port)
    if rng.random() < 0.4:
        return first
    joint = rng.choice(["&&", "&&", "||"])
    return f"({first}) {joint} ({_condition(rng, groups, port)})"


def _condition(rng: Random, groups: list[str], port: str) -> str:
    group = rng.choice(groups)
    switch, host = rng.randint(1, 3), rng.randint(1, 4)
    low, high = sorted(rng.sample(PORTS, 2))
    protocol = rng.choice(["tcp", "udp"])
    return rng.choice(
        [
            "1",
            "ip",
            "ip4",
            "ip6",
            "arp",
            "icmp4 && icmp4.type == 8",
            "icmp6.type == 128",
            "ip.ttl == {0, 1}",
            f"{port} == @{group}",
            f"{port} == @{group} && ip4",
            f"ip4.src == ${group}_ip4",
            f"ip6.dst == ${group}_ip6",
            "ip4.src == {$some4, 10.0.1.2}",
            "ip4.dst != $some4",
            "ip6.src == $some6",
            "ip4.src == $empty",
            f"ip4.dst == 10.0.{switch}.0/24",
            f"ip4.src == 10.0.{switch}.{host}",
            f"ip6.src == fd00:{switch}::/64",
            f"eth.src == 0a:00:00:00:{switch:02x}:{host:02x}",
            "eth.mcast",
            f"{low} <= {protocol}.dst <= {high}",
            f"{protocol}.dst == {{{low}, {high}}}",
            f"{protocol}.src > {low}",
            f"!({protocol}.dst == {high})",
            f"tcp.dst != {low}",
            "sctp",
        ]
    )
