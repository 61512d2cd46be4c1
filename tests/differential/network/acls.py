"""Random ACLs, on switches and on port groups, over the addresses and ports of topologies.

OVN 23.03 has a single tier of ACLs, and no ``pass``; so has what is drawn here.
"""

from random import Random
from typing import Any, NamedTuple

PORTS = (22, 80, 81, 443, 1000, 1999, 2000)
"""TCP and UDP ports that ACLs compare with."""

_MAX_PRIORITY = 2000
_ACTIONS = ("allow", "allow-related", "allow-stateless", "drop", "drop", "reject")


def add_acls(rng: Random, document: dict[str, Any]) -> None:
    """No two have the same priority: which of them wins would be anybody's guess."""
    switches, groups = document["logical_switches"], document["port_groups"]
    members = {name: _switches_of(switches, group["ports"]) for name, group in groups.items()}
    owners = [
        *((switch, {name}) for name, switch in switches.items()),
        *((group, members[name]) for name, group in groups.items()),
    ]
    for priority in rng.sample(range(_MAX_PRIORITY), rng.randint(0, 7)):
        direction = rng.choice(["from-lport", "to-lport"])
        owner, places = rng.choice(owners)
        present = [name for name, found in members.items() if places <= found]
        conditions = _Conditions(
            rng, "inport" if direction == "from-lport" else "outport", list(groups), present
        )
        owner.setdefault("acls", []).append(
            {
                "direction": direction,
                "priority": priority,
                "match": conditions.match(),
                "action": rng.choice(_ACTIONS),
            }
        )


def has_tracking_acls(document: dict[str, Any], switch: dict[str, Any]) -> bool:
    """Whether an ACL of a switch, or of a group with one of its ports, needs connections."""
    groups = [
        group
        for group in document["port_groups"].values()
        if not switch["ports"].keys().isdisjoint(group["ports"])
    ]
    return any(
        acl["action"] == "allow-related"
        for owner in (switch, *groups)
        for acl in owner.get("acls", ())
    )


def _switches_of(switches: dict[str, Any], ports: list[str]) -> set[str]:
    return {
        name for name, switch in switches.items() if not switch["ports"].keys().isdisjoint(ports)
    }


class _Conditions(NamedTuple):
    """What draws matches for an ACL on packets to or from `port`.

    Ports are compared only with groups that are `present` on each of the ACL's switches:
    to OVN another group is unknown there, and the ACL an error.
    """

    rng: Random
    port: str
    groups: list[str]
    present: list[str]

    def match(self) -> str:
        first = self.condition()
        if self.rng.random() < 0.4:
            return first
        joint = self.rng.choice(["&&", "&&", "||"])
        return f"({first}) {joint} ({self.condition()})"

    def condition(self) -> str:
        rng = self.rng
        about_ports = [
            text
            for group in self.present
            for text in (f"{self.port} == @{group}", f"{self.port} == @{group} && ip4")
        ]
        group = rng.choice(self.groups)
        switch, host = rng.randint(1, 3), rng.randint(1, 4)
        low, high = sorted(rng.sample(PORTS, 2))
        protocol = rng.choice(["tcp", "udp"])
        return rng.choice(
            [
                *about_ports,
                "1",
                "ip",
                "ip4",
                "ip6",
                "arp",
                "icmp4 && icmp4.type == 8",
                "icmp6.type == 128",
                "ip.ttl == {0, 1}",
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
